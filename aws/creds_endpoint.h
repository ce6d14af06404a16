/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the services that hand out credentials are reached: regional names only, or what the
 * environment or the profile name instead.  Knows nothing of what is asked there.  Source: the SDKs
 * and Tools Reference Guide, "Service-specific endpoints", "Dual-stack and FIPS endpoints".
 */
#ifndef TTYTRAIL_AWS_CREDS_ENDPOINT_H
#define TTYTRAIL_AWS_CREDS_ENDPOINT_H

#include "aws/creds_private.h"

struct creds_endpoint {
    char url[300];  /* without a slash at its end */
    char host[280]; /* as the Host header says it: default ports left out */
    char path[200]; /* of the URL, "" for none */
};

enum creds_service { CREDS_STS, CREDS_SSO };

/** creds_endpoint_make(ret, x, service, region, err): USAGE without a region, or for what is no
 * endpoint. */
int creds_endpoint_make(struct creds_endpoint *ret, struct creds_context *x,
                        enum creds_service service, const char *region, struct error *err);

#endif
