/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and segments. */
#include <stdint.h>
#include <string.h>

#include "storage/db/columns.h"
#include "storage/db/store_impl.h"

static void text(sqlite3_stmt *st, int at, const char *value)
{
    sqlite3_bind_text(st, at, value == NULL ? "" : value, -1, SQLITE_STATIC);
}

static void blob(sqlite3_stmt *st, int at, const void *value, size_t len)
{
    sqlite3_bind_blob64(st, at, value, len, SQLITE_STATIC);
}

int store_session_insert(struct store *s, struct session_row *r, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SESSION_INSERT,
        "INSERT INTO session (id, epoch, kind, host, user, uid, title, tty, command, cols, rows, "
        "began_us, flags, head, tail_base, writer_boot, writer_pid, writer_began, "
        "recorder_boot, recorder_pid, recorder_began, facts, carry_hash) VALUES (?1, ?2, ?3, ?4, "
        "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
        err);

    if (st == NULL) {
        return -1;
    }
    blob(st, 1, r->id, sizeof r->id);
    blob(st, 2, r->epoch, sizeof r->epoch);
    text(st, 3, r->kind);
    text(st, 4, r->host);
    text(st, 5, r->user);
    sqlite3_bind_int64(st, 6, r->uid);
    text(st, 7, r->title);
    text(st, 8, r->tty);
    text(st, 9, r->command);
    sqlite3_bind_int64(st, 10, r->cols);
    sqlite3_bind_int64(st, 11, r->rows);
    sqlite3_bind_int64(st, 12, r->started_us);
    text(st, 13, r->flags);
    blob(st, 14, r->head, sizeof r->head);
    blob(st, 15, r->tail_base, sizeof r->tail_base);
    text(st, 16, r->writer_boot);
    sqlite3_bind_int64(st, 17, r->writer_pid);
    sqlite3_bind_int64(st, 18, r->writer_start);
    text(st, 19, r->recorder_boot);
    sqlite3_bind_int64(st, 20, r->recorder_pid);
    sqlite3_bind_int64(st, 21, r->recorder_start);
    blob(st, 22, buf_data(&r->facts), r->facts.len);
    memcpy(r->carry_hash, r->head, CHAIN_HASH);
    chain_tail(r->carry_hash, "", 0);
    blob(st, 23, r->carry_hash, CHAIN_HASH);
    if (store_run(s, st, err) != 0) {
        return -1;
    }
    r->row = sqlite3_last_insert_rowid(s->db);
    return 0;
}

int store_session_load(struct store *s, const uint8_t id[16], struct session_row *ret,
                       uint64_t *ret_last_seq, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SESSION_LOAD, "SELECT " COLUMNS_SESSION " FROM session WHERE id = ?1", err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    blob(st, 1, id, 16);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW) {
        rc = columns_session(st, ret, err) == 0 ? 1 : -1;
        *ret_last_seq = (uint64_t)sqlite3_column_int64(st, COLUMNS_LAST_SEQ);
    } else if (step != SQLITE_DONE) {
        rc = schema_error(s->db, err, "evidence database");
    }
    sqlite3_reset(st);
    return rc;
}

int store_session_adopt(struct store *s, int64_t row, const struct store_process *writer,
                        const struct store_process *old, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SESSION_ADOPT,
        "UPDATE session SET writer_boot = ?2, writer_pid = ?3, writer_began = ?4, "
        "dead_since_us = NULL WHERE row = ?1 AND writer_boot = ?5 AND writer_pid = ?6 AND "
        "writer_began = ?7",
        err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    text(st, 2, writer->boot);
    sqlite3_bind_int64(st, 3, writer->pid);
    sqlite3_bind_int64(st, 4, writer->start);
    text(st, 5, old->boot);
    sqlite3_bind_int64(st, 6, old->pid);
    sqlite3_bind_int64(st, 7, old->start);
    if (store_run(s, st, err) != 0) {
        return -1;
    }
    return sqlite3_changes(s->db) == 1;
}

int store_session_dead(struct store *s, int64_t row, int64_t since_us, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SESSION_DEAD,
        "UPDATE session SET dead_since_us = ?2 WHERE row = ?1 AND dead_since_us IS NULL", err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    sqlite3_bind_int64(st, 2, since_us);
    return store_run(s, st, err);
}

int store_session_pending(struct store *s, int64_t row, uint64_t t_us, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_SESSION_PENDING,
                                       "UPDATE session SET pending_us = ?2 WHERE row = ?1", err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    if (t_us == UINT64_MAX) {
        sqlite3_bind_null(st, 2);
    } else {
        sqlite3_bind_int64(st, 2, (sqlite3_int64)t_us);
    }
    return store_run(s, st, err);
}

/* What other hands than the session's own writer have set stays. */
#define KEEP_WORD(flags, word)                                                                     \
    "|| CASE WHEN ' ' || flags || ' ' LIKE '% " word " %' AND ' ' || " flags                       \
    " || ' ' NOT LIKE '% " word " %' THEN ' " word "' ELSE '' END"
#define KEEP_WORDS(flags) "ltrim(" flags KEEP_WORD(flags, "pruned") ")"

int store_session_close(struct store *s, int64_t row, enum session_state state, int64_t ended_us,
                        const char *exit, const char *flags, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_SESSION_CLOSE,
                                       "UPDATE session SET state = ?2, ended_us = ?3, exit = ?4, "
                                       "flags = " KEEP_WORDS("?5") ", pending_us = NULL "
                                                                   "WHERE row = ?1",
                                       err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    sqlite3_bind_int64(st, 2, state);
    sqlite3_bind_int64(st, 3, ended_us);
    text(st, 4, exit);
    text(st, 5, flags);
    return store_run(s, st, err);
}

int store_session_flags(struct store *s, int64_t row, const char *flags, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SESSION_FLAGS, "UPDATE session SET flags = " KEEP_WORDS("?2") " WHERE row = ?1", err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    text(st, 2, flags);
    return store_run(s, st, err);
}

int store_session_shipped(struct store *s, const uint8_t id[16], int64_t segments,
                          struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SESSION_SHIPPED,
        "UPDATE session SET shipped = max(shipped, min(?2, segments)) WHERE id = ?1", err);

    if (st == NULL) {
        return -1;
    }
    blob(st, 1, id, 16);
    sqlite3_bind_int64(st, 2, segments);
    return store_run(s, st, err);
}

static void process_from(sqlite3_stmt *st, int column, struct store_process *p)
{
    const char *boot = (const char *)sqlite3_column_text(st, column);
    size_t len = boot == NULL ? 0 : strnlen(boot, 32);

    memset(p, 0, sizeof *p);
    if (len > 0) {
        memcpy(p->boot, boot, len);
    }
    p->pid = sqlite3_column_int64(st, column + 1);
    p->start = sqlite3_column_int64(st, column + 2);
}

int store_unfinished(struct store *s, int64_t after_row, struct store_unfinished *ret,
                     struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SESSION_UNFINISHED,
        "SELECT row, id, state, writer_boot, writer_pid, writer_began, recorder_boot, "
        "recorder_pid, recorder_began, dead_since_us, pending_us FROM session "
        "WHERE final = 0 AND row > ?1 AND writer_boot <> '" SESSION_IMPORT_BOOT
        "' ORDER BY row LIMIT 1",
        err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, after_row);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW && sqlite3_column_bytes(st, 1) == 16) {
        ret->row = sqlite3_column_int64(st, 0);
        memcpy(ret->id, sqlite3_column_blob(st, 1), 16);
        ret->open = sqlite3_column_int64(st, 2) == SESSION_OPEN;
        process_from(st, 3, &ret->writer);
        process_from(st, 6, &ret->recorder);
        ret->dead_since_us = sqlite3_column_int64(st, 9);
        ret->pending_us = sqlite3_column_type(st, 10) == SQLITE_NULL
                              ? UINT64_MAX
                              : (uint64_t)sqlite3_column_int64(st, 10);
        rc = 1;
    } else if (step != SQLITE_DONE) {
        rc = schema_error(s->db, err, "evidence database, sessions");
    }
    sqlite3_reset(st);
    return rc;
}

int store_horizon(struct store *s, int64_t *ret, struct error *err)
{
    sqlite3_stmt *st =
        store_statement(s, ST_HORIZON, "SELECT ifnull(max(rowid), 0) FROM segment", err);
    int rc = -1;

    if (st == NULL) {
        return -1;
    }
    if (sqlite3_step(st) == SQLITE_ROW) {
        *ret = sqlite3_column_int64(st, 0);
        rc = 0;
    } else {
        schema_error(s->db, err, "evidence database, segments");
    }
    sqlite3_reset(st);
    return rc;
}

static int insert_segment(struct store *s, const struct store_segment *g, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_SEGMENT_INSERT,
        "INSERT INTO segment (session, number, codec, sha256, head, size, text_size, events, "
        "first_t_us, last_t_us, final, sealed_us, bytes) VALUES (?1, ?2, 'gzip', ?3, ?4, ?5, ?6, "
        "?7, ?8, ?9, ?10, ?11, ?12)",
        err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, g->session_row);
    sqlite3_bind_int64(st, 2, g->number);
    blob(st, 3, g->sha256, 32);
    blob(st, 4, g->head, 32);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)g->len);
    sqlite3_bind_int64(st, 6, g->text_size);
    sqlite3_bind_int64(st, 7, g->events);
    sqlite3_bind_int64(st, 8, g->first_t_us);
    sqlite3_bind_int64(st, 9, g->last_t_us);
    sqlite3_bind_int64(st, 10, g->final);
    sqlite3_bind_int64(st, 11, g->sealed_us);
    blob(st, 12, g->bytes, g->len);
    return store_run(s, st, err);
}

int store_segment_insert(struct store *s, const struct store_segment *g, struct error *err)
{
    uint8_t carry_hash[CHAIN_HASH];
    sqlite3_stmt *st;

    if (insert_segment(s, g, err) != 0) {
        return -1;
    }
    st = store_statement(
        s, ST_SESSION_SEALED,
        "UPDATE session SET segments = ?2 + 1, head = ?3, tail_base = ?4, last_t_us = ?5, "
        "final = ?6, events = events + ?7, bytes_out = bytes_out + ?8, bytes_in = bytes_in + ?9, "
        "redactions = redactions + ?10, last_seq = max(last_seq, ?11), carry = ?12, "
        "carry_hash = ?13 WHERE row = ?1 AND segments = ?2",
        err);
    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, g->session_row);
    sqlite3_bind_int64(st, 2, g->number);
    blob(st, 3, g->head, 32);
    blob(st, 4, g->tail_base, 32);
    sqlite3_bind_int64(st, 5, g->last_t_us);
    sqlite3_bind_int64(st, 6, g->final);
    sqlite3_bind_int64(st, 7, g->events);
    sqlite3_bind_int64(st, 8, g->bytes_out);
    sqlite3_bind_int64(st, 9, g->bytes_in);
    sqlite3_bind_int64(st, 10, g->redactions);
    sqlite3_bind_int64(st, 11, (sqlite3_int64)g->last_seq);
    blob(st, 12, g->carry == NULL ? (const uint8_t *)"" : g->carry, g->carry_len);
    memcpy(carry_hash, g->head, CHAIN_HASH);
    chain_tail(carry_hash, g->carry, g->carry_len);
    blob(st, 13, carry_hash, CHAIN_HASH);
    if (store_run(s, st, err) != 0) {
        return -1;
    }
    return sqlite3_changes(s->db) == 1
               ? 0
               : err_set(err, ERR_CORRUPT, "segment %lld of session row %lld is not the next one",
                         (long long)g->number, (long long)g->session_row);
}
