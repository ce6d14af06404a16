/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading side of evidence.db, for every command.  Read-only; no call but reader_begin keeps a
 * transaction open after it returns (PITFALLS 19), so a reader never blocks the writer and never
 * sees half a commit. Content is copied out, one segment at a time.  A session left open by dead
 * processes is shown as cut.
 */
#ifndef TTYTRAIL_DB_READER_H
#define TTYTRAIL_DB_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/db/connection.h"
#include "storage/db/session.h"

struct reader;

/** reader_open(ret, path, err): SYSTEM ENOENT when there is none, CORRUPT when it is no evidence
 * database or a newer one than we know. */
int reader_open(struct reader **ret, const char *path, struct error *err);
void reader_close(struct reader *r);
const char *reader_path(const struct reader *r);

/** reader_meta(r, key, ret, err): A text of table meta ("host", "epoch" (hex), "epoch_why",
 * "created_us", "machine_id") appended to ${ret}: 1 found, 0 absent, -1. */
int reader_meta(struct reader *r, const char *key, struct buf *ret, struct error *err);

/** reader_sessions(r, cb, user, err): ${cb} with every session, oldest first; its non-zero result
 * ends the walk and is returned.  ${cb} may call the reader.  Rows are read in pages of 256. */
int reader_sessions(struct reader *r, int (*cb)(void *user, const struct session_row *s),
                    void *user, struct error *err);
/** reader_unfinished(r, cb, user, err): The same with those only whose end is not sealed: what
 * there is besides, however much, costs nothing. */
int reader_unfinished(struct reader *r, int (*cb)(void *user, const struct session_row *s),
                      void *user, struct error *err);
/** reader_session(r, row, ret, err): The row numbered ${row}: 1, 0 absent, -1. */
int reader_session(struct reader *r, int64_t row, struct session_row *ret, struct error *err);
/** reader_find(r, spec, ret, err): SESSION of the command line: an id, a unique prefix of one (from
 * four digits), "last", "title:T" (the newest of that title).  0; -1, USAGE, names what is
 * ambiguous or absent. */
int reader_find(struct reader *r, const char *spec, struct session_row *ret, struct error *err);

struct segment_row {
    int64_t number;
    uint8_t sha256[CHAIN_HASH]; /* of the stored bytes, as the database says */
    uint8_t head[CHAIN_HASH];   /* chain after it, as the database says */
    int64_t size, text_size, events;
    bool final;
    bool pruned; /* its bytes were removed here */
    char codec[16];
    int64_t sealed_us, first_t_us, last_t_us;
};
/** reader_segment(r, session_row, number, ret, ret_bytes, err): Segment ${number}: its row, and its
 * bytes appended to ${ret_bytes} (NULL: row only): 1, 0 absent, -1; SYSTEM with code ENODATA when
 * bytes are wanted that were pruned: ${ret} is set all the same. */
int reader_segment(struct reader *r, int64_t session_row, int64_t number, struct segment_row *ret,
                   struct buf *ret_bytes, struct error *err);

/** reader_snapshot(r, session_row, ret, ret_frames, ret_hash_ok, err): In one transaction: the
 * session's row, and all of its tail's frames (what is carried, then its rows in order) appended to
 * ${ret_frames}; *ret_hash_ok says whether the tail's running hashes hold.  1, 0 absent, -1. */
int reader_snapshot(struct reader *r, int64_t session_row, struct session_row *ret,
                    struct buf *ret_frames, bool *ret_hash_ok, struct error *err);

/* For ship: segments that are durable and not marked shipped.  Durable is what lies at or below a
 * horizon that a writer gave (control_seal_now): it noted the newest segment, then synced (PITFALLS
 * 17). */
struct unshipped {
    int64_t order; /* of sealing: where a walk can go on */
    int64_t session_row, number, size, sealed_us;
    bool final;
};
/** reader_unshipped(r, horizon, cb, user, err): Oldest sealed first, each session's in order of
 * number, none above ${horizon}.  ${cb} may call the reader; non-zero ends the walk and is
 * returned. */
int reader_unshipped(struct reader *r, int64_t horizon,
                     int (*cb)(void *user, const struct unshipped *u), void *user,
                     struct error *err);
/** reader_unshipped_after(r, after, horizon, cb, user, err): The same, from behind ${after}, an
 * `order` or 0. */
int reader_unshipped_after(struct reader *r, int64_t after, int64_t horizon,
                           int (*cb)(void *user, const struct unshipped *u), void *user,
                           struct error *err);

struct prunable {
    int64_t order, session_row, number, size, sealed_us, shipped;
    uint8_t session[CHAIN_ID];
};
/** reader_prunable(r, cb, user, err): Segments that have bytes and are marked as shipped, of
 * sessions that were recorded here; oldest sealed first.  ${cb} may call the reader; non-zero ends
 * the walk and is returned. */
int reader_prunable(struct reader *r, int (*cb)(void *user, const struct prunable *p), void *user,
                    struct error *err);
/** reader_stored_bytes(r, ret, err): Bytes of all segments that have some, shipped or not. */
int reader_stored_bytes(struct reader *r, int64_t *ret, struct error *err);

/** reader_connections(r, unrecorded, cb, user, err): ${cb} with every connection, or with those of
 * ten seconds and more, or closed, that no recorded session hangs on; oldest first.  Non-zero ends
 * the walk and is returned.  None in a database of version 1. */
int reader_connections(struct reader *r, bool unrecorded,
                       int (*cb)(void *user, const struct connection_row *c), void *user,
                       struct error *err);

/** reader_begin(r, err), reader_end(r): What is asked in between sees one state and takes the
 * database's locks once: for thousands of small questions, and for milliseconds only (PITFALLS 19).
 */
int reader_begin(struct reader *r, struct error *err);
void reader_end(struct reader *r);

/** reader_check(r, err): SQLite's own integrity check; CORRUPT with its first complaint. */
int reader_check(struct reader *r, struct error *err);

#endif
