/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds_sts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/creds_endpoint.h"
#include "aws/sigv4.h"
#include "aws/xml_fault.h"
#include "common/clock.h"
#include "common/io.h"

#define MAX_IDENTITY  20000 /* bytes of a web identity token; STS takes no more */
#define MAX_BODY      (MAX_IDENTITY * 3 + 8192)
#define CONNECT_MS    3000
#define TOTAL_MS      10000
#define FORM          "application/x-www-form-urlencoded"
#define SKEW_US       (INT64_C(300) * 1000000) /* less is not why a signature is refused */
#define NAME_ALPHABET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-"

/* What is wiped at the end. */
struct draft {
    struct creds_endpoint at;
    struct buf body, lines, answer;
};

static int add(struct buf *body, const char *name, const char *value, size_t len, struct error *err)
{
    if (buf_printf(body, err, "%s%s=", body->len == 0 ? "" : "&", name) != 0) {
        return -1;
    }
    return sigv4_encode(body, value, len, false, err);
}

static int add_text(struct buf *body, const char *name, const char *value, struct error *err)
{
    return *value == '\0' ? 0 : add(body, name, value, strlen(value), err);
}

static int add_identity(struct buf *body, const char *file, struct error *err)
{
    char real[PATH_MAX];
    struct buf token;
    size_t n;
    int rc = -1;

    creds_secret_init(&token, MAX_IDENTITY + 1);
    if (realpath(file, real) == NULL) {
        err_sys(err, "the web identity token in %.120s", file);
    } else if (creds_secret_room(&token, MAX_IDENTITY, err) == 0 &&
               io_read_file(AT_FDCWD, real, MAX_IDENTITY, &token, err) == 0) {
        n = token.len;
        while (n > 0 && buf_data(&token)[n - 1] <= ' ') {
            n--;
        }
        rc = n == 0 ? err_set(err, ERR_CORRUPT, "the web identity token in %.120s is empty", file)
                    : add(body, "WebIdentityToken", (const char *)buf_data(&token), n, err);
    }
    creds_secret_clear(&token);
    return rc;
}

static int check(const struct creds_sts_call *c, struct error *err)
{
    size_t n = strlen(c->session_name);

    if (strncmp(c->role_arn, "arn:", 4) != 0 || strlen(c->role_arn) > 2048 ||
        strpbrk(c->role_arn, " \t\n\r") != NULL) {
        return err_set(err, ERR_USAGE, "role_arn is no ARN of a role");
    }
    if (n != 0 && (n < 2 || n > 64 || strspn(c->session_name, NAME_ALPHABET) != n)) {
        return err_set(err, ERR_USAGE,
                       "role_session_name is not 2 to 64 of the letters, digits and +=,.@_-");
    }
    if (c->duration_s[strspn(c->duration_s, "0123456789")] != '\0' || strlen(c->duration_s) > 5) {
        return err_set(err, ERR_USAGE, "duration_seconds is no number of seconds");
    }
    if (strlen(c->external_id) > 1224 || strpbrk(c->external_id, "\n\r") != NULL) {
        return err_set(err, ERR_USAGE, "external_id is none");
    }
    return 0;
}

static int write_body(struct buf *body, const struct creds_sts_call *c, struct error *err)
{
    char own[40];

    (void)snprintf(own, sizeof own, "ttytrail-%" PRId64, clock_unix_us() / 1000000);
    if (buf_printf(body, err, "Action=AssumeRole%s&Version=2011-06-15",
                   c->signer == NULL ? "WithWebIdentity" : "") != 0 ||
        add_text(body, "RoleArn", c->role_arn, err) != 0 ||
        add_text(body, "RoleSessionName", *c->session_name == '\0' ? own : c->session_name, err) !=
            0 ||
        add_text(body, "DurationSeconds", c->duration_s, err) != 0) {
        return -1;
    }
    return c->signer == NULL ? add_identity(body, c->token_file, err)
                             : add_text(body, "ExternalId", c->external_id, err);
}

/* The Authorization line, over the headers that are sent; all NUL-terminated in ${lines}. */
static int write_lines(struct draft *d, const char *region, const struct creds_keys *signer,
                       int64_t now_us, struct error *err)
{
    char date[17], hash[65], path[sizeof d->at.path + 1];
    struct sigv4_header headers[4] = {{"Host", d->at.host}, {"Content-Type", FORM}};
    struct sigv4_request req = {.method = "POST",
                                .path = path,
                                .path_rule = SIGV4_PATH_GENERIC,
                                .headers = headers,
                                .header_count = 2,
                                .payload_hash = hash};
    struct sigv4_scope scope = {.unix_us = now_us, .region = region, .service = "sts"};

    (void)snprintf(path, sizeof path, "%s/", d->at.path);
    buf_reset(&d->lines);
    if (signer != NULL) {
        sigv4_amz_date(now_us, date);
        sigv4_sha256_hex(buf_data(&d->body), d->body.len, hash);
        headers[req.header_count++] = (struct sigv4_header){"x-amz-date", date};
        if (signer->token[0] != '\0') {
            headers[req.header_count++] =
                (struct sigv4_header){"x-amz-security-token", signer->token};
        }
    }
    for (size_t i = 0; i < req.header_count; i++) {
        if (buf_printf(&d->lines, err, "%s: %s", headers[i].name, headers[i].value) != 0 ||
            buf_putc(&d->lines, '\0', err) != 0) {
            return -1;
        }
    }
    if (signer != NULL && (buf_puts(&d->lines, "Authorization: ", err) != 0 ||
                           sigv4_authorization(&req, &scope, signer->access_key, signer->secret_key,
                                               &d->lines, err) != 0 ||
                           buf_putc(&d->lines, '\0', err) != 0)) {
        return -1;
    }
    return 0;
}

static int send_draft(struct creds_context *x, struct draft *d, struct http_response *r,
                      struct error *err)
{
    char url[sizeof d->at.url + 1];
    const char *lines[8], *p = (const char *)buf_data(&d->lines), *end = p + d->lines.len;
    struct http_request req = {.method = "POST",
                               .url = url,
                               .headers = lines,
                               .body = buf_data(&d->body),
                               .body_len = d->body.len,
                               .connect_timeout_ms = CONNECT_MS,
                               .total_timeout_ms = TOTAL_MS,
                               .repeatable = true,
                               .sink = &d->answer};

    (void)snprintf(url, sizeof url, "%s/", d->at.url);
    for (; p < end && req.header_count < 8; p += strlen(p) + 1) {
        lines[req.header_count++] = p;
    }
    d->answer.len = 0;
    return creds_wire_send(x, false, &req, r, err);
}

/* True when the clock may be why it refused, and was put right. */
static bool clock_was_wrong(struct creds_context *x, const struct http_response *r)
{
    int64_t server_us, off_us;

    if (r->head.status / 100 != 4 ||
        http_head_time(http_head_get(&r->head, "date"), &server_us) != 0) {
        return false;
    }
    off_us = server_us - (clock_unix_us() + x->skew_us);
    if (off_us > -SKEW_US && off_us < SKEW_US) {
        return false;
    }
    x->skew_us += off_us;
    return true;
}

static int refused(const struct http_response *r, struct error *err)
{
    struct xml_fault f;
    int status = r->head.status;
    bool later, quiet;

    xml_fault_read(buf_data(&r->body), r->body.len, &f);
    later = status / 100 == 5 || status == 429 || strcmp(f.code, "Throttling") == 0 ||
            strcmp(f.code, "IDPCommunicationError") == 0;
    /* It quotes what it was given. */
    quiet = f.message[0] == '\0' || strcmp(f.code, "ValidationError") == 0;
    return err_set(err, later ? ERR_RETRY : ERR_DENIED, "%d %s%s%.120s%s", status, f.code,
                   quiet ? "" : " (", quiet ? "" : f.message, quiet ? "" : ")");
}

static int exchange(struct creds_context *x, const char *region, const struct creds_sts_call *call,
                    struct draft *d, struct creds_keys *ret, struct error *err)
{
    struct http_response r;
    unsigned tries = 0;
    int rc;

    http_response_init(&r);
    do {
        rc = write_lines(d, region, call->signer, clock_unix_us() + x->skew_us, err);
        if (rc == 0) {
            rc = send_draft(x, d, &r, err);
        }
    } while (rc == 0 && call->signer != NULL && tries++ == 0 && clock_was_wrong(x, &r));
    if (rc == 0) {
        rc = r.head.status == 200 ? creds_sts_parse(buf_data(&d->answer), d->answer.len, ret, err)
                                  : refused(&r, err);
    }
    http_response_clear(&r);
    return rc;
}

int creds_sts_assume(struct creds_context *x, const char *region, const struct creds_sts_call *call,
                     struct creds_keys *ret, struct error *err)
{
    struct creds_keys found = {.expires_us = 0};
    struct draft d;
    int rc = -1;

    creds_secret_init(&d.body, MAX_BODY);
    creds_secret_init(&d.lines, CREDS_MAX_TOKEN + 4096);
    creds_secret_init(&d.answer, CREDS_MAX_DOCUMENT);
    if (check(call, err) == 0 && creds_endpoint_make(&d.at, x, CREDS_STS, region, err) == 0 &&
        creds_secret_room(&d.body, call->signer == NULL ? MAX_BODY : 8192, err) == 0 &&
        creds_secret_room(&d.lines, CREDS_MAX_TOKEN + 4096, err) == 0 &&
        creds_secret_room(&d.answer, CREDS_MAX_DOCUMENT, err) == 0 &&
        write_body(&d.body, call, err) == 0) {
        rc = exchange(x, region, call, &d, &found, err);
    }
    if (rc == 0) {
        *ret = found;
    } else {
        err_wrap(err, "STS, role %.80s", call->role_arn);
    }
    creds_keys_clear(&found);
    creds_secret_clear(&d.body);
    creds_secret_clear(&d.lines);
    creds_secret_clear(&d.answer);
    return rc;
}
