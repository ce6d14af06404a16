/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sources of credentials share: the keys they find, and the interface that one more source
 * (assume-role, web identity, container, SSO) implements.  Included by aws/creds*.c and their
 * tests.
 */
#ifndef TTYTRAIL_AWS_CREDS_PRIVATE_H
#define TTYTRAIL_AWS_CREDS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/imds.h"
#include "common/err.h"

#define CREDS_MAX_TOKEN   8191
#define CREDS_MAX_PROFILE 40 /* inih cuts sections at 50 bytes, "profile " included */

/* All the secrets there are; wiped by creds_keys_clear. */
struct creds_keys {
    char access_key[129], secret_key[257], token[CREDS_MAX_TOKEN + 1];
    int64_t expires_us; /* 0 for never */
    char source[64];
};
void creds_keys_clear(struct creds_keys *k);

/* What sources need beside the environment; opened when first asked for. */
struct creds_context {
    struct imds *imds;
};
/** creds_context_imds(x, err): Borrowed; NULL with ${err} set when there can be none. */
struct imds *creds_context_imds(struct creds_context *x, struct error *err);

struct creds_provider {
    const char *name;
    /* 1 with ${ret} filled; 0 when this source has none, with why in ${err}; -1 when it is set up
     * wrongly or fails for now: no later source is asked then. */
    int (*find)(struct creds_context *x, struct creds_keys *ret, struct error *err);
};
extern const struct creds_provider creds_env_provider;     /* creds_env.c */
extern const struct creds_provider creds_profile_provider; /* creds_profile.c */
extern const struct creds_provider creds_imds_provider;    /* creds_imds.c */

/** creds_env_get(name): The environment's value, "" when unset or blank (or in a setuid program).
 */
const char *creds_env_get(const char *name);

struct creds_profile {
    struct creds_keys keys;
    bool exists;
    char region[64];
    char needs[32]; /* a setting that asks for a source we do not have; "" for none */
};
/** creds_profile_parse(bytes, len, config_file, name, p, err): Put what a shared file says of
 * profile
 * ${name} over what ${p} holds.  In the config file sections are called "profile NAME" but for
 * "default".  USAGE for what is no INI, LIMIT for overlong values. */
int creds_profile_parse(const char *bytes, size_t len, bool config_file, const char *name,
                        struct creds_profile *p, struct error *err);
/** creds_profile_load(p, ret_name, err): From both files; ${ret_name} is the profile's, borrowed
 * from the environment.  Files that do not exist say nothing. */
int creds_profile_load(struct creds_profile *p, const char **ret_name, struct error *err);
void creds_profile_clear(struct creds_profile *p);

/** creds_imds_parse(doc, len, ret, err): The JSON of a role's credentials. */
int creds_imds_parse(const char *doc, size_t len, struct creds_keys *ret, struct error *err);

#endif
