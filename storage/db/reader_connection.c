/* SPDX-License-Identifier: Apache-2.0 */
/* Connections. */
#include <string.h>

#include "storage/db/columns.h"
#include "storage/db/reader.h"
#include "storage/db/reader_impl.h"
#include "storage/db/schema.h"
#include "storage/wire/facts.h"

void connection_row_init(struct connection_row *c)
{
    memset(c, 0, sizeof *c);
    buf_init(&c->facts, FACTS_MAX);
}

void connection_row_clear(struct connection_row *c)
{
    buf_clear(&c->facts);
    connection_row_init(c);
}

static void copy_text(sqlite3_stmt *st, int column, char *to, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    size_t len = text == NULL ? 0 : strnlen(text, size - 1);

    memset(to, 0, size);
    if (len > 0) {
        memcpy(to, text, len);
    }
}

int columns_connection(sqlite3_stmt *st, struct connection_row *ret, struct error *err)
{
    int len = sqlite3_column_bytes(st, 5);

    connection_row_clear(ret);
    if (sqlite3_column_bytes(st, 1) != CHAIN_ID) {
        return err_set(err, ERR_CORRUPT, "a connection's id has a wrong length");
    }
    ret->row = sqlite3_column_int64(st, 0);
    memcpy(ret->id, sqlite3_column_blob(st, 1), CHAIN_ID);
    copy_text(st, 2, ret->boot, sizeof ret->boot);
    ret->monitor_pid = sqlite3_column_int64(st, 3);
    ret->monitor_start = sqlite3_column_int64(st, 4);
    ret->opened_us = sqlite3_column_int64(st, 6);
    ret->closed_us = sqlite3_column_int64(st, 7);
    copy_text(st, 8, ret->class, sizeof ret->class);
    ret->sessions = sqlite3_column_int64(st, 9);
    return len > 0 ? buf_append(&ret->facts, sqlite3_column_blob(st, 5), (size_t)len, err) : 0;
}

/* Databases of version 1 have no such table. */
static int has_connections(struct reader *r, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(r->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW) {
        rc = sqlite3_column_int(st, 0) >= 2;
    } else {
        schema_error(r->db, err, r->path);
    }
    sqlite3_finalize(st);
    return rc;
}

static int one_after(struct reader *r, int64_t after, bool unrecorded, struct connection_row *ret,
                     struct error *err)
{
    sqlite3_stmt *st = unrecorded
                           ? reader_statement(r, RD_CONNECTION_UNRECORDED,
                                              "SELECT " COLUMNS_CONNECTION " FROM connection "
                                              "WHERE sessions = 0 AND class <> '' AND row > ?1 "
                                              "ORDER BY row LIMIT 1",
                                              err)
                           : reader_statement(r, RD_CONNECTION,
                                              "SELECT " COLUMNS_CONNECTION " FROM connection "
                                              "WHERE row > ?1 ORDER BY row LIMIT 1",
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
        rc = schema_error(r->db, err, r->path);
    }
    sqlite3_reset(st);
    return rc;
}

int reader_connections(struct reader *r, bool unrecorded,
                       int (*cb)(void *user, const struct connection_row *c), void *user,
                       struct error *err)
{
    struct connection_row c;
    int64_t after = 0;
    int rc = has_connections(r, err);

    connection_row_init(&c);
    while (rc == 1 && (rc = one_after(r, after, unrecorded, &c, err)) == 1) {
        int said = cb(user, &c);

        after = c.row;
        if (said != 0) {
            rc = said;
            break;
        }
    }
    connection_row_clear(&c);
    return rc;
}
