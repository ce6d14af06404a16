/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship.db for many batches at once: one transaction for what many calls change, a frozen manifest's
 * line by itself, which batches were set aside and why, and how far the store's clock is from ours.
 */
#ifndef TTYTRAIL_SHIPPER_STATE_MANY_H
#define TTYTRAIL_SHIPPER_STATE_MANY_H

#include "shipper/state.h"

/** state_many_open(s, err): Make the tables of this file where they are missing. */
int state_many_open(struct state *s, struct error *err);
/** state_begin(s, err): What follows becomes durable with state_commit, or not at all. */
int state_begin(struct state *s, struct error *err);
int state_commit(struct state *s, struct error *err);
/** state_rollback(s): Does nothing outside of a transaction. */
void state_rollback(struct state *s);

/** state_line(s, batch, ret, err): Append the frozen manifest of ${batch}. */
int state_line(struct state *s, int64_t batch, struct buf *ret, struct error *err);

/** state_aside_set(s, batch, reason, now_us, err): ${batch} could not be sent, and why. */
int state_aside_set(struct state *s, int64_t batch, const char *reason, int64_t now_us,
                    struct error *err);
/** state_aside_clear(s, batch, err): It was sent after all. */
int state_aside_clear(struct state *s, int64_t batch, struct error *err);
/** state_aside(s, batch, ret_at_us, err): Whether it is set aside, and since when: 1, 0, -1. */
int state_aside(struct state *s, int64_t batch, int64_t *ret_at_us, struct error *err);

/** state_skew_set(s, skew_us, now_us, err): The store's clock minus ours, as its answers tell. */
int state_skew_set(struct state *s, int64_t skew_us, int64_t now_us, struct error *err);
/** state_skew(s, now_us, ret_known, ret_us, err): The same, as it has to be at ${now_us} (unix) if
 * our clock was set since, in this boot. */
int state_skew(struct state *s, int64_t now_us, bool *ret_known, int64_t *ret_us,
               struct error *err);

#endif
