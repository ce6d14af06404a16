/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aws/creds_json.h"

#define ROLES "/latest/meta-data/iam/security-credentials/"

/* IAM's own alphabet for names of roles. */
static const char role_alphabet[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-";

static int fetch(struct imds *imds, struct creds_keys *ret, struct error *err)
{
    char path[sizeof ROLES + 64];
    struct buf role, doc;
    size_t n;
    int rc = -1;

    buf_init(&role, 1024);
    creds_secret_init(&doc, CREDS_MAX_DOCUMENT);
    if (creds_secret_room(&doc, CREDS_MAX_DOCUMENT, err) != 0 ||
        imds_get(imds, ROLES, 1024, &role, err) != 0) {
        goto out;
    }
    n = strspn(buf_text(&role, NULL), role_alphabet);
    if (n == 0 || n > 64) {
        err_set(err, ERR_CORRUPT, "instance metadata: a role without a name");
        goto out;
    }
    (void)snprintf(path, sizeof path, ROLES "%.*s", (int)n, (const char *)buf_data(&role));
    if (imds_get(imds, path, CREDS_MAX_DOCUMENT, &doc, err) != 0) {
        goto out;
    }
    rc = creds_json_keys((const char *)buf_data(&doc), doc.len, CREDS_JSON_INSTANCE, ret, err);
    if (rc != 0) {
        err_wrap(err, "the role's credentials");
    }
out:
    creds_secret_clear(&doc);
    buf_clear(&role);
    return rc;
}

static int find(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    struct error why = {0};
    struct imds *imds = creds_context_imds(x, &why);

    x->imds_ill = false;
    if (imds != NULL && fetch(imds, ret, &why) == 0) {
        (void)snprintf(ret->source, sizeof ret->source, "imds");
        return 1;
    }
    x->imds_ill = imds != NULL && (why.kind == ERR_RETRY || why.kind == ERR_CORRUPT);
    if (why.kind == ERR_SYSTEM && why.code == ENOENT) {
        err_set(&why, ERR_DENIED, "this instance has no role");
    }
    if (err != NULL) {
        *err = why;
    }
    /* Not there, or not for us: nothing to find.  What it answers wrongly is worth saying. */
    return why.kind == ERR_RETRY || why.kind == ERR_DENIED ? 0 : -1;
}

const struct creds_provider creds_imds_provider = {.name = "instance metadata", .find = find};
