/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds_json.h"

#include <string.h>

#include "common/json.h"

#define MAX_MS INT64_C(100000000000000) /* the year 5138 */

struct form {
    const char *access, *secret, *token, *expires; /* paths */
    bool token_needed, expires_needed;
};

static const struct form forms[] = {
    [CREDS_JSON_INSTANCE] = {"$.AccessKeyId", "$.SecretAccessKey", "$.Token", "$.Expiration", true,
                             true},
    [CREDS_JSON_CONTAINER] = {"$.AccessKeyId", "$.SecretAccessKey", "$.Token", "$.Expiration", true,
                              true},
    [CREDS_JSON_PROCESS] = {"$.AccessKeyId", "$.SecretAccessKey", "$.SessionToken", "$.Expiration",
                            false, false},
    [CREDS_JSON_SSO] = {"$.roleCredentials.accessKeyId", "$.roleCredentials.secretAccessKey",
                        "$.roleCredentials.sessionToken", "$.roleCredentials.expiration", true,
                        true},
};

struct document {
    struct json *json;
    const char *bytes;
    size_t len;
};

/* The last word of a path. */
static const char *name_of(const char *path)
{
    return strrchr(path, '.') + 1;
}

/* 1 with a text that is not empty, 0 for none. */
static int field(struct document *d, const char *path, char *ret, size_t size, struct error *err)
{
    struct buf text;
    int rc;

    ret[0] = '\0';
    creds_secret_init(&text, size + 1);
    rc = creds_secret_room(&text, size, err);
    if (rc == 0) {
        rc = json_text(d->json, d->bytes, d->len, path, &text, err);
    }
    if (rc == 1) {
        rc = creds_put(ret, size, buf_data(&text), text.len, name_of(path), err) != 0
                 ? -1
                 : text.len > 0;
    }
    creds_secret_clear(&text);
    return rc;
}

static int needed(struct document *d, const char *path, char *ret, size_t size, struct error *err)
{
    int rc = field(d, path, ret, size, err);

    return rc == 0 ? err_set(err, ERR_CORRUPT, "no %s in the answer", name_of(path)) : rc;
}

static int expiry(struct document *d, enum creds_json_form form, int64_t *ret, struct error *err)
{
    const struct form *f = &forms[form];
    char text[64];
    int64_t ms = 0;
    int rc;

    *ret = 0;
    if (form == CREDS_JSON_SSO) {
        rc = json_int(d->json, d->bytes, d->len, f->expires, &ms, err);
        if (rc != 1 || ms <= 0 || ms > MAX_MS) {
            return err_set(err, ERR_CORRUPT, "a bad expiration");
        }
        *ret = ms * 1000;
        return 0;
    }
    rc = field(d, f->expires, text, sizeof text, err);
    if (rc == 0 && f->expires_needed) {
        return err_set(err, ERR_CORRUPT, "no Expiration in the answer");
    }
    if (rc == 1 && creds_time(text, ret) != 0) {
        return err_set(err, ERR_CORRUPT, "a bad Expiration");
    }
    return rc < 0 ? -1 : 0;
}

/* What the document says of itself first. */
static int preamble(struct document *d, enum creds_json_form form, struct error *err)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    char code[64];
    int64_t version = 0;
    int rc;

    if (form == CREDS_JSON_INSTANCE) {
        rc = needed(d, "$.Code", code, sizeof code, err);
        if (rc == 1 && strcmp(code, "Success") != 0) {
            rc = err_set(err, ERR_DENIED, "not available: %s",
                         code[strspn(code, word)] == '\0' ? code : "no success");
        }
        return rc < 0 ? -1 : 0;
    }
    if (form == CREDS_JSON_PROCESS) {
        rc = json_int(d->json, d->bytes, d->len, "$.Version", &version, err);
        if (rc >= 0 && version != 1) {
            rc = err_set(err, ERR_CORRUPT, "the output's Version is not 1");
        }
        return rc < 0 ? -1 : 0;
    }
    return 0;
}

int creds_json_keys(const char *doc, size_t len, enum creds_json_form form, struct creds_keys *ret,
                    struct error *err)
{
    const struct form *f = &forms[form];
    struct document d = {.bytes = doc, .len = len};
    int rc = -1;

    if (json_open(&d.json, err) != 0 || preamble(&d, form, err) != 0 ||
        needed(&d, f->access, ret->access_key, sizeof ret->access_key, err) < 0 ||
        needed(&d, f->secret, ret->secret_key, sizeof ret->secret_key, err) < 0 ||
        (f->token_needed ? needed : field)(&d, f->token, ret->token, sizeof ret->token, err) < 0 ||
        expiry(&d, form, &ret->expires_us, err) != 0) {
        goto out;
    }
    rc = 0;
out:
    json_close(d.json);
    return rc;
}

int creds_json_sso_token(const char *doc, size_t len, struct creds_sso_token *ret,
                         struct error *err)
{
    struct document d = {.bytes = doc, .len = len};
    char until[64];
    int rc = -1;

    memset(ret, 0, sizeof *ret);
    if (json_open(&d.json, err) != 0 ||
        needed(&d, "$.accessToken", ret->token, sizeof ret->token, err) < 0 ||
        needed(&d, "$.expiresAt", until, sizeof until, err) < 0) {
        goto out;
    }
    rc =
        creds_time(until, &ret->expires_us) == 0 ? 0 : err_set(err, ERR_CORRUPT, "a bad expiresAt");
out:
    json_close(d.json);
    return rc;
}
