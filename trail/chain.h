/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back from the credentials that opened a way in to the person: through AssumeRole and its like,
 * whose issued access key later calls bear, CHAIN_STEPS at most.  sourceIdentity ends the walk: AWS
 * itself says who it was.
 */
#ifndef TTYTRAIL_TRAIL_CHAIN_H
#define TTYTRAIL_TRAIL_CHAIN_H

#include "common/err.h"
#include "trail/store.h"

#define CHAIN_STEPS 8

/* Where events are asked for: trail_store_events, or a list of a test's. */
struct trail_events {
    int (*events)(void *user, const struct trail_query *q,
                  int (*cb)(void *user, const struct trail_stored *e), void *cb_user,
                  struct error *err);
    void *user;
};

/** chain_person(from, e, ret, ret_steps, err): *ret: who made ${e}, or who is at the chain's other
 * end; *ret_steps: how many AssumeRole lie between. */
int chain_person(const struct trail_events *from, const struct trail_event *e,
                 struct trail_identity *ret, int *ret_steps, struct error *err);

#endif
