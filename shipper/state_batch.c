/* SPDX-License-Identifier: Apache-2.0 */
/* Batches and their members in ship.db. */
#include <string.h>

#include "shipper/sql.h"
#include "shipper/state_life.h"

static int insert_batch(struct state *s, const struct manifest *m, const struct buf *line,
                        struct error *err)
{
    return sql_run(s, err,
                   "INSERT INTO batches(kind, host, epoch, seq, created_us, head, pack_sha256,"
                   " pack_size, segments, line) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
                   "ttbiibbiib", m->kind, m->host, m->epoch, sizeof m->epoch, m->seq, m->created_us,
                   m->head, sizeof m->head, m->pack_sha256, sizeof m->pack_sha256, m->pack_size,
                   (int64_t)m->n_segments, buf_data(line), line->len);
}

static int freeze(struct state *s, const struct manifest *m, const int64_t *session_rows,
                  const struct buf *line, struct error *err)
{
    int64_t batch;

    if (state_life_freeze(s, m, err) != 0 || insert_batch(s, m, line, err) != 0) {
        return -1;
    }
    batch = sqlite3_last_insert_rowid(s->db);
    for (size_t i = 0; i < m->n_segments; i++) {
        const struct manifest_segment *g = &m->segments[i];

        if (sql_run(s, err,
                    "INSERT INTO members(session, number, batch, session_row, offset, length)"
                    " VALUES(?1,?2,?3,?4,?5,?6)",
                    "biiiii", g->session, sizeof g->session, g->number, batch, session_rows[i],
                    g->offset, g->length) != 0) {
            return -1;
        }
    }
    return sql_run(s, err, "UPDATE identity SET seq=?1, head=?2, last_us=?3", "ibi", m->seq,
                   m->head, sizeof m->head, m->created_us);
}

int state_freeze(struct state *s, const struct manifest *m, const int64_t *session_rows,
                 const struct buf *line, struct error *err)
{
    if (s->many) {
        return freeze(s, m, session_rows, line, err);
    }
    if (sql_run(s, err, "BEGIN IMMEDIATE", "") != 0) {
        return -1;
    }
    if (freeze(s, m, session_rows, line, err) != 0 || sql_run(s, err, "COMMIT", "") != 0) {
        (void)sql_run(s, NULL, "ROLLBACK", "");
        return -1;
    }
    return 0;
}

void state_batch_clear(struct state_batch *b)
{
    buf_clear(&b->line);
}

/* 1; -1 with nothing left to clear. */
static int read_batch(struct state *s, sqlite3_stmt *st, struct state_batch *ret, struct error *err)
{
    int rc = 1;

    memset(ret, 0, sizeof *ret);
    buf_init(&ret->line, MANIFEST_MAX);
    ret->id = sqlite3_column_int64(st, 0);
    ret->seq = sqlite3_column_int64(st, 1);
    ret->created_us = sqlite3_column_int64(st, 2);
    ret->pack_size = sqlite3_column_int64(st, 3);
    ret->segments = sqlite3_column_int64(st, 4);
    sql_text(st, 5, ret->kind, sizeof ret->kind);
    sql_text(st, 6, ret->host, sizeof ret->host);
    ret->done = sqlite3_column_int(st, 9) != 0;
    if (sql_blob(st, 7, ret->epoch, sizeof ret->epoch) != 0 ||
        sql_blob(st, 8, ret->pack_sha256, sizeof ret->pack_sha256) != 0) {
        rc = err_set(err, ERR_CORRUPT, "%s: a batch is damaged", s->path);
    } else if (buf_append(&ret->line, sqlite3_column_blob(st, 10),
                          (size_t)sqlite3_column_bytes(st, 10), err) != 0) {
        rc = -1;
    }
    if (rc != 1) {
        state_batch_clear(ret);
    }
    return rc;
}

int state_unfinished(struct state *s, int64_t after, struct state_batch *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_query(s, &st, err,
                  "SELECT id, seq, created_us, pack_size, segments, kind, host, epoch, pack_sha256,"
                  " done, line FROM batches WHERE (done=0 OR told=0) AND id>?1 AND id NOT IN"
                  " (SELECT batch FROM withheld) ORDER BY id LIMIT 1",
                  "i", after) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        rc = read_batch(s, st, ret, err);
    }
    sqlite3_finalize(st);
    return rc;
}

int state_batch_get(struct state *s, const uint8_t epoch[CHAIN_ID], int64_t seq,
                    struct state_batch *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_query(s, &st, err,
                  "SELECT id, seq, created_us, pack_size, segments, kind, host, epoch, pack_sha256,"
                  " done, line FROM batches WHERE epoch=?1 AND seq=?2",
                  "bi", epoch, (size_t)CHAIN_ID, seq) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        rc = read_batch(s, st, ret, err);
    }
    sqlite3_finalize(st);
    return rc;
}

int state_done(struct state *s, int64_t batch, struct error *err)
{
    return sql_run(s, err, "UPDATE batches SET done=1 WHERE id=?1", "i", batch);
}

int state_told(struct state *s, int64_t batch, struct error *err)
{
    return sql_run(s, err, "UPDATE batches SET told=1 WHERE id=?1", "i", batch);
}

int state_members(struct state *s, int64_t batch,
                  int (*cb)(void *user, const struct state_member *m), void *user,
                  struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0, called = 0;

    if (sql_query(s, &st, err,
                  "SELECT session, number, session_row, offset, length FROM members"
                  " WHERE batch=?1 ORDER BY offset",
                  "i", batch) != 0) {
        return -1;
    }
    while (called == 0 && (rc = sql_step(s, st, err)) == 1) {
        struct state_member m = {.number = sqlite3_column_int64(st, 1),
                                 .session_row = sqlite3_column_int64(st, 2),
                                 .offset = sqlite3_column_int64(st, 3),
                                 .length = sqlite3_column_int64(st, 4)};

        if (sql_blob(st, 0, m.session, sizeof m.session) != 0) {
            called = err_set(err, ERR_CORRUPT, "%s: a member is damaged", s->path);
        } else {
            called = cb(user, &m);
        }
    }
    sqlite3_finalize(st);
    return called != 0 ? called : rc;
}

int state_find(struct state *s, const uint8_t session[CHAIN_ID], int64_t number,
               uint8_t ret_epoch[CHAIN_ID], int64_t *ret_seq, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_cached(s, &st, err,
                   "SELECT b.epoch, b.seq FROM members m JOIN batches b ON b.id = m.batch"
                   " WHERE m.session=?1 AND m.number=?2"
                   " AND b.id NOT IN (SELECT batch FROM withheld)",
                   "bi", session, (size_t)CHAIN_ID, number) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        *ret_seq = sqlite3_column_int64(st, 1);
        if (sql_blob(st, 0, ret_epoch, CHAIN_ID) != 0) {
            rc = err_set(err, ERR_CORRUPT, "%s: a batch is damaged", s->path);
        }
    }
    sql_release(s, st);
    return rc;
}

int state_next(struct state *s, const uint8_t session[CHAIN_ID], int64_t *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_cached(s, &st, err, "SELECT coalesce(max(number)+1, 0) FROM members WHERE session=?1",
                   "b", session, (size_t)CHAIN_ID) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        *ret = sqlite3_column_int64(st, 0);
        rc = 0;
    }
    sql_release(s, st);
    return rc;
}

int state_stored(struct state *s, const uint8_t session[CHAIN_ID], int64_t *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_cached(s, &st, err,
                   "SELECT coalesce(min(CASE WHEN b.done=0 THEN m.number END), max(m.number)+1, 0)"
                   " FROM members m JOIN batches b ON b.id = m.batch WHERE m.session=?1",
                   "b", session, (size_t)CHAIN_ID) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        *ret = sqlite3_column_int64(st, 0);
        rc = 0;
    }
    sql_release(s, st);
    return rc;
}
