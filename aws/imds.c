/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/imds.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/http.h"
#include "common/clock.h"

#define MAX_TOKEN        ((size_t)512)
#define TOKEN_S          21600
#define TOKEN_MARGIN_S   60
#define PATIENCE_MS      950 /* a host without it loses a second in all */
#define TOTAL_TIMEOUT_MS 5000
#define ABSENT_US        (UINT64_C(60) * 1000000) /* it did not answer: not asked again for so long */
#define MAX_TRIES        3
#define STRINGIFY_(x)    #x
#define STRINGIFY(x)     STRINGIFY_(x)

struct imds {
    struct http *http;
    char base[256];
    char token[MAX_TOKEN + 1]; /* "" for none */
    uint64_t token_until_us;   /* of the boot clock */
    unsigned patience_ms;      /* before it answered for the first time... */
    bool answered;             /* ...then it may take its time */
    uint64_t absent_until_us;
    struct imds_config config; /* its send and user alone */
};

static const char *env(const char *name)
{
    const char *v = secure_getenv(name);

    return v == NULL ? "" : v;
}

static const char *first_set(const char *a, const char *b)
{
    return *a != '\0' || b == NULL ? a : b;
}

static int default_endpoint(const char *mode, const char **ret, struct error *err)
{
    static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    *ret = strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    return *mode == '\0' || strcasecmp(mode, "IPv6") == 0 || strcasecmp(mode, "IPv4") == 0
               ? 0
               : err_set(err, ERR_USAGE,
                         "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: '%.*s' is neither IPv4 nor IPv6",
                         (int)strspn(mode, alnum), mode);
}

static int choose_endpoint(struct imds *i, const struct imds_config *config, struct error *err)
{
    const char *set = first_set(env("AWS_EC2_METADATA_SERVICE_ENDPOINT"), config->endpoint);
    size_t n;

    if (*set == '\0' &&
        default_endpoint(first_set(env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), config->mode),
                         &set, err) != 0) {
        return -1;
    }
    n = strlen(set);
    while (n > 0 && set[n - 1] == '/') {
        n--;
    }
    if (n >= sizeof i->base || strpbrk(set, " \t\r\n") != NULL ||
        (strncmp(set, "http://", 7) != 0 && strncmp(set, "https://", 8) != 0)) {
        return err_set(err, ERR_USAGE, "AWS_EC2_METADATA_SERVICE_ENDPOINT is no http address");
    }
    memcpy(i->base, set, n);
    i->base[n] = '\0';
    return 0;
}

/* Whole seconds, as the AWS CLI has it. */
static unsigned patience_ms(void)
{
    const char *set = env("AWS_METADATA_SERVICE_TIMEOUT");
    size_t n = strspn(set, "0123456789");
    unsigned long s = n == 0 || n > 2 || set[n] != '\0' ? 0 : strtoul(set, NULL, 10);

    return s == 0 || s > 60 ? PATIENCE_MS : (unsigned)s * 1000;
}

int imds_open_with(struct imds **ret, const struct imds_config *config, struct error *err)
{
    struct http_config http = {.no_proxy = true};
    struct imds *i;

    if (strcasecmp(env("AWS_EC2_METADATA_DISABLED"), "true") == 0) {
        return err_set(err, ERR_DENIED, "disabled by AWS_EC2_METADATA_DISABLED");
    }
    i = calloc(1, sizeof *i);
    if (i == NULL) {
        return err_sys(err, "allocate");
    }
    i->patience_ms = patience_ms();
    i->config.send = config->send;
    i->config.user = config->user;
    if (choose_endpoint(i, config, err) != 0 ||
        (config->send == NULL && http_open(&i->http, &http, err) != 0)) {
        imds_close(i);
        return -1;
    }
    *ret = i;
    return 0;
}

int imds_open(struct imds **ret, struct error *err)
{
    struct imds_config config = {.send = NULL};

    return imds_open_with(ret, &config, err);
}

void imds_close(struct imds *i)
{
    if (i != NULL) {
        http_close(i->http);
        explicit_bzero(i->token, sizeof i->token);
        free(i);
    }
}

/* Each answer's status to 0 (take it), 1 (the token is too old) or an error. */
static int judge(const struct http_response *r, struct error *err)
{
    int status = r->head.status;

    if (status == 200) {
        return 0;
    }
    if (status == 401) {
        return 1;
    }
    if (status == 404) {
        err_set(err, ERR_SYSTEM, "404");
        if (err != NULL) {
            err->code = ENOENT;
        }
        return -1;
    }
    return err_set(err, status == 429 || status / 100 == 5 ? ERR_RETRY : ERR_DENIED, "%d", status);
}

static int send(struct imds *i, const char *method, const char *path, const char *header,
                struct buf *sink, struct http_response *r, struct error *err)
{
    char url[sizeof i->base + 512];
    /* Behind one hop too many the connection comes about and its answers get lost: as long as
     * nobody knows better, the whole request has what a connection has. */
    unsigned total_ms =
        i->answered && i->patience_ms < TOTAL_TIMEOUT_MS ? TOTAL_TIMEOUT_MS : i->patience_ms;
    struct http_request req = {.method = method,
                               .url = url,
                               .headers = &header,
                               .header_count = 1,
                               .body = *method == 'P' ? "" : NULL,
                               .connect_timeout_ms = i->patience_ms,
                               .total_timeout_ms = total_ms,
                               .repeatable = true,
                               .sink = sink};
    unsigned tries = 0;

    if (clock_boot_us() < i->absent_until_us) {
        return err_set(err, ERR_RETRY, "did not answer");
    }
    if (snprintf(url, sizeof url, "%s%s", i->base, path) >= (int)sizeof url) {
        return err_set(err, ERR_USAGE, "overlong path");
    }
    /* It is known to be busy for a moment now and then; its absence is not tried again. */
    do {
        int rc = i->config.send != NULL ? i->config.send(i->config.user, &req, r, err)
                                        : http_send(i->http, &req, r, err);

        if (rc != 0) {
            i->absent_until_us = clock_boot_us() + ABSENT_US;
            return -1;
        }
        i->answered = true;
    } while (r->head.status / 100 == 5 && ++tries < MAX_TRIES);
    return 0;
}

/* How long it holds: what was asked for, or less where the answer says so. */
static uint64_t life_us(const struct http_response *r)
{
    const char *said = http_head_get(&r->head, "x-aws-ec2-metadata-token-ttl-seconds");
    size_t n = strspn(said, "0123456789");
    unsigned long s = n == 0 || n > 5 ? TOKEN_S : strtoul(said, NULL, 10);

    s = s > TOKEN_S ? TOKEN_S : s;
    return s > TOKEN_MARGIN_S ? (uint64_t)(s - TOKEN_MARGIN_S) * 1000000 : 0;
}

/* A header's value: printable and nothing else. */
static int take_token(struct imds *i, const struct buf *body, const struct http_response *r,
                      struct error *err)
{
    const uint8_t *p = buf_data(body);

    if (body->len == 0 || body->len > MAX_TOKEN) {
        return err_set(err, ERR_CORRUPT, "a token of %zu bytes", body->len);
    }
    for (size_t n = 0; n < body->len; n++) {
        if (p[n] <= ' ' || p[n] > '~') {
            return err_set(err, ERR_CORRUPT, "a token with odd bytes");
        }
    }
    memcpy(i->token, p, body->len);
    i->token[body->len] = '\0';
    i->token_until_us = clock_boot_us() + life_us(r);
    return 0;
}

static int get_token(struct imds *i, struct error *err)
{
    struct http_response r;
    struct buf body;
    int rc = -1;

    if (i->token[0] != '\0' && clock_boot_us() < i->token_until_us) {
        return 0;
    }
    i->token[0] = '\0';
    http_response_init(&r);
    buf_init(&body, MAX_TOKEN * 2);
    if (send(i, "PUT", "/latest/api/token",
             "X-aws-ec2-metadata-token-ttl-seconds: " STRINGIFY(TOKEN_S), &body, &r, err) != 0) {
        goto out;
    }
    if (r.head.status == 200) {
        rc = take_token(i, &body, &r, err);
    } else if (judge(&r, err) == 1 || err == NULL || err->kind != ERR_RETRY) {
        /* 403, 404, 405: where SDKs fall back to version 1. */
        rc = err_set(err, ERR_DENIED, "%d (version 2 is refused; version 1 is never used)",
                     r.head.status);
    }
out:
    if (body.mem != NULL) {
        explicit_bzero(body.mem, body.cap);
    }
    buf_clear(&body);
    http_response_clear(&r);
    /* Where it is never seen, one hop too many may lie between. */
    return rc == 0 ? 0
                   : err_wrap(err, "session token%s",
                              i->answered ? "" : " (in a container: hop limit 2?)");
}

int imds_get(struct imds *i, const char *path, size_t max_bytes, struct buf *ret, struct error *err)
{
    char header[MAX_TOKEN + 64];
    struct http_response r;
    struct buf body;
    uint8_t *room;
    int rc = 1;

    http_response_init(&r);
    buf_init(&body, max_bytes);
    /* Room at once for what is usual: growing would leave copies of keys behind. */
    if (buf_reserve(&body, max_bytes < 16384 ? max_bytes : 16384, &room, err) != 0) {
        return -1;
    }
    /* A token may end early (the service restarted): once more with a new one. */
    for (int attempt = 0; rc == 1 && attempt < 2; attempt++) {
        if (get_token(i, err) != 0) {
            rc = -1;
            goto out;
        }
        (void)snprintf(header, sizeof header, "X-aws-ec2-metadata-token: %s", i->token);
        rc = send(i, "GET", path, header, &body, &r, err) != 0 ? -1 : judge(&r, err);
        if (rc == 1) {
            i->token[0] = '\0';
        }
    }
    if (rc == 1) {
        rc = err_set(err, ERR_DENIED, "401");
    }
    if (rc == 0) {
        rc = buf_append(ret, buf_data(&body), body.len, err);
    }
    if (rc != 0) {
        err_wrap(err, "%.80s", path);
    }
out:
    explicit_bzero(header, sizeof header);
    if (body.mem != NULL) {
        explicit_bzero(body.mem, body.cap);
    }
    buf_clear(&body);
    http_response_clear(&r);
    return rc;
}
