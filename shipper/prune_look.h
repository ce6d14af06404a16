/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what is about to be removed here is in the directory that it was shipped to: of each
 * batch the manifest and the pack are read back, once in a run, and held against what ship.db has
 * of them.  Of a bucket nothing is asked: it confirmed with our checksum, and a host may not read
 * it.
 */
#ifndef TTYTRAIL_SHIPPER_PRUNE_LOOK_H
#define TTYTRAIL_SHIPPER_PRUNE_LOOK_H

#include "shipper/state.h"

struct prune_look {
    struct state *state; /* borrowed; NULL: there is no ship.db, and everything is unknown */
    char place[STATE_PLACE_MAX];
    struct prune_looked *seen;
    size_t n, cap, last;
    void (*note)(void *user, const char *text); /* one line for each batch that is not there */
    void *user;
    int64_t missing; /* batches */
    int64_t unknown; /* sessions that are marked as shipped and stand in no batch of ship.db */
};

/** prune_look_open(l, state_or_null, err): DENIED when the place itself is not there. */
int prune_look_open(struct prune_look *l, struct state *state_or_null, struct error *err);
void prune_look_close(struct prune_look *l);
/** prune_look(l, session, number, err): 1 the segment is stored, 0 it cannot be seen to be, -1. */
int prune_look(struct prune_look *l, const uint8_t session[CHAIN_ID], int64_t number,
               struct error *err);

#endif
