/* SPDX-License-Identifier: Apache-2.0 */
/* A session as the writer holds it, and the sealer's computation: what is staged becomes true with
 * the commit or not at all; every byte ends in exactly one segment, in its place, whenever it was
 * sealed. */
#include "tests/unit/seal_rig.h"

#include <poll.h>
#include <sys/eventfd.h>

static void stages_commits_and_rolls_back(void **state)
{
    struct rig g;
    struct error err;
    uint8_t before[CHAIN_HASH];

    rig_start(&g, *state, 1000000);
    put(&g, 100, 'o', "one");
    assert_int_equal(g.s->seq, 1);
    assert_int_equal(g.s->n_tails, 1);
    memcpy(before, g.s->hash, CHAIN_HASH);
    MUST(store_begin(g.e->store, &err));
    stage(&g, 200, 'o', "two");
    assert_int_equal(g.s->seq, 1); /* not true yet */
    assert_memory_equal(g.s->hash, before, CHAIN_HASH);
    store_rollback(g.e->store);
    wsession_rolled_back(g.s);
    assert_int_equal(g.s->seq, 1);
    assert_int_equal(g.s->last_t_us, 100);
    assert_int_equal(g.s->n_tails, 1);
    assert_memory_equal(g.s->hash, before, CHAIN_HASH);
    g.seq = 1; /* sent again */
    buf_reset(&g.o);
    MUST(buf_puts(&g.o, "one", &err));
    put(&g, 200, 'o', "two");
    assert_int_equal(g.s->seq, 2);
    close_session(&g, SESSION_DONE);
    seal(&g, 1000000);
    expect_all(&g);
    rig_end(&g);
}

static void stages_at_most_a_few_rows(void **state)
{
    struct rig g;
    struct error err;

    rig_start(&g, *state, 0);
    MUST(store_begin(g.e->store, &err));
    for (int i = 0; i < WSESSION_STAGED; i++) {
        stage(&g, 1, 'o', "x");
    }
    REFUSES(wsession_stage(g.s, g.e->store, (const uint8_t *)"", 0, 9, 9, &err), ERR_LIMIT);
    store_rollback(g.e->store);
    wsession_rolled_back(g.s);
    rig_end(&g);
}

static void undecided_input_waits_in_the_tail(void **state)
{
    static const size_t caches[] = {0, 1000000};
    struct told told;
    struct rig g;

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        void *mine = NULL;

        assert_int_equal(evidence_setup(&mine), 0);
        rig_start(&g, mine, caches[k]);
        put(&g, 1000, 'o', "before ");
        g.s->pending_us = 2000;
        put(&g, 3000, 'o', "after ");
        g.s->seal_asked = true;
        assert_true(wsession_wants_seal(g.s, 1000000));
        seal(&g, 1000000);
        read_back(&g, &told);
        assert_int_equal(told.row.segments, 1);
        assert_int_equal(told.o.len, 7);
        assert_memory_equal(buf_data(&told.o), "before ", 7);
        told_clear(&told);
        assert_int_equal(g.s->n_tails, 0);
        assert_true(g.s->info.carry.len > 0);
        /* Decided: it comes with the time of its keys, before what is in the tail already. */
        put(&g, 2000, 'i', "held");
        g.s->pending_us = WSESSION_NO_PENDING;
        close_session(&g, SESSION_DONE);
        seal(&g, 1000000);
        expect_all(&g);
        read_back(&g, &told);
        const char *text = buf_text(&told.text, NULL);
        assert_non_null(strstr(text, "[0.002,\"i\",\"held\"]\n[0.003,\"o\",\"after \"]\n"));
        told_clear(&told);
        rig_end(&g);
        assert_int_equal(evidence_teardown(&mine), 0);
    }
}

static void nothing_decided_makes_no_segment(void **state)
{
    struct rig g;
    struct told told;
    struct seal_job *job;

    rig_start(&g, *state, 1000);
    g.s->pending_us = 10;
    put(&g, 20, 'o', "later");
    g.s->seal_asked = true;
    job = take_job(&g, 1000);
    sealer_run(job);
    assert_true(wsession_job_empty(job));
    finish_job(&g, job);
    assert_false(wsession_wants_seal(g.s, 1000)); /* not again and again */
    read_back(&g, &told);
    assert_int_equal(told.row.segments, 0);
    told_clear(&told);
    close_session(&g, SESSION_DONE);
    assert_int_equal(g.s->pending_us, WSESSION_NO_PENDING);
    seal(&g, 1000);
    expect_all(&g);
    rig_end(&g);
}

static void a_session_without_events_ends_with_a_header(void **state)
{
    struct rig g;
    struct told told;

    rig_start(&g, *state, 0);
    close_session(&g, SESSION_DONE);
    assert_true(wsession_wants_seal(g.s, 1000));
    seal(&g, 1000);
    read_back(&g, &told);
    assert_int_equal(told.row.segments, 1);
    assert_int_equal(told.row.state, SESSION_DONE);
    assert_int_equal(told.row.ended_us, 99);
    assert_non_null(strstr(buf_text(&told.text, NULL), "\"version\":2"));
    told_clear(&told);
    assert_false(wsession_wants_seal(g.s, 1000));
    expect_all(&g);
    rig_end(&g);
}

static void a_cut_session_says_what_was_lost(void **state)
{
    static const struct {
        uint64_t pending;
        const char *mark, *flags;
    } cases[] = {
        {WSESSION_NO_PENDING, "cut", "commit-batch"},
        {1500001, "undecided input lost since 1.500001; cut", "commit-batch lost-input"},
    };

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        void *mine = NULL;
        struct told told;
        struct rig g;
        struct error err;

        assert_int_equal(evidence_setup(&mine), 0);
        rig_start(&g, mine, 0);
        MUST(wsession_add_flag(g.s, "commit-batch", &err));
        put(&g, 3000000, 'o', "x");
        g.s->pending_us = cases[k].pending;
        close_session(&g, SESSION_CUT);
        seal(&g, 1000);
        read_back(&g, &told);
        assert_int_equal(told.row.state, SESSION_CUT);
        assert_string_equal(told.row.exit, "cut");
        assert_string_equal(told.row.flags, cases[k].flags);
        assert_int_equal(told.row.ended_us, told.row.started_us + 3000000);
        assert_string_equal(buf_text(&told.m, &err), cases[k].mark);
        told_clear(&told);
        rig_end(&g);
        assert_int_equal(evidence_teardown(&mine), 0);
    }
}

/* A character is split between rows; the first row is sealed while many more arrive.  What the
 * sealer gives back must come before them, although it is stored behind them. */
static void keeps_its_place(struct evidence *e, bool restart)
{
    struct wsession *fresh = NULL;
    struct rig g;
    struct seal_job *job;
    struct error err;

    rig_start(&g, e, 0);
    put(&g, 1000, 'o', "euro \xe2");
    job = take_job(&g, 10);
    put(&g, 2000, 'o', "\x82\xac and");
    put(&g, 3000, 'o', " more of it, longer than a segment");
    put(&g, 4000, 'o', " and the rest");
    sealer_run(job);
    finish_job(&g, job);
    if (restart) {
        MUST(wsession_new(&fresh, NULL, &err));
        assert_int_equal(wsession_recover(fresh, e->store, g.s->info.id, &err), 1);
        assert_int_equal(fresh->last_t_us, 4000);
        wsession_free(g.s);
        g.s = fresh;
    }
    close_session(&g, SESSION_DONE);
    while (wsession_wants_seal(g.s, 10)) {
        seal(&g, 10);
    }
    expect_all(&g);
    rig_end(&g);
}

static void what_a_seal_gives_back_keeps_its_place(void **state)
{
    keeps_its_place(*state, false);
}

static void what_a_seal_gave_back_keeps_its_place_after_a_restart(void **state)
{
    keeps_its_place(*state, true);
}

/* The same for events at and above the watermark. */
static void undecided_events_keep_their_place(void **state)
{
    struct rig g;
    struct seal_job *job;

    rig_start(&g, *state, 0);
    g.s->pending_us = 1500;
    put(&g, 1000, 'o', "one ");
    put(&g, 2000, 'o', "two ");
    g.s->seal_asked = true;
    job = take_job(&g, 10000);
    put(&g, 3000, 'o', "three, longer than a segment ");
    put(&g, 4000, 'o', "four ");
    sealer_run(job);
    finish_job(&g, job);
    g.s->pending_us = WSESSION_NO_PENDING;
    close_session(&g, SESSION_DONE);
    while (wsession_wants_seal(g.s, 10)) {
        seal(&g, 10);
    }
    expect_all(&g);
    rig_end(&g);
}

static void comes_back_after_a_restart(void **state)
{
    static const size_t caches[] = {0, 1000000};
    struct rig g;
    struct wsession *fresh = NULL;
    struct error err;
    uint8_t nobody[16] = {0};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        void *mine = NULL;

        assert_int_equal(evidence_setup(&mine), 0);
        rig_start(&g, mine, caches[k]);
        put(&g, 1000, 'o', "sealed \xc3");
        seal(&g, 1);
        put(&g, 2000, 'o', "\xa9 tail");
        put(&g, 3000, 'o', " end");
        MUST(wsession_new(&fresh, caches[k] > 0 ? &g.cache_left : NULL, &err));
        assert_int_equal(wsession_recover(fresh, g.e->store, nobody, &err), 0);
        assert_int_equal(wsession_recover(fresh, g.e->store, g.s->info.id, &err), 1);
        assert_int_equal(fresh->seq, g.s->seq);
        assert_int_equal(fresh->last_t_us, g.s->last_t_us);
        assert_int_equal(fresh->n_tails, g.s->n_tails);
        assert_int_equal(fresh->tail_bytes, g.s->tail_bytes);
        assert_memory_equal(fresh->hash, g.s->hash, CHAIN_HASH);
        assert_memory_equal(fresh->info.head, g.s->info.head, CHAIN_HASH);
        wsession_free(g.s);
        g.s = fresh;
        put(&g, 4000, 'o', " new");
        close_session(&g, SESSION_DONE);
        seal(&g, 1000);
        expect_all(&g);
        rig_end(&g);
        assert_int_equal(evidence_teardown(&mine), 0);
    }
}

static void a_failed_commit_of_a_segment_changes_nothing(void **state)
{
    struct rig g;
    struct error err;
    struct seal_job *job;

    rig_start(&g, *state, 1000000);
    put(&g, 1000, 'o', "a\xe2\x82");
    job = take_job(&g, 1);
    put(&g, 2000, 'o', "\xac.");
    sealer_run(job);
    MUST(store_begin(g.e->store, &err));
    MUST(wsession_stage_sealed(g.s, g.e->store, job, 5, &err));
    store_rollback(g.e->store);
    wsession_rolled_back(g.s);
    assert_int_equal(g.s->info.segments, 0);
    assert_int_equal(g.s->n_tails, 2);
    finish_job(&g, job); /* and again */
    close_session(&g, SESSION_DONE);
    seal(&g, 100000);
    expect_all(&g);
    rig_end(&g);
}

/* Any bytes, any places to seal, with and without a cache. */
static void every_byte_ends_in_one_place(void **state)
{
    static const char *const pieces[] = {"\xe2",     "\x82",     "\xac",     "plain ", "\xff",
                                         "\xf0\x9f", "\x98\x80", "\xc3\xa9", "\"\\\n"};
    uint64_t random = 7;

    (void)state;
    for (int round = 0; round < 20; round++) {
        void *mine = NULL;
        struct seal_job *away = NULL;
        struct rig g;

        assert_int_equal(evidence_setup(&mine), 0);
        rig_start(&g, mine, round % 2 == 0 ? 0 : (size_t)1 << 20);
        for (uint64_t n = 1; n < 60; n++) {
            size_t bytes = 1 + check_random(&random) % 200;

            put(&g, n * 1000, check_random(&random) % 5 == 0 ? 'i' : 'o',
                pieces[check_random(&random) % (sizeof pieces / sizeof pieces[0])]);
            if (away == NULL && check_random(&random) % 3 == 0) {
                away = take_job(&g, bytes);
            } else if (away != NULL && check_random(&random) % 3 == 0) {
                sealer_run(away);
                finish_job(&g, away);
                away = NULL;
            }
        }
        if (away != NULL) {
            sealer_run(away);
            finish_job(&g, away);
        }
        close_session(&g, SESSION_DONE);
        while (wsession_wants_seal(g.s, 100)) {
            seal(&g, 100);
        }
        expect_all(&g);
        rig_end(&g);
        assert_int_equal(evidence_teardown(&mine), 0);
    }
}

static void flags_are_words(void **state)
{
    struct rig g;
    struct error err;

    rig_start(&g, *state, 0);
    MUST(wsession_add_flag(g.s, "lost-input", &err));
    MUST(wsession_add_flag(g.s, "stalled", &err));
    MUST(wsession_add_flag(g.s, "stalled", &err));
    assert_string_equal(g.s->info.flags, "lost-input stalled");
    MUST(wsession_add_flag(g.s, "lost", &err)); /* another word, though it begins like one */
    assert_string_equal(g.s->info.flags, "lost-input stalled lost");
    rig_end(&g);
}

/* ---- the thread ---- */

static void the_thread_gives_back_every_job(void **state)
{
    struct sealer *sealer = NULL;
    struct rig g;
    struct error err;
    int done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), got = 0;

    rig_start(&g, *state, 0);
    put(&g, 1, 'o', "hello");
    MUST(sealer_start(&sealer, done_fd, &err));
    for (int i = 0; i < 50; i++) {
        sealer_put(sealer, take_job(&g, 100));
        g.s->sealing = false;
    }
    while (got < 40) {
        struct pollfd p = {.fd = done_fd, .events = POLLIN};
        struct seal_job *job;
        uint64_t n;

        assert_int_equal(poll(&p, 1, 10000), 1);
        assert_int_equal(read(done_fd, &n, sizeof n), sizeof n);
        while (got < 40 && (job = sealer_take(sealer)) != NULL) {
            assert_int_equal(job->failed, 0);
            assert_int_equal(job->segment.events, 1);
            seal_job_free(job);
            got++;
        }
        /* The counter is emptied: what is left over is waited for no more. */
        if (got < 40 && n == 0) {
            fail();
        }
    }
    sealer_stop(sealer); /* frees the rest */
    sealer_stop(NULL);
    close(done_fd);
    rig_end(&g);
}

static void damaged_frames_fail_the_job(void **state)
{
    struct rig g;
    struct seal_job *job;
    struct error err;

    rig_start(&g, *state, 0);
    put(&g, 1, 'o', "hello");
    job = take_job(&g, 100);
    buf_data(&job->frames)[4] = 77;
    sealer_run(job);
    assert_int_not_equal(job->failed, 0);
    assert_int_equal(job->err.kind, ERR_CORRUPT);
    wsession_unsealed(g.s);
    seal_job_free(job);
    MUST(store_begin(g.e->store, &err));
    store_rollback(g.e->store);
    rig_end(&g);
}

#define DB_TEST(f) cmocka_unit_test_setup_teardown(f, evidence_setup, evidence_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(stages_commits_and_rolls_back),
        DB_TEST(stages_at_most_a_few_rows),
        cmocka_unit_test(undecided_input_waits_in_the_tail),
        DB_TEST(nothing_decided_makes_no_segment),
        DB_TEST(a_session_without_events_ends_with_a_header),
        cmocka_unit_test(a_cut_session_says_what_was_lost),
        DB_TEST(what_a_seal_gives_back_keeps_its_place),
        DB_TEST(what_a_seal_gave_back_keeps_its_place_after_a_restart),
        DB_TEST(undecided_events_keep_their_place),
        cmocka_unit_test(comes_back_after_a_restart),
        DB_TEST(a_failed_commit_of_a_segment_changes_nothing),
        cmocka_unit_test(every_byte_ends_in_one_place),
        DB_TEST(flags_are_words),
        DB_TEST(the_thread_gives_back_every_job),
        DB_TEST(damaged_frames_fail_the_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
