/* SPDX-License-Identifier: Apache-2.0 */
/* One request as it is signed and sent: its address and its header lines. */
#include <stdio.h>
#include <string.h>

#include "aws/creds.h"
#include "aws/s3_private.h"
#include "common/clock.h"
#include "common/io.h"

#define PATIENCE_MS 120000U /* for an answer */
#define SLOWEST     16384U  /* bytes a second that a body is given time for */

#define MAX_TEXT  (S3_MAX_KEY * 3 + S3_MAX_QUERY + 1024)
#define MAX_TOKEN 8192

void s3_draft_init(struct s3_draft *d)
{
    memset(d, 0, sizeof *d);
    buf_init(&d->path, MAX_TEXT);
    buf_init(&d->url, MAX_TEXT);
    buf_init(&d->lines, MAX_TEXT + MAX_TOKEN);
}

void s3_draft_clear(struct s3_draft *d)
{
    /* The session token and the signature. */
    if (d->lines.mem != NULL) {
        explicit_bzero(d->lines.mem, d->lines.cap);
    }
    buf_clear(&d->path);
    buf_clear(&d->url);
    buf_clear(&d->lines);
}

static int draft_add(struct s3_draft *d, const char *name, const char *value, struct error *err)
{
    if (d->count == S3_MAX_HEADERS) {
        return err_set(err, ERR_LIMIT, "more than %d headers", S3_MAX_HEADERS);
    }
    if (strpbrk(value, "\r\n") != NULL) {
        return err_set(err, ERR_USAGE, "a line end in header %s", name);
    }
    d->headers[d->count++] = (struct sigv4_header){name, value};
    return 0;
}

static int draft_address(struct s3_draft *d, const struct s3 *s, const struct s3_call *call,
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

static int draft_headers(struct s3_draft *d, const struct s3 *s, const struct s3_call *call,
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

static int draft_sign(struct s3_draft *d, const struct s3 *s, const struct s3_call *call,
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

int s3_draft_make(struct s3_draft *d, struct s3 *s, const struct s3_call *call, struct error *err)
{
    struct creds_view keys;
    int64_t now_us = clock_unix_us();

    if (creds_get(s->config.creds, now_us, &keys, err) != 0) {
        return -1;
    }
    d->generation = keys.generation;
    now_us += s->sign_skew_us;
    return draft_address(d, s, call, err) == 0 &&
                   draft_headers(d, s, call, &keys, now_us, err) == 0 &&
                   draft_sign(d, s, call, &keys, now_us, err) == 0
               ? 0
               : -1;
}

/* What only sends has an end: an answer that trickles would hold its place for ever. */
static unsigned patience_ms(const struct s3_call *call)
{
    uint64_t len = call->stream != NULL ? call->stream->len : call->body_len;
    uint64_t ms = PATIENCE_MS + len * 1000 / SLOWEST;

    if (call->sink != NULL || strcmp(call->method, "GET") == 0) {
        return 0;
    }
    ms += call->bytes_s > 0 ? len * 2000 / (uint64_t)call->bytes_s : 0;
    return ms < UINT32_MAX ? (unsigned)ms : UINT32_MAX;
}

int s3_draft_request(struct s3_draft *d, const struct s3_call *call, struct http_request *ret,
                     struct error *err)
{
    const char *p = (const char *)buf_data(&d->lines);

    for (size_t i = 0; i < d->count + 1; i++) {
        d->line[i] = p;
        p += strlen(p) + 1;
    }
    *ret = (struct http_request){.method = call->method,
                                 .url = buf_text(&d->url, err),
                                 .headers = d->line,
                                 .header_count = d->count + 1,
                                 .body = call->body,
                                 .body_len = call->body_len,
                                 .stream = call->stream,
                                 .repeatable = strcmp(call->method, "GET") == 0,
                                 .fresh = call->fresh,
                                 .total_timeout_ms = patience_ms(call),
                                 .bytes_s = call->bytes_s,
                                 .sink = call->sink};
    return ret->url == NULL ? -1 : 0;
}
