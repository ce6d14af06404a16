/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/cloudtrail.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/http.h"
#include "aws/retry.h"
#include "aws/sigv4.h"
#include "common/clock.h"

#define TRIES      8U
#define CONNECT_MS 10000
#define TOTAL_MS   60000
#define LINES_MAX  32768U
#define TYPE       "application/x-amz-json-1.1"
#define TARGET     "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

struct cloudtrail {
    char region[64], url[512], host[256], ca_file[512];
    struct creds *creds;
    struct http *http;
    int64_t every_us;
    uint64_t last_us; /* of the boot clock: when it was called */
    bool called;
    unsigned generation; /* of the credentials that signed */
};

/* "https://host:port/" to its host. */
static int set_url(struct cloudtrail *c, const char *endpoint, struct error *err)
{
    const char *at;
    size_t n;

    if (endpoint == NULL || *endpoint == '\0') {
        endpoint = getenv("AWS_ENDPOINT_URL_CLOUDTRAIL");
    }
    if (endpoint == NULL || *endpoint == '\0') {
        (void)snprintf(c->url, sizeof c->url, "https://cloudtrail.%s.amazonaws.com%s/", c->region,
                       strncmp(c->region, "cn-", 3) == 0 ? ".cn" : "");
    } else {
        n = strlen(endpoint);
        (void)snprintf(c->url, sizeof c->url, "%s%s", endpoint, endpoint[n - 1] == '/' ? "" : "/");
    }
    at = strstr(c->url, "://");
    n = at == NULL ? 0 : strcspn(at + 3, "/");
    if (n == 0 || n >= sizeof c->host || at[3 + n] != '/' || at[4 + n] != '\0' ||
        (strncmp(c->url, "https://", 8) != 0 && strncmp(c->url, "http://", 7) != 0)) {
        return err_set(err, ERR_USAGE, "CloudTrail's endpoint is no https://host");
    }
    (void)snprintf(c->host, sizeof c->host, "%.*s", (int)n, at + 3);
    return 0;
}

int cloudtrail_open(struct cloudtrail **ret, const struct cloudtrail_config *config,
                    struct error *err)
{
    struct cloudtrail *c = calloc(1, sizeof *c);
    struct http_config http = {0};
    size_t n = config->region == NULL ? 0 : strlen(config->region);

    if (c == NULL) {
        return err_sys(err, "allocate");
    }
    if (n == 0 || n >= sizeof c->region ||
        strspn(config->region, "abcdefghijklmnopqrstuvwxyz0123456789-") != n) {
        free(c);
        return err_set(err, ERR_USAGE, "no region to ask CloudTrail in");
    }
    memcpy(c->region, config->region, n);
    c->creds = config->creds;
    c->every_us = config->every_us > 0 ? config->every_us : 500000;
    (void)snprintf(c->ca_file, sizeof c->ca_file, "%s",
                   config->ca_file == NULL ? "" : config->ca_file);
    http.ca_file = c->ca_file;
    if (set_url(c, config->endpoint, err) != 0 || http_open(&c->http, &http, err) != 0) {
        cloudtrail_close(c);
        return -1;
    }
    *ret = c;
    return 0;
}

void cloudtrail_close(struct cloudtrail *c)
{
    if (c != NULL) {
        if (c->http != NULL) {
            http_close(c->http);
        }
        free(c);
    }
}

static void wait_us(int64_t us)
{
    if (us > 0) {
        (void)poll(NULL, 0, (int)((us + 999) / 1000));
    }
}

/* "Name: value" after each other, with a NUL behind each, and whose are signed. */
static int write_lines(struct cloudtrail *c, const char *operation, const char *body,
                       struct buf *lines, struct error *err)
{
    char date[17], hash[65], target[128];
    struct creds_view keys;
    int64_t now = clock_unix_us();
    struct sigv4_header headers[5] = {
        {"Host", c->host}, {"Content-Type", TYPE}, {"X-Amz-Date", date}, {"X-Amz-Target", target}};
    struct sigv4_request req = {.method = "POST",
                                .path = "/",
                                .path_rule = SIGV4_PATH_GENERIC,
                                .headers = headers,
                                .header_count = 4,
                                .payload_hash = hash};
    struct sigv4_scope scope = {.unix_us = now, .region = c->region, .service = "cloudtrail"};

    (void)snprintf(target, sizeof target, TARGET "%s", operation);
    sigv4_amz_date(now, date);
    sigv4_sha256_hex(body, strlen(body), hash);
    if (creds_get(c->creds, now, &keys, err) != 0) {
        return -1;
    }
    c->generation = keys.generation;
    if (keys.token[0] != '\0') {
        headers[req.header_count++] = (struct sigv4_header){"X-Amz-Security-Token", keys.token};
    }
    for (size_t i = 0; i < req.header_count; i++) {
        if (buf_printf(lines, err, "%s: %s", headers[i].name, headers[i].value) != 0 ||
            buf_putc(lines, '\0', err) != 0) {
            return -1;
        }
    }
    return buf_puts(lines, "Authorization: ", err) != 0 ||
                   sigv4_authorization(&req, &scope, keys.access_key, keys.secret_key, lines,
                                       err) != 0
               ? -1
               : buf_putc(lines, '\0', err);
}

static int send_once(struct cloudtrail *c, const char *operation, const char *body,
                     struct http_response *r, struct buf *ret, struct error *err)
{
    const char *list[8], *p, *end;
    struct http_request req = {.method = "POST",
                               .url = c->url,
                               .headers = list,
                               .body = body,
                               .body_len = strlen(body),
                               .connect_timeout_ms = CONNECT_MS,
                               .total_timeout_ms = TOTAL_MS,
                               .repeatable = true,
                               .sink = ret};
    struct buf lines;
    uint8_t *room;
    int rc = -1;

    buf_init(&lines, LINES_MAX);
    if (buf_reserve(&lines, LINES_MAX, &room, err) == 0 &&
        write_lines(c, operation, body, &lines, err) == 0) {
        end = (const char *)buf_data(&lines) + lines.len;
        for (p = (const char *)buf_data(&lines); p < end && req.header_count < 8;
             p += strlen(p) + 1) {
            list[req.header_count++] = p;
        }
        wait_us(c->called ? c->every_us - (int64_t)(clock_boot_us() - c->last_us) : 0);
        rc = http_send(c->http, &req, r, err);
        c->called = true;
        c->last_us = clock_boot_us();
    }
    if (lines.len > 0) {
        explicit_bzero(buf_data(&lines), lines.len);
    }
    buf_clear(&lines);
    return rc;
}

static bool says(const struct http_response *r, const char *word)
{
    return memmem(buf_data(&r->body), r->body.len, word, strlen(word)) != NULL;
}

/* 1: again, after a while. */
static int judge(struct cloudtrail *c, const char *operation, const struct http_response *r,
                 struct error *err)
{
    int status = r->head.status;

    if (status == 200) {
        return 0;
    }
    if (status / 100 == 5 || status == 429 || says(r, "Throttling") || says(r, "TooManyRequests")) {
        err_set(err, ERR_RETRY, "%s: %d, too many requests or out of order", operation, status);
        return 1;
    }
    if (says(r, "ExpiredToken") || says(r, "UnrecognizedClient") || says(r, "InvalidClientToken")) {
        creds_refused(c->creds, c->generation);
        err_set(err, ERR_DENIED, "%s: %d, the credentials are expired or unknown", operation,
                status);
        return 1;
    }
    if (status == 403 || says(r, "AccessDenied")) {
        return err_set(err, ERR_DENIED, "%s: %d AccessDenied; needs cloudtrail:%s", operation,
                       status, operation);
    }
    return err_set(err, says(r, "SignatureDoesNotMatch") ? ERR_DENIED : ERR_SYSTEM,
                   "%s: CloudTrail answered %d", operation, status);
}

int cloudtrail_call(struct cloudtrail *c, const char *operation, const char *body, struct buf *ret,
                    struct error *err)
{
    struct http_response r;
    int rc = 1;

    http_response_init(&r);
    for (unsigned i = 1; rc == 1 && i <= TRIES; i++) {
        buf_reset(ret);
        rc = send_once(c, operation, body, &r, ret, err) != 0
                 ? (err != NULL && err->kind == ERR_RETRY ? 1 : -1)
                 : judge(c, operation, &r, err);
        if (rc == 1 && i < TRIES) {
            wait_us(retry_wait_us(
                i, c->every_us >= 500000, (uint32_t)clock_boot_us() * 2654435761U,
                retry_after_us(http_head_get(&r.head, "retry-after"), clock_unix_us())));
        }
    }
    http_response_clear(&r);
    return rc == 0 ? 0 : -1;
}
