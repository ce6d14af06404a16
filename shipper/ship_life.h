/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of the shipper does beside shipping: saying that the host was booted or goes down,
 * withholding, redelivering, replacing the key.  It freezes; sending is ship.c's.  Knows nothing of
 * stores.
 */
#ifndef TTYTRAIL_SHIPPER_SHIP_LIFE_H
#define TTYTRAIL_SHIPPER_SHIP_LIFE_H

#include "shipper/batch.h"
#include "shipper/identity.h"

struct ship_orders { /* all borrowed; NULL or false: not asked for */
    const char *again;
    const char *withhold, *reason;
    bool rotate_key, stop;
};

struct ship_life {
    const struct ship_orders *orders;
    const struct batch_source *source;
    const struct identity_config *who;
    struct identity *identity;
    void (*note)(void *user, const char *text);
    void *user;
};

/** ship_life_begin(l, err): Before anything is sent.  USAGE when an order names what is not there.
 */
int ship_life_begin(const struct ship_life *l, struct error *err);
/** ship_life_end(l, err): After everything was sent: 1 something was frozen, 0. */
int ship_life_end(const struct ship_life *l, struct error *err);

/** ship_life_remember(s, set_aside, err_or_null): How a run went, and how many batches and sessions
 * it set aside, for `ttytrail status`. ${s} may be NULL. */
void ship_life_remember(struct state *s, int64_t set_aside, const struct error *err_or_null);

#endif
