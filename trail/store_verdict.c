/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts, as the JSON that trail/verdict.c makes and reads. */
#include "trail/store_impl.h"

int trail_store_verdict(struct trail_store *t, const uint8_t subject[16], struct verdict *ret,
                        struct error *err)
{
    sqlite3_stmt *st;
    int rc;

    if (sql_cached(&t->sql, &st, err,
                   "SELECT json FROM verdicts WHERE subject=?1 ORDER BY revision DESC LIMIT 1", "b",
                   (const void *)subject, (size_t)16) != 0) {
        return -1;
    }
    rc = sql_step(&t->sql, st, err);
    if (rc == 1 && verdict_parse(t->json, (const char *)sqlite3_column_text(st, 0),
                                 (size_t)sqlite3_column_bytes(st, 0), ret, err) != 0) {
        rc = err_wrap(err, "%s", t->sql.path);
    }
    sql_release(&t->sql, st);
    return rc;
}

int trail_store_put_verdict(struct trail_store *t, const struct verdict *v, struct error *err)
{
    struct buf json;
    const char *text;
    int rc = -1;

    buf_init(&json, 1U << 20);
    if (verdict_json(v, &json, err) == 0 && (text = buf_text(&json, err)) != NULL) {
        rc = sql_run(&t->sql, err,
                     "INSERT OR REPLACE INTO verdicts(subject, revision, json) VALUES(?1, ?2, ?3)",
                     "bit", (const void *)v->subject, (size_t)16, v->revision, text);
    }
    buf_clear(&json);
    return rc;
}
