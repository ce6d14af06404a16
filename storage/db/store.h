/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing side of evidence.db, for the writer alone.  Prepared statements over one connection;
 * it knows nothing of sockets, threads or time.  Everything between store_begin and store_commit is
 * one transaction; a failed one is rolled back whole.
 *
 * Invariants: a segment's row and its session's new head are written in one transaction with the
 * removal of the tail rows that it replaces; only released bytes are ever bound, so that neither
 * WAL nor free pages can hold a secret.
 */
#ifndef TTYTRAIL_DB_STORE_H
#define TTYTRAIL_DB_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/db/connection.h"
#include "storage/db/session.h"

struct store;

struct store_config {
    const char *path;
    bool durability_power; /* synchronous=FULL */
    bool only_owner;       /* a new file is 0600, the user's own; else 0640, for the auditors */
    int busy_ms;           /* for BEGIN IMMEDIATE: private writers share a database */
    void (*usable)(
        void *user); /* called when it has proved to be new or one of ours; NULL allowed */
    void *user;
};

/* A process, in a way that outlives its pid. */
struct store_process {
    char boot[33];
    int64_t pid, start;
};

int store_open(struct store **ret, const struct store_config *config, struct error *err);
/** store_close(s, compact): With ${compact} give free pages back and empty the WAL, if nobody else
 * is there. */
void store_close(struct store *s, bool compact);

/** store_settled(s, err): RETRY while a transaction that failed could not be rolled back: what is
 * written then, even by a single statement, is in it and not committed. */
int store_settled(struct store *s, struct error *err);
int store_begin(struct store *s, struct error *err);
int store_commit(struct store *s, struct error *err);
void store_rollback(struct store *s);

/** store_meta_get: 1 found (appended to ${ret}), 0 absent, -1.  store_meta_set: insert or replace.
 */
int store_meta_get(struct store *s, const char *key, struct buf *ret, struct error *err);
int store_meta_set(struct store *s, const char *key, const char *value, struct error *err);
/** store_meta_delete(s, key, err): It need not be there. */
int store_meta_delete(struct store *s, const char *key, struct error *err);

/** store_session_insert(s, row, err): Insert ${row}; row->row is set. */
int store_session_insert(struct store *s, struct session_row *row, struct error *err);
/** store_session_load(s, id, ret, ret_last_seq, err): 1, 0 absent, -1. */
int store_session_load(struct store *s, const uint8_t id[16], struct session_row *ret,
                       uint64_t *ret_last_seq, struct error *err);
/** store_session_adopt(s, row, writer, old, err): ${writer} has it from now on, if ${old} still had
 * it: 1, 0 somebody else was faster, -1. */
int store_session_adopt(struct store *s, int64_t row, const struct store_process *writer,
                        const struct store_process *old, struct error *err);
/** store_session_dead(s, row, since_us, err): Writer and recorder were first found dead then. */
int store_session_dead(struct store *s, int64_t row, int64_t since_us, struct error *err);
/** store_session_pending(s, row, t_us, err): The earliest undecided key, UINT64_MAX for none. */
int store_session_pending(struct store *s, int64_t row, uint64_t t_us, struct error *err);
int store_session_close(struct store *s, int64_t row, enum session_state state, int64_t ended_us,
                        const char *exit, const char *flags, struct error *err);
/** store_session_flags(s, row, flags, err): As store_session_close does with its flags: `pruned`
 * stays, whoever set it. */
int store_session_flags(struct store *s, int64_t row, const char *flags, struct error *err);
int store_session_shipped(struct store *s, const uint8_t id[16], int64_t segments,
                          struct error *err);

struct store_unfinished {
    int64_t row;
    uint8_t id[16];
    bool open; /* else closed, but its last segment is not sealed yet */
    struct store_process writer, recorder;
    int64_t dead_since_us; /* 0: nobody has found it dead yet */
    uint64_t pending_us;   /* UINT64_MAX: none */
};
/** store_unfinished(s, after_row, ret, err): The first unfinished session above ${after_row}: 1, 0,
 * -1. */
int store_unfinished(struct store *s, int64_t after_row, struct store_unfinished *ret,
                     struct error *err);

/** store_connection_insert(s, c, err): Insert ${c}, open; c->row is set. */
int store_connection_insert(struct store *s, struct connection_row *c, struct error *err);
/** store_connection_session(s, row, class, err): One more session hangs on it; the first gives it
 * its class. */
int store_connection_session(struct store *s, int64_t row, const char *class, struct error *err);
/** store_connection_class(s, row, class, err): Of one without sessions. */
int store_connection_class(struct store *s, int64_t row, const char *class, struct error *err);
int store_connection_close(struct store *s, int64_t row, int64_t closed_us, struct error *err);
/** store_connection_open(s, after, ret, err): The first open one above row ${after}: 1, 0, -1. */
int store_connection_open(struct store *s, int64_t after, struct connection_row *ret,
                          struct error *err);

/** store_tail_insert(s, session_row, last_seq, hash, frames, len, ret_row, err) */
int store_tail_insert(struct store *s, int64_t session_row, uint64_t last_seq,
                      const uint8_t hash[32], const uint8_t *frames, size_t len, int64_t *ret_row,
                      struct error *err);

/* A session's tail as its writer remembers it (PITFALLS 20: there is no index). */
struct tail_row {
    int64_t row;
    size_t len;
};
/** store_tail_read(s, row, ret, ret_hash, err): Append the frames of tail row ${row}. */
int store_tail_read(struct store *s, int64_t row, struct buf *ret, uint8_t ret_hash[32],
                    struct error *err);
/** store_tail_scan(s, session_row, cb, user, err): After a restart: the rows of a session, in
 * order, by a walk over the whole tail. */
int store_tail_scan(struct store *s, int64_t session_row,
                    int (*cb)(void *, int64_t row, uint64_t last_seq, size_t len,
                              const uint8_t hash[32]),
                    void *user, struct error *err);
int store_tail_delete(struct store *s, const struct tail_row *rows, size_t n, struct error *err);

struct store_segment {
    int64_t session_row, number, text_size, events, first_t_us, last_t_us, sealed_us;
    int64_t bytes_out, bytes_in, redactions; /* to be added to the session's sums */
    uint64_t last_seq;                       /* highest seq among the rows it replaces */
    bool final;
    const uint8_t *bytes;
    size_t len;
    uint8_t sha256[32], head[32], tail_base[32];
    const uint8_t *carry; /* frames that the next segment begins with: undecided, unfinished */
    size_t carry_len;
};
/** store_segment_insert(s, seg, err): The row, and the session's new head, count and sums. */
int store_segment_insert(struct store *s, const struct store_segment *seg, struct error *err);

/** store_prune(s, id, below, most, ret_segments, ret_bytes, err): In a transaction of its own:
 * empty the bytes of at most ${most} segments of that session below ${below} and below its
 * `shipped`, the lowest that have some, and overwrite them in the file; the session gets the flag
 * `pruned`. Nothing of imported sessions.  *ret_bytes is bounded by STORE_PRUNE_BYTES and one
 * segment. */
int store_prune(struct store *s, const uint8_t id[16], int64_t below, int64_t most,
                int64_t *ret_segments, int64_t *ret_bytes, struct error *err);
#define STORE_PRUNE_BYTES (4 * 1024 * 1024)
/** store_give_back(s, pages, ret_left, err): Give free pages back to the file system. */
int store_give_back(struct store *s, int64_t pages, int64_t *ret_left, struct error *err);

/** store_wal_bytes(s): Bytes in the WAL after the last commit. */
int64_t store_wal_bytes(const struct store *s);
/** store_horizon(s, ret, err): The newest segment, for reader_unshipped. */
int store_horizon(struct store *s, int64_t *ret, struct error *err);
/** store_sync(s, err): Make everything committed so far durable (fsync of WAL or FULL), so that
 * segments may be shipped (PITFALLS 17). */
int store_sync(struct store *s, struct error *err);
/** store_checkpoint(path, truncate_busy_ms, ret_busy, err): On a connection of its own, for the
 * checkpoint thread: PASSIVE, or TRUNCATE waiting at most ${truncate_busy_ms} when that is not
 * negative. */
int store_checkpoint(const char *path, int truncate_busy_ms, bool *ret_busy, struct error *err);

#endif
