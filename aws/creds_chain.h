/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a profile says about where its credentials come from: a base, and the roles to assume on top
 * of it, one after the other.  Pure: reads no file, no environment and asks nobody.  Source: the
 * SDKs' own test cases (assume-role-tests.json).
 */
#ifndef TTYTRAIL_AWS_CREDS_CHAIN_H
#define TTYTRAIL_AWS_CREDS_CHAIN_H

#include "aws/creds_files.h"

#define CREDS_CHAIN_MAX 8

enum creds_base {
    CREDS_BASE_KEYS,        /* of the profile itself */
    CREDS_BASE_ENVIRONMENT, /* these three by credential_source */
    CREDS_BASE_CONTAINER,
    CREDS_BASE_IMDS,
    CREDS_BASE_WEB_IDENTITY, /* role_arn and web_identity_token_file */
    CREDS_BASE_SSO,
    CREDS_BASE_PROCESS,
};

/* All borrowed from the files. */
struct creds_chain {
    enum creds_base base;
    const struct creds_section *profile; /* that the base's settings stand in */
    const struct creds_section *session; /* of SSO; NULL where the profile has them itself */
    const struct creds_section *roles[CREDS_CHAIN_MAX]; /* profiles with role_arn; first is first */
    size_t role_count;
};

/** creds_chain_make(f, name, named, ret, err): 1, or 0 with the reason in ${err} when the profile
 * says nothing of credentials (or is not there, and is not ${named} by anybody), or -1: USAGE for
 * what makes no sense (loops, one key without the other, unknown names), DENIED for what a program
 * cannot do, LIMIT for more than CREDS_CHAIN_MAX roles. */
int creds_chain_make(const struct creds_files *f, const char *name, bool named,
                     struct creds_chain *ret, struct error *err);

#endif
