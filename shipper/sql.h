/* SPDX-License-Identifier: Apache-2.0 */
/* Small helpers over SQLite for the statements of ship.db, and of trail.db (trail/store*.c);
 * nothing else includes this. */
#ifndef TTYTRAIL_SHIPPER_SQL_H
#define TTYTRAIL_SHIPPER_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SQL_CACHED 32 /* statements kept prepared */

struct state {
    sqlite3 *db;
    int lock;
    char *path;
    bool many; /* between state_begin and state_commit */
    sqlite3_stmt *cached[SQL_CACHED];
    unsigned n_cached;
};

/** sql_fail(s, err): What SQLite says, as an error of the right kind. */
int sql_fail(struct state *s, struct error *err);
/** sql_query(s, ret, err, sql, types, ...): Prepare and bind; ${types}: 'i' int64_t, 't' const char
 * *, 'b' const void * and size_t, for ?1, ?2, ... in order.  The caller finalizes *ret. */
int sql_query(struct state *s, sqlite3_stmt **ret, struct error *err, const char *sql,
              const char *types, ...);
/** sql_cached(s, ret, err, sql, types, ...): As sql_query for what is asked often: the statement is
 * kept; the caller gives it back with sql_release and does not finalize it. */
int sql_cached(struct state *s, sqlite3_stmt **ret, struct error *err, const char *sql,
               const char *types, ...);
void sql_release(struct state *s, sqlite3_stmt *st);
/** sql_forget(s): Before the database is closed: finalize what is kept. */
void sql_forget(struct state *s);
/** sql_run(s, err, sql, types, ...): Prepare (and keep), bind, step to the end. */
int sql_run(struct state *s, struct error *err, const char *sql, const char *types, ...);
/** sql_step(s, st, err): 1 a row, 0 the end. */
int sql_step(struct state *s, sqlite3_stmt *st, struct error *err);
/** sql_blob(st, column, ret, len): Exactly ${len} bytes, or -1. */
int sql_blob(sqlite3_stmt *st, int column, void *ret, size_t len);
/** sql_text(st, column, ret, size): Cut at ${size}. */
void sql_text(sqlite3_stmt *st, int column, char *ret, size_t size);

#endif
