/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that everything goes to. */
#include <string.h>

#include "shipper/sql.h"
#include "shipper/state.h"

int state_place(struct state *s, char *ret, size_t size, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    ret[0] = '\0';
    if (sql_query(s, &st, err, "SELECT destination FROM identity", "") != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        sql_text(st, 0, ret, size);
    }
    sqlite3_finalize(st);
    return rc < 0 ? -1 : 0;
}

int state_place_check(struct state *s, const char *where, struct error *err)
{
    char known[STATE_PLACE_MAX];

    if (state_place(s, known, sizeof known, err) != 0) {
        return -1;
    }
    if (known[0] == '\0' || strcmp(known, where) == 0) {
        return 0;
    }
    return err_set(err, ERR_USAGE,
                   "this host ships to %.60s, not to %.60s: ship there, or move %.80s away "
                   "(a new epoch begins)",
                   known, where, s->path);
}

int state_place_set(struct state *s, const char *where, struct error *err)
{
    if (strlen(where) >= STATE_PLACE_MAX) {
        return err_set(err, ERR_USAGE, "the URL of the store is too long");
    }
    return sql_run(s, err, "UPDATE identity SET destination=?1 WHERE destination<>?1", "t", where);
}

int state_stored_segments(struct state *s, int64_t *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_query(s, &st, err, "SELECT coalesce(sum(segments), 0) FROM batches WHERE done=1", "") !=
        0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        *ret = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    return rc < 0 ? -1 : 0;
}

int state_stored_as(struct state *s, const char *where, const char *name, int64_t *ret_suffix,
                    struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    *ret_suffix = 0;
    if (sql_cached(s, &st, err,
                   "SELECT suffix FROM attempts WHERE name=?1 AND store=?2 AND result='confirmed'"
                   " ORDER BY id DESC LIMIT 1",
                   "tt", name, where) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        *ret_suffix = sqlite3_column_int64(st, 0);
    }
    sql_release(s, st);
    return rc < 0 ? -1 : 0;
}
