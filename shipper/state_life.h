/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ship.db knows of a host's life beside its batches: what was withheld, what the last runs saw
 * (facts), and what an operator has to know (events, the newest STATE_EVENTS_MAX).  Also how to
 * look at ship.db without being the shipper: state_look takes no lock and changes nothing.
 */
#ifndef TTYTRAIL_SHIPPER_STATE_LIFE_H
#define TTYTRAIL_SHIPPER_STATE_LIFE_H

#include "shipper/state.h"

#define STATE_EVENTS_MAX 1000
#define STATE_TEXT_MAX   512

/** state_look(ret, path, err): Open ${path} read-only, also while a shipper runs.  SYSTEM with code
 * ENOENT when there is none.  Only functions that ask may be called with it. */
int state_look(struct state **ret, const char *path, struct error *err);

/** state_fact_set(s, name, value, now_us, err): Facts are "boot_id", "success_us", "run_us",
 * "error", "skew_us": docs/FORMAT.md, "ship.db". */
int state_fact_set(struct state *s, const char *name, const char *value, int64_t now_us,
                   struct error *err);
/** state_fact(s, name, ret, size, ret_us, err): 1, 0 absent (or ship.db is from before facts), -1.
 * ${ret_us} may be NULL. */
int state_fact(struct state *s, const char *name, char *ret, size_t size, int64_t *ret_us,
               struct error *err);

/** state_event(s, kind, text, now_us, err): Note it, and forget the oldest above STATE_EVENTS_MAX.
 * The same text again within an hour counts once. */
int state_event(struct state *s, const char *kind, const char *text, int64_t now_us,
                struct error *err);
struct state_event {
    int64_t at_us;
    char kind[32], text[STATE_TEXT_MAX];
};
/** state_events(s, cb, user, err): Newest first; ${cb}'s non-zero result ends it and is returned.
 */
int state_events(struct state *s, int (*cb)(void *user, const struct state_event *e), void *user,
                 struct error *err);

/** state_batch_find(s, spec, ret, err): SEQ (of the epoch that is now), <EPOCH>/<SEQ> or a batch's
 * whole name: 1, 0 there is none, -1 USAGE for what is none of these.  ${ret} is cleared by the
 * caller after 1. */
int state_batch_find(struct state *s, const char *spec, struct state_batch *ret, struct error *err);
/** state_is_withheld(s, batch, err): 1, 0, -1. */
int state_is_withheld(struct state *s, int64_t batch, struct error *err);
/** state_any_withheld(s, err): Whether any batch is: 1, 0, -1. */
int state_any_withheld(struct state *s, struct error *err);
struct state_withheld {
    int64_t seq, by_seq, at_us, segments;
    int64_t waiting; /* of its segments: in no other batch yet */
    uint8_t epoch[CHAIN_ID];
    char reason[STATE_TEXT_MAX];
};
int state_withheld(struct state *s, int (*cb)(void *user, const struct state_withheld *w),
                   void *user, struct error *err);
/** state_waiting(s, ret_n, ret_oldest_us, err): Batches that are frozen, not stored and not
 * withheld, and when the oldest was frozen (0: there is none). */
int state_waiting(struct state *s, int64_t *ret_n, int64_t *ret_oldest_us, struct error *err);
/** state_again(s, batch, names, n, err): What was confirmed of these objects does not count any
 * more, and the batch is to be stored once more. */
int state_again(struct state *s, int64_t batch, const char *const *names, size_t n,
                struct error *err);

/* For state_open and state_freeze alone. */
int state_life_open(struct state *s, struct error *err);
int state_life_freeze(struct state *s, const struct manifest *m, struct error *err);

#endif
