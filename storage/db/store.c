/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, transactions, meta, the tail, WAL: store_make.c makes a new database, store_session.c
 * has the sessions and segments. */
#include "storage/db/store_impl.h"
#include "storage/db/walvfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const statements[STORE_STATEMENTS] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_ROLLBACK] = "ROLLBACK",
    [ST_TAIL_INSERT] =
        "INSERT INTO session_tail (session, last_seq, hash, frames) VALUES (?1, ?2, ?3, ?4)",
    [ST_TAIL_READ] = "SELECT hash, frames FROM session_tail WHERE row = ?1",
    [ST_TAIL_DELETE] = "DELETE FROM session_tail WHERE row = ?1",
    [ST_TAIL_SCAN] =
        "SELECT row, last_seq, length(frames), hash FROM session_tail WHERE session = ?1 "
        "ORDER BY row",
    [ST_META_GET] = "SELECT value FROM meta WHERE key = ?1",
    [ST_META_SET] = "INSERT INTO meta (key, value) VALUES (?1, ?2) "
                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [ST_META_DELETE] = "DELETE FROM meta WHERE key = ?1",
};

sqlite3_stmt *store_statement(struct store *s, enum store_statement which, const char *sql,
                              struct error *err)
{
    if (s->st[which] == NULL &&
        sqlite3_prepare_v3(s->db, sql != NULL ? sql : statements[which], -1,
                           SQLITE_PREPARE_PERSISTENT, &s->st[which], NULL) != SQLITE_OK) {
        schema_error(s->db, err, "evidence database");
    }
    return s->st[which];
}

int store_run(struct store *s, sqlite3_stmt *st, struct error *err)
{
    int rc = sqlite3_step(st);

    if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        schema_error(s->db, err, "evidence database");
        sqlite3_reset(st);
        return -1;
    }
    sqlite3_reset(st);
    return 0;
}

static int on_wal(void *user, sqlite3 *db, const char *name, int pages)
{
    struct store *s = user;

    (void)db;
    (void)name;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static int set_up(struct store *s, const struct store_config *config, struct error *err)
{
    int is_new = schema_is_new(s->db, err);

    if (is_new >= 0 && config->usable != NULL) {
        config->usable(config->user);
    }
    if (is_new < 0 ||
        schema_exec(s->db,
                    "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = FAST; "
                    "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -4096",
                    err) != 0 ||
        (is_new ? store_make_new(s, err) : schema_migrate(s->db, err)) != 0 ||
        ((is_new || config->durability_power) && store_make_durable(s, err) != 0)) {
        return -1;
    }
    return schema_exec(s->db,
                       config->durability_power ? "PRAGMA synchronous = FULL"
                                                : "PRAGMA synchronous = NORMAL",
                       err);
}

int store_open(struct store **ret, const struct store_config *config, struct error *err)
{
    struct store *s = calloc(1, sizeof *s);
    int one = 1;

    if (s == NULL || (s->path = strdup(config->path)) == NULL) {
        free(s);
        return err_sys(err, "allocate");
    }
    if (store_make_file(config->path, config->only_owner ? 0600 : 0640, err) != 0) {
        goto fail;
    }
    if (sqlite3_open_v2(config->path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
                        walvfs_name()) != SQLITE_OK) {
        schema_error(s->db, err, "open database");
        goto fail;
    }
    sqlite3_busy_timeout(s->db, config->busy_ms);
    /* Prepared while there is memory: what has to be undone must not wait for some. */
    if (set_up(s, config, err) != 0 || store_statement(s, ST_ROLLBACK, NULL, err) == NULL) {
        goto fail;
    }
    (void)sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &one);
    sqlite3_wal_hook(s->db, on_wal, s);
    *ret = s;
    return 0;
fail:
    err_wrap(err, "%s", config->path);
    store_close(s, false);
    return -1;
}

void store_close(struct store *s, bool compact)
{
    int zero = 0;

    if (s == NULL) {
        return;
    }
    for (int i = 0; i < STORE_STATEMENTS; i++) {
        sqlite3_finalize(s->st[i]);
    }
    if (compact && s->db != NULL) {
        sqlite3_busy_timeout(s->db, 0);
        (void)sqlite3_exec(s->db, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
        (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        (void)sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &zero);
    }
    sqlite3_close(s->db);
    free(s->path);
    free(s);
}

/* ---- transactions ---- */

int store_settled(struct store *s, struct error *err)
{
    if (s->undo) {
        store_rollback(s);
    }
    return s->undo ? err_set(err, ERR_RETRY, "a transaction that failed cannot be undone yet") : 0;
}

int store_begin(struct store *s, struct error *err)
{
    sqlite3_stmt *st;

    if (store_settled(s, err) != 0) {
        return -1;
    }
    st = store_statement(s, ST_BEGIN, NULL, err);
    return st == NULL ? -1 : store_run(s, st, err);
}

int store_commit(struct store *s, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_COMMIT, NULL, err);

    return st == NULL ? -1 : store_run(s, st, err);
}

void store_rollback(struct store *s)
{
    sqlite3_stmt *st = store_statement(s, ST_ROLLBACK, NULL, NULL);

    /* After some errors SQLite has rolled back by itself; then this one fails, as it should. */
    if (st != NULL && sqlite3_get_autocommit(s->db) == 0) {
        (void)store_run(s, st, NULL);
    }
    s->undo = sqlite3_get_autocommit(s->db) == 0;
}

/* ---- meta ---- */

int store_meta_get(struct store *s, const char *key, struct buf *ret, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_META_GET, NULL, err);
    int rc = -1, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    step = sqlite3_step(st);
    if (step == SQLITE_DONE) {
        rc = 0;
    } else if (step == SQLITE_ROW) {
        rc = buf_append(ret, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0),
                        err) == 0
                 ? 1
                 : -1;
    } else {
        schema_error(s->db, err, "evidence database");
    }
    sqlite3_reset(st);
    return rc;
}

int store_meta_set(struct store *s, const char *key, const char *value, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_META_SET, NULL, err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
    return store_run(s, st, err);
}

int store_meta_delete(struct store *s, const char *key, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_META_DELETE, NULL, err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    return store_run(s, st, err);
}

/* ---- tail ---- */

int store_tail_insert(struct store *s, int64_t session_row, uint64_t last_seq,
                      const uint8_t hash[32], const uint8_t *frames, size_t len, int64_t *ret_row,
                      struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_TAIL_INSERT, NULL, err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, session_row);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)last_seq);
    sqlite3_bind_blob(st, 3, hash, 32, SQLITE_STATIC);
    sqlite3_bind_blob64(st, 4, frames, len, SQLITE_STATIC);
    if (store_run(s, st, err) != 0) {
        return -1;
    }
    *ret_row = sqlite3_last_insert_rowid(s->db);
    return 0;
}

int store_tail_read(struct store *s, int64_t row, struct buf *ret, uint8_t ret_hash[32],
                    struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_TAIL_READ, NULL, err);
    int rc = -1;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    if (sqlite3_step(st) != SQLITE_ROW || sqlite3_column_bytes(st, 0) != 32) {
        err_set(err, ERR_CORRUPT, "tail row %lld is not there", (long long)row);
    } else {
        const void *frames = sqlite3_column_blob(st, 1);

        memcpy(ret_hash, sqlite3_column_blob(st, 0), 32);
        rc = buf_append(ret, frames, (size_t)sqlite3_column_bytes(st, 1), err);
    }
    sqlite3_reset(st);
    return rc;
}

int store_tail_scan(struct store *s, int64_t session_row,
                    int (*cb)(void *, int64_t row, uint64_t last_seq, size_t len,
                              const uint8_t hash[32]),
                    void *user, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_TAIL_SCAN, NULL, err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, session_row);
    while (rc == 0 && (step = sqlite3_step(st)) != SQLITE_DONE) {
        if (step != SQLITE_ROW || sqlite3_column_bytes(st, 3) != 32) {
            rc = schema_error(s->db, err, "evidence database, tail");
            break;
        }
        rc = cb(user, sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
                (size_t)sqlite3_column_int64(st, 2), sqlite3_column_blob(st, 3));
    }
    sqlite3_reset(st);
    return rc;
}

int store_tail_delete(struct store *s, const struct tail_row *rows, size_t n, struct error *err)
{
    sqlite3_stmt *st = store_statement(s, ST_TAIL_DELETE, NULL, err);

    for (size_t i = 0; i < n; i++) {
        if (st == NULL) {
            return -1;
        }
        sqlite3_bind_int64(st, 1, rows[i].row);
        if (store_run(s, st, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the WAL ---- */

static void wal_path(const char *path, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s-wal", path);
}

int64_t store_wal_bytes(const struct store *s)
{
    return (int64_t)s->wal_pages * 4096;
}

int store_sync(struct store *s, struct error *err)
{
    char path[4200];
    int fd, rc = 0;

    if (store_make_durable(s, err) != 0) {
        return -1;
    }
    wal_path(s->path, path, sizeof path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno == ENOENT ? 0 : err_sys(err, "open %s", path);
    }
    if (fdatasync(fd) != 0) {
        rc = err_sys(err, "sync %s", path);
    }
    close(fd);
    return rc;
}

int store_checkpoint(const char *path, int truncate_busy_ms, bool *ret_busy, struct error *err)
{
    sqlite3 *db = NULL;
    int rc, one = 1;

    *ret_busy = false;
    rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &one);
        sqlite3_busy_timeout(db, truncate_busy_ms < 0 ? 0 : truncate_busy_ms);
        rc = sqlite3_wal_checkpoint_v2(
            db, NULL, truncate_busy_ms < 0 ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE,
            NULL, NULL);
        *ret_busy = (rc & 0xff) == SQLITE_BUSY;
    }
    if (rc != SQLITE_OK && !*ret_busy) {
        schema_error(db, err, "checkpoint");
        sqlite3_close(db);
        return -1;
    }
    sqlite3_close(db);
    return 0;
}
