/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship.db: what the shipper must not forget.  Who this host is (epoch, sequence, head of its
 * batches), its key objects, its batches with their frozen manifests and members, and every attempt
 * to store an object, noted before it is made.  Every function commits durably (synchronous=FULL)
 * before it returns, unless state_begin says otherwise (shipper/state_many.h).  One process at a
 * time.  Knows nothing of stores, keys or evidence.
 *
 * Invariants: a segment stands in at most one batch; all batches go to one place; seq and head
 * change only together with the batch that they come from; a frozen manifest never changes.
 */
#ifndef TTYTRAIL_SHIPPER_STATE_H
#define TTYTRAIL_SHIPPER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "shipper/manifest.h"

struct state;

/** state_open(ret, path, err): Open or make ${path}, and lock it; RETRY when another process has
 * it. */
int state_open(struct state **ret, const char *path, struct error *err);
/** state_close(s): NULL does nothing. */
void state_close(struct state *s);

struct state_identity {
    bool known;               /* false: ship.db is new, the rest is unset */
    char host[MANIFEST_HOST]; /* as in paths */
    uint8_t epoch[CHAIN_ID];
    int64_t key_number; /* 0: the epoch's key is not made yet */
    int64_t seq;        /* of the last batch, 0 for none */
    uint8_t head[CHAIN_HASH];
    int64_t last_us; /* when the last batch was frozen, 0 for never */
};
int state_identity(struct state *s, struct state_identity *ret, struct error *err);
/** state_epoch_used(s, epoch, err): 1 when there are batches of that epoch, 0. */
int state_epoch_used(struct state *s, const uint8_t epoch[CHAIN_ID], struct error *err);
/** state_begin_epoch(s, host, epoch, err): Sequence and head start anew. */
int state_begin_epoch(struct state *s, const char *host, const uint8_t epoch[CHAIN_ID],
                      struct error *err);
#define STATE_PLACE_MAX 2048
/** state_place_check(s, where, err): 0 when nothing was stored anywhere yet, or in ${where} alone;
 * USAGE, naming both places, otherwise. */
int state_place_check(struct state *s, const char *where, struct error *err);
/** state_place_set(s, where, err): From now on everything goes to ${where}. */
int state_place_set(struct state *s, const char *where, struct error *err);
/** state_place(s, ret, size, err): That place; "" for none yet. */
int state_place(struct state *s, char *ret, size_t size, struct error *err);
/** state_stored_segments(s, ret, err): Segments of all batches that are stored. */
int state_stored_segments(struct state *s, int64_t *ret, struct error *err);
/** state_key_made(s, number, name, line, err): The epoch's key exists, and this is its object. */
int state_key_made(struct state *s, int64_t number, const char *name, const struct buf *line,
                   struct error *err);
/** state_keys(s, cb, user, err): Every key object, oldest first. */
int state_keys(struct state *s, int (*cb)(void *user, const char *name, const struct buf *line),
               void *user, struct error *err);

/** state_freeze(s, m, session_rows, line, err): In one transaction: the batch ${m} with its
 * manifest ${line}, its members (session_rows[i]: the row of m->segments[i]), and the host's new
 * seq and head. */
int state_freeze(struct state *s, const struct manifest *m, const int64_t *session_rows,
                 const struct buf *line, struct error *err);

struct state_batch {
    int64_t id, seq, created_us, pack_size, segments;
    char kind[16], host[MANIFEST_HOST];
    uint8_t epoch[CHAIN_ID], pack_sha256[CHAIN_HASH];
    bool done; /* the manifest is stored; the writer may not know it yet */
    struct buf line;
};
void state_batch_clear(struct state_batch *b);
/** state_unfinished(s, after, ret, err): The oldest batch with an id above ${after} that is not
 * stored, or not told to the writer, and not withheld: 1, 0 none.  ${ret} is cleared by the caller
 * after 1. */
int state_unfinished(struct state *s, int64_t after, struct state_batch *ret, struct error *err);
/** state_batch_get(s, epoch, seq, ret, err): One batch, stored or not: as state_unfinished. */
int state_batch_get(struct state *s, const uint8_t epoch[CHAIN_ID], int64_t seq,
                    struct state_batch *ret, struct error *err);
/** state_done(s, batch, err), state_told(s, batch, err): Its manifest is stored; the writer knows.
 */
int state_done(struct state *s, int64_t batch, struct error *err);
int state_told(struct state *s, int64_t batch, struct error *err);

struct state_member {
    int64_t session_row, number, offset, length;
    uint8_t session[CHAIN_ID];
};
/** state_members(s, batch, cb, user, err): In order of offset. */
int state_members(struct state *s, int64_t batch,
                  int (*cb)(void *user, const struct state_member *m), void *user,
                  struct error *err);
/** state_find(s, session, number, ret_epoch, ret_seq, err): The batch that holds a segment and is
 * not withheld: 1, 0 none. */
int state_find(struct state *s, const uint8_t session[CHAIN_ID], int64_t number,
               uint8_t ret_epoch[CHAIN_ID], int64_t *ret_seq, struct error *err);
/** state_next(s, session, ret, err): One above the highest number of the session in any batch; 0.
 */
int state_next(struct state *s, const uint8_t session[CHAIN_ID], int64_t *ret, struct error *err);

/** state_stored(s, session, ret, err): All of the session's segments below this number are stored.
 */
int state_stored(struct state *s, const uint8_t session[CHAIN_ID], int64_t *ret, struct error *err);

/** state_attempt(s, where, name, suffix, now_us, ret_attempt, err): Note that an object is about to
 * be put, as <name> (suffix 0) or <name>.r<suffix>, in the store ${where}. */
int state_attempt(struct state *s, const char *where, const char *name, int64_t suffix,
                  int64_t now_us, int64_t *ret_attempt, struct error *err);
/** state_attempt_result(s, attempt, result, err): "confirmed", "exists" or a word for a failure. */
int state_attempt_result(struct state *s, int64_t attempt, const char *result, struct error *err);
struct state_attempts {
    bool confirmed;
    int64_t next_suffix;   /* what to try: above every one that exists */
    int64_t tries_of_next; /* earlier attempts under that very suffix */
};
/** state_stored_as(s, where, name, ret_suffix, err): Under which suffix it was confirmed last; 0
 * when nothing is known of that. */
int state_stored_as(struct state *s, const char *where, const char *name, int64_t *ret_suffix,
                    struct error *err);
int state_attempts(struct state *s, const char *where, const char *name, struct state_attempts *ret,
                   struct error *err);

#endif
