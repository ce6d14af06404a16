/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/search/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay/search/block.h"
#include "replay/search/index_impl.h"

#define VERSION    1
#define PACKED_MAX (1024U * 1024)
#define BATCH      (32U * 1024 * 1024) /* text of one transaction */

static const char schema[] =
    "CREATE TABLE session (row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE block (id INTEGER PRIMARY KEY, session INTEGER NOT NULL, packed BLOB NOT NULL) "
    "STRICT;"
    "CREATE INDEX block_session ON block (session);"
    "CREATE VIRTUAL TABLE gram USING fts5 (text, content='', columnsize=0, detail=none,"
    " tokenize='trigram');"
    "PRAGMA user_version = 1;";

int index_fail(const struct index *x, struct error *err)
{
    int code = x->db == NULL ? SQLITE_NOMEM : sqlite3_errcode(x->db) & 0xff;
    enum err_kind kind = code == SQLITE_BUSY || code == SQLITE_LOCKED      ? ERR_RETRY
                         : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERR_CORRUPT
                                                                           : ERR_SYSTEM;

    return err_set(err, kind, "%s: %s", x->path,
                   x->db == NULL ? "out of memory" : sqlite3_errmsg(x->db));
}

static int run(struct index *x, const char *sql, struct error *err)
{
    return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : index_fail(x, err);
}

int index_prepare(struct index *x, sqlite3_stmt **ret, const char *sql, struct error *err)
{
    return sqlite3_prepare_v2(x->db, sql, -1, ret, NULL) == SQLITE_OK ? 0 : index_fail(x, err);
}

/* 1 a row, 0 the end. */
int index_step(struct index *x, sqlite3_stmt *st, struct error *err)
{
    int rc = sqlite3_step(st);

    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : index_fail(x, err);
}

/* ---- opening ---- */

static int version(struct index *x, int *ret, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = index_prepare(x, &st, "PRAGMA user_version", err);

    if (rc == 0 && (rc = index_step(x, st, err)) == 1) {
        *ret = sqlite3_column_int(st, 0);
        rc = 0;
    }
    sqlite3_finalize(st);
    return rc;
}

static int try_open(struct index *x, struct error *err)
{
    int v = 0;

    if (sqlite3_open_v2(x->path, &x->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK) {
        return index_fail(x, err);
    }
    /* Somebody else may have laid it there. */
    (void)sqlite3_db_config(x->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(x->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_busy_timeout(x->db, 2000);
    if (run(x, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF", err) != 0 ||
        version(x, &v, err) != 0) {
        return -1;
    }
    if (v == VERSION) {
        return 0;
    }
    return v == 0 ? (run(x, "BEGIN IMMEDIATE", err) != 0 ? -1
                     : version(x, &v, err) == 0 && v == 0 && run(x, schema, err) == 0 &&
                             run(x, "COMMIT", err) == 0
                         ? 0
                     : v == VERSION ? run(x, "ROLLBACK", err)
                                    : -1)
                  : err_set(err, ERR_CORRUPT, "%s: an index of another version", x->path);
}

/* It can be made again, so what is wrong with it is nothing to keep. */
static void remove_files(const struct index *x)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[4200];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(path, sizeof path, "%.4096s%s", x->path, ends[i]);
        (void)unlink(path);
    }
}

int index_open(struct index **ret, const char *path, struct error *err)
{
    struct index *x = calloc(1, sizeof *x);
    mode_t mask;
    int rc;

    if (x == NULL || (x->path = strdup(path)) == NULL) {
        free(x);
        return err_sys(err, "allocate");
    }
    block_init(&x->block);
    buf_init(&x->packed, PACKED_MAX);
    buf_init(&x->unpacked, 2 * PACKED_MAX);
    mask = umask(0077); /* it holds what recordings hold */
    rc = try_open(x, err);
    if (rc != 0 && err->kind == ERR_CORRUPT) {
        sqlite3_close(x->db);
        x->db = NULL;
        remove_files(x);
        err_clear(err);
        rc = try_open(x, err);
    }
    (void)umask(mask);
    if (rc != 0) {
        index_close(x);
        return -1;
    }
    *ret = x;
    return 0;
}

void index_close(struct index *x)
{
    if (x != NULL) {
        sqlite3_close(x->db);
        block_clear(&x->block);
        buf_clear(&x->packed);
        buf_clear(&x->unpacked);
        free(x->path);
        free(x);
    }
}

/* ---- taking in ---- */

struct taking {
    struct index *x;
    sqlite3_stmt *block, *gram;
    int64_t row;
    uint64_t text, batch;
    struct error *err;
};

static int put_block(struct taking *t)
{
    struct index *x = t->x;
    int rc;

    if (x->block.lines == 0) {
        return 0;
    }
    buf_reset(&x->packed);
    if (block_pack(&x->block, &x->packed, t->err) != 0) {
        return -1;
    }
    sqlite3_reset(t->block);
    sqlite3_reset(t->gram);
    if (sqlite3_bind_int64(t->block, 1, t->row) != SQLITE_OK ||
        sqlite3_bind_blob(t->block, 2, buf_data(&x->packed), (int)x->packed.len, SQLITE_STATIC) !=
            SQLITE_OK) {
        return index_fail(x, t->err);
    }
    rc = index_step(x, t->block, t->err);
    if (rc == 0 && (sqlite3_bind_int64(t->gram, 1, sqlite3_last_insert_rowid(x->db)) != SQLITE_OK ||
                    sqlite3_bind_text(t->gram, 2, (const char *)buf_data(&x->block.text),
                                      (int)x->block.text.len, SQLITE_STATIC) != SQLITE_OK)) {
        return index_fail(x, t->err);
    }
    rc = rc == 0 ? index_step(x, t->gram, t->err) : rc;
    t->text += x->block.text.len;
    t->batch += x->block.text.len;
    block_reset(&x->block);
    return rc;
}

static int on_line(void *user, const struct seen_line *l)
{
    struct taking *t = user;

    if (l->len == 0) {
        return 0;
    }
    if (block_add(&t->x->block, l, t->err) != 0) {
        return -1;
    }
    return t->x->block.text.len >= BLOCK_TEXT ? put_block(t) : 0;
}

/* What is damaged in the evidence is verify's to tell; the rest can be found. */
static int take_session(struct taking *t, struct reader *r, const struct session_row *s)
{
    const struct seen_config c = {.screens = true, .input = true, .line = on_line, .user = t};
    struct timeline *events = NULL;
    sqlite3_stmt *st = NULL;
    int rc = index_prepare(t->x, &st, "INSERT INTO session (row, id) VALUES (?1, ?2)", t->err);

    if (rc == 0 && (sqlite3_bind_int64(st, 1, s->row) != SQLITE_OK ||
                    sqlite3_bind_blob(st, 2, s->id, CHAIN_ID, SQLITE_STATIC) != SQLITE_OK)) {
        rc = index_fail(t->x, t->err);
    }
    rc = rc == 0 ? index_step(t->x, st, t->err) : rc;
    sqlite3_finalize(st);
    t->row = s->row;
    block_reset(&t->x->block);
    if (rc == 0 && timeline_open_session(&events, r, s, t->err) == 0) {
        rc = seen_walk(events, &c, t->err);
        rc = rc == 0 ? put_block(t) : rc;
        timeline_close(events);
        return rc;
    }
    return -1;
}

/* ---- dropping ---- */

static int drop_block(struct index *x, sqlite3_stmt *gone, int64_t id, const void *packed, int len,
                      struct error *err)
{
    size_t text_len = 0;
    const char *text;

    if (block_unpack(packed, (size_t)len, &x->unpacked, err) != 0 ||
        (text = block_body(&x->unpacked, &text_len, err)) == NULL) {
        return -1;
    }
    sqlite3_reset(gone);
    if (sqlite3_bind_int64(gone, 1, id) != SQLITE_OK ||
        sqlite3_bind_text(gone, 2, text, (int)text_len, SQLITE_STATIC) != SQLITE_OK) {
        return index_fail(x, err);
    }
    return index_step(x, gone, err);
}

static int drop_session(struct index *x, int64_t row, struct error *err)
{
    sqlite3_stmt *blocks = NULL, *gone = NULL;
    char sql[160];
    int rc =
        index_prepare(x, &blocks, "SELECT id, packed FROM block WHERE session = ?1", err) != 0 ||
                index_prepare(x, &gone,
                              "INSERT INTO gram (gram, rowid, text) VALUES ('delete', ?1, ?2)",
                              err) != 0 ||
                sqlite3_bind_int64(blocks, 1, row) != SQLITE_OK
            ? -1
            : 0;

    while (rc == 0 && (rc = index_step(x, blocks, err)) == 1) {
        rc = drop_block(x, gone, sqlite3_column_int64(blocks, 0), sqlite3_column_blob(blocks, 1),
                        sqlite3_column_bytes(blocks, 1), err);
    }
    sqlite3_finalize(blocks);
    sqlite3_finalize(gone);
    (void)snprintf(sql, sizeof sql,
                   "DELETE FROM block WHERE session = %lld; DELETE FROM session WHERE row = %lld",
                   (long long)row, (long long)row);
    return rc != 0 ? -1 : run(x, sql, err);
}

/* Whether row ${row} of the evidence is what was taken in, whole: 1, 0, -1. */
static int still_there(struct reader *r, int64_t row, const void *id, int id_len, struct error *err)
{
    struct session_row s;
    int rc;

    session_row_init(&s);
    rc = reader_session(r, row, &s, err);
    if (rc == 1) {
        rc = id_len == CHAIN_ID && memcmp(s.id, id, CHAIN_ID) == 0 &&
             strstr(s.flags, "pruned") == NULL;
    }
    session_row_clear(&s);
    return rc;
}

static int drop_gone(struct index *x, struct reader *r, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int64_t *rows = NULL;
    size_t n = 0;
    int rc = index_prepare(x, &st, "SELECT row, id FROM session", err);

    while (rc == 0 && (rc = index_step(x, st, err)) == 1) {
        int there = still_there(r, sqlite3_column_int64(st, 0), sqlite3_column_blob(st, 1),
                                sqlite3_column_bytes(st, 1), err);

        rc = there < 0 ? -1 : 0;
        if (there == 0) {
            int64_t *more = reallocarray(rows, n + 1, sizeof *rows);

            if (more == NULL) {
                rc = err_sys(err, "allocate");
                break;
            }
            rows = more;
            rows[n++] = sqlite3_column_int64(st, 0);
        }
    }
    sqlite3_finalize(st);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = drop_session(x, rows[i], err);
    }
    free(rows);
    return rc;
}

/* ---- update ---- */

struct update {
    struct taking taking;
    struct reader *r;
    struct index_progress progress;
    int (*tell)(void *user, const struct index_progress *p);
    void *user;
    bool counting;
};

static bool is_ready(const struct session_row *s)
{
    return s->final && strcmp(s->kind, "host") != 0 && strstr(s->flags, "pruned") == NULL;
}

static int on_session(void *user, const struct session_row *s)
{
    struct update *u = user;
    struct taking *t = &u->taking;
    int rc = is_ready(s) ? index_has(t->x, s->id, t->err) : 1;

    if (rc != 0) {
        return rc < 0 ? -1 : 0;
    }
    if (u->counting) {
        u->progress.all++;
        return 0;
    }
    if (take_session(t, u->r, s) != 0) {
        return -1;
    }
    u->progress.sessions++;
    u->progress.text = t->text;
    if (t->batch >= BATCH) {
        t->batch = 0;
        if (run(t->x, "COMMIT; BEGIN IMMEDIATE", t->err) != 0) {
            return -1;
        }
    }
    return u->tell != NULL && u->tell(u->user, &u->progress) != 0 ? 1 : 0;
}

int index_update(struct index *x, struct reader *r,
                 int (*progress)(void *user, const struct index_progress *p), void *user,
                 struct error *err)
{
    struct update u = {
        .taking = {.x = x, .err = err}, .r = r, .tell = progress, .user = user, .counting = true};
    int rc;

    if (run(x, "BEGIN IMMEDIATE", err) != 0) {
        return -1;
    }
    rc = drop_gone(x, r, err) != 0 || reader_sessions(r, on_session, &u, err) < 0 ||
                 index_prepare(x, &u.taking.block,
                               "INSERT INTO block (session, packed) VALUES (?1, ?2)", err) != 0 ||
                 index_prepare(x, &u.taking.gram, "INSERT INTO gram (rowid, text) VALUES (?1, ?2)",
                               err) != 0
             ? -1
             : 0;
    u.counting = false;
    rc = rc == 0 ? reader_sessions(r, on_session, &u, err) : rc;
    sqlite3_finalize(u.taking.block);
    sqlite3_finalize(u.taking.gram);
    if (rc < 0) {
        (void)sqlite3_exec(x->db, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    return run(x, "COMMIT", err);
}
