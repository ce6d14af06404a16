/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop that ships: many batches in flight, one thread besides that hashes.  Each turn takes
 * what came back, freezes what is hashed, writes down what is about to be tried, commits once, and
 * lets it go.  Results wait for the next commit: after a crash they are asked for again, which is
 * safe. Memory is bounded by in_flight segments and one window of manifests, however long the
 * backlog.
 */
#ifndef TTYTRAIL_SHIPPER_SHIP_ENGINE_H
#define TTYTRAIL_SHIPPER_SHIP_ENGINE_H

#include "aws/retry.h"
#include "shipper/batch.h"
#include "shipper/depot.h"
#include "shipper/ship_limit.h"
#include "shipper/state_many.h"

#define SHIP_IN_FLIGHT_MAX 64
#define SHIP_REFUSED_MAX   3 /* batches in a row: then it is not the batch */

struct flight;
struct hasher;

struct ship_engine {
    /* The caller's, borrowed. */
    const char *db, *where;
    struct state *state;
    struct depot *store;
    struct batch_source *source; /* with its walk */
    unsigned in_flight;
    struct ship_limit bytes, requests;
    int (*prepare)(void *user, struct error *err); /* before the first request; nothing is open */
    int (*tell)(void *user, const struct state_batch *b, struct error *err);
    void (*stored)(void *user, const struct state_batch *b);
    void (*aside)(void *user, const char *text); /* a batch that cannot be sent, and why */
    void (*note)(void *user, const char *text);  /* what else an operator has to know */
    void (*progress)(void *user);
    void *user;
    /* Counted. */
    int64_t puts, segments_done, bytes_done;
    /* Its own; zeroed at first. */
    struct flight *flights;
    unsigned n_flights;
    struct hasher *hasher;
    struct retry_bucket bucket;
    int64_t after;    /* unfinished batches up to this one are in flight or were */
    int64_t aside_to; /* those set aside earlier are tried up to this one, at the end; 0: not yet */
    int64_t began_us; /* unix: what was set aside since then is not tried again */
    int64_t line_bytes, part_bytes; /* of manifests and segments that are in memory for sending */
    int64_t skew_us, seen_skew_us;  /* that was told; that is in ship.db */
    bool skew_seen;
    bool prepared, choosing, chosen_all;
    bool confirmed, confirmed_now; /* something, in this run; since the last refusal */
    unsigned refused;              /* in a row */
    struct error refusals[SHIP_REFUSED_MAX];
};

/** ship_engine_run(e, freeze, err): Send all that is frozen and, with ${freeze}, all that there is
 * to freeze.  What cannot be sent is set aside and told; -1 when it is not the batches.  May be run
 * again. */
int ship_engine_run(struct ship_engine *e, bool freeze, struct error *err);
/** ship_engine_close(e): Ends what is under way. */
void ship_engine_close(struct ship_engine *e);

#endif
