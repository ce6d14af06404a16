/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical path and query: the part of SigV4 that takes strangers' bytes. */
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"

#define MAX_PARAMS 64

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int sigv4_encode(struct buf *out, const void *bytes, size_t len, bool keep_slash, struct error *err)
{
    static const char hex[] = "0123456789ABCDEF";
    const unsigned char *p = bytes;

    for (size_t i = 0; i < len; i++) {
        char text[3] = {'%', hex[p[i] >> 4], hex[p[i] & 15]};
        bool plain = unreserved(p[i]) || (keep_slash && p[i] == '/');

        if (plain ? buf_putc(out, (char)p[i], err) != 0 : buf_append(out, text, 3, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* RFC 3986 section 5.2.4, and empty segments dropped. */
static int put_normal(struct buf *out, const char *path, struct error *err)
{
    struct buf kept;
    size_t len = strlen(path);
    bool slash_end = len > 0 && path[len - 1] == '/';
    int rc = -1;

    buf_init(&kept, SIGV4_MAX_BYTES);
    while (*path != '\0') {
        size_t n = strcspn(path, "/");

        if (n == 2 && memcmp(path, "..", 2) == 0) {
            while (kept.len > 0 && buf_data(&kept)[--kept.len] != '/') {
            }
            slash_end = slash_end || path[n] == '\0';
        } else if (n == 1 && *path == '.') {
            slash_end = slash_end || path[n] == '\0';
        } else if (n > 0 &&
                   (buf_putc(&kept, '/', err) != 0 || buf_append(&kept, path, n, err) != 0)) {
            goto out;
        }
        path += n + (path[n] == '/');
    }
    if ((slash_end || kept.len == 0) && buf_putc(&kept, '/', err) != 0) {
        goto out;
    }
    rc = sigv4_encode(out, buf_data(&kept), kept.len, true, err);
out:
    buf_clear(&kept);
    return rc;
}

int sigv4_canonical_path(struct buf *out, const char *path, enum sigv4_path rule, struct error *err)
{
    if (*path == '\0') {
        path = "/";
    }
    switch (rule) {
    case SIGV4_PATH_S3:
        return buf_puts(out, path, err);
    case SIGV4_PATH_ENCODE:
        return sigv4_encode(out, path, strlen(path), true, err);
    case SIGV4_PATH_GENERIC:
        break;
    }
    return put_normal(out, path, err);
}

static int unhex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decoded, then encoded: so that %7e, %7E and ~ are one.  A '%' that begins no escape is itself. */
static int put_part(struct buf *out, const char *text, size_t len, struct error *err)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '%' && len - i > 2 && unhex(text[i + 1]) >= 0 && unhex(text[i + 2]) >= 0) {
            c = (char)(unhex(text[i + 1]) * 16 + unhex(text[i + 2]));
            i += 2;
        }
        if (sigv4_encode(out, &c, 1, false, err) != 0) {
            return -1;
        }
    }
    return 0;
}

struct param {
    const char *base;      /* of all encoded parameters */
    size_t name, len, end; /* offsets: name, length of the name, end of "name=value" */
};

/* The name ends at '='; encoded bytes never are one.  An end of name sorts before any byte. */
static int param_compare(const void *pa, const void *pb)
{
    const struct param *a = pa, *b = pb;
    size_t a_value = a->end - a->name - a->len, b_value = b->end - b->name - b->len;
    size_t n = a->len < b->len ? a->len : b->len;
    int c = memcmp(a->base + a->name, b->base + b->name, n);

    if (c != 0 || a->len != b->len) {
        return c != 0 ? c : (a->len < b->len ? -1 : 1);
    }
    n = a_value < b_value ? a_value : b_value;
    c = memcmp(a->base + a->name + a->len, b->base + b->name + b->len, n);
    if (c != 0 || a_value != b_value) {
        return c != 0 ? c : (a_value < b_value ? -1 : 1);
    }
    return a->name < b->name ? -1 : a->name > b->name;
}

static int split(const char *query, struct buf *text, struct param *params, size_t *ret_count,
                 struct error *err)
{
    size_t count = 0;

    while (*query != '\0') {
        size_t n = strcspn(query, "&");
        const char *eq = memchr(query, '=', n);
        size_t name = eq == NULL ? n : (size_t)(eq - query);

        if (n > 0) {
            struct param *p = &params[count];

            if (count++ == MAX_PARAMS) {
                return err_set(err, ERR_LIMIT, "more than %d query parameters", MAX_PARAMS);
            }
            p->name = text->len;
            if (put_part(text, query, name, err) != 0) {
                return -1;
            }
            p->len = text->len - p->name;
            if (buf_putc(text, '=', err) != 0 ||
                (eq != NULL && put_part(text, eq + 1, n - name - 1, err) != 0)) {
                return -1;
            }
            p->end = text->len;
        }
        query += n + (query[n] == '&');
    }
    *ret_count = count;
    return 0;
}

int sigv4_canonical_query(struct buf *out, const char *query, struct error *err)
{
    struct param params[MAX_PARAMS];
    struct buf text;
    size_t count = 0;
    int rc = -1;

    buf_init(&text, SIGV4_MAX_BYTES);
    if (split(query, &text, params, &count, err) != 0) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        params[i].base = (const char *)buf_data(&text);
    }
    qsort(params, count, sizeof params[0], param_compare);
    for (size_t i = 0; i < count; i++) {
        const struct param *p = &params[i];

        if ((i > 0 && buf_putc(out, '&', err) != 0) ||
            buf_append(out, p->base + p->name, p->end - p->name, err) != 0) {
            goto out;
        }
    }
    rc = 0;
out:
    buf_clear(&text);
    return rc;
}
