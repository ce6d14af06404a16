/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, meta, segments, tails: reader_session.c has the sessions. */
#include "storage/db/reader_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/db/schema.h"

/* On a medium or in a directory that cannot be written, WAL mode works only if it is told that
 * nobody writes: true as long as there is no WAL with something in it. */
static int open_immutable(struct reader *r, struct error *err)
{
    struct buf uri;
    struct stat st;
    char wal[4200];
    int rc = -1;

    (void)snprintf(wal, sizeof wal, "%s-wal", r->path);
    if (stat(wal, &st) == 0 && st.st_size > 0) {
        return -1;
    }
    sqlite3_close(r->db);
    r->db = NULL;
    buf_init(&uri, 16384);
    if (buf_puts(&uri, "file:", err) == 0) {
        rc = 0;
        for (const char *p = r->path; *p != '\0' && rc == 0; p++) {
            rc = strchr("?#%", *p) != NULL
                     ? buf_printf(&uri, err, "%%%02X", (unsigned)(unsigned char)*p)
                     : buf_putc(&uri, *p, err);
        }
    }
    if (rc == 0 && buf_puts(&uri, "?immutable=1", err) == 0 &&
        sqlite3_open_v2(buf_text(&uri, err), &r->db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI |
                            SQLITE_OPEN_EXRESCODE,
                        NULL) == SQLITE_OK) {
        rc = schema_check(r->db, err);
    } else {
        rc = -1;
    }
    buf_clear(&uri);
    return rc;
}

int reader_open(struct reader **ret, const char *path, struct error *err)
{
    struct reader *r;

    if (access(path, F_OK) != 0) {
        return err_sys(err, "open database %s", path);
    }
    r = calloc(1, sizeof *r);
    if (r == NULL || (r->path = strdup(path)) == NULL) {
        free(r);
        return err_sys(err, "allocate");
    }
    if (sqlite3_open_v2(path, &r->db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        schema_error(r->db, err, "open database");
    } else {
        sqlite3_busy_timeout(r->db, 2000);
        if (schema_exec(r->db, "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON", err) == 0 &&
            schema_check(r->db, err) == 0) {
            *ret = r;
            return 0;
        }
        if (err->kind == ERR_SYSTEM && open_immutable(r, err) == 0) {
            *ret = r;
            return 0;
        }
    }
    err_wrap(err, "%s", path);
    reader_close(r);
    return -1;
}

void reader_close(struct reader *r)
{
    if (r != NULL) {
        for (int i = 0; i < READER_STATEMENTS; i++) {
            sqlite3_finalize(r->st[i]);
        }
        sqlite3_close(r->db);
        free(r->path);
        free(r);
    }
}

const char *reader_path(const struct reader *r)
{
    return r->path;
}

sqlite3_stmt *reader_statement(struct reader *r, enum reader_statement which, const char *sql,
                               struct error *err)
{
    if (r->st[which] == NULL && sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                   &r->st[which], NULL) != SQLITE_OK) {
        schema_error(r->db, err, r->path);
    }
    return r->st[which];
}

int reader_meta(struct reader *r, const char *key, struct buf *ret, struct error *err)
{
    sqlite3_stmt *st = reader_statement(r, RD_META, "SELECT value FROM meta WHERE key = ?1", err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW) {
        rc = buf_append(ret, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0),
                        err) == 0
                 ? 1
                 : -1;
    } else if (step != SQLITE_DONE) {
        rc = schema_error(r->db, err, r->path);
    }
    sqlite3_reset(st);
    return rc;
}

static int take_hash(sqlite3_stmt *st, int column, uint8_t ret[CHAIN_HASH], struct error *err)
{
    if (sqlite3_column_bytes(st, column) != CHAIN_HASH) {
        return err_set(err, ERR_CORRUPT, "a hash of %d bytes", sqlite3_column_bytes(st, column));
    }
    memcpy(ret, sqlite3_column_blob(st, column), CHAIN_HASH);
    return 0;
}

static int segment_from(sqlite3_stmt *st, struct segment_row *g, struct error *err)
{
    const char *codec = (const char *)sqlite3_column_text(st, 1);
    size_t len = codec == NULL ? 0 : strnlen(codec, sizeof g->codec - 1);

    memset(g, 0, sizeof *g);
    g->number = sqlite3_column_int64(st, 0);
    if (len > 0) {
        memcpy(g->codec, codec, len);
    }
    g->size = sqlite3_column_int64(st, 4);
    g->text_size = sqlite3_column_int64(st, 5);
    g->events = sqlite3_column_int64(st, 6);
    g->first_t_us = sqlite3_column_int64(st, 7);
    g->last_t_us = sqlite3_column_int64(st, 8);
    g->final = sqlite3_column_int64(st, 9) != 0;
    g->sealed_us = sqlite3_column_int64(st, 10);
    g->pruned = sqlite3_column_int64(st, 12) != 0;
    return take_hash(st, 2, g->sha256, err) != 0 || take_hash(st, 3, g->head, err) != 0 ? -1 : 0;
}

int reader_segment(struct reader *r, int64_t session_row, int64_t number, struct segment_row *ret,
                   struct buf *ret_bytes, struct error *err)
{
    sqlite3_stmt *st = reader_statement(
        r, RD_SEGMENT,
        "SELECT number, codec, sha256, head, size, text_size, events, first_t_us, last_t_us, "
        "final, sealed_us, CASE ?3 WHEN 1 THEN bytes END, length(bytes) = 0 AND size > 0 FROM "
        "segment WHERE session = ?1 AND number = ?2",
        err);
    int rc = 0, step;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, session_row);
    sqlite3_bind_int64(st, 2, number);
    sqlite3_bind_int(st, 3, ret_bytes != NULL);
    step = sqlite3_step(st);
    if (step == SQLITE_ROW) {
        rc = segment_from(st, ret, err) == 0 ? 1 : -1;
        if (rc == 1 && ret_bytes != NULL && ret->pruned) {
            rc = err_set(err, ERR_SYSTEM, "it was pruned here, after it was shipped");
            if (err != NULL) {
                err->code = ENODATA;
            }
        } else if (rc == 1 && ret_bytes != NULL) {
            const void *bytes = sqlite3_column_blob(st, 11);

            if (buf_append(ret_bytes, bytes, (size_t)sqlite3_column_bytes(st, 11), err) != 0) {
                rc = -1;
            }
        }
    } else if (step != SQLITE_DONE) {
        rc = schema_error(r->db, err, r->path);
    }
    sqlite3_reset(st);
    return rc;
}

/* The tail's rows of one session, inside the caller's transaction. */
static int read_tail(struct reader *r, const struct session_row *s, struct buf *frames,
                     bool *ret_hash_ok, struct error *err)
{
    sqlite3_stmt *st = reader_statement(
        r, RD_TAIL, "SELECT hash, frames FROM session_tail WHERE session = ?1 ORDER BY row", err);
    uint8_t hash[CHAIN_HASH];
    int step, rc = 0;

    if (st == NULL) {
        return -1;
    }
    memcpy(hash, s->head, CHAIN_HASH);
    chain_tail(hash, buf_data(&s->carry), s->carry.len);
    *ret_hash_ok = memcmp(hash, s->carry_hash, CHAIN_HASH) == 0;
    if (buf_append(frames, buf_data(&s->carry), s->carry.len, err) != 0) {
        return -1;
    }
    memcpy(hash, s->tail_base, CHAIN_HASH);
    sqlite3_bind_int64(st, 1, s->row);
    while (rc == 0 && (step = sqlite3_step(st)) != SQLITE_DONE) {
        size_t len;

        if (step != SQLITE_ROW) {
            rc = schema_error(r->db, err, r->path);
            break;
        }
        len = (size_t)sqlite3_column_bytes(st, 1);
        chain_tail(hash, sqlite3_column_blob(st, 1), len);
        if (sqlite3_column_bytes(st, 0) != CHAIN_HASH ||
            memcmp(hash, sqlite3_column_blob(st, 0), CHAIN_HASH) != 0) {
            *ret_hash_ok = false;
        }
        rc = buf_append(frames, sqlite3_column_blob(st, 1), len, err);
    }
    sqlite3_reset(st);
    return rc;
}

int reader_snapshot(struct reader *r, int64_t session_row, struct session_row *ret,
                    struct buf *ret_frames, bool *ret_hash_ok, struct error *err)
{
    int rc;

    if (schema_exec(r->db, "BEGIN", err) != 0) {
        return -1;
    }
    rc = reader_session(r, session_row, ret, err);
    if (rc == 1 && read_tail(r, ret, ret_frames, ret_hash_ok, err) != 0) {
        rc = -1;
    }
    (void)sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

/* Paged, so that the callback runs outside of any transaction. */
#define PAGE 256

int reader_unshipped(struct reader *r, int64_t horizon,
                     int (*cb)(void *user, const struct unshipped *u), void *user,
                     struct error *err)
{
    return reader_unshipped_after(r, 0, horizon, cb, user, err);
}

int reader_unshipped_after(struct reader *r, int64_t after, int64_t horizon,
                           int (*cb)(void *user, const struct unshipped *u), void *user,
                           struct error *err)
{
    for (;;) {
        struct unshipped page[PAGE];
        int n = 0, step;
        /* rowid is the order of sealing; a session's segments are sealed in order of number. */
        sqlite3_stmt *st = reader_statement(
            r, RD_UNSHIPPED,
            "SELECT g.rowid, g.session, g.number, g.size, g.sealed_us, g.final FROM segment g "
            "JOIN session s ON s.row = g.session WHERE g.number >= s.shipped AND g.rowid > ?1 "
            "AND g.rowid <= ?2 ORDER BY g.rowid LIMIT 256",
            err);

        if (st == NULL) {
            return -1;
        }
        sqlite3_bind_int64(st, 1, after);
        sqlite3_bind_int64(st, 2, horizon);
        while (n < PAGE && (step = sqlite3_step(st)) == SQLITE_ROW) {
            page[n].order = sqlite3_column_int64(st, 0);
            page[n].session_row = sqlite3_column_int64(st, 1);
            page[n].number = sqlite3_column_int64(st, 2);
            page[n].size = sqlite3_column_int64(st, 3);
            page[n].sealed_us = sqlite3_column_int64(st, 4);
            page[n++].final = sqlite3_column_int64(st, 5) != 0;
        }
        step = n < PAGE ? step : SQLITE_DONE;
        sqlite3_reset(st);
        if (step != SQLITE_DONE) {
            return schema_error(r->db, err, r->path);
        }
        for (int i = 0; i < n; i++) {
            int rc = cb(user, &page[i]);

            if (rc != 0) {
                return rc;
            }
        }
        if (n < PAGE) {
            return 0;
        }
        after = page[n - 1].order;
    }
}

int reader_begin(struct reader *r, struct error *err)
{
    return sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : schema_error(r->db, err, r->path);
}

void reader_end(struct reader *r)
{
    (void)sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
}

int reader_check(struct reader *r, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(r->db, "PRAGMA integrity_check(1)", -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW) {
        schema_error(r->db, err, r->path);
    } else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0) {
        err_set(err, ERR_CORRUPT, "%s: %.150s", r->path, sqlite3_column_text(st, 0));
    } else {
        rc = 0;
    }
    sqlite3_finalize(st);
    return rc;
}
