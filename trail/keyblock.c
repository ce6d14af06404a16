/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/keyblock.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* A line without its end; ${at} behind it. */
struct line {
    const char *text;
    size_t len;
};

static struct line next_line(const char *text, size_t len, size_t *at)
{
    struct line l = {.text = text + *at};
    const char *stop = memchr(l.text, '\n', len - *at);

    l.len = stop == NULL ? len - *at : (size_t)(stop - l.text);
    *at += l.len + (stop != NULL);
    if (l.len > 0 && l.text[l.len - 1] == '\r') {
        l.len--;
    }
    return l;
}

static void fail(struct keyblock *b, const char *why)
{
    b->fault = b->fault == NULL ? why : b->fault;
}

/* Part of what was signed. */
static void add_signed(struct keyblock *b, struct line l)
{
    if (l.len + 1 > sizeof b->signed_text - b->signed_len) {
        fail(b, "it is too long");
        return;
    }
    memcpy(b->signed_text + b->signed_len, l.text, l.len);
    b->signed_len += l.len;
    b->signed_text[b->signed_len++] = '\n';
}

/* The value of "#Name=value": false when the line is of another name. */
static bool value_of(struct line l, const char *name, struct line *ret)
{
    size_t n = strlen(name);

    if (l.len < n || memcmp(l.text, name, n) != 0) {
        return false;
    }
    *ret = (struct line){.text = l.text + n, .len = l.len - n};
    return true;
}

/* Printable ASCII alone, once alone. */
static void keep(struct keyblock *b, struct line v, char *to, size_t size)
{
    if (to[0] != '\0') {
        fail(b, "a line stands in it twice");
        return;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (v.text[i] <= ' ' || v.text[i] >= 0x7f) {
            fail(b, "one of its values is of characters that none of AWS's are");
            return;
        }
    }
    if (v.len == 0 || v.len >= size) {
        fail(b, "one of its values is empty or too long");
        return;
    }
    memcpy(to, v.text, v.len);
    to[v.len] = '\0';
}

static void keep_time(struct keyblock *b, struct line v)
{
    char text[20] = "";

    if (b->expires_s != 0) {
        fail(b, "a line stands in it twice");
        return;
    }
    keep(b, v, text, sizeof text);
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 15) {
        fail(b, "its time is no number");
        return;
    }
    b->expires_s = strtoll(text, NULL, 10);
    if (b->expires_s == 0) {
        fail(b, "its time is no number");
    }
}

static void take_hash_line(struct keyblock *b, struct line l)
{
    struct line v;

    if (value_of(l, "#Timestamp=", &v)) {
        keep_time(b, v);
    } else if (value_of(l, "#Instance=", &v)) {
        keep(b, v, b->instance, sizeof b->instance);
    } else if (value_of(l, "#Caller=", &v)) {
        keep(b, v, b->caller, sizeof b->caller);
    } else if (value_of(l, "#Request=", &v)) {
        keep(b, v, b->request, sizeof b->request);
    }
    add_signed(b, l);
}

/* Base64, whose lines were put together. */
static void take_signature(struct keyblock *b, const char *text, size_t len)
{
    uint8_t raw[sizeof b->signature + 8];
    int n;

    if (len == 0) {
        fail(b, "it has no signature");
        return;
    }
    if (len % 4 != 0 || len / 4 * 3 > sizeof raw) {
        fail(b, "its signature is no base64");
        return;
    }
    n = EVP_DecodeBlock(raw, (const unsigned char *)text, (int)len);
    n -= n > 0 && text[len - 1] == '=' ? 1 + (text[len - 2] == '=') : 0;
    if (n <= 0 || (size_t)n > sizeof b->signature) {
        fail(b, "its signature is no base64");
        return;
    }
    memcpy(b->signature, raw, (size_t)n);
    b->signature_len = (size_t)n;
}

static bool blank(struct line l)
{
    for (size_t i = 0; i < l.len; i++) {
        if (l.text[i] != ' ' && l.text[i] != '\t') {
            return false;
        }
    }
    return true;
}

/* Signature lines up to a blank one, or the next block's. */
static void read_signature(const char *text, size_t len, size_t *at, struct keyblock *b)
{
    char joined[1600];
    size_t n = 0;

    while (*at < len) {
        size_t next = *at;
        struct line l = next_line(text, len, &next);

        if (blank(l) || l.text[0] == '#') {
            break;
        }
        *at = next;
        if (l.len > sizeof joined - n) {
            fail(b, "its signature is too long");
            continue;
        }
        memcpy(joined + n, l.text, l.len);
        n += l.len;
    }
    take_signature(b, joined, n);
}

bool keyblock_next(const char *text, size_t len, size_t *at, struct keyblock *ret)
{
    struct line l = {.len = 0};

    len = len < KEYBLOCK_TEXT_MAX ? len : KEYBLOCK_TEXT_MAX;
    memset(ret, 0, sizeof *ret);
    do {
        if (*at >= len) {
            return false;
        }
        ret->from = *at;
        l = next_line(text, len, at);
    } while (blank(l));
    while (!blank(l) && l.text[0] == '#') {
        take_hash_line(ret, l);
        l = *at < len ? next_line(text, len, at) : (struct line){.text = "", .len = 0};
    }
    if (blank(l)) {
        fail(ret, "it has no key");
    } else {
        if (!sshkey_text(l.text, l.len, &ret->key)) {
            fail(ret, "its key is damaged");
        }
        add_signed(ret, l);
        read_signature(text, len, at, ret);
    }
    ret->to = *at;
    return true;
}

int keyblock_select(const char *text, size_t len, const uint8_t *blob, size_t blob_len,
                    struct buf *out, struct error *err)
{
    struct keyblock *b = malloc(sizeof *b);
    size_t at = 0;
    int n = 0, seen = 0, rc = 0;

    if (b == NULL) {
        return err_sys(err, "memory for a key block");
    }
    while (rc == 0 && seen++ < KEYBLOCK_MOST && keyblock_next(text, len, &at, b)) {
        if (b->fault == NULL && b->key.blob_len == blob_len && blob_len > 0 &&
            memcmp(b->key.blob, blob, blob_len) == 0) {
            const char *end = b->to > b->from && text[b->to - 1] == '\n' ? "\n" : "\n\n";

            n++;
            rc = buf_append(out, text + b->from, b->to - b->from, err) != 0 ||
                         buf_puts(out, end, err) != 0
                     ? -1
                     : 0;
        }
    }
    free(b);
    return rc == 0 ? n : -1;
}
