/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Composition: which durable, unshipped segments go out together, and freezing them: composition,
 * sequence, head, manifest and signature in one transaction of ship.db, before anything is sent.
 * Choosing looks at rows alone; the bytes are read and hashed in between, elsewhere if need be.
 * Also the pack of a batch that was frozen before.  Knows nothing of stores.
 */
#ifndef TTYTRAIL_SHIPPER_BATCH_H
#define TTYTRAIL_SHIPPER_BATCH_H

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "shipper/identity.h"
#include "shipper/pack.h"
#include "shipper/state.h"
#include "storage/db/reader.h"

/* Where a run's choosing stands: what lies before needs not be looked at again.  Begins zeroed. */
struct batch_walk {
    int64_t after; /* as `order` of struct unshipped */
    struct stuck_session *stuck;
    size_t n_stuck, cap_stuck;
    struct open_session *open; /* the sessions that are open as the run begins */
    size_t n_open, cap_open;
    bool open_known;
};
void batch_walk_clear(struct batch_walk *w);

struct batch_source {
    struct reader *evidence;
    struct state *state;
    struct json *json;
    const struct identity *identity;
    int64_t horizon;     /* the writer's: what lies above it is not durable yet */
    size_t pack_bytes;   /* a pack ends before it is larger, unless one segment is */
    int64_t heartbeat_h; /* promised in every manifest */
    /* A session that cannot go out, and why; the others go on. */
    void (*note)(void *user, const char *text);
    void *user;
    struct batch_walk *walk; /* NULL: every call looks at everything */
};

/* A batch that is chosen and not frozen. */
struct choice;
/** batch_choose(src, ret, err): Choose the next one: 1, or 0 when there is nothing to ship.  Oldest
 * segments first, each session's in order.  ${src} has a walk.  batch_drop(c): forget it; NULL does
 * nothing. */
int batch_choose(const struct batch_source *src, struct choice **ret, struct error *err);
void batch_drop(struct choice *c);
/** batch_chosen(c, ret_sums): Its pack, to be hashed into *ret_sums by whoever likes. */
const struct pack *batch_chosen(const struct choice *c, struct pack_sums **ret_sums);
/** batch_refuse(src, c, bad, why, err): pack_hash did not like segment ${bad}: its session is not
 * shipped further; choose again. */
int batch_refuse(const struct batch_source *src, const struct choice *c, size_t bad,
                 const char *why, struct error *err);
/** batch_seal(src, c, now_us, ret_pack, err): Freeze it, hashed as it is now.  Its pack moves to
 * ${ret_pack} (NULL allowed). */
int batch_seal(const struct batch_source *src, struct choice *c, int64_t now_us,
               struct pack *ret_pack, struct error *err);
/** batch_freeze(src, now_us, ret_pack, err): All of that at once; the pack's bytes are appended to
 * ${ret_pack}: 1, or 0 when there is nothing to ship. */
int batch_freeze(const struct batch_source *src, int64_t now_us, struct buf *ret_pack,
                 struct error *err);
/** batch_heartbeat(src, now_us, err): Freeze a batch without segments. */
int batch_heartbeat(const struct batch_source *src, int64_t now_us, struct error *err);
/** batch_heartbeat_due(last_us, now_us, hours): Whether one is; never before the first batch, nor
 * with
 * ${hours} 0. */
bool batch_heartbeat_due(int64_t last_us, int64_t now_us, int64_t hours);
/** batch_boot(src, now_us, err): Freeze a boot manifest when the newest manifest of the epoch is of
 * another boot: 1; 0 when none is due. */
int batch_boot(const struct batch_source *src, int64_t now_us, struct error *err);
/** batch_stop(src, now_us, err): Freeze a stop manifest. */
int batch_stop(const struct batch_source *src, int64_t now_us, struct error *err);
/** batch_withhold(src, b, reason, now_us, err): Freeze a manifest that says that ${b}, which is
 * frozen and not stored, will not come; its segments may be taken again.  USAGE when ${b} is of
 * another epoch, stored, or withheld already. */
int batch_withhold(const struct batch_source *src, const struct state_batch *b, const char *reason,
                   int64_t now_us, struct error *err);
/** batch_pack(src, b, ret, err): The pack of a frozen batch, from the evidence; CORRUPT when that
 * does not give the bytes that were frozen. */
int batch_pack(const struct batch_source *src, const struct state_batch *b, struct buf *ret,
               struct error *err);

/** batch_parts(src, b, ret, err): The same as a list of what it is made of; nothing is read. */
int batch_parts(const struct batch_source *src, const struct state_batch *b, struct pack *ret,
                struct error *err);

#endif
