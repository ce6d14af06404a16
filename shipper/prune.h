/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which segments may go, because they are in S3 and old enough or too many, and asking the writer
 * to remove them.  Never the last copy: a segment is left alone unless the evidence database has it
 * as shipped, ship.db (where it knows the session) has it as stored, and, where the place is a
 * directory, it is read back from there.  Reads; removing is the writer's.  Prints nothing.
 */
#ifndef TTYTRAIL_SHIPPER_PRUNE_H
#define TTYTRAIL_SHIPPER_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct prune_config {
    const char *db, *socket_or_null;
    int64_t now_us;
    int64_t keep_us;    /* what was sealed longer ago goes */
    int64_t keep_bytes; /* and what is too much, oldest first; 0: no limit */
    bool dry_run;
    void (*note)(void *user, const char *text); /* NULL allowed: what is not in the store */
    void *user;
};

struct prune_result {
    int64_t segments, sessions, bytes; /* removed (or that would be) */
    int64_t kept_bytes;                /* of segments that stay here */
    int64_t missing;   /* batches that should be in the store and are not: they stay here */
    int64_t unknown;   /* sessions that are marked as shipped and of which ship.db knows nothing */
    int64_t oldest_us; /* when the oldest of what stays and may go was sealed; 0 none */
};

/** prune_run(c, ret, err): -1 when it could not be finished; ${ret} counts what was removed, also
 * then.  May be killed at any moment. */
int prune_run(const struct prune_config *c, struct prune_result *ret, struct error *err);

#endif
