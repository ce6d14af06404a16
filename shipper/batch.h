/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Composition: which durable, unshipped segments go out together, and freezing them: composition,
 * sequence, head, manifest and signature in one transaction of ship.db, before anything is sent.
 * Also building the pack's bytes again for a batch that was frozen before.  Knows nothing of
 * stores.
 */
#ifndef TTYTRAIL_SHIPPER_BATCH_H
#define TTYTRAIL_SHIPPER_BATCH_H

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "shipper/identity.h"
#include "shipper/state.h"
#include "storage/db/reader.h"

struct batch_source {
    struct reader *evidence;
    struct state *state;
    struct json *json;
    const struct identity *identity;
    int64_t horizon;   /* the writer's: what lies above it is not durable yet */
    size_t pack_bytes; /* a pack ends before it is larger, unless one segment is */
    /* A session that cannot go out, and why; the others go on. */
    void (*note)(void *user, const char *text);
    void *user;
};

/** batch_freeze(src, now_us, ret_pack, err): Freeze the next batch and append its pack to
 * ${ret_pack}: 1, or 0 when there is nothing to ship.  Oldest segments first, each session's in
 * order. */
int batch_freeze(const struct batch_source *src, int64_t now_us, struct buf *ret_pack,
                 struct error *err);
/** batch_heartbeat(src, now_us, err): Freeze a batch without segments. */
int batch_heartbeat(const struct batch_source *src, int64_t now_us, struct error *err);
/** batch_heartbeat_due(last_us, now_us, hours): Whether one is; never before the first batch, nor
 * with
 * ${hours} 0. */
bool batch_heartbeat_due(int64_t last_us, int64_t now_us, int64_t hours);
/** batch_pack(src, b, ret, err): The pack of a frozen batch, from the evidence; CORRUPT when that
 * does not give the bytes that were frozen. */
int batch_pack(const struct batch_source *src, const struct state_batch *b, struct buf *ret,
               struct error *err);

#endif
