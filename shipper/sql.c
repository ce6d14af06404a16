/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "disk I/O error" is SQLite's word for many things; a full disk is one of them. */
static int io_error(struct state *s, enum err_kind kind, struct error *err)
{
    int code = sqlite3_system_errno(s->db);

    if (code == 0) {
        return err_set(err, kind, "%s: %s", s->path, sqlite3_errmsg(s->db));
    }
    err_set(err, kind, "%s: %s (%s)", s->path, sqlite3_errmsg(s->db), strerror(code));
    if (err != NULL) {
        err->code = code;
    }
    return -1;
}

int sql_fail(struct state *s, struct error *err)
{
    enum err_kind kind = ERR_SYSTEM;

    switch (sqlite3_errcode(s->db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        kind = ERR_RETRY;
        break;
    case SQLITE_FULL:
    case SQLITE_IOERR:
        return io_error(s, ERR_RETRY, err);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        kind = ERR_DENIED;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        kind = ERR_CORRUPT;
        break;
    default:
        break;
    }
    return err_set(err, kind, "%s: %s", s->path, sqlite3_errmsg(s->db));
}

static int bind(sqlite3_stmt *st, const char *types, va_list ap)
{
    int rc = SQLITE_OK;

    for (int i = 1; rc == SQLITE_OK && types[i - 1] != '\0'; i++) {
        if (types[i - 1] == 'i') {
            rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
        } else if (types[i - 1] == 't') {
            rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
        } else {
            const void *p = va_arg(ap, const void *);
            size_t n = va_arg(ap, size_t);

            rc = sqlite3_bind_blob64(st, i, p == NULL ? "" : p, n, SQLITE_TRANSIENT);
        }
    }
    return rc;
}

static int prepare(struct state *s, sqlite3_stmt **ret, struct error *err, const char *sql,
                   const char *types, va_list ap)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK ||
        bind(st, types, ap) != SQLITE_OK) {
        sql_fail(s, err);
        sqlite3_finalize(st);
        return -1;
    }
    *ret = st;
    return 0;
}

int sql_query(struct state *s, sqlite3_stmt **ret, struct error *err, const char *sql,
              const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = prepare(s, ret, err, sql, types, ap);
    va_end(ap);
    return rc;
}

/* One that is kept and not in use; NULL: there is none. */
static sqlite3_stmt *kept(const struct state *s, const char *sql)
{
    for (unsigned i = 0; i < s->n_cached; i++) {
        if (!sqlite3_stmt_busy(s->cached[i]) && strcmp(sqlite3_sql(s->cached[i]), sql) == 0) {
            return s->cached[i];
        }
    }
    return NULL;
}

static bool is_kept(const struct state *s, const sqlite3_stmt *st)
{
    for (unsigned i = 0; i < s->n_cached; i++) {
        if (s->cached[i] == st) {
            return true;
        }
    }
    return false;
}

static int prepare_kept(struct state *s, sqlite3_stmt **ret, struct error *err, const char *sql,
                        const char *types, va_list ap)
{
    sqlite3_stmt *st = kept(s, sql);

    if (st == NULL && s->n_cached < SQL_CACHED) {
        if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
            return sql_fail(s, err);
        }
        s->cached[s->n_cached++] = st;
    }
    if (st == NULL) {
        return prepare(s, ret, err, sql, types, ap);
    }
    if (bind(st, types, ap) != SQLITE_OK) {
        return sql_fail(s, err);
    }
    *ret = st;
    return 0;
}

int sql_cached(struct state *s, sqlite3_stmt **ret, struct error *err, const char *sql,
               const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = prepare_kept(s, ret, err, sql, types, ap);
    va_end(ap);
    return rc;
}

void sql_release(struct state *s, sqlite3_stmt *st)
{
    if (!is_kept(s, st)) {
        sqlite3_finalize(st);
        return;
    }
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

void sql_forget(struct state *s)
{
    while (s->n_cached > 0) {
        sqlite3_finalize(s->cached[--s->n_cached]);
    }
}

int sql_run(struct state *s, struct error *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st = NULL;
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = prepare_kept(s, &st, err, sql, types, ap);
    va_end(ap);
    if (rc != 0) {
        return -1;
    }
    do {
        rc = sql_step(s, st, err);
    } while (rc == 1);
    sql_release(s, st);
    return rc;
}

int sql_step(struct state *s, sqlite3_stmt *st, struct error *err)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        return 1;
    }
    return rc == SQLITE_DONE ? 0 : sql_fail(s, err);
}

int sql_blob(sqlite3_stmt *st, int column, void *ret, size_t len)
{
    if (sqlite3_column_type(st, column) != SQLITE_BLOB ||
        (size_t)sqlite3_column_bytes(st, column) != len) {
        return -1;
    }
    memcpy(ret, sqlite3_column_blob(st, column), len);
    return 0;
}

void sql_text(sqlite3_stmt *st, int column, char *ret, size_t size)
{
    const unsigned char *t = sqlite3_column_text(st, column);

    (void)snprintf(ret, size, "%s", t == NULL ? "" : (const char *)t);
}
