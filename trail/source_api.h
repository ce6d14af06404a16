/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trail without a bucket: CloudTrail's LookupEvents, one region, management events of 90 days at
 * most, into trail.db.  Two requests a second are all that AWS allows an account and region, so
 * that this is for few hosts; and nothing that it says can be held against a digest.
 */
#ifndef TTYTRAIL_TRAIL_SOURCE_API_H
#define TTYTRAIL_TRAIL_SOURCE_API_H

#include "aws/creds.h"
#include "trail/source.h"

/* All borrowed. */
struct trail_api {
    const char *region;
    const char *endpoint; /* NULL, "": AWS_ENDPOINT_URL_CLOUDTRAIL, else the region's own */
    const char *ca_file;  /* NULL, "": the system's */
    struct creds *creds;
    int64_t from_us, to_us;   /* unix; a later cursor counts instead of from_us */
    int64_t every_us;         /* between requests; 0: half a second */
    const char *const *hosts; /* as struct trail_source's; of ids those calls are asked for, too */
    size_t n_hosts;
    void (*warn)(void *user, const char *line);
    void (*progress)(void *user, const struct trail_read_stats *so_far);
    void *user;
};

/** trail_api_read(a, store, ret, err): Events lie in the object "api:REGION". -1: a query failed
 * (DENIED says which right is missing), after waiting where AWS asked to. */
int trail_api_read(const struct trail_api *a, struct trail_store *store,
                   struct trail_read_stats *ret, struct error *err);

#endif
