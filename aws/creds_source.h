/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources that a profile can name beside the ones of the chain: each takes what the profile
 * says and returns 1 with keys, or -1.
 */
#ifndef TTYTRAIL_AWS_CREDS_SOURCE_H
#define TTYTRAIL_AWS_CREDS_SOURCE_H

#include "aws/creds_chain.h"
#include "aws/creds_private.h"

/** creds_sso_find(x, c, ret, err): DENIED, with what to do, when the session has ended. */
int creds_sso_find(struct creds_context *x, const struct creds_chain *c, struct creds_keys *ret,
                   struct error *err);

#define CREDS_PROCESS_WORDS 64
#define CREDS_PROCESS_BYTES 4096

/** creds_process_split(command, store, argv, err): Into words, as a shell would: quotes and
 * backslashes, and nothing else of a shell.  ${argv} points into ${store}; returns their number.
 * USAGE for an open quote, LIMIT above the bounds. */
int creds_process_split(const char *command, char store[CREDS_PROCESS_BYTES],
                        char *argv[CREDS_PROCESS_WORDS + 1], struct error *err);
/** creds_process_find(command, patience_ms, ret, err): Run it without a shell, its standard input
 * and error on /dev/null, and read its JSON.  It is killed when it takes too long (RETRY) or says
 * too much (LIMIT). */
int creds_process_find(const char *command, unsigned patience_ms, struct creds_keys *ret,
                       struct error *err);

#endif
