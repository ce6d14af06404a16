/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS credentials as AWS's own clients find them, in their order: environment, shared files (keys,
 * roles, web identity, SSO, a process), web identity of the environment, container, IMDSv2.  The
 * secret parts are wiped when replaced and freed.  No message ever holds any of them.
 *
 * A struct creds belongs to one thread.  Several threads share what was found with creds_share: it
 * is asked for once, under a lock, and the others go on meanwhile with what is still valid.
 */
#ifndef TTYTRAIL_AWS_CREDS_H
#define TTYTRAIL_AWS_CREDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct creds;

struct creds_view {                              /* borrowed until the next call with this creds */
    const char *access_key, *secret_key, *token; /* token "" when there is none */
    int64_t expires_us;                          /* unix; 0 for never */
    const char *source;  /* "environment", "profile NAME", "web identity", "container", "imds" */
    unsigned generation; /* which they are, for creds_refused */
};

/** creds_open(ret, err): Reads nothing yet. */
int creds_open(struct creds **ret, struct error *err);
/** creds_share(c, ret, err): One more of them, for another thread, upon the same credentials; each
 * is closed by itself, in any order. */
int creds_share(struct creds *c, struct creds **ret, struct error *err);
void creds_close(struct creds *c);
/** creds_get(c, now_us, ret, err): Valid credentials, refreshed ahead of their expiry; where the
 * metadata service is ill, those that it gave last, until a server refuses them.  Takes a minute at
 * most; while what there is still holds, sources are asked once a minute at most.  DENIED when no
 * source has any: the text says where was looked. */
int creds_get(struct creds *c, int64_t now_us, struct creds_view *ret, struct error *err);
/** creds_refresh(c): The server refused what creds_get gave last as expired: the next creds_get
 * asks anew.  Nothing happens where somebody else did so already, or where asking gave the same
 * keys a moment ago. */
void creds_refresh(struct creds *c);
/** creds_refused(c, generation): The same for those of one view: with several requests in flight,
 * one may come back long after newer ones were found. */
void creds_refused(struct creds *c, unsigned generation);
/** creds_region(c, ret, size): Region from the environment, the profile or IMDS; "" when unknown.
 */
void creds_region(struct creds *c, char *ret, size_t size);

#endif
