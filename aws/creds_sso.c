/* SPDX-License-Identifier: Apache-2.0 */
/* IAM Identity Center ("SSO"): the token that 'aws sso login' left in its cache, which is read and
 * never renewed, buys the keys of a role.  Source: the SSO Portal API, GetRoleCredentials. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/creds_endpoint.h"
#include "aws/creds_json.h"
#include "aws/creds_source.h"
#include "aws/sigv4.h"
#include "common/clock.h"
#include "common/io.h"

#define MAX_CACHE  65536
#define CONNECT_MS 3000
#define TOTAL_MS   10000

/* The cache names its files by SHA-1 of the session's name, or of the start URL. */
static int cache_path(const char *key, char ret[PATH_MAX], struct error *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[EVP_MAX_MD_SIZE * 2 + 1];
    const char *home = creds_env_get("HOME");
    unsigned len = 0;

    if (*home == '\0' || EVP_Digest(key, strlen(key), hash, &len, EVP_sha1(), NULL) != 1) {
        return err_set(err, ERR_USAGE, "no HOME to find the cache of 'aws sso login' in");
    }
    io_hex(hash, len, hex);
    if (snprintf(ret, PATH_MAX, "%s/.aws/sso/cache/%s.json", home, hex) >= PATH_MAX) {
        return err_set(err, ERR_LIMIT, "an overlong HOME");
    }
    return 0;
}

static int read_token(const char *key, struct creds_sso_token *ret, struct error *err)
{
    char path[PATH_MAX], real[PATH_MAX];
    struct buf doc;
    int rc = -1;

    creds_secret_init(&doc, MAX_CACHE);
    if (cache_path(key, path, err) != 0) {
        goto out;
    }
    if (realpath(path, real) == NULL) {
        err_sys(err, "run 'aws sso login': no token in %.120s", path);
        goto out;
    }
    if (creds_secret_room(&doc, MAX_CACHE, err) != 0 ||
        io_read_file(AT_FDCWD, real, MAX_CACHE, &doc, err) != 0 ||
        creds_json_sso_token((const char *)buf_data(&doc), doc.len, ret, err) != 0) {
        err_wrap(err, "token of 'aws sso login'");
        goto out;
    }
    rc = ret->expires_us > clock_unix_us()
             ? 0
             : err_set(err, ERR_DENIED, "the session has ended: run 'aws sso login'");
out:
    creds_secret_clear(&doc);
    return rc;
}

static int write_url(struct buf *url, struct creds_context *x, const char *region,
                     const char *account, const char *role, struct error *err)
{
    struct creds_endpoint at;

    if (creds_endpoint_make(&at, x, CREDS_SSO, region, err) != 0 ||
        buf_printf(url, err, "%s/federation/credentials?account_id=", at.url) != 0 ||
        sigv4_encode(url, account, strlen(account), false, err) != 0 ||
        buf_puts(url, "&role_name=", err) != 0) {
        return -1;
    }
    return sigv4_encode(url, role, strlen(role), false, err);
}

static int judge(const struct http_response *r, struct error *err)
{
    int status = r->head.status;

    if (status == 200) {
        return 0;
    }
    if (status == 401) {
        return err_set(err, ERR_DENIED, "401: the session has ended: run 'aws sso login'");
    }
    return err_set(err, status / 100 == 5 || status == 429 ? ERR_RETRY : ERR_DENIED, "%d%s", status,
                   status == 403 ? ": the role is not given to you there" : "");
}

static int ask(struct creds_context *x, const char *url, const struct creds_sso_token *token,
               struct creds_keys *ret, struct error *err)
{
    char header[CREDS_MAX_TOKEN + 64];
    const char *lines[] = {header, "Accept: application/json"};
    struct http_response r;
    struct buf doc;
    struct http_request req = {.method = "GET",
                               .url = url,
                               .headers = lines,
                               .header_count = 2,
                               .connect_timeout_ms = CONNECT_MS,
                               .total_timeout_ms = TOTAL_MS,
                               .repeatable = true,
                               .sink = &doc};
    int rc;

    http_response_init(&r);
    creds_secret_init(&doc, CREDS_MAX_DOCUMENT);
    (void)snprintf(header, sizeof header, "x-amz-sso_bearer_token: %s", token->token);
    rc = creds_secret_room(&doc, CREDS_MAX_DOCUMENT, err);
    if (rc == 0) {
        rc = creds_wire_send(x, false, &req, &r, err);
    }
    if (rc == 0) {
        rc = judge(&r, err);
    }
    if (rc == 0) {
        rc = creds_json_keys((const char *)buf_data(&doc), doc.len, CREDS_JSON_SSO, ret, err);
    }
    explicit_bzero(header, sizeof header);
    creds_secret_clear(&doc);
    http_response_clear(&r);
    return rc;
}

int creds_sso_find(struct creds_context *x, const struct creds_chain *c, struct creds_keys *ret,
                   struct error *err)
{
    const struct creds_section *s = c->session != NULL ? c->session : c->profile;
    const char *start = creds_files_get(s, "sso_start_url");
    const char *account = creds_files_get(c->profile, "sso_account_id");
    const char *role = creds_files_get(c->profile, "sso_role_name");
    struct creds_sso_token token = {.expires_us = 0};
    struct buf url;
    int rc = -1;

    buf_init(&url, 4096);
    if (*account == '\0' || *role == '\0') {
        (void)err_set(err, ERR_USAGE, "no %s in the profile",
                      *account == '\0' ? "sso_account_id" : "sso_role_name");
    } else if (read_token(c->session != NULL ? c->session->name : start, &token, err) == 0 &&
               write_url(&url, x, creds_files_get(s, "sso_region"), account, role, err) == 0 &&
               buf_text(&url, err) != NULL) {
        rc = ask(x, (const char *)buf_data(&url), &token, ret, err);
    }
    explicit_bzero(&token, sizeof token);
    buf_clear(&url);
    return rc != 0 ? err_wrap(err, "SSO") : 1;
}
