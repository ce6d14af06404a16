/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "replay/search/index_impl.h"

int index_has(struct index *x, const uint8_t session[CHAIN_ID], struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = index_prepare(x, &st, "SELECT 1 FROM session WHERE id = ?1", err);

    if (rc == 0 && sqlite3_bind_blob(st, 1, session, CHAIN_ID, SQLITE_STATIC) != SQLITE_OK) {
        rc = index_fail(x, err);
    }
    rc = rc == 0 ? index_step(x, st, err) : rc;
    sqlite3_finalize(st);
    return rc;
}

int index_blocks(struct index *x, const char *query_or_null,
                 int (*cb)(void *user, const struct index_block *b), void *user, struct error *err)
{
    static const char some[] =
        "SELECT b.id, s.id, b.packed FROM gram g JOIN block b ON b.id = g.rowid"
        " JOIN session s ON s.row = b.session WHERE gram MATCH ?1"
        " ORDER BY g.rowid DESC";
    static const char all[] = "SELECT b.id, s.id, b.packed FROM block b"
                              " JOIN session s ON s.row = b.session ORDER BY b.id DESC";
    sqlite3_stmt *st = NULL;
    struct index_block b = {.lines = &x->unpacked};
    int rc = index_prepare(x, &st, query_or_null != NULL ? some : all, err);

    if (rc == 0 && query_or_null != NULL &&
        sqlite3_bind_text(st, 1, query_or_null, -1, SQLITE_STATIC) != SQLITE_OK) {
        rc = index_fail(x, err);
    }
    while (rc == 0 && (rc = index_step(x, st, err)) == 1) {
        const void *id = sqlite3_column_blob(st, 1);

        b.id = sqlite3_column_int64(st, 0);
        if (id == NULL || sqlite3_column_bytes(st, 1) != CHAIN_ID) {
            rc = err_set(err, ERR_CORRUPT, "%s: a session without an id", x->path);
            break;
        }
        memcpy(b.session, id, CHAIN_ID);
        rc = block_unpack(sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2),
                          &x->unpacked, err) != 0
                 ? -1
                 : cb(user, &b);
    }
    sqlite3_finalize(st);
    return rc;
}

int index_count(struct index *x, int64_t *ret_blocks, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = index_prepare(x, &st, "SELECT count(*) FROM block", err);

    if (rc == 0 && (rc = index_step(x, st, err)) == 1) {
        *ret_blocks = sqlite3_column_int64(st, 0);
        rc = 0;
    }
    sqlite3_finalize(st);
    return rc;
}
