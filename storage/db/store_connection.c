/* SPDX-License-Identifier: Apache-2.0 */
/* Connections. */
#include "storage/db/columns.h"
#include "storage/db/store_impl.h"

int store_connection_insert(struct store *s, struct connection_row *c, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_CONNECTION_INSERT,
        "INSERT INTO connection (id, boot, monitor_pid, monitor_began, facts, opened_us) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_blob64(st, 1, c->id, sizeof c->id, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, c->boot, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, c->monitor_pid);
    sqlite3_bind_int64(st, 4, c->monitor_start);
    sqlite3_bind_blob64(st, 5, c->facts.len > 0 ? buf_data(&c->facts) : (const uint8_t *)"",
                        c->facts.len, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, c->opened_us);
    if (store_run(s, st, err) != 0) {
        return -1;
    }
    c->row = sqlite3_last_insert_rowid(s->db);
    return 0;
}

int store_connection_session(struct store *s, int64_t row, const char *class, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_CONNECTION_SESSION,
        "UPDATE connection SET class = CASE WHEN sessions = 0 THEN ?2 ELSE class END, "
        "sessions = sessions + 1 WHERE row = ?1",
        err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    sqlite3_bind_text(st, 2, class, -1, SQLITE_STATIC);
    return store_run(s, st, err);
}

int store_connection_class(struct store *s, int64_t row, const char *class, struct error *err)
{
    sqlite3_stmt *st =
        store_statement(s, ST_CONNECTION_CLASS,
                        "UPDATE connection SET class = ?2 WHERE row = ?1 AND sessions = 0", err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    sqlite3_bind_text(st, 2, class, -1, SQLITE_STATIC);
    return store_run(s, st, err);
}

int store_connection_close(struct store *s, int64_t row, int64_t closed_us, struct error *err)
{
    sqlite3_stmt *st = store_statement(
        s, ST_CONNECTION_CLOSE,
        "UPDATE connection SET closed_us = ?2 WHERE row = ?1 AND closed_us = 0", err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    sqlite3_bind_int64(st, 2, closed_us);
    return store_run(s, st, err);
}

int store_connection_open(struct store *s, int64_t after, struct connection_row *ret,
                          struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_CONNECTION_OPEN,
                                       "SELECT " COLUMNS_CONNECTION " FROM connection "
                                       "WHERE closed_us = 0 AND row > ?1 ORDER BY row LIMIT 1",
                                       err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, after);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW) {
        rc = columns_connection(st, ret, err) == 0 ? 1 : -1;
    } else if (step != SQLITE_DONE) {
        rc = schema_error(s->db, err, "evidence database, connections");
    }
    sqlite3_reset(st);
    return rc;
}
