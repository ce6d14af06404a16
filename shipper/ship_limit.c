/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/ship_limit.h"

int64_t ship_limit_wait_us(const struct ship_limit *l, int64_t now_us)
{
    return l->per_s == 0 || l->next_us <= now_us ? 0 : l->next_us - now_us;
}

void ship_limit_take(struct ship_limit *l, int64_t now_us, int64_t cost)
{
    if (l->per_s > 0) {
        l->next_us = l->next_us < now_us ? now_us : l->next_us;
        l->next_us += cost / l->per_s * 1000000 + cost % l->per_s * 1000000 / l->per_s;
    }
}
