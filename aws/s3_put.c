/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/retry.h"
#include "aws/s3_private.h"
#include "common/clock.h"
#include "common/io.h"

#define MAX_HEADERS 16
#define DAY_US      INT64_C(86400000000)

struct put_headers {
    struct sigv4_header list[MAX_HEADERS];
    size_t count;
    char checksum[45]; /* base64 of 32 bytes */
    char until[32];    /* 2030-01-01T00:00:00Z */
};

/* One of many puts, from s3_put_start to its done. */
struct putting {
    struct s3_flight flight;
    struct s3_put put;
    struct put_headers headers;
    bool no_if_none_match, no_checksum; /* as the server was known to be before */
    bool looking;                       /* stored; now a HEAD asks whether it is there */
    s3_put_fn *done;
    void *user;
};

static void add(struct put_headers *h, const char *name, const char *value)
{
    if (value != NULL && *value != '\0') {
        h->list[h->count++] = (struct sigv4_header){name, value};
    }
}

static void make_headers(const struct s3 *s, const struct s3_put *put, struct put_headers *h)
{
    const char *kms = s->config.kms_key;
    bool with_kms = s->config.sse_kms || (kms != NULL && *kms != '\0');

    memset(h, 0, sizeof *h);
    EVP_EncodeBlock((unsigned char *)h->checksum, put->sha256, 32);
    add(h, "If-None-Match", s->no_if_none_match ? NULL : "*");
    add(h, "x-amz-checksum-sha256", s->no_checksum ? NULL : h->checksum);
    add(h, "Content-Type", put->content_type);
    add(h, "Content-Encoding", put->content_encoding);
    add(h, "x-amz-server-side-encryption",
        with_kms           ? "aws:kms"
        : s->config.sse_s3 ? "AES256"
                           : NULL);
    add(h, "x-amz-server-side-encryption-aws-kms-key-id", kms);
    add(h, "x-amz-server-side-encryption-bucket-key-enabled",
        with_kms && s->config.bucket_key ? "true" : NULL);
    add(h, "x-amz-storage-class", s->config.storage_class);
    add(h, "x-amz-tagging", s->config.tags);
    if (s->config.lock_mode != NULL && *s->config.lock_mode != '\0' && s->config.lock_days > 0) {
        clock_format_utc(clock_unix_us() + s->sign_skew_us + s->config.lock_days * DAY_US,
                         "%Y-%m-%dT%H:%M:%SZ", h->until, sizeof h->until);
        add(h, "x-amz-object-lock-mode", s->config.lock_mode);
        add(h, "x-amz-object-lock-retain-until-date", h->until);
    }
    add(h, "x-amz-object-lock-legal-hold", s->config.legal_hold ? "ON" : NULL);
}

/* Only where an ETag is the MD5 of the body: neither under KMS nor of anything in parts. */
static bool etag_contradicts(const struct http_response *r, const struct s3_put *put)
{
    const char *etag = http_head_get(&r->head, "etag");
    uint8_t theirs[16], ours[EVP_MAX_MD_SIZE];
    char hex[33];

    if (strncmp(http_head_get(&r->head, "x-amz-server-side-encryption"), "aws:kms", 7) == 0 ||
        strlen(etag) != 34 || etag[0] != '"') {
        return false;
    }
    memcpy(hex, etag + 1, 32);
    hex[32] = '\0';
    if (io_unhex(hex, theirs, 16) != 0) {
        return false;
    }
    if (put->md5 != NULL) {
        memcpy(ours, put->md5, 16);
    } else if (put->stream != NULL ||
               EVP_Q_digest(NULL, "MD5", NULL, put->bytes, put->len, ours, NULL) != 1) {
        return false; /* not known; a FIPS OpenSSL has none: nothing to compare */
    }
    return memcmp(theirs, ours, 16) != 0;
}

static int judge(struct s3 *s, const struct http_response *r, const struct s3_put *put,
                 const struct put_headers *h, enum s3_put_result *ret, struct error *err)
{
    const char *echo = http_head_get(&r->head, "x-amz-checksum-sha256");

    if (r->head.status == 412) {
        *ret = S3_PUT_EXISTS;
        return 0;
    }
    if (r->head.status != 200) {
        return s3_error_sort(r, "s3:PutObject", err);
    }
    s->no_echo = *echo == '\0';
    if (*echo != '\0' ? strcmp(echo, h->checksum) != 0 : etag_contradicts(r, put)) {
        return err_set(err, ERR_CORRUPT, "the server stored other bytes than were sent");
    }
    /* S3 says at least what it stored; whoever says nothing may have stored nothing. */
    if (*echo == '\0' && *http_head_get(&r->head, "etag") == '\0') {
        return err_set(err, ERR_CORRUPT,
                       "the server says 200, but neither our checksum nor an ETag: "
                       "nothing shows that it stored anything");
    }
    *ret = S3_PUT_CONFIRMED;
    return 0;
}

/* One header less, or false when there is none left to do without. */
static bool do_without(struct s3 *s)
{
    if (!s->no_if_none_match) {
        s->no_if_none_match = true;
    } else if (!s->no_checksum) {
        s->no_checksum = true;
    } else {
        return false;
    }
    return true;
}

static int begin(struct putting *p, struct error *err)
{
    const struct s3_put *put = &p->put;

    make_headers(p->flight.s, put, &p->headers);
    p->flight.tried = (struct s3_tried){.clock = false};
    p->flight.call = (struct s3_call){.method = "PUT",
                                      .key = put->key,
                                      .headers = p->headers.list,
                                      .header_count = p->headers.count,
                                      .body = put->stream != NULL ? NULL
                                              : put->len == 0     ? ""
                                                                  : put->bytes,
                                      .body_len = put->len,
                                      .stream = put->stream,
                                      .sha256 = put->sha256,
                                      .fresh = put->fresh,
                                      .bytes_s = put->bytes_s};
    return s3_flight_start(&p->flight, err);
}

static int look(struct putting *p, struct error *err)
{
    p->looking = true;
    p->headers.count = 0;
    add(&p->headers, "x-amz-checksum-mode", "ENABLED");
    p->flight.tried = (struct s3_tried){.clock = false};
    p->flight.call = (struct s3_call){.method = "HEAD",
                                      .key = p->put.key,
                                      .headers = p->headers.list,
                                      .header_count = p->headers.count};
    return s3_flight_start(&p->flight, err);
}

/* What a HEAD says of what was just stored. */
static int judge_look(const struct http_response *r, const struct putting *p, struct error *err)
{
    const char *echo = http_head_get(&r->head, "x-amz-checksum-sha256");
    char length[24];

    if (r->head.status == 404) {
        return err_set(err, ERR_RETRY, "stored, but it is not there");
    }
    if (r->head.status != 200) {
        return s3_error_sort(r, "s3:GetObject", err);
    }
    (void)snprintf(length, sizeof length, "%zu", p->put.len);
    if (strcmp(http_head_get(&r->head, "content-length"), length) != 0 ||
        (*echo != '\0' && strcmp(echo, p->headers.checksum) != 0) || etag_contradicts(r, &p->put)) {
        return err_set(err, ERR_CORRUPT, "what is there is not what was sent");
    }
    return 0;
}

static void put_free(struct putting *p)
{
    http_response_clear(&p->flight.response);
    free(p);
}

static void put_ended(struct s3_flight *f, int rc, const struct error *err)
{
    struct putting *p = (struct putting *)f;
    struct s3 *s = f->s;
    struct s3_put_answer a = {.rc = rc};
    int status = f->response.head.status;

    if (rc != 0) {
        a.err = *err;
    } else if (p->looking) {
        a.rc = judge_look(&f->response, p, &a.err);
        a.result = S3_PUT_CONFIRMED;
    } else if (status == 501 && do_without(s)) {
        /* Refused before anything was stored, so asking again is still the one attempt. */
        a.rc = begin(p, &a.err);
        if (a.rc == 0) {
            return;
        }
    } else {
        a.rc = judge(s, &f->response, &p->put, &p->headers, &a.result, &a.err);
        a.slow = a.rc != 0 && s3_error_slow(&f->response);
        a.asked_us = retry_after_us(http_head_get(&f->response.head, "retry-after"),
                                    clock_unix_us() + s->seen_skew_us);
        if (a.rc == 0 && a.result == S3_PUT_CONFIRMED && s->config.confirm_head) {
            a.rc = look(p, &a.err);
            if (a.rc == 0) {
                return;
            }
        }
    }
    if (a.rc != 0) {
        if (rc == 0 && status == 501 && !p->looking) {
            /* It was not the headers: keep asking for them. */
            s->no_if_none_match = p->no_if_none_match;
            s->no_checksum = p->no_checksum;
        }
        s3_call_wrap(s, p->looking ? "confirm" : "put", p->put.key, &a.err);
    }
    p->done(p->user, &a);
    put_free(p);
}

int s3_put_start(struct s3 *s, const struct s3_put *put, s3_put_fn *done, void *user,
                 struct error *err)
{
    struct putting *p = calloc(1, sizeof *p);

    if (p == NULL) {
        return err_sys(err, "allocate");
    }
    p->flight.s = s;
    p->flight.done = put_ended;
    p->put = *put;
    if (put->stream != NULL) {
        p->put.len = put->stream->len;
    }
    p->no_if_none_match = s->no_if_none_match;
    p->no_checksum = s->no_checksum;
    p->done = done;
    p->user = user;
    http_response_init(&p->flight.response);
    if (begin(p, err) != 0) {
        put_free(p);
        return s3_call_wrap(s, "put", put->key, err);
    }
    return 0;
}

struct alone {
    bool done;
    struct s3_put_answer answer;
};

static void alone_done(void *user, const struct s3_put_answer *answer)
{
    struct alone *a = user;

    a->done = true;
    a->answer = *answer;
}

int s3_put(struct s3 *s, const struct s3_put *put, enum s3_put_result *ret, struct error *err)
{
    struct alone a = {.done = false};

    if (s3_put_start(s, put, alone_done, &a, err) != 0) {
        return -1;
    }
    while (!a.done) {
        if (s3_wait(s, -1, 1000, err) != 0) {
            s3_cancel(s);
        }
    }
    *ret = a.answer.result;
    if (a.answer.rc != 0 && err != NULL) {
        *err = a.answer.err;
    }
    return a.answer.rc;
}
