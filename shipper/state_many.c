/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/state_many.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "shipper/sql.h"
#include "shipper/state_life.h"

/* Beside the numbered versions: an older program passes over them. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS aside(batch INTEGER PRIMARY KEY REFERENCES batches(id),"
    "  reason TEXT NOT NULL, at_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value TEXT NOT NULL,"
    "  at_us INTEGER NOT NULL) STRICT;";

int state_many_open(struct state *s, struct error *err)
{
    return sqlite3_exec(s->db, tables, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(s, err);
}

int state_begin(struct state *s, struct error *err)
{
    if (s->many) {
        return 0;
    }
    if (sql_run(s, err, "BEGIN IMMEDIATE", "") != 0) {
        return -1;
    }
    s->many = true;
    return 0;
}

int state_commit(struct state *s, struct error *err)
{
    if (!s->many) {
        return 0;
    }
    if (sql_run(s, err, "COMMIT", "") != 0) {
        state_rollback(s);
        return -1;
    }
    s->many = false;
    return 0;
}

void state_rollback(struct state *s)
{
    if (s->many) {
        (void)sql_run(s, NULL, "ROLLBACK", "");
        s->many = false;
    }
}

int state_line(struct state *s, int64_t batch, struct buf *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_cached(s, &st, err, "SELECT line FROM batches WHERE id=?1", "i", batch) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        rc = buf_append(ret, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), err);
    } else if (rc == 0) {
        rc = err_set(err, ERR_CORRUPT, "%s: a batch is gone", s->path);
    }
    sql_release(s, st);
    return rc;
}

int state_aside_set(struct state *s, int64_t batch, const char *reason, int64_t now_us,
                    struct error *err)
{
    return sql_run(s, err,
                   "INSERT INTO aside VALUES(?1, ?2, ?3) ON CONFLICT(batch) DO UPDATE SET"
                   " reason=?2, at_us=?3",
                   "iti", batch, reason, now_us);
}

int state_aside_clear(struct state *s, int64_t batch, struct error *err)
{
    return sql_run(s, err, "DELETE FROM aside WHERE batch=?1", "i", batch);
}

int state_aside(struct state *s, int64_t batch, int64_t *ret_at_us, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_cached(s, &st, err, "SELECT at_us FROM aside WHERE batch=?1", "i", batch) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    *ret_at_us = rc == 1 ? sqlite3_column_int64(st, 0) : 0;
    sql_release(s, st);
    return rc;
}

/* How far the clock is ahead of the boot's own, which nobody sets, and which boot that is. */
static void clock_mark(int64_t now_us, char boot[33], int64_t *ret_us)
{
    clock_boot_id(boot);
    *ret_us = now_us - (int64_t)clock_boot_us();
}

int state_skew_set(struct state *s, int64_t skew_us, int64_t now_us, struct error *err)
{
    char text[32], mark[80], boot[33];
    int64_t ahead_us;

    clock_mark(now_us, boot, &ahead_us);
    (void)snprintf(text, sizeof text, "%" PRId64, skew_us);
    (void)snprintf(mark, sizeof mark, "%s %" PRId64, boot, ahead_us);
    return state_fact_set(s, "skew_us", text, now_us, err) != 0 ||
                   state_fact_set(s, "skew_clock", mark, now_us, err) != 0
               ? -1
               : 0;
}

int state_skew(struct state *s, int64_t now_us, bool *ret_known, int64_t *ret_us, struct error *err)
{
    char text[32], mark[80], boot[33];
    int64_t ahead_us;

    *ret_us = 0;
    if (state_fact(s, "skew_us", text, sizeof text, NULL, err) < 0 ||
        state_fact(s, "skew_clock", mark, sizeof mark, NULL, err) < 0) {
        return -1;
    }
    *ret_known = text[0] != '\0';
    if (*ret_known) {
        *ret_us = strtoll(text, NULL, 10);
        clock_mark(now_us, boot, &ahead_us);
        if (strncmp(mark, boot, 32) == 0 && mark[32] == ' ') {
            *ret_us -= ahead_us - strtoll(mark + 33, NULL, 10);
        }
    }
    return 0;
}
