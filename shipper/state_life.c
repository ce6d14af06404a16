/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/state_life.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "shipper/sql.h"

#define HOUR_US INT64_C(3600000000)

/* Beside the numbered versions: an older program passes over them. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS withheld(batch INTEGER PRIMARY KEY REFERENCES batches(id),"
    "  by_seq INTEGER NOT NULL, at_us INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value TEXT NOT NULL,"
    "  at_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, text TEXT NOT NULL) STRICT;";

int state_life_open(struct state *s, struct error *err)
{
    return sqlite3_exec(s->db, tables, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(s, err);
}

int state_look(struct state **ret, const char *path, struct error *err)
{
    struct state *s;

    if (access(path, R_OK) != 0) {
        return err_sys(err, "open %s", path);
    }
    s = calloc(1, sizeof *s);
    if (s == NULL || (s->path = strdup(path)) == NULL) {
        free(s);
        return err_sys(err, "allocate");
    }
    s->lock = -1;
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(s->db, "PRAGMA trusted_schema=OFF; PRAGMA query_only=ON", NULL, NULL, NULL) !=
            SQLITE_OK) {
        sql_fail(s, err);
        state_close(s);
        return -1;
    }
    sqlite3_busy_timeout(s->db, 2000);
    *ret = s;
    return 0;
}

/* Who only looks may find a ship.db from before these tables: 1 it is there, 0, -1. */
static int has_table(struct state *s, const char *name, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_query(s, &st, err, "SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?1", "t",
                  name) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    sqlite3_finalize(st);
    return rc;
}

/* ---- facts ---- */

int state_fact_set(struct state *s, const char *name, const char *value, int64_t now_us,
                   struct error *err)
{
    return sql_run(s, err,
                   "INSERT INTO facts VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET"
                   " value=?2, at_us=?3",
                   "tti", name, value, now_us);
}

int state_fact(struct state *s, const char *name, char *ret, size_t size, int64_t *ret_us,
               struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = has_table(s, "facts", err);

    ret[0] = '\0';
    if (rc != 1) {
        return rc;
    }
    if (sql_query(s, &st, err, "SELECT value, at_us FROM facts WHERE name=?1", "t", name) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        sql_text(st, 0, ret, size);
        if (ret_us != NULL) {
            *ret_us = sqlite3_column_int64(st, 1);
        }
    }
    sqlite3_finalize(st);
    return rc;
}

/* ---- events ---- */

int state_event(struct state *s, const char *kind, const char *text, int64_t now_us,
                struct error *err)
{
    char cut[STATE_TEXT_MAX];

    (void)snprintf(cut, sizeof cut, "%s", text);
    if (sql_run(s, err,
                "INSERT INTO events(at_us, kind, text) SELECT ?1, ?2, ?3 WHERE NOT EXISTS"
                " (SELECT 1 FROM events WHERE kind=?2 AND text=?3 AND at_us>?4)",
                "itti", now_us, kind, cut, now_us - HOUR_US) != 0) {
        return -1;
    }
    return sql_run(s, err, "DELETE FROM events WHERE id<=(SELECT max(id) FROM events)-?1", "i",
                   (int64_t)STATE_EVENTS_MAX);
}

int state_events(struct state *s, int (*cb)(void *user, const struct state_event *e), void *user,
                 struct error *err)
{
    sqlite3_stmt *st = NULL;
    int called = 0, rc = has_table(s, "events", err);

    if (rc != 1) {
        return rc;
    }
    if (sql_query(s, &st, err, "SELECT at_us, kind, text FROM events ORDER BY id DESC", "") != 0) {
        return -1;
    }
    while (called == 0 && (rc = sql_step(s, st, err)) == 1) {
        struct state_event e = {.at_us = sqlite3_column_int64(st, 0)};

        sql_text(st, 1, e.kind, sizeof e.kind);
        sql_text(st, 2, e.text, sizeof e.text);
        called = cb(user, &e);
    }
    sqlite3_finalize(st);
    return called != 0 ? called : rc;
}

/* ---- batches by name ---- */

/* SEQ, EPOCH/SEQ or <seq>-<time>-<pack>: *ret_epoch is set when one is named. */
static int parse_spec(const char *spec, int64_t *ret_seq, uint8_t ret_epoch[CHAIN_ID],
                      bool *ret_named, struct error *err)
{
    const char *at = strchr(spec, '/'), *digits = at == NULL ? spec : at + 1;
    size_t n = strspn(digits, "0123456789");
    char hex[2 * CHAIN_ID + 1];

    *ret_named = at != NULL;
    if (at != NULL) {
        (void)snprintf(hex, sizeof hex, "%.*s", (int)(at - spec < 33 ? at - spec : 0), spec);
        if (io_unhex(hex, ret_epoch, CHAIN_ID) != 0) {
            n = 0;
        }
    }
    if (n == 0 || n > 12 || (digits[n] != '\0' && (at != NULL || digits[n] != '-'))) {
        return err_set(err, ERR_USAGE,
                       "'%.80s' is no batch: its number, EPOCH/NUMBER, or its whole name", spec);
    }
    *ret_seq = strtoll(digits, NULL, 10);
    return 0;
}

/* A whole name has to be the batch's own, not only begin with its number. */
static bool name_fits(const char *spec, const struct state_batch *b)
{
    struct manifest m = {.seq = b->seq, .created_us = b->created_us};
    char name[MANIFEST_BATCH_NAME];

    if (strchr(spec, '-') == NULL) {
        return true;
    }
    memcpy(m.pack_sha256, b->pack_sha256, CHAIN_HASH);
    manifest_batch_name(&m, name);
    return strcmp(name, spec) == 0;
}

int state_batch_find(struct state *s, const char *spec, struct state_batch *ret, struct error *err)
{
    struct state_identity who;
    uint8_t epoch[CHAIN_ID];
    bool named = false;
    int64_t seq = 0;
    int rc;

    if (parse_spec(spec, &seq, epoch, &named, err) != 0 || state_identity(s, &who, err) != 0) {
        return -1;
    }
    rc = state_batch_get(s, named ? epoch : who.epoch, seq, ret, err);
    if (rc == 1 && !name_fits(spec, ret)) {
        state_batch_clear(ret);
        return 0;
    }
    return rc;
}

/* ---- withheld, again ---- */

static int ask(struct state *s, const char *sql, int64_t id, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc;

    if (sql_query(s, &st, err, sql, "i", id) != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    sqlite3_finalize(st);
    return rc;
}

int state_is_withheld(struct state *s, int64_t batch, struct error *err)
{
    return ask(s, "SELECT 1 FROM withheld WHERE batch=?1", batch, err);
}

int state_any_withheld(struct state *s, struct error *err)
{
    return ask(s, "SELECT 1 FROM withheld WHERE ?1=0 LIMIT 1", 0, err);
}

int state_withheld(struct state *s, int (*cb)(void *user, const struct state_withheld *w),
                   void *user, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int called = 0, rc = has_table(s, "withheld", err);

    if (rc != 1) {
        return rc;
    }
    if (sql_query(s, &st, err,
                  "SELECT b.seq, w.by_seq, w.at_us, b.segments, b.epoch, w.reason,"
                  " (SELECT count(*) FROM members m WHERE m.batch=b.id)"
                  " FROM withheld w JOIN batches b ON b.id=w.batch ORDER BY w.batch",
                  "") != 0) {
        return -1;
    }
    while (called == 0 && (rc = sql_step(s, st, err)) == 1) {
        struct state_withheld w = {.seq = sqlite3_column_int64(st, 0),
                                   .by_seq = sqlite3_column_int64(st, 1),
                                   .at_us = sqlite3_column_int64(st, 2),
                                   .segments = sqlite3_column_int64(st, 3),
                                   .waiting = sqlite3_column_int64(st, 6)};

        sql_text(st, 5, w.reason, sizeof w.reason);
        called = sql_blob(st, 4, w.epoch, sizeof w.epoch) != 0
                     ? err_set(err, ERR_CORRUPT, "%s: a batch is damaged", s->path)
                     : cb(user, &w);
    }
    sqlite3_finalize(st);
    return called != 0 ? called : rc;
}

int state_waiting(struct state *s, int64_t *ret_n, int64_t *ret_oldest_us, struct error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = has_table(s, "withheld", err);

    if (rc < 0 ||
        sql_query(s, &st, err,
                  rc == 1 ? "SELECT count(*), coalesce(min(created_us), 0) FROM batches WHERE"
                            " done=0 AND id NOT IN (SELECT batch FROM withheld)"
                          : "SELECT count(*), coalesce(min(created_us), 0) FROM batches WHERE"
                            " done=0",
                  "") != 0) {
        return -1;
    }
    rc = sql_step(s, st, err);
    if (rc == 1) {
        *ret_n = sqlite3_column_int64(st, 0);
        *ret_oldest_us = sqlite3_column_int64(st, 1);
    }
    sqlite3_finalize(st);
    return rc < 0 ? -1 : 0;
}

static int again(struct state *s, int64_t batch, const char *const *names, size_t n,
                 struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (sql_run(s, err,
                    "UPDATE attempts SET result='again' WHERE name=?1 AND result='confirmed'", "t",
                    names[i]) != 0) {
            return -1;
        }
    }
    return sql_run(s, err, "UPDATE batches SET done=0 WHERE id=?1", "i", batch);
}

int state_again(struct state *s, int64_t batch, const char *const *names, size_t n,
                struct error *err)
{
    if (sql_run(s, err, "BEGIN IMMEDIATE", "") != 0) {
        return -1;
    }
    if (again(s, batch, names, n, err) != 0 || sql_run(s, err, "COMMIT", "") != 0) {
        (void)sql_run(s, NULL, "ROLLBACK", "");
        return -1;
    }
    return 0;
}

/* Inside the transaction of the freezing: the boot of the newest manifest, and what it withholds.
 * Segments of a withheld batch that come again leave it. */
int state_life_freeze(struct state *s, const struct manifest *m, struct error *err)
{
    int any = state_any_withheld(s, err);

    if (any < 0 || state_fact_set(s, "boot_id", m->boot_id, m->created_us, err) != 0) {
        return -1;
    }
    for (size_t i = 0; any == 1 && i < m->n_segments; i++) {
        if (sql_run(s, err,
                    "DELETE FROM members WHERE session=?1 AND number=?2 AND batch IN"
                    " (SELECT batch FROM withheld)",
                    "bi", m->segments[i].session, (size_t)CHAIN_ID, m->segments[i].number) != 0) {
            return -1;
        }
    }
    if (m->withheld.seq == 0) {
        return 0;
    }
    return sql_run(s, err,
                   "INSERT INTO withheld SELECT id, ?3, ?4, ?5 FROM batches WHERE epoch=?1 AND"
                   " seq=?2",
                   "biiit", m->epoch, sizeof m->epoch, m->withheld.seq, m->seq, m->created_us,
                   m->withheld.reason);
}
