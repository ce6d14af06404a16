/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aws/creds_private.h"
#include "common/clock.h"
#include "common/json.h"

#define ROLES        "/latest/meta-data/iam/security-credentials/"
#define MAX_DOCUMENT 16384

/* IAM's own alphabet for names of roles. */
static const char role_alphabet[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-";

static int field(struct json *j, const char *doc, size_t len, const char *path, char *ret,
                 size_t size, struct error *err)
{
    struct buf text;
    int rc;

    buf_init(&text, size - 1);
    rc = json_text(j, doc, len, path, &text, err);
    if (rc == 0) {
        rc = err_set(err, ERR_CORRUPT, "the role's credentials have no %s", path + 2);
    } else if (rc == 1) {
        memcpy(ret, buf_data(&text), text.len);
        ret[text.len] = '\0';
        rc = 0;
    }
    if (text.mem != NULL) {
        explicit_bzero(text.mem, text.cap);
    }
    buf_clear(&text);
    return rc;
}

int creds_imds_parse(const char *doc, size_t len, struct creds_keys *ret, struct error *err)
{
    char code[64], expiration[64];
    struct json *j = NULL;
    int rc = -1;

    if (json_open(&j, err) != 0 || field(j, doc, len, "$.Code", code, sizeof code, err) != 0) {
        goto out;
    }
    if (strcmp(code, "Success") != 0) {
        err_set(err, ERR_DENIED, "the role's credentials are not available: %s",
                code[strspn(code, role_alphabet)] == '\0' ? code : "no success");
        goto out;
    }
    if (field(j, doc, len, "$.AccessKeyId", ret->access_key, sizeof ret->access_key, err) != 0 ||
        field(j, doc, len, "$.SecretAccessKey", ret->secret_key, sizeof ret->secret_key, err) !=
            0 ||
        field(j, doc, len, "$.Token", ret->token, sizeof ret->token, err) != 0 ||
        field(j, doc, len, "$.Expiration", expiration, sizeof expiration, err) != 0) {
        goto out;
    }
    if (clock_parse(expiration, &ret->expires_us, NULL) != 0) {
        err_set(err, ERR_CORRUPT, "the role's credentials have a bad Expiration");
        goto out;
    }
    (void)snprintf(ret->source, sizeof ret->source, "imds");
    rc = 0;
out:
    json_close(j);
    return rc;
}

static int fetch(struct imds *imds, struct creds_keys *ret, struct error *err)
{
    char path[sizeof ROLES + 64];
    struct buf role, doc;
    size_t n;
    uint8_t *room;
    int rc = -1;

    buf_init(&role, 1024);
    buf_init(&doc, MAX_DOCUMENT);
    /* Room for all at once: growing would leave copies of the keys behind. */
    if (buf_reserve(&doc, MAX_DOCUMENT, &room, err) != 0 ||
        imds_get(imds, ROLES, 1024, &role, err) != 0) {
        goto out;
    }
    n = strspn(buf_text(&role, NULL), role_alphabet);
    if (n == 0 || n > 64) {
        err_set(err, ERR_CORRUPT, "instance metadata: a role without a name");
        goto out;
    }
    (void)snprintf(path, sizeof path, ROLES "%.*s", (int)n, (const char *)buf_data(&role));
    if (imds_get(imds, path, MAX_DOCUMENT, &doc, err) != 0) {
        goto out;
    }
    rc = creds_imds_parse((const char *)buf_data(&doc), doc.len, ret, err);
out:
    if (doc.mem != NULL) {
        explicit_bzero(doc.mem, doc.cap);
    }
    buf_clear(&doc);
    buf_clear(&role);
    return rc;
}

static int find(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    /* Sources of a later issue, which come before this one: passing them over would quietly use the
     * instance's identity instead of the container's. */
    static const char *const foreign[] = {"AWS_WEB_IDENTITY_TOKEN_FILE",
                                          "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"};
    struct error why = {0};
    struct imds *imds;

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (*creds_env_get(foreign[i]) != '\0') {
            return err_set(err, ERR_DENIED, "%s is set, which is not built yet", foreign[i]);
        }
    }
    imds = creds_context_imds(x, err);
    if (imds == NULL) {
        return err == NULL || err->kind == ERR_DENIED ? 0 : -1;
    }
    if (fetch(imds, ret, &why) == 0) {
        return 1;
    }
    if (why.kind == ERR_SYSTEM && why.code == ENOENT) {
        err_set(err, ERR_DENIED, "this instance has no role");
        return 0;
    }
    if (err != NULL) {
        *err = why;
    }
    /* Not there, or not for us: nothing to find.  What it answers wrongly is worth saying. */
    return why.kind == ERR_RETRY || why.kind == ERR_DENIED ? 0 : -1;
}

const struct creds_provider creds_imds_provider = {.name = "instance metadata", .find = find};
