/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/sigv4.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"

#define ALGORITHM  "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"

void sigv4_amz_date(int64_t unix_us, char ret[17])
{
    clock_format_utc(unix_us, "%Y%m%dT%H%M%SZ", ret, 17);
}

void sigv4_sha256_hex(const void *bytes, size_t len, char ret[65])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256(bytes, len, digest);
    io_hex(digest, sizeof digest, ret);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int name_compare(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}

/* By name alone, stable: the order of repeated headers is part of what is signed, and sorting whole
 * lines would put "x-amz-meta-a-b" before "x-amz-meta-a". */
static void sort_headers(const struct sigv4_request *req, size_t order[SIGV4_MAX_HEADERS])
{
    for (size_t i = 0; i < req->header_count; i++) {
        size_t at = i;

        while (at > 0 && name_compare(req->headers[order[at - 1]].name, req->headers[i].name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

/* Without blanks at the ends, each run of blanks inside (folded lines too) one space. */
static int put_value(struct buf *out, const char *value, struct error *err)
{
    bool any = false, blank = false;

    for (; *value != '\0'; value++) {
        if (strchr(" \t\r\n", *value) != NULL) {
            blank = true;
            continue;
        }
        if (blank && any && buf_putc(out, ' ', err) != 0) {
            return -1;
        }
        if (buf_putc(out, *value, err) != 0) {
            return -1;
        }
        any = true;
        blank = false;
    }
    return 0;
}

static int put_lower(struct buf *out, const char *name, struct error *err)
{
    for (; *name != '\0'; name++) {
        if (buf_putc(out, lower(*name), err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int put_headers(const struct sigv4_request *req, struct buf *out, struct buf *names,
                       struct error *err)
{
    size_t order[SIGV4_MAX_HEADERS];

    if (req->header_count > SIGV4_MAX_HEADERS) {
        return err_set(err, ERR_LIMIT, "more than %d headers", SIGV4_MAX_HEADERS);
    }
    sort_headers(req, order);
    for (size_t i = 0; i < req->header_count; i++) {
        const struct sigv4_header *h = &req->headers[order[i]];
        bool again = i > 0 && name_compare(req->headers[order[i - 1]].name, h->name) == 0;

        if (again) {
            if (buf_putc(out, ',', err) != 0) {
                return -1;
            }
        } else if ((i > 0 && (buf_putc(out, '\n', err) != 0 || buf_putc(names, ';', err) != 0)) ||
                   put_lower(names, h->name, err) != 0 || put_lower(out, h->name, err) != 0 ||
                   buf_putc(out, ':', err) != 0) {
            return -1;
        }
        if (put_value(out, h->value, err) != 0) {
            return -1;
        }
    }
    return buf_putc(out, '\n', err);
}

int sigv4_canonical(const struct sigv4_request *req, struct buf *ret, struct buf *ret_signed,
                    struct error *err)
{
    struct buf names;
    int rc = -1;

    buf_init(&names, SIGV4_MAX_BYTES);
    if (buf_printf(ret, err, "%s\n", req->method) != 0 ||
        sigv4_canonical_path(ret, req->path, req->path_rule, err) != 0 ||
        buf_putc(ret, '\n', err) != 0 ||
        sigv4_canonical_query(ret, req->query == NULL ? "" : req->query, err) != 0 ||
        buf_putc(ret, '\n', err) != 0 || put_headers(req, ret, &names, err) != 0 ||
        buf_putc(ret, '\n', err) != 0 || buf_append(ret, buf_data(&names), names.len, err) != 0 ||
        buf_printf(ret, err, "\n%s", req->payload_hash) != 0) {
        goto out;
    }
    rc = buf_append(ret_signed, buf_data(&names), names.len, err);
out:
    buf_clear(&names);
    return rc;
}

/* "20150830T123600Z\n20150830/us-east-1/service/aws4_request\n" */
static int put_scope(struct buf *out, const struct sigv4_scope *scope, struct error *err)
{
    char date[17];

    sigv4_amz_date(scope->unix_us, date);
    return buf_printf(out, err, "%s\n%.8s/%s/%s/" TERMINATOR "\n", date, date, scope->region,
                      scope->service);
}

int sigv4_string_to_sign(const struct sigv4_scope *scope, const void *canonical, size_t len,
                         struct buf *ret, struct error *err)
{
    char hash[65];

    sigv4_sha256_hex(canonical, len, hash);
    if (buf_puts(ret, ALGORITHM "\n", err) != 0 || put_scope(ret, scope, err) != 0) {
        return -1;
    }
    return buf_puts(ret, hash, err);
}

int sigv4_chunk_string(const struct sigv4_scope *scope, const char *previous, const void *chunk,
                       size_t len, struct buf *ret, struct error *err)
{
    char hash[65];

    sigv4_sha256_hex(chunk, len, hash);
    if (buf_puts(ret, ALGORITHM "-PAYLOAD\n", err) != 0 || put_scope(ret, scope, err) != 0) {
        return -1;
    }
    return buf_printf(ret, err, "%s\n" SIGV4_EMPTY_SHA256 "\n%s", previous, hash);
}

static bool hmac(const void *key, size_t key_len, const void *text, size_t len, uint8_t *ret)
{
    unsigned n = 0;

    return HMAC(EVP_sha256(), key, (int)key_len, text, len, ret, &n) != NULL &&
           n == SHA256_DIGEST_LENGTH;
}

int sigv4_signature(const char *secret, const struct sigv4_scope *scope, const void *text,
                    size_t len, char ret[65], struct error *err)
{
    char first[4 + 256], date[17];
    uint8_t a[SHA256_DIGEST_LENGTH], b[SHA256_DIGEST_LENGTH];
    size_t n = strlen(secret);
    int rc = -1;

    if (n > sizeof first - 4) {
        return err_set(err, ERR_LIMIT, "secret key of more than %zu bytes", sizeof first - 4);
    }
    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret, n);
    sigv4_amz_date(scope->unix_us, date);
    /* The key is narrowed to a day, a region and a service, one HMAC each. */
    if (!hmac(first, 4 + n, date, 8, a) ||
        !hmac(a, sizeof a, scope->region, strlen(scope->region), b) ||
        !hmac(b, sizeof b, scope->service, strlen(scope->service), a) ||
        !hmac(a, sizeof a, TERMINATOR, strlen(TERMINATOR), b) || !hmac(b, sizeof b, text, len, a)) {
        err_set(err, ERR_SYSTEM, "HMAC-SHA256 is not available");
        goto out;
    }
    io_hex(a, sizeof a, ret);
    rc = 0;
out:
    explicit_bzero(first, sizeof first);
    explicit_bzero(a, sizeof a);
    explicit_bzero(b, sizeof b);
    return rc;
}

int sigv4_authorization(const struct sigv4_request *req, const struct sigv4_scope *scope,
                        const char *access_key, const char *secret, struct buf *ret,
                        struct error *err)
{
    struct buf canonical, text, names;
    char signature[65], date[17];
    int rc = -1;

    buf_init(&canonical, SIGV4_MAX_BYTES);
    buf_init(&text, SIGV4_MAX_BYTES);
    buf_init(&names, SIGV4_MAX_BYTES);
    sigv4_amz_date(scope->unix_us, date);
    if (sigv4_canonical(req, &canonical, &names, err) != 0 ||
        sigv4_string_to_sign(scope, buf_data(&canonical), canonical.len, &text, err) != 0 ||
        sigv4_signature(secret, scope, buf_data(&text), text.len, signature, err) != 0) {
        goto out;
    }
    rc = buf_printf(ret, err,
                    ALGORITHM " Credential=%s/%.8s/%s/%s/" TERMINATOR
                              ", SignedHeaders=%.*s, Signature=%s",
                    access_key, date, scope->region, scope->service, (int)names.len,
                    (const char *)buf_data(&names), signature);
out:
    /* The canonical request holds the session token. */
    if (canonical.mem != NULL) {
        explicit_bzero(canonical.mem, canonical.cap);
    }
    buf_clear(&canonical);
    buf_clear(&text);
    buf_clear(&names);
    return rc;
}
