/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what is in S3: a segment's row stays, with its hash and head; its bytes go. */
#include <stdio.h>

#include "storage/db/store_impl.h"

/* A session that may be pruned, and up to where: 1, 0 nothing of it, -1. */
static int find_session(struct store *s, const uint8_t id[16], int64_t *ret_row, int64_t *ret_below,
                        struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_PRUNE_SESSION,
                                       "SELECT row, min(shipped, segments) FROM session WHERE id = "
                                       "?1 AND ' ' || flags || ' ' NOT LIKE '% imported %'",
                                       err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW) {
        *ret_row = sqlite3_column_int64(st, 0);
        *ret_below = sqlite3_column_int64(st, 1);
        rc = 1;
    } else if (step != SQLITE_DONE) {
        rc = schema_error(s->db, err, "evidence database, sessions");
    }
    sqlite3_reset(st);
    return rc;
}

/* The lowest segment from ${from} on that has bytes: 1, 0, -1.  length() of a blob reads no more
 * than the row's head. */
static int next_full(struct store *s, int64_t session, int64_t from, int64_t below, int64_t *ret,
                     int64_t *ret_size, struct error *err)
{
    sqlite3_stmt *st =
        store_statement(s, ST_PRUNE_NEXT,
                        "SELECT number, length(bytes) FROM segment WHERE session = ?1 AND number "
                        ">= ?2 AND number < ?3 AND length(bytes) > 0 ORDER BY number LIMIT 1",
                        err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, session);
    sqlite3_bind_int64(st, 2, from);
    sqlite3_bind_int64(st, 3, below);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW) {
        *ret = sqlite3_column_int64(st, 0);
        *ret_size = sqlite3_column_int64(st, 1);
        rc = 1;
    } else if (step != SQLITE_DONE) {
        rc = schema_error(s->db, err, "evidence database, segments");
    }
    sqlite3_reset(st);
    return rc;
}

static int empty(struct store *s, int64_t session, int64_t number, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_PRUNE, "UPDATE segment SET bytes = x'' WHERE session = ?1 AND number = ?2", err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, session);
    sqlite3_bind_int64(st, 2, number);
    return store_run(s, st, err);
}

static int flag(struct store *s, int64_t session, struct error *err)
{
    sqlite3_stmt *st =
        store_statement(s, ST_PRUNE_FLAG,
                        "UPDATE session SET flags = ltrim(flags || ' pruned') WHERE row = ?1 AND "
                        "' ' || flags || ' ' NOT LIKE '% pruned %'",
                        err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, session);
    return store_run(s, st, err);
}

static int prune(struct store *s, const uint8_t id[16], int64_t below, int64_t most,
                 int64_t *ret_segments, int64_t *ret_bytes, struct error *err)
{
    int64_t session = 0, shipped = 0, number = -1, size = 0;
    int rc = find_session(s, id, &session, &shipped, err);

    below = below < shipped ? below : shipped;
    while (rc == 1 && *ret_segments < most && *ret_bytes < STORE_PRUNE_BYTES) {
        rc = next_full(s, session, number + 1, below, &number, &size, err);
        if (rc == 1 && empty(s, session, number, err) != 0) {
            rc = -1;
        }
        if (rc == 1) {
            (*ret_segments)++;
            *ret_bytes += size;
        }
    }
    if (rc >= 0 && *ret_segments > 0) {
        rc = flag(s, session, err);
    }
    return rc < 0 ? -1 : 0;
}

int store_prune(struct store *s, const uint8_t id[16], int64_t below, int64_t most,
                int64_t *ret_segments, int64_t *ret_bytes, struct error *err)
{
    int rc = -1;

    *ret_segments = *ret_bytes = 0;
    /* What is pruned stands nowhere else here: it is overwritten, not only forgotten. */
    if (schema_exec(s->db, "PRAGMA secure_delete = ON", err) != 0) {
        return -1;
    }
    if (store_begin(s, err) == 0) {
        rc = prune(s, id, below, most, ret_segments, ret_bytes, err) == 0 ? store_commit(s, err)
                                                                          : -1;
        if (rc != 0) {
            store_rollback(s);
        }
    }
    (void)schema_exec(s->db, "PRAGMA secure_delete = FAST", NULL);
    return rc;
}

int store_give_back(struct store *s, int64_t pages, int64_t *ret_left, struct error *err)
{
    sqlite3_stmt *st;
    char sql[64];

    (void)snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%lld)", (long long)pages);
    if (schema_exec(s->db, sql, err) != 0) {
        return -1;
    }
    st = store_statement(s, ST_FREE_PAGES, "PRAGMA freelist_count", err);
    if (st == NULL) {
        return -1;
    }
    if (sqlite3_step(st) != SQLITE_ROW) {
        schema_error(s->db, err, "evidence database");
        sqlite3_reset(st);
        return -1;
    }
    *ret_left = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}
