/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

struct json {
    sqlite3 *db;
    sqlite3_stmt *get, *each, *many;
    const char *const *paths; /* of many */
};

int json_open(struct json **ret, struct error *err)
{
    struct json *j = calloc(1, sizeof *j);

    if (j == NULL) {
        return err_sys(err, "allocate");
    }
    if (sqlite3_open_v2(":memory:", &j->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(j->db, "SELECT json_extract(?1, ?2), json_type(?1, ?2)", -1, &j->get,
                           NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(j->db,
                           "SELECT key, value, type FROM json_each(?1, ?2) WHERE "
                           "json_type(?1, ?2) IN ('array', 'object')",
                           -1, &j->each, NULL) != SQLITE_OK) {
        err_set(err, ERR_SYSTEM, "JSON reader: %s",
                j->db == NULL ? "out of memory" : sqlite3_errmsg(j->db));
        json_close(j);
        return -1;
    }
    *ret = j;
    return 0;
}

void json_close(struct json *j)
{
    if (j != NULL) {
        sqlite3_finalize(j->get);
        sqlite3_finalize(j->each);
        sqlite3_finalize(j->many);
        sqlite3_close(j->db);
        free(j);
    }
}

static int bind_query(sqlite3_stmt *st, const char *doc, size_t len, const char *path,
                      struct error *err)
{
    if (len > INT32_MAX) {
        return err_set(err, ERR_LIMIT, "JSON document of %zu bytes", len);
    }
    if (sqlite3_bind_text(st, 1, doc, (int)len, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(st, 2, path, -1, SQLITE_STATIC) != SQLITE_OK) {
        return err_set(err, ERR_SYSTEM, "JSON: out of memory");
    }
    return 0;
}

static void done(sqlite3_stmt *st)
{
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

/* What SQLite says of bad JSON quotes none of it ("malformed JSON"), so it may be shown. */
static int foreign_error(sqlite3_stmt *st, const char *path, struct error *err)
{
    return err_set(err, ERR_CORRUPT, "JSON at %s: %s", path, sqlite3_errmsg(sqlite3_db_handle(st)));
}

int json_text(struct json *j, const char *doc, size_t len, const char *path, struct buf *ret,
              struct error *err)
{
    int rc = -1, step;

    if (bind_query(j->get, doc, len, path, err) != 0) {
        return -1;
    }
    step = sqlite3_step(j->get);
    if (step != SQLITE_ROW) {
        rc = foreign_error(j->get, path, err);
    } else if (sqlite3_column_type(j->get, 0) == SQLITE_NULL) {
        rc = 0;
    } else {
        const void *text = sqlite3_column_text(j->get, 0);

        rc = buf_append(ret, text, (size_t)sqlite3_column_bytes(j->get, 0), err) == 0 ? 1 : -1;
    }
    done(j->get);
    return rc;
}

int json_int(struct json *j, const char *doc, size_t len, const char *path, int64_t *ret,
             struct error *err)
{
    int rc = 1, step;

    if (bind_query(j->get, doc, len, path, err) != 0) {
        return -1;
    }
    step = sqlite3_step(j->get);
    if (step != SQLITE_ROW) {
        rc = foreign_error(j->get, path, err);
    } else if (sqlite3_column_type(j->get, 0) == SQLITE_NULL) {
        rc = 0;
    } else if (strcmp((const char *)sqlite3_column_text(j->get, 1), "integer") != 0) {
        rc = err_set(err, ERR_CORRUPT, "JSON at %s: not an integer", path);
    } else {
        *ret = sqlite3_column_int64(j->get, 0);
    }
    done(j->get);
    return rc;
}

static int prepare_many(struct json *j, const char *const *paths, size_t n, struct error *err)
{
    sqlite3_str *sql = sqlite3_str_new(j->db);
    char *text;
    int rc;

    for (size_t i = 0; i < n; i++) {
        sqlite3_str_appendf(sql, "%s json_extract(?1, %Q)", i == 0 ? "SELECT" : ",", paths[i]);
    }
    sqlite3_finalize(j->many);
    j->many = NULL;
    j->paths = NULL;
    text = sqlite3_str_finish(sql);
    rc = text == NULL ? SQLITE_NOMEM : sqlite3_prepare_v2(j->db, text, -1, &j->many, NULL);
    sqlite3_free(text);
    if (rc != SQLITE_OK) {
        return err_set(err, ERR_SYSTEM, "JSON reader: %s", sqlite3_errmsg(j->db));
    }
    j->paths = paths;
    return 0;
}

int json_many(struct json *j, const char *doc, size_t len, const char *const *paths, size_t n,
              json_many_fn *cb, void *user, struct error *err)
{
    int rc = 0;

    if (len > INT32_MAX || n > JSON_MANY) {
        return err_set(err, ERR_LIMIT, "JSON document of %zu bytes", len);
    }
    if (j->paths != paths && prepare_many(j, paths, n, err) != 0) {
        return -1;
    }
    if (sqlite3_bind_text(j->many, 1, doc, (int)len, SQLITE_STATIC) != SQLITE_OK) {
        rc = err_set(err, ERR_SYSTEM, "JSON: out of memory");
    } else if (sqlite3_step(j->many) != SQLITE_ROW) {
        rc = err_set(err, ERR_CORRUPT, "JSON: %s", sqlite3_errmsg(j->db));
    } else {
        for (int i = 0; rc == 0 && i < (int)n; i++) {
            const char *text = (const char *)sqlite3_column_text(j->many, i);

            if (text != NULL) {
                rc = cb(user, (size_t)i, text, (size_t)sqlite3_column_bytes(j->many, i));
            }
        }
    }
    done(j->many);
    return rc;
}

int json_each(struct json *j, const char *doc, size_t len, const char *path,
              int (*cb)(void *user, const struct json_item *item), void *user, struct error *err)
{
    int rc = 0, step;

    if (bind_query(j->each, doc, len, path, err) != 0) {
        return -1;
    }
    while (rc == 0 && (step = sqlite3_step(j->each)) != SQLITE_DONE) {
        struct json_item item;

        if (step != SQLITE_ROW) {
            rc = foreign_error(j->each, path, err);
            break;
        }
        item.key = sqlite3_column_type(j->each, 0) == SQLITE_TEXT
                       ? (const char *)sqlite3_column_text(j->each, 0)
                       : "";
        item.type = (const char *)sqlite3_column_text(j->each, 2);
        item.value = (const char *)sqlite3_column_text(j->each, 1);
        item.value_len = (size_t)sqlite3_column_bytes(j->each, 1);
        if (item.value == NULL) {
            item.value = "";
        }
        rc = cb(user, &item);
    }
    done(j->each);
    return rc;
}
