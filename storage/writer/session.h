/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session as its writer holds it: where its tail lies, what is committed, what is being sealed.
 * Knows the store and the sealer's jobs; knows nothing of sockets.
 *
 * Invariants: `seq`, `hash` and `tails` describe what is committed; what a transaction under way
 * would change is staged and becomes true in wsession_committed; tails are a prefix-consumed list
 * in order of row; one seal job at a time.
 */
#ifndef TTYTRAIL_WRITER_SESSION_H
#define TTYTRAIL_WRITER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/wire/facts.h"
#include "storage/writer/sealer.h"

#define WSESSION_NO_PENDING UINT64_MAX
#define WSESSION_STAGED     4 /* tail rows in one transaction: carried, received, a mark */

struct wsession {
    struct wsession *next;
    struct session_row info;
    struct store_process recorder;
    uint64_t seq;       /* highest committed */
    uint64_t last_t_us; /* of the newest committed event */
    uint64_t pending_us;
    uint8_t hash[CHAIN_HASH]; /* running hash after the newest tail row */
    struct tail_row *tails;
    size_t n_tails, cap_tails, tail_bytes;
    struct buf cache;   /* the tail's frames, while they fit: saves reading them back */
    size_t *cache_left; /* what all sessions together may still cache; NULL: nothing */
    size_t cache_held;  /* counted against cache_left */
    bool cached;        /* cache holds the whole tail */
    bool sealing, seal_asked, seal_failed;
    bool seal_again;                /* it failed by what may pass */
    bool closed;                    /* state and exit are in the database: only sealing is left */
    bool connected;                 /* a recorder is on the line */
    bool unwatched;                 /* it has had more processes than are looked at */
    bool root_seen;                 /* the flag `root` was set by this writer */
    bool cut_due;                   /* to be closed as cut in the next transaction */
    uint64_t inner_dev, inner_rdev; /* its own pty, as its recorder has shown; 0: unknown */
    struct {
        uint64_t seq, t_us;
        uint8_t hash[CHAIN_HASH];
        struct tail_row rows[WSESSION_STAGED];
        size_t n_rows, cached;
        bool close;
        enum session_state state;
    } staged;
};

/** wsession_new(ret, cache_left, err): Empty. wsession_free: accepts NULL; no job may be away. */
int wsession_new(struct wsession **ret, size_t *cache_left, struct error *err);
void wsession_free(struct wsession *s);

/** wsession_recover(s, store, id, err): Fill ${s} from the database: 1, 0 no such session, -1. */
int wsession_recover(struct wsession *s, struct store *store, const uint8_t id[16],
                     struct error *err);

/** wsession_stage(s, store, frames, len, seq, t_us, err): Insert ${frames} (whole EVENT frames, the
 * last one's seq and the highest t) as one tail row, within the caller's transaction. */
int wsession_stage(struct wsession *s, struct store *store, const uint8_t *frames, size_t len,
                   uint64_t seq, uint64_t t_us, struct error *err);
/** wsession_stage_close(s, store, state, now_us, err): The end: `done`, or `cut` with its mark. */
int wsession_stage_close(struct wsession *s, struct store *store, enum session_state state,
                         int64_t now_us, struct error *err);
/** wsession_mark(s, store, t_us, text, err): A mark of the writer's own, as a tail row. */
int wsession_mark(struct wsession *s, struct store *store, uint64_t t_us, const char *text,
                  struct error *err);
void wsession_committed(struct wsession *s);
void wsession_rolled_back(struct wsession *s);

/** wsession_wants_seal(s, segment_bytes): Whether a job should be made now. */
bool wsession_wants_seal(const struct wsession *s, size_t segment_bytes);
/** wsession_job(s, store, segment_bytes, ret, err): Copy the first rows of the tail into a job
 * (within the caller's transaction, which it does not change). */
int wsession_job(struct wsession *s, struct store *store, size_t segment_bytes,
                 struct seal_job **ret, struct error *err);
/** wsession_job_empty(job): Nothing was decided yet: there is no segment to store, the tail stays.
 */
bool wsession_job_empty(const struct seal_job *job);
/** wsession_stage_sealed(s, store, job, now_us, err): Put the finished job's segment in the place
 * of its rows; what it gives back is carried into the next one. */
int wsession_stage_sealed(struct wsession *s, struct store *store, struct seal_job *job,
                          int64_t now_us, struct error *err);
/** wsession_sealed(s, job): After the commit, before wsession_committed.  Takes what the job
 * carries.
 */
void wsession_sealed(struct wsession *s, struct seal_job *job);

/** wsession_unsealed(s): The job came back empty or failed: its rows stay in the tail. */
void wsession_unsealed(struct wsession *s);

/** wsession_add_flag(s, word, err): Add ${word} to the flags in memory (once). */
int wsession_add_flag(struct wsession *s, const char *word, struct error *err);

#endif
