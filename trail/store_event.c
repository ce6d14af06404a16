/* SPDX-License-Identifier: Apache-2.0 */
/* Events: many copies in, the one that counts out. */
#include <stdlib.h>
#include <string.h>

#include "trail/record.h"
#include "trail/store_impl.h"

static int known(struct trail_store *t, const struct trail_event *e, struct error *err)
{
    sqlite3_stmt *st;
    int rc;

    if (sql_cached(&t->sql, &st, err, "SELECT 1 FROM events WHERE id=?1 AND amends=?2 LIMIT 1",
                   "tt", e->id, e->amends) != 0) {
        return -1;
    }
    rc = sql_step(&t->sql, st, err);
    sql_release(&t->sql, st);
    return rc;
}

int trail_store_event(struct trail_store *t, const struct trail_event *e, const char *object,
                      const char *text, size_t len, struct error *err)
{
    int had = known(t, e, err);

    if (had < 0 ||
        sql_run(&t->sql, err, "INSERT INTO files(object) VALUES(?1) ON CONFLICT DO NOTHING", "t",
                object) != 0 ||
        sql_run(&t->sql, err,
                "INSERT INTO events(id, file, kind, time_us, instance, session, issued, access,"
                " amends, text) SELECT ?1, id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM files"
                " WHERE object=?10 ON CONFLICT DO NOTHING",
                "tiittttt"
                "bt",
                e->id, (int64_t)e->kind, e->time_us, e->instance, e->session, e->issued_key,
                e->who.access_key, e->amends, (const void *)text, len, object) != 0) {
        return -1;
    }
    return had == 1 ? 0 : 1;
}

/* Of the copies of one event that counts which stands in the file of the best state (verified, then
 * pending, none, failed), then the one that amends, then the first.  What another amends is hidden
 * by it, unless that stands in a file of worse state. */
#define RANK(f) "((" f ".state+1)%4)"
static const char counts[] =
    " AND NOT EXISTS(SELECT 1 FROM events c JOIN files g ON g.id=c.file WHERE c.id=e.id"
    "  AND c.file<>e.file AND (" RANK("g") ", c.amends<>'', -c.file) > (" RANK(
        "f") ", e.amends<>'', -e.file))"
             " AND NOT EXISTS(SELECT 1 FROM events c JOIN files g ON g.id=c.file WHERE "
             "c.amends=e.id"
             "  AND c.id<>e.id AND " RANK("g") ">=" RANK("f") ")";

static int sql_of(const struct trail_query *q, struct buf *sql, struct error *err)
{
    int rc = buf_puts(sql,
                      "SELECT e.kind, e.text, f.object, f.state FROM events e JOIN files f"
                      " ON f.id=e.file WHERE ?1+?2+?3 IS NOT NULL"
                      " AND ?4||?5||?6||?7||?8 IS NOT NULL",
                      err);

#define CLAUSE(wanted, text)                                                                       \
    if (rc == 0 && (wanted)) {                                                                     \
        rc = buf_puts(sql, " AND " text, err);                                                     \
    }
#define GIVEN(s) ((s) != NULL && *(s) != '\0')
    CLAUSE(q->kinds != 0, "e.kind IN (SELECT value FROM json_each('[0,1,2,3,4,5,6,7,8,9]')"
                          " WHERE (?1>>value)&1)")
    CLAUSE(q->from_us != 0, "e.time_us>=?2")
    CLAUSE(q->to_us != 0, "e.time_us<=?3")
    CLAUSE(GIVEN(q->instance), "e.instance=?4 AND e.instance<>''")
    CLAUSE(GIVEN(q->session), "e.session=?5 AND e.session<>''")
    CLAUSE(GIVEN(q->issued_key), "e.issued=?6 AND e.issued<>''")
    CLAUSE(GIVEN(q->access_key), "e.access=?7 AND e.access<>''")
    CLAUSE(GIVEN(q->event), "(e.id=?8 OR (e.amends=?8 AND e.amends<>''))")
    return rc != 0                           ? -1
           : buf_puts(sql, counts, err) != 0 ? -1
                                             : buf_puts(sql, " ORDER BY e.time_us, e.id", err);
}

static int read_row(struct trail_store *t, sqlite3_stmt *st, struct trail_stored *ret,
                    struct error *err)
{
    const char *text = sqlite3_column_blob(st, 1);
    int64_t state = sqlite3_column_int64(st, 3);

    if (record_read(t->json, text == NULL ? "" : text, (size_t)sqlite3_column_bytes(st, 1),
                    &ret->event, err) != 0) {
        return err_wrap(err, "%s", t->sql.path);
    }
    if (ret->event.kind == TRAIL_NOISE) { /* the reader of the file knew why it was kept */
        ret->event.kind = sqlite3_column_int64(st, 0) == TRAIL_CALL ? TRAIL_CALL : TRAIL_NOISE;
    }
    sql_text(st, 2, ret->object, sizeof ret->object);
    ret->digest =
        state >= DIGEST_NONE && state <= DIGEST_FAILED ? (enum verdict_digest)state : DIGEST_FAILED;
    return 0;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static int walk(struct trail_store *t, sqlite3_stmt *st,
                int (*cb)(void *user, const struct trail_stored *e), void *user, struct error *err)
{
    struct trail_stored *e = calloc(1, sizeof *e);
    int rc = 0, step;

    if (e == NULL) {
        return err_sys(err, "allocate");
    }
    while (rc == 0 && (step = sql_step(&t->sql, st, err)) != 0) {
        rc = step < 0 || read_row(t, st, e, err) != 0 ? -1 : cb(user, e);
    }
    free(e);
    return rc;
}

int trail_store_events(struct trail_store *t, const struct trail_query *q,
                       int (*cb)(void *user, const struct trail_stored *e), void *user,
                       struct error *err)
{
    sqlite3_stmt *st = NULL;
    struct buf sql;
    const char *text;
    int rc = -1;

    buf_init(&sql, 4096);
    if (sql_of(q, &sql, err) == 0 && (text = buf_text(&sql, err)) != NULL &&
        sql_cached(&t->sql, &st, err, text, "iiittttt", (int64_t)q->kinds, q->from_us, q->to_us,
                   or_empty(q->instance), or_empty(q->session), or_empty(q->issued_key),
                   or_empty(q->access_key), or_empty(q->event)) == 0) {
        rc = walk(t, st, cb, user, err);
        sql_release(&t->sql, st);
    }
    buf_clear(&sql);
    return rc;
}
