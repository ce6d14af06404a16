/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS credentials as AWS's own clients find them: environment, shared files, IMDSv2.  The secret
 * parts are wiped when replaced and freed.  No message ever holds any of them.
 */
#ifndef TTYTRAIL_AWS_CREDS_H
#define TTYTRAIL_AWS_CREDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct creds;

struct creds_view {                              /* borrowed until the next call */
    const char *access_key, *secret_key, *token; /* token "" when there is none */
    int64_t expires_us;                          /* unix; 0 for never */
    const char *source;                          /* "environment", "profile NAME", "imds" */
};

/** creds_open(ret, err): Reads nothing yet. */
int creds_open(struct creds **ret, struct error *err);
void creds_close(struct creds *c);
/** creds_get(c, now_us, ret, err): Valid credentials, refreshed ahead of their expiry.  DENIED when
 * no source has any: the text says where was looked. */
int creds_get(struct creds *c, int64_t now_us, struct creds_view *ret, struct error *err);
/** creds_refresh(c): The server refused them as expired: the next creds_get asks anew. */
void creds_refresh(struct creds *c);
/** creds_region(c, ret, size): Region from the environment, the profile or IMDS; "" when unknown.
 */
void creds_region(struct creds *c, char *ret, size_t size);

#endif
