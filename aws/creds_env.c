/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/creds_private.h"

const char *creds_env_get(const char *name)
{
    const char *v = secure_getenv(name);

    /* Blank counts as unset, as in AWS's own clients. */
    return v == NULL || v[strspn(v, " \t")] == '\0' ? "" : v;
}

bool creds_env_true(const char *name)
{
    return strcasecmp(creds_env_get(name), "true") == 0;
}

static int find(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    const char *access = creds_env_get("AWS_ACCESS_KEY_ID");
    const char *secret = creds_env_get("AWS_SECRET_ACCESS_KEY");
    const char *token = creds_env_get("AWS_SESSION_TOKEN");

    (void)x;
    if (*access == '\0' && *secret == '\0') {
        err_set(err, ERR_DENIED, "AWS_ACCESS_KEY_ID unset");
        return 0;
    }
    if (*access == '\0' || *secret == '\0') {
        return err_set(err, ERR_USAGE, "%s is set without %s",
                       *access == '\0' ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                       *access == '\0' ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY");
    }
    if (creds_put(ret->access_key, sizeof ret->access_key, access, strlen(access),
                  "AWS_ACCESS_KEY_ID", err) != 0 ||
        creds_put(ret->secret_key, sizeof ret->secret_key, secret, strlen(secret),
                  "AWS_SECRET_ACCESS_KEY", err) != 0 ||
        creds_put(ret->token, sizeof ret->token, token, strlen(token), "AWS_SESSION_TOKEN", err) !=
            0) {
        return -1;
    }
    (void)snprintf(ret->source, sizeof ret->source, "environment");
    return 1;
}

const struct creds_provider creds_env_provider = {.name = "environment", .find = find};
