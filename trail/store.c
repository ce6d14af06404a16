/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trail/store_impl.h"

#define VERSION 1

/* Copies of an event in several files are all kept: which one counts is known only when the digests
 * have come, and a forged one may come first. */
static const char schema[] =
    "CREATE TABLE files(id INTEGER PRIMARY KEY, object TEXT NOT NULL UNIQUE,"
    "  sha256 BLOB NOT NULL DEFAULT x'', whole INTEGER NOT NULL DEFAULT 0,"
    "  state INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE events(id TEXT NOT NULL, file INTEGER NOT NULL REFERENCES files(id),"
    "  kind INTEGER NOT NULL, time_us INTEGER NOT NULL, instance TEXT NOT NULL,"
    "  session TEXT NOT NULL, issued TEXT NOT NULL, access TEXT NOT NULL, amends TEXT NOT NULL,"
    "  text BLOB NOT NULL, PRIMARY KEY(id, file)) STRICT;"
    "CREATE INDEX events_time ON events(kind, time_us);"
    "CREATE INDEX events_instance ON events(instance, time_us) WHERE instance<>'';"
    "CREATE INDEX events_session ON events(session) WHERE session<>'';"
    "CREATE INDEX events_issued ON events(issued) WHERE issued<>'';"
    "CREATE INDEX events_access ON events(access, time_us) WHERE access<>'';"
    "CREATE INDEX events_amends ON events(amends) WHERE amends<>'';"
    "CREATE TABLE cursors(place TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT;"
    "CREATE TABLE verdicts(subject BLOB NOT NULL CHECK(length(subject)=16),"
    "  revision INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY(subject, revision))"
    "  STRICT, WITHOUT ROWID;"
    "PRAGMA user_version=1;";

static int exec(struct trail_store *t, const char *sql, struct error *err)
{
    return sqlite3_exec(t->sql.db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(&t->sql, err);
}

static int version_of(struct trail_store *t, int64_t *ret, struct error *err)
{
    sqlite3_stmt *st;
    int rc;

    if (sql_query(&t->sql, &st, err, "PRAGMA user_version", "") != 0) {
        return -1;
    }
    rc = sql_step(&t->sql, st, err);
    *ret = rc == 1 ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    return rc < 0 ? -1 : 0;
}

/* The lock is held until it is closed: one process at a time. */
static int prepare(struct trail_store *t, struct error *err)
{
    int64_t version = 0;

    if (exec(t,
             "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE; PRAGMA "
             "synchronous=NORMAL;"
             "PRAGMA cache_size=-8192; PRAGMA trusted_schema=OFF; BEGIN EXCLUSIVE",
             err) != 0 ||
        version_of(t, &version, err) != 0) {
        return -1;
    }
    if (version > VERSION) {
        return err_set(err, ERR_USAGE, "%s was made by a newer ttytrail", t->sql.path);
    }
    return exec(t, version == 0 ? schema : "", err) != 0 ? -1 : exec(t, "COMMIT", err);
}

int trail_store_open(struct trail_store **ret, const char *path, struct error *err)
{
    struct trail_store *t = calloc(1, sizeof *t);
    int fd;

    if (t == NULL || (t->sql.path = strdup(path)) == NULL) {
        free(t);
        return err_sys(err, "allocate");
    }
    /* Made here, so that others than its owner never could read it. */
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        err_sys(err, "open %s", path);
        trail_store_close(t);
        return -1;
    }
    close(fd);
    if (sqlite3_open_v2(path, &t->sql.db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        sql_fail(&t->sql, err);
        trail_store_close(t);
        return -1;
    }
    if (json_open(&t->json, err) != 0 || prepare(t, err) != 0) {
        trail_store_close(t);
        return -1;
    }
    *ret = t;
    return 0;
}

void trail_store_close(struct trail_store *t)
{
    if (t != NULL) {
        sql_forget(&t->sql);
        sqlite3_close(t->sql.db);
        json_close(t->json);
        free(t->sql.path);
        free(t);
    }
}

int trail_store_begin(struct trail_store *t, struct error *err)
{
    return sql_run(&t->sql, err, "BEGIN", "");
}

int trail_store_commit(struct trail_store *t, struct error *err)
{
    return sql_run(&t->sql, err, "COMMIT", "");
}

void trail_store_rollback(struct trail_store *t)
{
    (void)sql_run(&t->sql, NULL, "ROLLBACK", "");
}

int trail_store_has_file(struct trail_store *t, const char *object, struct error *err)
{
    sqlite3_stmt *st;
    int rc;

    if (sql_cached(&t->sql, &st, err, "SELECT 1 FROM files WHERE object=?1 AND whole=1", "t",
                   object) != 0) {
        return -1;
    }
    rc = sql_step(&t->sql, st, err);
    sql_release(&t->sql, st);
    return rc;
}

int trail_store_file(struct trail_store *t, const char *object, const uint8_t sha256[32],
                     struct error *err)
{
    return sql_run(&t->sql, err,
                   "INSERT INTO files(object, sha256, whole) VALUES(?1, ?2, 1)"
                   " ON CONFLICT(object) DO UPDATE SET sha256=excluded.sha256, whole=1",
                   "tb", object, sha256, (size_t)32);
}

int trail_store_file_state(struct trail_store *t, const char *object, enum verdict_digest state,
                           struct error *err)
{
    return sql_run(&t->sql, err,
                   "INSERT INTO files(object, state) VALUES(?1, ?2)"
                   " ON CONFLICT(object) DO UPDATE SET state=excluded.state WHERE state<>?3",
                   "tii", object, (int64_t)state, (int64_t)DIGEST_FAILED);
}

int trail_store_file_sha256(struct trail_store *t, const char *object, uint8_t ret[32],
                            struct error *err)
{
    sqlite3_stmt *st;
    int rc;

    if (sql_cached(&t->sql, &st, err, "SELECT sha256 FROM files WHERE object=?1 AND whole=1", "t",
                   object) != 0) {
        return -1;
    }
    rc = sql_step(&t->sql, st, err);
    if (rc == 1 && sql_blob(st, 0, ret, 32) != 0) {
        rc = err_set(err, ERR_CORRUPT, "%s: a hash is none", t->sql.path);
    }
    sql_release(&t->sql, st);
    return rc;
}

int trail_store_cursor(struct trail_store *t, const char *place, char *ret, size_t size,
                       struct error *err)
{
    sqlite3_stmt *st;
    int rc;

    ret[0] = '\0';
    if (sql_cached(&t->sql, &st, err, "SELECT key FROM cursors WHERE place=?1", "t", place) != 0) {
        return -1;
    }
    rc = sql_step(&t->sql, st, err);
    if (rc == 1) {
        sql_text(st, 0, ret, size);
    }
    sql_release(&t->sql, st);
    return rc < 0 ? -1 : 0;
}

int trail_store_set_cursor(struct trail_store *t, const char *place, const char *key,
                           struct error *err)
{
    return sql_run(&t->sql, err, "INSERT OR REPLACE INTO cursors(place, key) VALUES(?1, ?2)", "tt",
                   place, key);
}
