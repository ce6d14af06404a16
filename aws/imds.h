/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance metadata service, version 2 only: a session token by PUT, then GETs with it. Version
 * 1 is never tried: whoever can make this host send a plain GET could read it.  Knows nothing of
 * what the documents mean (and so needs no JSON).  Never blocks longer than a second to find that
 * there is no such service, and never goes through a proxy.  AWS_EC2_METADATA_SERVICE_ENDPOINT
 * names another endpoint, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6 the other address,
 * AWS_EC2_METADATA_DISABLED=true none, AWS_METADATA_SERVICE_TIMEOUT=SECONDS more patience.  Who
 * does not answer is not asked again for a minute.
 */
#ifndef TTYTRAIL_AWS_IMDS_H
#define TTYTRAIL_AWS_IMDS_H

#include <stddef.h>

#include "aws/http.h"
#include "common/buf.h"
#include "common/err.h"

struct imds;

/* What a profile may say where the environment does not; all borrowed until imds_open_with returns.
 */
struct imds_config {
    const char *endpoint, *mode; /* NULL or "": the usual */
    /* What carries the requests instead of aws/http; NULL for that. */
    int (*send)(void *user, const struct http_request *req, struct http_response *ret,
                struct error *err);
    void *user;
};

/** imds_open(ret, err): Asks nothing yet.  DENIED when disabled, USAGE for what is no endpoint. */
int imds_open(struct imds **ret, struct error *err);
int imds_open_with(struct imds **ret, const struct imds_config *config, struct error *err);
/** imds_close(i): Wipes the token. */
void imds_close(struct imds *i);
/** imds_get(i, path, max_bytes, ret, err): Append the document at ${path} ("/latest/...") to
 * ${ret}. SYSTEM with code ENOENT when there is none (no role attached, tags not enabled); RETRY
 * when the service does not answer or is busy; DENIED when it refuses a token. */
int imds_get(struct imds *i, const char *path, size_t max_bytes, struct buf *ret,
             struct error *err);

#endif
