/* SPDX-License-Identifier: Apache-2.0 */
/* Pruning: what is not shipped stays, what is pruned keeps its row, and who reads is told. */
#include "tests/unit/evidence.h"

#include <errno.h>

#include "storage/db/reader.h"

/* ${n} segments, of which ${shipped} are. */
static void session_of(struct evidence *e, struct session_row *s, uint8_t id, int64_t n,
                       int64_t shipped)
{
    struct error err;

    evidence_row(s, id, 1, "");
    evidence_insert(e, s);
    for (int64_t i = 0; i < n; i++) {
        struct store_segment g = evidence_segment(s, i, false);

        MUST(store_segment_insert(e->store, &g, &err));
    }
    MUST(store_session_shipped(e->store, s->id, shipped, &err));
}

static void expect(struct evidence *e, const struct session_row *s, int64_t below, int64_t most,
                   int64_t segments)
{
    struct error err;
    int64_t n = -1, bytes = -1;

    MUST(store_prune(e->store, s->id, below, most, &n, &bytes, &err));
    assert_int_equal(n, segments);
    assert_int_equal(bytes, 6 * segments);
}

static int64_t flagged(const struct evidence *e, const char *word)
{
    char query[128];

    (void)snprintf(query, sizeof query, "SELECT count(*) FROM session WHERE flags LIKE '%%%s%%'",
                   word);
    return evidence_number(e->db, query);
}

static void prunes_what_is_shipped_alone(void **state)
{
    struct evidence *e = *state;
    struct segment_row g;
    struct session_row s, other;
    struct reader *r = NULL;
    struct error err;
    struct buf bytes;
    int64_t n = 0;

    buf_init(&bytes, 100);
    session_of(e, &s, 1, 5, 3);
    session_of(e, &other, 2, 2, 2);
    expect(e, &s, 0, 10, 0);
    assert_int_equal(flagged(e, "pruned"), 0);
    expect(e, &s, 10, 2, 2); /* at most two, the lowest */
    expect(e, &s, 10, 10, 1);
    expect(e, &s, 10, 10, 0);
    assert_int_equal(flagged(e, "pruned"), 1);
    assert_int_equal(evidence_number(e->db, "SELECT count(*) FROM segment"), 7);
    assert_int_equal(evidence_number(e->db, "SELECT sum(size) FROM segment"), 42);
    MUST(reader_open(&r, e->db, &err));
    assert_int_equal(reader_segment(r, s.row, 2, &g, NULL, &err), 1);
    assert_true(g.pruned && g.size == 6 && g.head[0] == 3);
    assert_int_equal(reader_segment(r, s.row, 2, &g, &bytes, &err), -1);
    assert_true(err.kind == ERR_SYSTEM && err.code == ENODATA);
    assert_int_equal(bytes.len, 0);
    assert_int_equal(reader_segment(r, s.row, 3, &g, &bytes, &err), 1);
    assert_false(g.pruned);
    MUST(reader_stored_bytes(r, &n, &err));
    assert_int_equal(n, 24);
    reader_close(r);
    buf_clear(&bytes);
    session_row_clear(&s);
    session_row_clear(&other);
}

static void its_flag_outlives_the_sessions_writer(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct error err;

    session_of(e, &s, 1, 2, 1);
    MUST(store_session_flags(e->store, s.row, "stalled", &err));
    expect(e, &s, 1, 1, 1);
    MUST(store_session_flags(e->store, s.row, "stalled token", &err));
    assert_int_equal(flagged(e, "stalled token pruned"), 1);
    MUST(store_session_close(e->store, s.row, SESSION_DONE, 1, "exit 0", "", &err));
    assert_int_equal(evidence_number(e->db, "SELECT flags = 'pruned' FROM session"), 1);
    MUST(store_session_flags(e->store, s.row, "pruned", &err));
    assert_int_equal(evidence_number(e->db, "SELECT flags = 'pruned' FROM session"), 1);
    session_row_clear(&s);
}

static int count_one(void *user, const struct prunable *p)
{
    int64_t *at = user;

    assert_true(p->number < p->shipped && p->order > *at);
    *at = p->order;
    at[1]++;
    return 0;
}

static void lists_what_may_go(void **state)
{
    struct evidence *e = *state;
    struct session_row a, b, imported;
    struct reader *r = NULL;
    struct error err;
    int64_t seen[2] = {0, 0};

    session_of(e, &a, 1, 300, 299);
    session_of(e, &b, 2, 3, 0);
    session_of(e, &imported, 3, 3, 3);
    MUST(store_session_flags(e->store, imported.row, "imported", &err));
    expect(e, &imported, 3, 3, 0);
    expect(e, &a, 10, 100, 10);
    MUST(reader_open(&r, e->db, &err));
    MUST(reader_prunable(r, count_one, seen, &err));
    assert_int_equal(seen[1], 289);
    reader_close(r);
    session_row_clear(&a);
    session_row_clear(&b);
    session_row_clear(&imported);
}

/* Blobs large enough for pages of their own: all of these come back. */
static void gives_pages_back(void **state)
{
    struct evidence *e = *state;
    static uint8_t big[200000];
    struct session_row s;
    struct error err;
    int64_t n, bytes, left = -1, pages;

    evidence_row(&s, 1, 1, "");
    evidence_insert(e, &s);
    for (int64_t i = 0; i < 30; i++) {
        struct store_segment g = evidence_segment(&s, i, false);

        g.bytes = big;
        g.len = sizeof big;
        MUST(store_segment_insert(e->store, &g, &err));
    }
    MUST(store_session_shipped(e->store, s.id, 30, &err));
    pages = evidence_number(e->db, "PRAGMA page_count");
    MUST(store_prune(e->store, s.id, 30, 1000, &n, &bytes, &err));
    assert_true(bytes >= STORE_PRUNE_BYTES && bytes < STORE_PRUNE_BYTES + 200001);
    MUST(store_prune(e->store, s.id, 30, 1000, &n, &bytes, &err));
    MUST(store_give_back(e->store, 100, &left, &err));
    assert_true(left > 1000);
    while (left > 0) {
        MUST(store_give_back(e->store, 1000, &left, &err));
    }
    assert_true(evidence_number(e->db, "PRAGMA page_count") < pages / 10);
    session_row_clear(&s);
}

#define DB_TEST(f) cmocka_unit_test_setup_teardown(f, evidence_setup, evidence_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(prunes_what_is_shipped_alone),
        DB_TEST(its_flag_outlives_the_sessions_writer),
        DB_TEST(lists_what_may_go),
        DB_TEST(gives_pages_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
