/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "aws/creds_private.h"
#include "aws/creds_sts.h"

/* Web identity as the environment has it: pods of EKS, runners of CI. */
static int find(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    struct creds_sts_call call = {.role_arn = creds_env_get("AWS_ROLE_ARN"),
                                  .session_name = creds_env_get("AWS_ROLE_SESSION_NAME"),
                                  .external_id = "",
                                  .duration_s = "",
                                  .token_file = creds_env_get("AWS_WEB_IDENTITY_TOKEN_FILE")};
    char region[64];

    if (*call.token_file == '\0') {
        err_set(err, ERR_DENIED, "unset");
        return 0;
    }
    if (*call.role_arn == '\0') {
        return err_set(err, ERR_USAGE, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN");
    }
    creds_context_region(x, region, sizeof region);
    if (creds_sts_assume(x, region, &call, ret, err) != 0) {
        return -1;
    }
    (void)snprintf(ret->source, sizeof ret->source, "web identity");
    return 1;
}

const struct creds_provider creds_web_provider = {.name = "web identity", .find = find};
