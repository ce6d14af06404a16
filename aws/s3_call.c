/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "aws/creds.h"
#include "aws/s3_private.h"
#include "common/clock.h"
#include "common/io.h"

#define MAX_HEADERS    16
#define MAX_TEXT       (S3_MAX_KEY * 3 + S3_MAX_QUERY + 1024)
#define MAX_TOKEN      8192
#define SHOWN_OF_A_KEY 72 /* an error's text is short, and its end is what matters */

int s3_call_param(struct buf *query, const char *name, const char *value, struct error *err)
{
    if (query->len > 0 && buf_putc(query, '&', err) != 0) {
        return -1;
    }
    if (sigv4_encode(query, name, strlen(name), false, err) != 0 ||
        buf_putc(query, '=', err) != 0) {
        return -1;
    }
    return sigv4_encode(query, value, strlen(value), false, err);
}

int s3_call_wrap(const struct s3 *s, const char *verb, const char *key, struct error *err)
{
    bool whole = strlen(key) <= SHOWN_OF_A_KEY;

    return err_wrap(err, "%s s3://%s/%.*s%s", verb, s->config.bucket, SHOWN_OF_A_KEY, key,
                    whole ? "" : "...");
}

/* One request being made: what is signed is what is sent. */
struct draft {
    struct buf path, url, lines; /* lines: the header lines, each with its NUL */
    struct sigv4_header headers[MAX_HEADERS];
    size_t count;
    char date[17], hash[65];
};

static void draft_init(struct draft *d)
{
    memset(d, 0, sizeof *d);
    buf_init(&d->path, MAX_TEXT);
    buf_init(&d->url, MAX_TEXT);
    buf_init(&d->lines, MAX_TEXT + MAX_TOKEN);
}

static void draft_clear(struct draft *d)
{
    /* The session token and the signature. */
    if (d->lines.mem != NULL) {
        explicit_bzero(d->lines.mem, d->lines.cap);
    }
    buf_clear(&d->path);
    buf_clear(&d->url);
    buf_clear(&d->lines);
}

static int draft_add(struct draft *d, const char *name, const char *value, struct error *err)
{
    if (d->count == MAX_HEADERS) {
        return err_set(err, ERR_LIMIT, "more than %d headers", MAX_HEADERS);
    }
    if (strpbrk(value, "\r\n") != NULL) {
        return err_set(err, ERR_USAGE, "a line end in header %s", name);
    }
    d->headers[d->count++] = (struct sigv4_header){name, value};
    return 0;
}

static int draft_address(struct draft *d, const struct s3 *s, const struct s3_call *call,
                         struct error *err)
{
    const char *key = call->key == NULL ? "" : call->key;

    if (call->key != NULL && (*key == '\0' || strlen(key) > S3_MAX_KEY)) {
        return err_set(err, ERR_USAGE, "a key of %zu bytes", strlen(key));
    }
    if (buf_printf(&d->path, err, "%s/", s->place.path) != 0 ||
        sigv4_encode(&d->path, key, strlen(key), true, err) != 0 ||
        buf_text(&d->path, err) == NULL) {
        return -1;
    }
    return buf_printf(&d->url, err, "%s%s%s%s", s->place.origin, (char *)buf_data(&d->path),
                      call->query == NULL ? "" : "?", call->query == NULL ? "" : call->query);
}

static int draft_headers(struct draft *d, const struct s3 *s, const struct s3_call *call,
                         const struct creds_view *keys, int64_t now_us, struct error *err)
{
    const char *owner = s->config.expected_owner;

    sigv4_amz_date(now_us, d->date);
    (void)snprintf(d->hash, sizeof d->hash, "%s", SIGV4_EMPTY_SHA256);
    if (call->sha256 != NULL) {
        io_hex(call->sha256, 32, d->hash);
    }
    if (draft_add(d, "Host", s->place.host, err) != 0 ||
        draft_add(d, "x-amz-date", d->date, err) != 0 ||
        draft_add(d, "x-amz-content-sha256", d->hash, err) != 0 ||
        (*keys->token != '\0' && draft_add(d, "x-amz-security-token", keys->token, err) != 0) ||
        (owner != NULL && *owner != '\0' &&
         draft_add(d, "x-amz-expected-bucket-owner", owner, err) != 0)) {
        return -1;
    }
    for (size_t i = 0; i < call->header_count; i++) {
        if (draft_add(d, call->headers[i].name, call->headers[i].value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int draft_sign(struct draft *d, const struct s3 *s, const struct s3_call *call,
                      const struct creds_view *keys, int64_t now_us, struct error *err)
{
    struct sigv4_request req = {.method = call->method,
                                .path = (const char *)buf_data(&d->path),
                                .query = call->query,
                                .path_rule = SIGV4_PATH_S3,
                                .headers = d->headers,
                                .header_count = d->count,
                                .payload_hash = d->hash};
    struct sigv4_scope scope = {.unix_us = now_us, .region = s->region, .service = "s3"};

    for (size_t i = 0; i < d->count; i++) {
        if (buf_printf(&d->lines, err, "%s: %s", d->headers[i].name, d->headers[i].value) != 0 ||
            buf_putc(&d->lines, '\0', err) != 0) {
            return -1;
        }
    }
    if (buf_puts(&d->lines, "Authorization: ", err) != 0 ||
        sigv4_authorization(&req, &scope, keys->access_key, keys->secret_key, &d->lines, err) !=
            0) {
        return -1;
    }
    return buf_putc(&d->lines, '\0', err);
}

static int draft_send(struct draft *d, struct s3 *s, const struct s3_call *call,
                      struct http_response *ret, struct error *err)
{
    const char *lines[MAX_HEADERS + 1], *p = (const char *)buf_data(&d->lines);
    bool reads = strcmp(call->method, "GET") == 0;
    struct http_request req = {.method = call->method,
                               .headers = lines,
                               .header_count = d->count + 1,
                               .body = call->body,
                               .body_len = call->body_len,
                               .repeatable = reads,
                               .sink = call->sink};

    for (size_t i = 0; i < d->count + 1; i++) {
        lines[i] = p;
        p += strlen(p) + 1;
    }
    req.url = buf_text(&d->url, err);
    return req.url == NULL ? -1 : http_send(s->http, &req, ret, err);
}

/* A Date of whole seconds is half a second old on average. */
static void note_skew(struct s3 *s, const struct http_response *r)
{
    int64_t server_us;

    if (http_head_time(http_head_get(&r->head, "date"), &server_us) == 0) {
        s->seen_skew_us = server_us + 500000 - clock_unix_us();
    }
}

static int send_once(struct s3 *s, const struct s3_call *call, struct http_response *ret,
                     struct error *err)
{
    struct creds_view keys;
    struct draft d;
    int64_t now_us = clock_unix_us();
    int rc = -1;

    draft_init(&d);
    if (creds_get(s->config.creds, now_us, &keys, err) != 0) {
        goto out;
    }
    now_us += s->sign_skew_us;
    if (draft_address(&d, s, call, err) != 0 ||
        draft_headers(&d, s, call, &keys, now_us, err) != 0 ||
        draft_sign(&d, s, call, &keys, now_us, err) != 0 ||
        draft_send(&d, s, call, ret, err) != 0) {
        goto out;
    }
    note_skew(s, ret);
    rc = 0;
out:
    draft_clear(&d);
    return rc;
}

int s3_call_send(struct s3 *s, const struct s3_call *call, struct http_response *ret,
                 struct error *err)
{
    bool clock_tried = false, keys_tried = false;

    for (;;) {
        enum s3_remedy remedy;

        if (send_once(s, call, ret, err) != 0) {
            return -1;
        }
        remedy = ret->head.status / 100 == 2 ? S3_REMEDY_NONE : s3_error_remedy(ret);
        if (remedy == S3_REMEDY_CLOCK && !clock_tried) {
            clock_tried = true;
            s->sign_skew_us = s->seen_skew_us;
        } else if (remedy == S3_REMEDY_KEYS && !keys_tried) {
            keys_tried = true;
            creds_refresh(s->config.creds);
        } else {
            return 0;
        }
    }
}
