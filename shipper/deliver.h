/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object, stored: notes every attempt before it is made, takes the next name when one is taken,
 * waits with full jitter and tries again when that may help, a bounded number of times.  What was
 * confirmed before is not sent again.
 */
#ifndef TTYTRAIL_SHIPPER_DELIVER_H
#define TTYTRAIL_SHIPPER_DELIVER_H

#include "common/err.h"
#include "shipper/depot.h"
#include "shipper/state.h"

#define DELIVER_TRIES 12  /* of one name, in one run, while the store asks to try again */
#define DELIVER_NAMES 100 /* in one run */

struct deliver {
    struct state *state;
    struct depot *store;
    const char *where; /* the store's URL: attempts are noted under it */
    /* Something an operator has to know (a name was taken before our first attempt). */
    void (*note)(void *user, const char *text);
    void *user;
    int64_t puts; /* counted: requests that write */
};

/** deliver_object(d, put, err): RETRY when the tries are used up; the store's own error otherwise.
 */
int deliver_object(struct deliver *d, const struct depot_put *put, struct error *err);
/** deliver_wait_ms(try_number, random): How long to wait before try number ${try_number} (from 1):
 * full jitter below an exponential bound of 100 ms * 2^try_number, at most 5 s. */
unsigned deliver_wait_ms(unsigned try_number, uint32_t random);
/** deliver_pause(try_number): Wait that long. */
void deliver_pause(unsigned try_number);

#endif
