/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: one, all, by the words of the command line. */
#include <ctype.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "storage/db/columns.h"
#include "storage/db/reader_impl.h"
#include "storage/db/schema.h"

#define PAGE 256

/* Step ${st} once into ${ret}: 1, 0, -1; resets it. */
static int one(struct reader *r, sqlite3_stmt *st, struct session_row *ret, struct error *err)
{
    int step = sqlite3_step(st), rc = 0;

    if (step == SQLITE_ROW) {
        rc = columns_session(st, ret, err) == 0 ? 1 : -1;
        if (rc == 1 && session_row_dead(ret)) {
            ret->state = SESSION_CUT;
        }
    } else if (step != SQLITE_DONE) {
        rc = schema_error(r->db, err, r->path);
    }
    sqlite3_reset(st);
    return rc;
}

int reader_session(struct reader *r, int64_t row, struct session_row *ret, struct error *err)
{
    sqlite3_stmt *st = reader_statement(
        r, RD_SESSION, "SELECT " COLUMNS_SESSION " FROM session WHERE row = ?1", err);

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_int64(st, 1, row);
    return one(r, st, ret, err);
}

/* Up to PAGE row numbers above ${after}, of ${st}. */
static int page_of(struct reader *r, sqlite3_stmt *st, int64_t after, int64_t rows[PAGE],
                   struct error *err)
{
    int n = 0, step = SQLITE_DONE;

    sqlite3_bind_int64(st, 1, after);
    while (n < PAGE && (step = sqlite3_step(st)) == SQLITE_ROW) {
        rows[n++] = sqlite3_column_int64(st, 0);
    }
    sqlite3_reset(st);
    return step == SQLITE_DONE || step == SQLITE_ROW ? n : schema_error(r->db, err, r->path);
}

static int walk(struct reader *r, sqlite3_stmt *st,
                int (*cb)(void *user, const struct session_row *s), void *user, struct error *err)
{
    struct session_row s;
    int64_t after = 0;
    int n, rc = 0;

    if (st == NULL) {
        return -1;
    }
    session_row_init(&s);
    do {
        int64_t rows[PAGE];

        n = page_of(r, st, after, rows, err);
        if (n < 0) {
            rc = -1;
        }
        for (int i = 0; i < n && rc == 0; i++) {
            int found = reader_session(r, rows[i], &s, err);

            rc = found == 1 ? cb(user, &s) : found;
            after = rows[i];
        }
    } while (rc == 0 && n == PAGE);
    session_row_clear(&s);
    return rc;
}

int reader_sessions(struct reader *r, int (*cb)(void *user, const struct session_row *s),
                    void *user, struct error *err)
{
    return walk(r,
                reader_statement(r, RD_SESSIONS,
                                 "SELECT row FROM session WHERE row > ?1 ORDER BY row LIMIT 256",
                                 err),
                cb, user, err);
}

int reader_unfinished(struct reader *r, int (*cb)(void *user, const struct session_row *s),
                      void *user, struct error *err)
{
    return walk(r,
                reader_statement(r, RD_UNFINISHED,
                                 "SELECT row FROM session WHERE final = 0 AND row > ?1 "
                                 "ORDER BY row LIMIT 256",
                                 err),
                cb, user, err);
}

static int find_last(struct reader *r, struct session_row *ret, struct error *err)
{
    sqlite3_stmt *st = reader_statement(
        r, RD_LAST,
        "SELECT " COLUMNS_SESSION " FROM session WHERE kind <> 'host' ORDER BY row DESC LIMIT 1",
        err);
    int rc = st == NULL ? -1 : one(r, st, ret, err);

    return rc == 0 ? err_set(err, ERR_USAGE, "%s holds no session yet", r->path) : rc;
}

static int find_title(struct reader *r, const char *title, struct session_row *ret,
                      struct error *err)
{
    char shown[128];
    sqlite3_stmt *st = reader_statement(
        r, RD_TITLE,
        "SELECT " COLUMNS_SESSION " FROM session WHERE title = ?1 ORDER BY row DESC LIMIT 1", err);
    int rc;

    if (st == NULL) {
        return -1;
    }
    sqlite3_bind_text(st, 1, title, -1, SQLITE_STATIC);
    rc = one(r, st, ret, err);
    sqlite3_clear_bindings(st);
    return rc == 0 ? err_set(err, ERR_USAGE, "no session titled '%s'",
                             log_escape(title, strlen(title), shown, sizeof shown))
                   : rc;
}

/* ${prefix} is hex: sessions between prefix000... and prefixfff... */
static int find_prefix(struct reader *r, const char *prefix, struct session_row *ret,
                       struct error *err)
{
    char low[33], high[33];
    uint8_t from[16], to[16];
    size_t n = strlen(prefix);
    sqlite3_stmt *st = reader_statement(
        r, RD_PREFIX, "SELECT row FROM session WHERE id BETWEEN ?1 AND ?2 LIMIT 2", err);
    int64_t row = 0;
    int found = 0;

    if (st == NULL) {
        return -1;
    }
    memset(low, '0', 32);
    memset(high, 'f', 32);
    memcpy(low, prefix, n);
    memcpy(high, prefix, n);
    low[32] = high[32] = '\0';
    if (io_unhex(low, from, 16) != 0 || io_unhex(high, to, 16) != 0) {
        return err_set(err, ERR_USAGE, "'%s' is no session", prefix);
    }
    sqlite3_bind_blob(st, 1, from, 16, SQLITE_STATIC);
    sqlite3_bind_blob(st, 2, to, 16, SQLITE_STATIC);
    while (sqlite3_step(st) == SQLITE_ROW) {
        row = sqlite3_column_int64(st, 0);
        found++;
    }
    sqlite3_reset(st);
    if (found != 1) {
        return err_set(
            err, ERR_USAGE,
            found == 0 ? "no session %s" : "%s begins several sessions: give more digits", prefix);
    }
    return reader_session(r, row, ret, err);
}

int reader_find(struct reader *r, const char *spec, struct session_row *ret, struct error *err)
{
    size_t n = strlen(spec), i = 0;

    if (strcmp(spec, "last") == 0) {
        return find_last(r, ret, err) == 1 ? 0 : -1;
    }
    if (strncmp(spec, "title:", 6) == 0) {
        return find_title(r, spec + 6, ret, err) == 1 ? 0 : -1;
    }
    while (i < n && isxdigit((unsigned char)spec[i])) {
        i++;
    }
    if (i < n || n < 4 || n > 32) {
        char shown[128];

        return err_set(err, ERR_USAGE,
                       "'%s' is no session: an id, at least four digits of one, 'last' or title:T",
                       log_escape(spec, n, shown, sizeof shown));
    }
    return find_prefix(r, spec, ret, err) == 1 ? 0 : -1;
}
