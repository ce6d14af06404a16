/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds_container.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/creds_json.h"
#include "common/io.h"

#define RELATIVE   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL       "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN      "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define CONNECT_MS 2000
#define TOTAL_MS   5000

/* As inet_pton has it, so that "127.1" and "0x7f.1", which others read differently, are none. */
static bool may_be_asked_in_clear(const char *host)
{
    static const char *const theirs[] = {"169.254.170.2", "169.254.170.23"};
    struct in6_addr six, pod;
    struct in_addr four;

    if (strcasecmp(host, "localhost") == 0) { /* libcurl asks no name server for it */
        return true;
    }
    if (inet_pton(AF_INET, host, &four) == 1) {
        return (ntohl(four.s_addr) >> 24) == 127 || strcmp(host, theirs[0]) == 0 ||
               strcmp(host, theirs[1]) == 0;
    }
    return inet_pton(AF_INET6, host, &six) == 1 && inet_pton(AF_INET6, "fd00:ec2::23", &pod) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&six) || memcmp(&six, &pod, sizeof six) == 0);
}

/* The host of "scheme://host[:port]/...", without brackets: strictly, or none. */
static bool host_of(const char *p, char *ret, size_t size)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    bool bracket = *p == '[';
    size_t n = bracket ? strspn(p + 1, "0123456789abcdefABCDEF:.") : strspn(p, name);
    const char *after = p + n + (bracket ? 2 : 0);

    if (n == 0 || n >= size || (bracket && p[n + 1] != ']')) {
        return false;
    }
    (void)snprintf(ret, size, "%.*s", (int)n, p + (bracket ? 1 : 0));
    if (*after == ':') {
        size_t digits = strspn(after + 1, "0123456789");

        if (digits == 0 || digits > 5) {
            return false;
        }
        after += 1 + digits;
    }
    return *after == '/' || *after == '?' || *after == '\0';
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~' || *text == '\\' || *text == '#') {
            return false;
        }
    }
    return true;
}

int creds_container_url(const char *relative, const char *full, char *ret, size_t size,
                        struct error *err)
{
    bool tls = strncmp(full, "https://", 8) == 0;
    char host[256];

    if (*relative == '\0' && *full == '\0') {
        return 0;
    }
    if (*relative != '\0') {
        if (*relative != '/' || !is_printable(relative) || strlen(relative) + 32 > size) {
            return err_set(err, ERR_USAGE, RELATIVE " is no path");
        }
        (void)snprintf(ret, size, "http://169.254.170.2%s", relative);
        return 1;
    }
    if ((!tls && strncmp(full, "http://", 7) != 0) || !is_printable(full) ||
        !host_of(full + (tls ? 8 : 7), host, sizeof host) || strlen(full) >= size) {
        return err_set(err, ERR_USAGE, FULL " is no http address with a host");
    }
    if (!tls && !may_be_asked_in_clear(host)) {
        return err_set(err, ERR_DENIED,
                       FULL ": %.80s may be asked over https only (plain http is for this host and "
                            "the addresses of ECS and EKS)",
                       host);
    }
    (void)snprintf(ret, size, "%s", full);
    return 1;
}

/* The value of the Authorization header; "" for none.  The file is read anew each time. */
static int find_token(char *ret, size_t size, struct error *err)
{
    const char *file = creds_env_get(TOKEN_FILE), *token = creds_env_get(TOKEN);
    char real[PATH_MAX];
    struct buf text;
    int rc = -1;

    ret[0] = '\0';
    if (*file == '\0') {
        if (strpbrk(token, "\r\n") != NULL || strlen(token) >= size) {
            return err_set(err, ERR_USAGE, TOKEN " is no header's value");
        }
        (void)snprintf(ret, size, "%s", token);
        return 0;
    }
    creds_secret_init(&text, size - 1);
    if (realpath(file, real) == NULL) {
        err_sys(err, TOKEN_FILE " %.120s", file);
    } else if (creds_secret_room(&text, size - 1, err) == 0 &&
               io_read_file(AT_FDCWD, real, size - 1, &text, err) == 0) {
        while (text.len > 0 && buf_data(&text)[text.len - 1] <= ' ') {
            text.len--;
        }
        memcpy(ret, buf_data(&text), text.len);
        ret[text.len] = '\0';
        rc = strlen(ret) == text.len && strpbrk(ret, "\r\n") == NULL
                 ? 0
                 : err_set(err, ERR_USAGE, TOKEN_FILE " holds no header's value");
    }
    creds_secret_clear(&text);
    return rc;
}

static int judge(int status, struct error *err)
{
    return status == 200 ? 0
                         : err_set(err, status / 100 == 5 || status == 429 ? ERR_RETRY : ERR_DENIED,
                                   "%d", status);
}

static int ask(struct creds_context *x, const char *url, struct creds_keys *ret, struct error *err)
{
    char header[CREDS_MAX_TOKEN + 64] = "Authorization: ";
    size_t n = strlen(header);
    const char *lines[] = {"Accept: application/json", header};
    struct http_response r;
    struct buf doc;
    struct http_request req = {.method = "GET",
                               .url = url,
                               .headers = lines,
                               .connect_timeout_ms = CONNECT_MS,
                               .total_timeout_ms = TOTAL_MS,
                               .repeatable = true,
                               .sink = &doc};
    int rc;

    http_response_init(&r);
    creds_secret_init(&doc, CREDS_MAX_DOCUMENT);
    rc = find_token(header + n, sizeof header - n, err);
    if (rc == 0) {
        req.header_count = header[n] == '\0' ? 1 : 2;
        rc = creds_secret_room(&doc, CREDS_MAX_DOCUMENT, err);
    }
    if (rc == 0) {
        rc = creds_wire_send(x, true, &req, &r, err);
    }
    if (rc == 0) {
        rc = judge(r.head.status, err);
    }
    if (rc == 0) {
        rc = creds_json_keys((const char *)buf_data(&doc), doc.len, CREDS_JSON_CONTAINER, ret, err);
    }
    explicit_bzero(header, sizeof header);
    creds_secret_clear(&doc);
    http_response_clear(&r);
    return rc;
}

static int find(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    char url[2048];
    int rc =
        creds_container_url(creds_env_get(RELATIVE), creds_env_get(FULL), url, sizeof url, err);

    if (rc == 0) {
        err_set(err, ERR_DENIED, "unset");
    }
    if (rc != 1) {
        return rc;
    }
    (void)snprintf(ret->source, sizeof ret->source, "container");
    return ask(x, url, ret, err) == 0 ? 1 : -1;
}

const struct creds_provider creds_container_provider = {.name = "container", .find = find};
