/* SPDX-License-Identifier: Apache-2.0 */
/* So much a second and no more: bytes, or requests.  Pure: the caller brings the clock. */
#ifndef TTYTRAIL_SHIPPER_SHIP_LIMIT_H
#define TTYTRAIL_SHIPPER_SHIP_LIMIT_H

#include <stdint.h>

struct ship_limit {
    int64_t per_s;   /* 0: no bound */
    int64_t next_us; /* nothing before this moment */
};

/** ship_limit_wait_us(l, now_us): How long until the next may go; 0: now. */
int64_t ship_limit_wait_us(const struct ship_limit *l, int64_t now_us);
/** ship_limit_take(l, now_us, cost): One goes now. */
void ship_limit_take(struct ship_limit *l, int64_t now_us, int64_t cost);

#endif
