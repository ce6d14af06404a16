/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of trail/store.h, for its files alone. */
#ifndef TTYTRAIL_TRAIL_STORE_IMPL_H
#define TTYTRAIL_TRAIL_STORE_IMPL_H

#include "common/json.h"
#include "shipper/sql.h"
#include "trail/store.h"

struct trail_store {
    struct state sql; /* for shipper/sql.h: a database, its path, what is prepared */
    struct json *json;
};

#endif
