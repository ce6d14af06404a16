/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/db/schema.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * Version 1.  The tail has no index but its rowid: 1,000 sessions of 64 bytes in one commit cost
 * 104 KiB of WAL this way and 4,345 KiB with a key of session and number (PITFALLS 20).
 */
static const char version_1[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE session ("
    " row INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
    " epoch BLOB NOT NULL CHECK (length(epoch) = 16),"
    " kind TEXT NOT NULL,"
    " host TEXT NOT NULL,"
    " user TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " title TEXT NOT NULL,"
    " tty TEXT NOT NULL,"
    " command TEXT NOT NULL,"
    " cols INTEGER NOT NULL,"
    " rows INTEGER NOT NULL,"
    " began_us INTEGER NOT NULL,"
    " ended_us INTEGER NOT NULL DEFAULT 0,"
    " state INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),"
    " exit TEXT NOT NULL DEFAULT '',"
    " flags TEXT NOT NULL DEFAULT '',"
    " segments INTEGER NOT NULL DEFAULT 0,"
    " final INTEGER NOT NULL DEFAULT 0,"
    " shipped INTEGER NOT NULL DEFAULT 0,"
    " events INTEGER NOT NULL DEFAULT 0,"
    " bytes_out INTEGER NOT NULL DEFAULT 0,"
    " bytes_in INTEGER NOT NULL DEFAULT 0,"
    " redactions INTEGER NOT NULL DEFAULT 0,"
    " head BLOB NOT NULL CHECK (length(head) = 32),"
    " tail_base BLOB NOT NULL CHECK (length(tail_base) = 32),"
    " carry BLOB NOT NULL DEFAULT x'',"
    " carry_hash BLOB NOT NULL CHECK (length(carry_hash) = 32),"
    " last_t_us INTEGER NOT NULL DEFAULT 0,"
    " last_seq INTEGER NOT NULL DEFAULT 0,"
    " pending_us INTEGER,"
    " dead_since_us INTEGER,"
    " writer_boot TEXT NOT NULL,"
    " writer_pid INTEGER NOT NULL,"
    " writer_began INTEGER NOT NULL,"
    " recorder_boot TEXT NOT NULL,"
    " recorder_pid INTEGER NOT NULL,"
    " recorder_began INTEGER NOT NULL,"
    " facts BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX session_unfinished ON session (row) WHERE final = 0;"
    "CREATE TABLE session_tail ("
    " row INTEGER PRIMARY KEY,"
    " session INTEGER NOT NULL REFERENCES session (row),"
    " last_seq INTEGER NOT NULL,"
    " hash BLOB NOT NULL CHECK (length(hash) = 32),"
    " frames BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE segment ("
    " session INTEGER NOT NULL REFERENCES session (row),"
    " number INTEGER NOT NULL,"
    " codec TEXT NOT NULL,"
    " sha256 BLOB NOT NULL CHECK (length(sha256) = 32),"
    " head BLOB NOT NULL CHECK (length(head) = 32),"
    " size INTEGER NOT NULL,"
    " text_size INTEGER NOT NULL,"
    " events INTEGER NOT NULL,"
    " first_t_us INTEGER NOT NULL,"
    " last_t_us INTEGER NOT NULL,"
    " final INTEGER NOT NULL,"
    " sealed_us INTEGER NOT NULL,"
    " bytes BLOB NOT NULL,"
    " UNIQUE (session, number)"
    ") STRICT;";

/* Version 2: connections, as the witness tells of them. */
static const char version_2[] =
    "CREATE TABLE connection ("
    " row INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
    " boot TEXT NOT NULL,"
    " monitor_pid INTEGER NOT NULL,"
    " monitor_began INTEGER NOT NULL,"
    " facts BLOB NOT NULL,"
    " opened_us INTEGER NOT NULL,"
    " closed_us INTEGER NOT NULL DEFAULT 0,"
    " class TEXT NOT NULL DEFAULT '',"
    " sessions INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX connection_open ON connection (row) WHERE closed_us = 0;"
    "CREATE INDEX connection_unrecorded ON connection (row) WHERE sessions = 0 AND class <> '';";

static const char *const versions[SCHEMA_VERSION] = {version_1, version_2};

int schema_error(sqlite3 *db, struct error *err, const char *what)
{
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db) & 0xff;
    const char *text = db == NULL ? "out of memory" : sqlite3_errmsg(db);
    enum err_kind kind = ERR_SYSTEM;
    int system;

    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        kind = ERR_RETRY;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        kind = ERR_CORRUPT;
        break;
    case SQLITE_FULL:
        kind = ERR_LIMIT;
        break;
    default:
        break;
    }
    system = code == SQLITE_FULL ? ENOSPC : db == NULL ? ENOMEM : sqlite3_system_errno(db);
    if (code == SQLITE_IOERR && system != 0) {
        /* "disk I/O error" is its word for many things; a full disk is one of them. */
        err_set(err, kind, "%s: %s (%s)", what, text, strerror(system));
    } else {
        err_set(err, kind, "%s: %s", what, text);
    }
    if (err != NULL) {
        err->code = system;
    }
    return -1;
}

int schema_exec(sqlite3 *db, const char *sql, struct error *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return schema_error(db, err, "database");
    }
    return 0;
}

static int pragma(sqlite3 *db, const char *sql, int64_t *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        *ret = sqlite3_column_int64(st, 0);
        rc = 0;
    } else {
        schema_error(db, err, "database");
    }
    sqlite3_finalize(st);
    return rc;
}

int schema_check(sqlite3 *db, struct error *err)
{
    int64_t id = 0, version = 0;

    if (pragma(db, "PRAGMA application_id", &id, err) != 0 ||
        pragma(db, "PRAGMA user_version", &version, err) != 0) {
        return -1;
    }
    if (id != SCHEMA_APPLICATION_ID) {
        return err_set(err, ERR_CORRUPT, "this is no ttytrail evidence database");
    }
    if (version < 1 || version > SCHEMA_VERSION) {
        return err_set(err, ERR_CORRUPT,
                       "evidence database of version %lld; this program knows 1 to %d",
                       (long long)version, SCHEMA_VERSION);
    }
    return 0;
}

/* From ${version} (0: nothing) to the newest, within the caller's transaction. */
static int bring_up(sqlite3 *db, int64_t version, struct error *err)
{
    char stamp[160];

    for (; version < SCHEMA_VERSION; version++) {
        if (schema_exec(db, versions[version], err) != 0) {
            return -1;
        }
    }
    (void)snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
    return schema_exec(db, stamp, err);
}

int schema_is_new(sqlite3 *db, struct error *err)
{
    int64_t version = 0, tables = 0;

    if (pragma(db, "PRAGMA user_version", &version, err) != 0 ||
        pragma(db, "SELECT count(*) FROM sqlite_schema", &tables, err) != 0) {
        return -1;
    }
    return version == 0 && tables == 0 ? 1 : schema_check(db, err);
}

int schema_migrate(sqlite3 *db, struct error *err)
{
    int64_t version = 0;

    if (schema_is_new(db, err) < 0 || pragma(db, "PRAGMA user_version", &version, err) != 0) {
        return -1;
    }
    if (version == SCHEMA_VERSION) {
        return 0;
    }
    /* Two private writers may both find a new file: the second finds the first one's work. */
    if (schema_exec(db, "BEGIN IMMEDIATE", err) != 0) {
        return -1;
    }
    if (pragma(db, "PRAGMA user_version", &version, err) != 0 ||
        (version < SCHEMA_VERSION && bring_up(db, version, err) != 0)) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    return schema_exec(db, "COMMIT", err);
}
