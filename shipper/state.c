/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shipper/sql.h"
#include "shipper/state_life.h"

#define VERSION 2

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE identity(one INTEGER PRIMARY KEY CHECK(one=1), host TEXT NOT NULL,"
    "  epoch BLOB NOT NULL CHECK(length(epoch)=16), key_number INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, head BLOB NOT NULL CHECK(length(head)=32),"
    "  last_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE keys(name TEXT PRIMARY KEY, line BLOB NOT NULL) STRICT;"
    "CREATE TABLE batches(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, host TEXT NOT NULL,"
    "  epoch BLOB NOT NULL, seq INTEGER NOT NULL, created_us INTEGER NOT NULL,"
    "  head BLOB NOT NULL, pack_sha256 BLOB NOT NULL, pack_size INTEGER NOT NULL,"
    "  segments INTEGER NOT NULL, line BLOB NOT NULL, done INTEGER NOT NULL DEFAULT 0,"
    "  told INTEGER NOT NULL DEFAULT 0, UNIQUE(epoch, seq)) STRICT;"
    "CREATE INDEX batches_unfinished ON batches(id) WHERE done=0 OR told=0;"
    "CREATE TABLE members(session BLOB NOT NULL, number INTEGER NOT NULL,"
    "  batch INTEGER NOT NULL REFERENCES batches(id), session_row INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL, length INTEGER NOT NULL,"
    "  PRIMARY KEY(session, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX members_batch ON members(batch, offset);"
    "CREATE TABLE attempts(id INTEGER PRIMARY KEY, store TEXT NOT NULL, name TEXT NOT NULL,"
    "  suffix INTEGER NOT NULL, started_us INTEGER NOT NULL,"
    "  result TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE INDEX attempts_name ON attempts(name, store);"
    "CREATE TABLE cursor(source TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT;"
    "PRAGMA user_version=1;"
    "COMMIT;";

/* Version 2 remembers the place; what version 1 confirmed tells it. */
static const char version_2[] =
    "BEGIN IMMEDIATE;"
    "ALTER TABLE identity ADD COLUMN destination TEXT NOT NULL DEFAULT '';"
    "UPDATE identity SET destination=coalesce((SELECT store FROM attempts"
    "  WHERE result='confirmed' ORDER BY id DESC LIMIT 1), '');"
    "PRAGMA user_version=2;"
    "COMMIT;";

static int exec(struct state *s, const char *sql, struct error *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(s, err);
}

/* A file of its own: SQLite drops its own locks when any descriptor of its file is closed. */
static int take_lock(struct state *s, struct error *err)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = NULL;
    int rc = 0;

    if (asprintf(&path, "%s.lock", s->path) < 0) {
        return err_sys(err, "allocate");
    }
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0) {
        rc = err_sys(err, "open %s", path);
    } else if (fcntl(s->lock, F_OFD_SETLK, &fl) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            rc = err_set(err, ERR_RETRY, "another ship is running on this database");
        } else {
            rc = err_sys(err, "lock %s", path);
        }
    }
    free(path);
    return rc;
}

static int check_version(struct state *s, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int64_t version = -1;
    int rc;

    if (sql_query(s, &st, err, "PRAGMA user_version", "") != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        version = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    if (rc < 0) {
        return -1; /* it cannot be read: a full disk, say */
    }
    if (version == 0 && exec(s, schema, err) != 0) {
        return -1;
    }
    if (version == 0 || version == 1) {
        return exec(s, version_2, err);
    }
    if (version != VERSION) {
        return err_set(err, ERR_CORRUPT, "%s is of version %lld, we know up to %d", s->path,
                       (long long)version, VERSION);
    }
    return 0;
}

static int open_db(struct state *s, struct error *err)
{
    int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return err_sys(err, "open %s", s->path);
    }
    close(fd);
    if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) !=
        SQLITE_OK) {
        return sql_fail(s, err);
    }
    sqlite3_busy_timeout(s->db, 5000);
    return exec(s,
                "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON; PRAGMA journal_mode=WAL;"
                "PRAGMA synchronous=FULL;",
                err);
}

int state_open(struct state **ret, const char *path, struct error *err)
{
    struct state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return err_sys(err, "allocate");
    }
    s->lock = -1;
    s->path = strdup(path);
    if (s->path == NULL) {
        err_sys(err, "allocate");
    } else if (take_lock(s, err) == 0 && open_db(s, err) == 0 && check_version(s, err) == 0 &&
               state_life_open(s, err) == 0) {
        *ret = s;
        return 0;
    }
    state_close(s);
    return -1;
}

void state_close(struct state *s)
{
    if (s != NULL) {
        sql_forget(s);
        sqlite3_close(s->db);
        if (s->lock >= 0) {
            close(s->lock);
        }
        free(s->path);
        free(s);
    }
}

int state_identity(struct state *s, struct state_identity *ret, struct error *err)
{
    struct state_identity i = {.known = false};
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_cached(s, &st, err, "SELECT host, epoch, key_number, seq, head, last_us FROM identity",
                   "") != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        i.known = true;
        sql_text(st, 0, i.host, sizeof i.host);
        i.key_number = sqlite3_column_int64(st, 2);
        i.seq = sqlite3_column_int64(st, 3);
        i.last_us = sqlite3_column_int64(st, 5);
        rc = sql_blob(st, 1, i.epoch, sizeof i.epoch) != 0 ||
                     sql_blob(st, 4, i.head, sizeof i.head) != 0
                 ? err_set(err, ERR_CORRUPT, "%s: identity is damaged", s->path)
                 : 0;
    }
    sql_release(s, st);
    if (rc == 0) {
        *ret = i;
    }
    return rc;
}

int state_epoch_used(struct state *s, const uint8_t epoch[CHAIN_ID], struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_query(s, &st, err, "SELECT 1 FROM batches WHERE epoch=?1 LIMIT 1", "b", epoch,
                  (size_t)CHAIN_ID) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    sqlite3_finalize(st);
    return rc;
}

int state_begin_epoch(struct state *s, const char *host, const uint8_t epoch[CHAIN_ID],
                      struct error *err)
{
    uint8_t head[CHAIN_HASH];

    manifest_genesis(host, epoch, head);
    return sql_run(s, err,
                   "INSERT INTO identity(one, host, epoch, key_number, seq, head, last_us)"
                   " VALUES(1, ?1, ?2, 0, 0, ?3, 0) ON CONFLICT(one) DO UPDATE SET"
                   " host=?1, epoch=?2, key_number=0, seq=0, head=?3",
                   "tbb", host, epoch, (size_t)CHAIN_ID, head, sizeof head);
}

int state_key_made(struct state *s, int64_t number, const char *name, const struct buf *line,
                   struct error *err)
{
    if (exec(s, "BEGIN IMMEDIATE", err) != 0) {
        return -1;
    }
    if (sql_run(s, err, "INSERT OR IGNORE INTO keys VALUES(?1, ?2)", "tb", name, buf_data(line),
                line->len) != 0 ||
        sql_run(s, err, "UPDATE identity SET key_number=?1", "i", number) != 0 ||
        exec(s, "COMMIT", err) != 0) {
        (void)exec(s, "ROLLBACK", NULL);
        return -1;
    }
    return 0;
}

int state_keys(struct state *s, int (*cb)(void *user, const char *name, const struct buf *line),
               void *user, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc, called = 0;

    if (sql_query(s, &st, err, "SELECT name, line FROM keys ORDER BY rowid", "") != 0) {
        return -1;
    }
    while (called == 0 && (rc = sql_step(s, st, err)) == 1) {
        struct buf line;
        char name[1024];

        sql_text(st, 0, name, sizeof name);
        buf_init(&line, MANIFEST_MAX);
        called =
            buf_append(&line, sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), err);
        if (called == 0) {
            called = cb(user, name, &line);
        }
        buf_clear(&line);
    }
    sqlite3_finalize(st);
    return called != 0 ? called : rc;
}

int state_attempt(struct state *s, const char *where, const char *name, int64_t suffix,
                  int64_t now_us, int64_t *ret_attempt, struct error *err)
{
    if (sql_run(s, err, "INSERT INTO attempts(store, name, suffix, started_us) VALUES(?1,?2,?3,?4)",
                "ttii", where, name, suffix, now_us) != 0) {
        return -1;
    }
    *ret_attempt = sqlite3_last_insert_rowid(s->db);
    return 0;
}

int state_attempt_result(struct state *s, int64_t attempt, const char *result, struct error *err)
{
    return sql_run(s, err, "UPDATE attempts SET result=?2 WHERE id=?1", "it", attempt, result);
}

int state_attempts(struct state *s, const char *where, const char *name, struct state_attempts *ret,
                   struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_cached(s, &st, err,
                   "WITH a AS (SELECT suffix, result FROM attempts WHERE name=?1 AND store=?2),"
                   " n(next) AS (SELECT coalesce(max(suffix)+1, 0) FROM a WHERE result='exists')"
                   " SELECT coalesce((SELECT 1 FROM a WHERE result='confirmed'), 0), next,"
                   " (SELECT count(*) FROM a WHERE suffix=next) FROM n",
                   "tt", name, where) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        ret->confirmed = sqlite3_column_int(st, 0) != 0;
        ret->next_suffix = sqlite3_column_int64(st, 1);
        ret->tries_of_next = sqlite3_column_int64(st, 2);
        rc = 0;
    }
    sql_release(s, st);
    return rc;
}
