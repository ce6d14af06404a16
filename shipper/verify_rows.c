/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a database that no session accounts for: what a removed session's row leaves behind. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "shipper/verify_rows.h"

#define URI_MAX 16384

static int refuse(sqlite3 *db, const char *path, struct error *err)
{
    return err_set(err, ERR_SYSTEM, "%.120s: %s", path,
                   db == NULL ? "out of memory" : sqlite3_errmsg(db));
}

static int uri_of(const char *path, const char *query, struct buf *ret, struct error *err)
{
    if (buf_puts(ret, "file:", err) != 0) {
        return -1;
    }
    for (const char *p = path; *p != '\0'; p++) {
        int rc = strchr("?#%", *p) != NULL
                     ? buf_printf(ret, err, "%%%02X", (unsigned)(unsigned char)*p)
                     : buf_putc(ret, *p, err);

        if (rc != 0) {
            return -1;
        }
    }
    return buf_puts(ret, query, err);
}

/* 0 and a number, or -1. */
static int count(sqlite3 *db, const char *sql, int64_t *ret)
{
    sqlite3_stmt *st = NULL;
    int rc = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        *ret = sqlite3_column_int64(st, 0);
        rc = 0;
    }
    sqlite3_finalize(st);
    return rc;
}

/* A medium that nobody can write needs to be told so (see reader_open, which has had it open). */
static int open_db(sqlite3 **ret, const char *path, struct error *err)
{
    static const char *const queries[] = {"", "?immutable=1"};
    int64_t n = 0;

    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct buf uri;
        int rc = -1;

        buf_init(&uri, URI_MAX);
        if (uri_of(path, queries[i], &uri, err) != 0) {
            buf_clear(&uri);
            return -1;
        }
        if (sqlite3_open_v2(buf_text(&uri, err), ret,
                            SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
                            NULL) == SQLITE_OK) {
            sqlite3_busy_timeout(*ret, 2000);
            rc = count(*ret, "SELECT count(*) FROM sqlite_schema", &n);
        }
        buf_clear(&uri);
        if (rc == 0) {
            return 0;
        }
        refuse(*ret, path, err);
        sqlite3_close(*ret);
        *ret = NULL;
    }
    return -1;
}

int verify_rows(struct verify *v, const char *path, struct error *err)
{
    static const struct {
        const char *sql, *what;
    } checks[] = {
        {"SELECT count(*) FROM segment WHERE session NOT IN (SELECT row FROM session)",
         "segments belong to no session: its row was removed"},
        {"SELECT count(*) FROM session_tail WHERE session NOT IN (SELECT row FROM session)",
         "rows of a tail belong to no session: its row was removed"},
        {"SELECT count(*) FROM segment g JOIN session s ON s.row = g.session"
         " WHERE g.number >= s.segments OR g.number < 0",
         "segments lie beyond what their session counts"},
    };
    sqlite3 *db = NULL;
    int rc = open_db(&db, path, err);

    for (size_t i = 0; rc == 0 && i < sizeof checks / sizeof checks[0]; i++) {
        char detail[160];
        const struct verify_line l = {
            .what = "database", .id = path, .verdict = VERIFY_ALTERED, .detail = detail};
        int64_t n = 0;

        if (count(db, checks[i].sql, &n) != 0) {
            rc = refuse(db, path, err);
        } else if (n > 0) {
            (void)snprintf(detail, sizeof detail, "%lld %s", (long long)n, checks[i].what);
            verify_report(v, &l);
        }
    }
    sqlite3_close(db);
    return rc;
}
