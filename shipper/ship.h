/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the shipper: seal, settle who we are, finish what was frozen, freeze and send until
 * nothing is left, tell the writer.  Safe to be killed at any moment and run again.  Reads the
 * evidence, never writes it; prints nothing.
 */
#ifndef TTYTRAIL_SHIPPER_SHIP_H
#define TTYTRAIL_SHIPPER_SHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/err.h"
#include "shipper/ship_life.h"

struct ship_batch { /* as told when one is stored */
    const char *name, *kind;
    int64_t seq, segments, bytes;
};

struct ship_progress { /* of this run; what waited for it as it began */
    int64_t segments, bytes, of_segments, of_bytes;
};

struct ship_config {
    const char *db;             /* evidence.db, absolute */
    const char *to;             /* URL of the store */
    const char *socket_or_null; /* the installed writer's control socket; NULL: a private writer */
    const struct conf *conf;    /* borrowed: [ship], [s3] */
    struct ship_orders orders;
    void (*batch)(void *user, const struct ship_batch *b);
    void (*progress)(void *user, const struct ship_progress *p); /* NULL allowed */
    void (*note)(void *user, const char *text); /* one line an operator has to know */
    void *user;
};

struct ship_result {
    int64_t batches, heartbeats, segments, bytes, puts;
    int64_t stored;    /* segments in the store by now, in all */
    int64_t set_aside; /* frozen batches that cannot be sent, sessions that cannot be shipped */
};

/** ship_run(config, ret, err): -1 when it could not be finished; ${ret} counts what was, also then.
 */
int ship_run(const struct ship_config *config, struct ship_result *ret, struct error *err);

struct ship_plan {
    int64_t frozen; /* batches frozen before and not stored yet */
    int64_t sessions, segments, bytes;
    int64_t oldest_us; /* when the oldest of them was sealed; 0: none waits */
};
/** ship_plan(config, ret, err): What ship_run would send of what is sealed now.  Changes nothing.
 * A place (when there is one) that ship_run would refuse is refused. */
int ship_plan(const struct ship_config *config, struct ship_plan *ret, struct error *err);

/** ship_bound(db, ret, size, err): The place that ${db} ships to, once something was stored there:
 * 1, 0 there is none yet. */
int ship_bound(const char *db, char *ret, unsigned long size, struct error *err);
/** ship_place(url): ${url} spelled in one way, for the caller to free; NULL: no memory. */
char *ship_place(const char *url);
/** ship_paths(db, ret_state, ret_key, size, err): Where ship.db and the key of ${db} are. */
int ship_paths(const char *db, char *ret_state, char *ret_key, unsigned long size,
               struct error *err);

#endif
