/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says, done: the keys of its base, and each role on top of them. */
#include <stdio.h>
#include <string.h>

#include "aws/creds_chain.h"
#include "aws/creds_private.h"
#include "aws/creds_source.h"
#include "aws/creds_sts.h"
#include "common/clock.h"

#define PROCESS_MS 30000

static int static_keys(const struct creds_section *s, struct creds_keys *ret, struct error *err)
{
    const struct {
        const char *name;
        char *to;
        size_t size;
    } fields[] = {{"aws_access_key_id", ret->access_key, sizeof ret->access_key},
                  {"aws_secret_access_key", ret->secret_key, sizeof ret->secret_key},
                  {"aws_session_token", ret->token, sizeof ret->token}};

    for (size_t i = 0; i < 3; i++) {
        const char *v = creds_files_get(s, fields[i].name);

        if (creds_put(fields[i].to, fields[i].size, v, strlen(v), fields[i].name, err) != 0) {
            return err_wrap(err, "'%.60s'", s->name);
        }
    }
    return 1;
}

static int assume(struct creds_context *x, const struct creds_section *s,
                  const struct creds_keys *signer, struct creds_keys *ret, struct error *err)
{
    struct creds_sts_call call = {
        .role_arn = creds_files_get(s, "role_arn"),
        .session_name = creds_files_get(s, "role_session_name"),
        .external_id = creds_files_get(s, "external_id"),
        .duration_s = creds_files_get(s, "duration_seconds"),
        .signer = signer,
        .token_file = creds_files_get(s, "web_identity_token_file"),
    };
    char region[64];

    creds_context_region(x, region, sizeof region);
    return creds_sts_assume(x, region, &call, ret, err);
}

/* Of a source that the profile names: that it has none is an error here. */
static int named(const struct creds_provider *from, struct creds_context *x, struct creds_keys *ret,
                 struct error *err)
{
    int rc = from->find(x, ret, err);

    return rc == 1 ? 1 : err_wrap(err, "credential_source %s", from->name);
}

static unsigned patience_ms(const struct creds_context *x)
{
    uint64_t now = clock_boot_us(), left = now < x->until_us ? (x->until_us - now) / 1000 : 0;

    return left < PROCESS_MS ? (unsigned)left : PROCESS_MS;
}

static int find_base(struct creds_context *x, const struct creds_chain *c, struct creds_keys *ret,
                     struct error *err)
{
    switch (c->base) {
    case CREDS_BASE_ENVIRONMENT:
        return named(&creds_env_provider, x, ret, err);
    case CREDS_BASE_CONTAINER:
        return named(&creds_container_provider, x, ret, err);
    case CREDS_BASE_IMDS:
        return named(&creds_imds_provider, x, ret, err);
    case CREDS_BASE_WEB_IDENTITY:
        return assume(x, c->profile, NULL, ret, err) == 0 ? 1 : -1;
    case CREDS_BASE_SSO:
        return creds_sso_find(x, c, ret, err);
    case CREDS_BASE_PROCESS:
        return creds_process_find(creds_files_get(c->profile, "credential_process"), patience_ms(x),
                                  ret, err);
    case CREDS_BASE_KEYS:
        break;
    }
    return static_keys(c->profile, ret, err);
}

static int find(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    bool is_named;
    const char *name = creds_files_profile(&is_named);
    const struct creds_files *f = creds_context_files(x, err);
    struct creds_chain c;
    int rc = f == NULL ? -1 : creds_chain_make(f, name, is_named, &c, err);

    if (rc != 1) {
        return rc;
    }
    rc = find_base(x, &c, ret, err);
    for (size_t i = 0; rc == 1 && i < c.role_count; i++) {
        rc = assume(x, c.roles[i], ret, ret, err) == 0 ? 1 : -1;
    }
    if (rc != 1) {
        return err_wrap(err, "'%.60s'", name);
    }
    (void)snprintf(ret->source, sizeof ret->source, "profile %.40s", name);
    return 1;
}

const struct creds_provider creds_profile_provider = {.name = "profile", .find = find};
