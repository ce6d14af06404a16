/* SPDX-License-Identifier: Apache-2.0 */
/* What may be pruned, and how much there is. */
#include <string.h>

#include "storage/db/reader_impl.h"
#include "storage/db/schema.h"

#define PAGE 256

/* How many, or -1. */
static int page_of(struct reader *r, int64_t after, struct prunable page[PAGE], struct error *err)
{
    sqlite3_stmt *st = reader_statement(
        r, RD_PRUNABLE,
        "SELECT g.rowid, g.session, g.number, g.size, g.sealed_us, s.shipped, s.id FROM segment g "
        "JOIN session s ON s.row = g.session WHERE g.rowid > ?1 AND g.number < s.shipped AND "
        "length(g.bytes) > 0 AND ' ' || s.flags || ' ' NOT LIKE '% imported %' "
        "ORDER BY g.rowid LIMIT 256",
        err);
    int n = 0, step = SQLITE_DONE;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, after);
    while (n < PAGE && (step = sqlite3_step(st)) == SQLITE_ROW) {
        struct prunable *p = &page[n++];

        p->order = sqlite3_column_int64(st, 0);
        p->session_row = sqlite3_column_int64(st, 1);
        p->number = sqlite3_column_int64(st, 2);
        p->size = sqlite3_column_int64(st, 3);
        p->sealed_us = sqlite3_column_int64(st, 4);
        p->shipped = sqlite3_column_int64(st, 5);
        if (sqlite3_column_bytes(st, 6) != CHAIN_ID) {
            step = SQLITE_CORRUPT;
            break;
        }
        memcpy(p->session, sqlite3_column_blob(st, 6), CHAIN_ID);
    }
    sqlite3_reset(st);
    if (step == SQLITE_CORRUPT) {
        return err_set(err, ERR_CORRUPT, "%s: a session's id is damaged", r->path);
    }
    return step == SQLITE_DONE || step == SQLITE_ROW ? n : schema_error(r->db, err, r->path);
}

int reader_prunable(struct reader *r, int (*cb)(void *user, const struct prunable *p), void *user,
                    struct error *err)
{
    struct prunable page[PAGE];
    int64_t after = 0;
    int n;

    do {
        n = page_of(r, after, page, err);
        for (int i = 0; i < n; i++) {
            int rc = cb(user, &page[i]);

            if (rc != 0) {
                return rc;
            }
            after = page[i].order;
        }
    } while (n == PAGE);
    return n < 0 ? -1 : 0;
}

int reader_stored_bytes(struct reader *r, int64_t *ret, struct error *err)
{
    sqlite3_stmt *st = reader_statement(
        r, RD_STORED,
        "SELECT ifnull(sum(size), 0) FROM segment WHERE length(bytes) > 0 OR size = 0", err);

    if (st == NULL) {
        return -1;
    }
    if (sqlite3_step(st) != SQLITE_ROW) {
        schema_error(r->db, err, r->path);
        sqlite3_reset(st);
        return -1;
    }
    *ret = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}
