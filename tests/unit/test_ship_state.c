/* SPDX-License-Identifier: Apache-2.0 */
/* ship.db: a segment in one batch, sequence and head with it, attempts before what they try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "shipper/state.h"
#include "shipper/state_many.h"
#include "tests/unit/tempdir.h"

static char dir[256], path[512];
static int serial;

static int setup_dir(void **state)
{
    (void)state;
    return tempdir_make(dir, sizeof dir) != 0;
}

static struct state *fresh(void)
{
    struct state *s = NULL;
    struct error err;
    uint8_t epoch[CHAIN_ID] = {1};

    (void)snprintf(path, sizeof path, "%s/%d.db", dir, serial++);
    assert_int_equal(state_open(&s, path, &err), 0);
    assert_int_equal(state_begin_epoch(s, "host", epoch, &err), 0);
    return s;
}

/* A batch with segments first..last of one session. */
static int freeze(struct state *s, int64_t seq, uint8_t session, int64_t first, int64_t last)
{
    struct manifest m = {.seq = seq, .created_us = 1000 + seq, .pack_size = 10, .epoch = {1}};
    int64_t rows[16];
    struct buf line;
    struct error err;
    int rc;

    (void)snprintf(m.kind, sizeof m.kind, "batch");
    (void)snprintf(m.host, sizeof m.host, "host");
    m.head[0] = (uint8_t)seq;
    m.n_segments = (size_t)(last - first + 1);
    m.segments = calloc(m.n_segments, sizeof *m.segments);
    assert_non_null(m.segments);
    for (size_t i = 0; i < m.n_segments; i++) {
        m.segments[i].session[0] = session;
        m.segments[i].number = first + (int64_t)i;
        m.segments[i].offset = (int64_t)i;
        m.segments[i].length = 1;
        rows[i] = 77;
    }
    buf_init(&line, 100);
    assert_int_equal(buf_printf(&line, &err, "line %d", (int)seq), 0);
    rc = state_freeze(s, &m, rows, &line, &err);
    buf_clear(&line);
    manifest_clear(&m);
    return rc;
}

static void test_freezing_moves_seq_and_head_or_nothing(void **state)
{
    struct state *s = fresh();
    struct state_identity i;
    struct error err;

    (void)state;
    assert_int_equal(freeze(s, 1, 9, 0, 3), 0);
    assert_int_equal(freeze(s, 2, 9, 3, 4), -1); /* segment 3 has its batch */
    assert_int_equal(state_identity(s, &i, &err), 0);
    assert_int_equal(i.seq, 1);
    assert_int_equal(i.head[0], 1);
    assert_int_equal(i.last_us, 1001);
    assert_int_equal(freeze(s, 2, 9, 4, 4), 0);
    assert_int_equal(freeze(s, 2, 9, 5, 5), -1); /* number 2 is taken */
    assert_int_equal(state_identity(s, &i, &err), 0);
    assert_int_equal(i.seq, 2);
    state_close(s);
}

static void test_remembers_batches_over_a_restart(void **state)
{
    struct state *s = fresh();
    uint8_t session[CHAIN_ID] = {9}, epoch[CHAIN_ID];
    struct state_batch b;
    struct error err;
    int64_t n = -1;

    (void)state;
    assert_int_equal(freeze(s, 1, 9, 0, 1), 0);
    assert_int_equal(freeze(s, 2, 9, 2, 2), 0);
    state_close(s);
    assert_int_equal(state_open(&s, path, &err), 0);
    assert_int_equal(state_unfinished(s, 0, &b, &err), 1);
    assert_int_equal(b.seq, 1);
    assert_int_equal(b.line.len, 6);
    assert_memory_equal(buf_data(&b.line), "line 1", 6);
    assert_int_equal(state_stored(s, session, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(state_done(s, b.id, &err), 0);
    assert_int_equal(state_stored(s, session, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(state_told(s, b.id, &err), 0);
    state_batch_clear(&b);
    assert_int_equal(state_next(s, session, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_int_equal(state_find(s, session, 2, epoch, &n, &err), 1);
    assert_int_equal(n, 2);
    assert_int_equal(state_find(s, session, 3, epoch, &n, &err), 0);
    assert_int_equal(state_unfinished(s, 0, &b, &err), 1);
    assert_int_equal(b.seq, 2);
    assert_int_equal(state_unfinished(s, b.id, &b, &err), 0);
    state_batch_clear(&b);
    state_close(s);
}

static void test_a_later_batch_does_not_hide_an_earlier_one(void **state)
{
    struct state *s = fresh();
    uint8_t session[CHAIN_ID] = {9};
    struct state_batch b;
    struct error err;
    int64_t n = -1;

    (void)state;
    assert_int_equal(freeze(s, 1, 9, 0, 1), 0);
    assert_int_equal(freeze(s, 2, 9, 2, 2), 0);
    assert_int_equal(state_unfinished(s, 1, &b, &err), 1);
    assert_int_equal(state_done(s, b.id, &err), 0);
    state_batch_clear(&b);
    assert_int_equal(state_stored(s, session, &n, &err), 0);
    assert_int_equal(n, 0);
    state_close(s);
}

static void test_one_process_at_a_time(void **state)
{
    struct state *s = fresh(), *second = NULL;
    struct error err;

    (void)state;
    assert_int_equal(state_open(&second, path, &err), -1);
    assert_int_equal(err.kind, ERR_RETRY);
    assert_non_null(strstr(err.text, "another ship"));
    state_close(s);
    assert_int_equal(state_open(&second, path, &err), 0);
    state_close(second);
}

static void test_attempts_choose_the_next_name(void **state)
{
    struct state *s = fresh();
    struct state_attempts a;
    struct error err;
    int64_t id = 0;

    (void)state;
    assert_int_equal(state_attempts(s, "there", "x", &a, &err), 0);
    assert_true(!a.confirmed && a.next_suffix == 0 && a.tries_of_next == 0);
    assert_int_equal(state_attempt(s, "there", "x", 0, 5, &id, &err), 0); /* killed now */
    assert_int_equal(state_attempts(s, "there", "x", &a, &err), 0);
    assert_true(!a.confirmed && a.next_suffix == 0 && a.tries_of_next == 1);
    assert_int_equal(state_attempt_result(s, id, "exists", &err), 0);
    assert_int_equal(state_attempts(s, "there", "x", &a, &err), 0);
    assert_true(!a.confirmed && a.next_suffix == 1 && a.tries_of_next == 0);
    assert_int_equal(state_attempt(s, "there", "x", 1, 6, &id, &err), 0);
    assert_int_equal(state_attempt_result(s, id, "confirmed", &err), 0);
    assert_int_equal(state_attempts(s, "there", "x", &a, &err), 0);
    assert_true(a.confirmed);
    assert_int_equal(state_attempts(s, "elsewhere", "x", &a, &err), 0);
    assert_false(a.confirmed);
    state_close(s);
}

static void test_everything_goes_to_one_place(void **state)
{
    struct state *s = fresh();
    static const uint8_t epoch[CHAIN_ID] = {1};
    struct state_identity i;
    struct error err;
    int64_t n = -1;

    (void)state;
    /* New: any place is right, also when a first attempt failed elsewhere. */
    assert_int_equal(state_place_check(s, "file:///a", &err), 0);
    assert_int_equal(state_begin_epoch(s, "h", epoch, &err), 0);
    assert_int_equal(state_place_check(s, "file:///b", &err), 0);
    assert_int_equal(state_place_set(s, "file:///a", &err), 0);
    assert_int_equal(state_stored_segments(s, &n, &err), 0);
    assert_int_equal(n, 0);
    state_close(s);
    assert_int_equal(state_open(&s, path, &err), 0);
    assert_int_equal(state_place_check(s, "file:///a", &err), 0);
    assert_int_equal(state_place_check(s, "file:///b", &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "file:///a"));
    assert_non_null(strstr(err.text, "file:///b"));
    assert_non_null(strstr(err.text, path));
    /* A new epoch goes to the same place. */
    assert_int_equal(state_begin_epoch(s, "h2", epoch, &err), 0);
    assert_int_equal(state_place_check(s, "file:///b", &err), -1);
    assert_int_equal(state_identity(s, &i, &err), 0);
    assert_string_equal(i.host, "h2");
    state_close(s);
}

static int drop(void **state)
{
    (void)state;
    return tempdir_drop(dir);
}

/* Set since it was measured: so much is the store's clock from ours now. */
static void test_skew_follows_a_clock_that_is_set(void **state)
{
    const int64_t hour = INT64_C(3600000000), now = clock_unix_us();
    struct state *s = fresh();
    struct error err;
    int64_t skew = 1;
    bool known = true;

    (void)state;
    assert_int_equal(state_many_open(s, &err), 0);
    assert_int_equal(state_skew(s, now, &known, &skew, &err), 0);
    assert_false(known);
    assert_int_equal(state_skew_set(s, hour, now, &err), 0);
    assert_int_equal(state_skew(s, clock_unix_us(), &known, &skew, &err), 0);
    assert_true(known && skew > hour - 30000000 && skew < hour + 30000000);
    assert_int_equal(state_skew(s, clock_unix_us() + hour, &known, &skew, &err), 0);
    assert_true(known && skew > -30000000 && skew < 30000000);
    state_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freezing_moves_seq_and_head_or_nothing),
        cmocka_unit_test(test_remembers_batches_over_a_restart),
        cmocka_unit_test(test_a_later_batch_does_not_hide_an_earlier_one),
        cmocka_unit_test(test_one_process_at_a_time),
        cmocka_unit_test(test_attempts_choose_the_next_name),
        cmocka_unit_test(test_everything_goes_to_one_place),
        cmocka_unit_test(test_skew_follows_a_clock_that_is_set),
    };

    return cmocka_run_group_tests(tests, setup_dir, drop);
}
