/* SPDX-License-Identifier: Apache-2.0 */
/* What store.c, store_make.c and store_session.c share; no other file includes it. */
#ifndef TTYTRAIL_DB_STORE_IMPL_H
#define TTYTRAIL_DB_STORE_IMPL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

#include "storage/db/schema.h"
#include "storage/db/store.h"

enum store_statement {
    ST_BEGIN,
    ST_COMMIT,
    ST_ROLLBACK,
    ST_TAIL_INSERT,
    ST_TAIL_READ,
    ST_TAIL_DELETE,
    ST_TAIL_SCAN,
    ST_META_GET,
    ST_META_SET,
    ST_META_DELETE,
    ST_SESSION_INSERT,
    ST_SESSION_LOAD,
    ST_SESSION_ADOPT,
    ST_SESSION_PENDING,
    ST_SESSION_CLOSE,
    ST_SESSION_FLAGS,
    ST_SESSION_SHIPPED,
    ST_SESSION_DEAD,
    ST_SESSION_UNFINISHED,
    ST_SEGMENT_INSERT,
    ST_SESSION_SEALED,
    ST_HORIZON,
    ST_PRUNE_SESSION,
    ST_PRUNE_NEXT,
    ST_PRUNE,
    ST_PRUNE_FLAG,
    ST_FREE_PAGES,
    ST_CONNECTION_INSERT,
    ST_CONNECTION_SESSION,
    ST_CONNECTION_CLASS,
    ST_CONNECTION_CLOSE,
    ST_CONNECTION_OPEN,
    STORE_STATEMENTS
};

struct store {
    sqlite3 *db;
    char *path;
    int wal_pages;
    bool durable; /* the database itself and its name are, since this opening */
    bool undo;    /* a transaction failed, and its ROLLBACK too */
    sqlite3_stmt *st[STORE_STATEMENTS];
};

/** store_statement(s, which, sql, err): Prepared once; ${sql} NULL: one of store.c's own. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which, const char *sql,
                              struct error *err);
/** store_run(s, st, err): Step a statement that returns nothing of interest, and reset it. */
int store_run(struct store *s, sqlite3_stmt *st, struct error *err);

/* store_make.c */
/** store_make_file(path, mode, err): Make the file if there is none. */
int store_make_file(const char *path, mode_t mode, struct error *err);
/** store_make_new(s, err): The schema of a new database, made by one of those who find it new. */
int store_make_new(struct store *s, struct error *err);
/** store_make_durable(s, err): The database itself and the names of its files, once an opening. */
int store_make_durable(struct store *s, struct error *err);

#endif
