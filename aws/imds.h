/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance metadata service, version 2 only: a session token by PUT, then GETs with it. Version
 * 1 is never tried: whoever can make this host send a plain GET could read it.  Knows nothing of
 * what the documents mean (and so needs no JSON).  Never blocks longer than a second to find that
 * there is no such service, and never goes through a proxy.  AWS_EC2_METADATA_SERVICE_ENDPOINT
 * names another endpoint, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6 the other address,
 * AWS_EC2_METADATA_DISABLED=true none.
 */
#ifndef TTYTRAIL_AWS_IMDS_H
#define TTYTRAIL_AWS_IMDS_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

struct imds;

/** imds_open(ret, err): Asks nothing yet.  DENIED when disabled, USAGE for what is no endpoint. */
int imds_open(struct imds **ret, struct error *err);
/** imds_close(i): Wipes the token. */
void imds_close(struct imds *i);
/** imds_get(i, path, max_bytes, ret, err): Append the document at ${path} ("/latest/...") to
 * ${ret}. SYSTEM with code ENOENT when there is none (no role attached, tags not enabled); RETRY
 * when the service does not answer or is busy; DENIED when it refuses a token. */
int imds_get(struct imds *i, const char *path, size_t max_bytes, struct buf *ret,
             struct error *err);

#endif
