/* SPDX-License-Identifier: Apache-2.0 */
/* The WAL that is written in few calls: what was committed is there after a process that just ends,
 * what was not is gone, and the database is whole, whatever a transaction's size. */
#include "tests/unit/evidence.h"

#include <sys/wait.h>

#include "storage/db/reader.h"

#define KIB 1024U

static void put_row(struct store *s, const struct session_row *row, uint64_t seq, size_t len)
{
    uint8_t hash[CHAIN_HASH] = {0}, *bytes = malloc(len);
    struct error err;
    int64_t at;

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i * 7 + seq);
    }
    MUST(store_tail_insert(s, row->row, seq, hash, bytes, len, &at, &err));
    free(bytes);
}

static int on_row(void *user, int64_t row, uint64_t last_seq, size_t len,
                  const uint8_t hash[CHAIN_HASH])
{
    uint64_t *seq = user;

    (void)row;
    (void)len;
    (void)hash;
    assert_int_equal(last_seq, *seq + 1);
    *seq = last_seq;
    return 0;
}

/* Opens the database anew: it must be whole, with tail rows 1 to ${rows} and that flag. */
static void expect(struct evidence *e, const struct session_row *s, uint64_t rows,
                   const char *flags)
{
    struct session_row out;
    struct reader *r = NULL;
    struct error err;
    uint64_t seq = 0;

    session_row_init(&out);
    evidence_open(e);
    MUST(store_tail_scan(e->store, s->row, on_row, &seq, &err));
    assert_int_equal(seq, rows);
    MUST(reader_open(&r, e->db, &err));
    MUST(reader_check(r, &err));
    assert_int_equal(reader_session(r, s->row, &out, &err), 1);
    assert_string_equal(out.flags, flags);
    reader_close(r);
    session_row_clear(&out);
}

/* Runs ${work} in a process that ends without closing anything. */
static void in_a_process(struct evidence *e, const struct session_row *s,
                         void (*work)(struct store *store, const struct session_row *s))
{
    pid_t child;
    int status = 0;

    evidence_close(e);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store_config config = {.path = e->db, .busy_ms = 2000};
        struct store *store = NULL;

        if (store_open(&store, &config, NULL) != 0) {
            _exit(1);
        }
        work(store, s);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void start(struct evidence *e, struct session_row *s)
{
    evidence_row(s, 1, 1, "");
    evidence_insert(e, s);
}

/* ---- sizes around what is held, and far above ---- */

static void commits_any_size(void **state)
{
    static const size_t sizes[] = {0,         1,         4000,      4096,      100 * KIB, 115 * KIB,
                                   118 * KIB, 119 * KIB, 120 * KIB, 121 * KIB, 124 * KIB, 127 * KIB,
                                   128 * KIB, 129 * KIB, 250 * KIB, 256 * KIB, 1000 * KIB};
    struct evidence *e = *state;
    struct session_row s;
    struct error err;
    uint64_t seq = 0;

    start(e, &s);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        MUST(store_begin(e->store, &err));
        put_row(e->store, &s, ++seq, sizes[i]);
        MUST(store_commit(e->store, &err));
    }
    for (size_t pages = 26; pages < 36; pages++) { /* each number of pages around the hold */
        MUST(store_begin(e->store, &err));
        put_row(e->store, &s, ++seq, pages * 4096);
        MUST(store_commit(e->store, &err));
    }
    evidence_close(e);
    expect(e, &s, seq, "");
    session_row_clear(&s);
}

static void many_small(struct store *store, const struct session_row *s)
{
    struct error err;

    for (uint64_t i = 1; i <= 200; i++) {
        MUST(store_begin(store, &err));
        put_row(store, s, i, 100 + i * 20);
        MUST(store_commit(store, &err));
    }
}

static void commits_are_there_after_a_process_that_ends(void **state)
{
    struct evidence *e = *state;
    struct session_row s;

    start(e, &s);
    in_a_process(e, &s, many_small);
    expect(e, &s, 200, "");
    session_row_clear(&s);
}

static void half(struct store *store, const struct session_row *s)
{
    struct error err;

    MUST(store_begin(store, &err));
    put_row(store, s, 1, 3000);
    MUST(store_commit(store, &err));
    MUST(store_begin(store, &err));
    put_row(store, s, 2, 300);
    put_row(store, s, 3, 9000 * KIB); /* more than the page cache: frames are in the WAL already */
}

static void what_was_not_committed_is_gone(void **state)
{
    struct evidence *e = *state;
    struct session_row s;

    start(e, &s);
    in_a_process(e, &s, half);
    expect(e, &s, 1, "");
    session_row_clear(&s);
}

/* A page that went to the WAL early is written there again at the end: SQLite then computes the
 * checksums of all later frames anew, the commit's too. */
static void rewrites(struct store *store, const struct session_row *s)
{
    struct error err;

    MUST(store_begin(store, &err));
    MUST(store_session_flags(store, s->row, "early", &err));
    put_row(store, s, 1, 9000 * KIB);
    MUST(store_session_flags(store, s->row, "late", &err));
    MUST(store_commit(store, &err));
}

static void frames_that_are_written_again_are_not_held_back(void **state)
{
    struct evidence *e = *state;
    struct session_row s;

    start(e, &s);
    in_a_process(e, &s, rewrites);
    expect(e, &s, 1, "late");
    session_row_clear(&s);
}

static void rolls_back(void **state)
{
    static const size_t sizes[] = {10, 100 * KIB, 200 * KIB, 9000 * KIB};
    struct evidence *e = *state;
    struct session_row s;
    struct error err;
    uint64_t seq = 0;

    start(e, &s);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        MUST(store_begin(e->store, &err));
        put_row(e->store, &s, 999, sizes[i]);
        store_rollback(e->store);
        MUST(store_begin(e->store, &err));
        put_row(e->store, &s, ++seq, 500);
        MUST(store_commit(e->store, &err));
    }
    evidence_close(e);
    expect(e, &s, seq, "");
    session_row_clear(&s);
}

static void goes_on_after_checkpoints(void **state)
{
    struct evidence *e = *state;
    struct session_row s;
    struct error err;
    uint64_t seq = 0;
    bool busy = true;

    start(e, &s);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 20; i++) {
            MUST(store_begin(e->store, &err));
            put_row(e->store, &s, ++seq, (size_t)i * 9000);
            MUST(store_commit(e->store, &err));
        }
        assert_true(store_wal_bytes(e->store) > 0);
        MUST(store_checkpoint(e->db, round % 2 == 0 ? -1 : 1000, &busy, &err));
        assert_false(busy);
    }
    evidence_close(e);
    expect(e, &s, seq, "");
    session_row_clear(&s);
}

/* A reader in the midst of it sees whole transactions only. */
static void readers_see_whole_commits(void **state)
{
    struct evidence *e = *state;
    struct session_row s, out;
    struct reader *r = NULL;
    struct buf frames;
    struct error err;
    bool ok;

    start(e, &s);
    session_row_init(&out);
    buf_init(&frames, 1U << 24);
    MUST(reader_open(&r, e->db, &err));
    for (uint64_t i = 1; i <= 20; i++) {
        MUST(store_begin(e->store, &err));
        put_row(e->store, &s, i, 30 * KIB);
        put_row(e->store, &s, i, 30 * KIB * (i % 5));
        buf_reset(&frames);
        assert_int_equal(reader_snapshot(r, s.row, &out, &frames, &ok, &err), 1);
        size_t before = frames.len;
        MUST(store_commit(e->store, &err));
        buf_reset(&frames);
        assert_int_equal(reader_snapshot(r, s.row, &out, &frames, &ok, &err), 1);
        assert_int_equal(frames.len - before, 30 * KIB * (1 + i % 5));
    }
    reader_close(r);
    buf_clear(&frames);
    session_row_clear(&s);
    session_row_clear(&out);
}

#define DB_TEST(f) cmocka_unit_test_setup_teardown(f, evidence_setup, evidence_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(commits_any_size),
        DB_TEST(commits_are_there_after_a_process_that_ends),
        DB_TEST(what_was_not_committed_is_gone),
        DB_TEST(frames_that_are_written_again_are_not_held_back),
        DB_TEST(rolls_back),
        DB_TEST(goes_on_after_checkpoints),
        DB_TEST(readers_see_whole_commits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
