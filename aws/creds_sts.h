/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two calls of STS that hand out keys of a role: AssumeRole (signed) and
 * AssumeRoleWithWebIdentity (not).  Knows nothing of profiles.  Source: the STS API Reference,
 * version 2011-06-15.
 */
#ifndef TTYTRAIL_AWS_CREDS_STS_H
#define TTYTRAIL_AWS_CREDS_STS_H

#include "aws/creds_private.h"

/* "" is "not given". */
struct creds_sts_call {
    const char *role_arn;
    const char *session_name; /* "": one of ours */
    const char *external_id, *duration_s;
    const struct creds_keys *signer; /* NULL: by web identity, with the token in ... */
    const char *token_file;          /* ... this file, read anew each time */
};

/** creds_sts_assume(x, region, call, ret, err): ${ret} may be ${call}'s signer: its keys are then
 * replaced.  DENIED for refusals, RETRY when STS is ill or out of reach, USAGE for bad settings. */
int creds_sts_assume(struct creds_context *x, const char *region, const struct creds_sts_call *call,
                     struct creds_keys *ret, struct error *err);
/** creds_sts_parse(bytes, len, ret, err): The XML of either answer. */
int creds_sts_parse(const void *bytes, size_t len, struct creds_keys *ret, struct error *err);

#endif
