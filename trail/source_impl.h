/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of trail/source.h share: listing (source.c), files (source_file.c), records
 * (source_keep.c, also of source_api.c). */
#ifndef TTYTRAIL_TRAIL_SOURCE_IMPL_H
#define TTYTRAIL_TRAIL_SOURCE_IMPL_H

#include "common/json.h"
#include "trail/needles.h"
#include "trail/source.h"
#include "trail/unpack.h"

struct keeper {
    struct needles *any, *hosts; /* any: names of accesses, and hosts */
    struct json *json;
    struct trail_store *store;
    struct trail_read_stats *stats;
    void (*warn)(void *user, const char *line);
    void *user;
    const char *object; /* that the records stand in */
    struct error *err;  /* of the store: ends the run */
};

int keeper_open(struct keeper *k, const char *const *hosts, size_t n, struct error *err);
void keeper_close(struct keeper *k);
/** keeper_take(user, text, len): A split_fn: keep it if it matters. -1 in ${k}->err. */
int keeper_take(void *user, const char *text, size_t len);
void keeper_warn(const struct keeper *k, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** source_file(k, depot, unpack, item, err): 0 it is read whole and in the store, 1 it cannot be
 * read (named, counted), -1 the store or the depot failed. */
int source_file(struct keeper *k, struct depot *depot, struct unpack *unpack,
                const struct depot_item *item, struct buf *packed, struct error *err);

#endif
