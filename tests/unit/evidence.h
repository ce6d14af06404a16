/* SPDX-License-Identifier: Apache-2.0 */
/* An evidence database of a test's own: a directory, a store, and rows to put into it. */
#ifndef TTYTRAIL_TESTS_UNIT_EVIDENCE_H
#define TTYTRAIL_TESTS_UNIT_EVIDENCE_H

#include "tests/unit/check.h"
#include "tests/unit/tempdir.h"

#include <sqlite3.h>

#include "common/clock.h"
#include "storage/db/store.h"
#include "storage/seal/segment.h"
#include "storage/wire/event.h"

struct evidence {
    char dir[200], db[256];
    struct store *store;
};

static inline void evidence_open(struct evidence *e)
{
    struct store_config config = {.path = e->db, .busy_ms = 2000};
    struct error err;

    MUST(store_open(&e->store, &config, &err));
}

static inline void evidence_close(struct evidence *e)
{
    store_close(e->store, false);
    e->store = NULL;
}

static inline int evidence_setup(void **state)
{
    struct evidence *e = calloc(1, sizeof *e);

    if (e == NULL || tempdir_make(e->dir, sizeof e->dir) != 0) {
        free(e);
        return -1;
    }
    (void)snprintf(e->db, sizeof e->db, "%s/evidence.db", e->dir);
    evidence_open(e);
    *state = e;
    return 0;
}

static inline int evidence_teardown(void **state)
{
    struct evidence *e = *state;
    int rc;

    store_close(e->store, false);
    rc = tempdir_drop(e->dir);
    free(e);
    return rc;
}

/* A row whose id is ${first} and then ${rest} fifteen times; this process records and writes it. */
static inline void evidence_row(struct session_row *s, uint8_t first, uint8_t rest,
                                const char *title)
{
    session_row_init(s);
    memset(s->id, rest, sizeof s->id);
    s->id[0] = first;
    memset(s->epoch, 0xee, sizeof s->epoch);
    s->kind = check_copy("tty");
    s->host = check_copy("host-1");
    s->user = check_copy("alice");
    s->title = check_copy(title);
    s->tty = check_copy("/dev/pts/7");
    s->command = check_copy("[\"sh\",\"-c\",\"id\"]");
    s->exit = check_copy("");
    s->flags = check_copy("");
    s->uid = 1000;
    s->cols = 80;
    s->rows = 24;
    s->started_us = INT64_C(1763790000123456);
    chain_start(s->host, s->epoch, s->id, s->head);
    memcpy(s->tail_base, s->head, CHAIN_HASH);
    clock_boot_id(s->writer_boot);
    clock_boot_id(s->recorder_boot);
    s->writer_pid = s->recorder_pid = getpid();
    s->writer_start = s->recorder_start = (int64_t)clock_process_start(getpid());
}

static inline void evidence_insert(struct evidence *e, struct session_row *s)
{
    struct error err;

    MUST(store_begin(e->store, &err));
    MUST(store_session_insert(e->store, s, &err));
    MUST(store_commit(e->store, &err));
}

/* One event as a frame. */
static inline void evidence_frame(struct buf *to, uint64_t seq, uint64_t t_us, char kind,
                                  const char *text)
{
    struct event ev = {.seq = seq,
                       .t_us = t_us,
                       .kind = kind,
                       .bytes = (const uint8_t *)text,
                       .len = strlen(text)};
    struct error err;

    MUST(event_put(to, &ev, &err));
}

/* A segment that fits nowhere but at its number. */
static inline struct store_segment evidence_segment(const struct session_row *s, int64_t number,
                                                    bool final)
{
    struct store_segment g = {.session_row = s->row,
                              .number = number,
                              .text_size = 10,
                              .events = 2,
                              .last_t_us = 100 * (number + 1),
                              .sealed_us = 1000 + number,
                              .bytes_out = 7,
                              .bytes_in = 3,
                              .redactions = 1,
                              .last_seq = (uint64_t)number + 5,
                              .final = final,
                              .bytes = (const uint8_t *)"packed",
                              .len = 6};

    memset(g.head, (int)number + 1, sizeof g.head);
    chain_sha256(g.bytes, g.len, g.sha256);
    return g;
}

/* The first column of a query's first row. */
static inline int64_t evidence_number(const char *path, const char *query)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int64_t n;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

#endif
