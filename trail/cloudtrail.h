/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudTrail's API (JSON 1.1): one signed call at a time, no more of them than AWS allows, again
 * after a while where it asks for patience.  Knows nothing of what is asked.
 */
#ifndef TTYTRAIL_TRAIL_CLOUDTRAIL_H
#define TTYTRAIL_TRAIL_CLOUDTRAIL_H

#include <stdint.h>

#include "aws/creds.h"
#include "common/buf.h"
#include "common/err.h"

struct cloudtrail;

struct cloudtrail_config { /* texts are copied, creds borrowed */
    const char *region;
    const char *endpoint; /* NULL, "": AWS_ENDPOINT_URL_CLOUDTRAIL, else the region's own */
    const char *ca_file;  /* NULL, "": the system's */
    struct creds *creds;
    int64_t every_us; /* between calls; 0: half a second, which is what LookupEvents allows */
};

int cloudtrail_open(struct cloudtrail **ret, const struct cloudtrail_config *config,
                    struct error *err);
void cloudtrail_close(struct cloudtrail *c);
/** cloudtrail_call(c, operation, body, ret, err): "LookupEvents", its JSON, the answer's JSON into
 * the emptied ${ret}.  DENIED names the right that is missing; RETRY after some tries. */
int cloudtrail_call(struct cloudtrail *c, const char *operation, const char *body, struct buf *ret,
                    struct error *err);

#endif
