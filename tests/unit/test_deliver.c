/* SPDX-License-Identifier: Apache-2.0 */
/* One object against a depot that answers what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shipper/batch.h"
#include "shipper/deliver.h"
#include "tests/unit/tempdir.h"

/* 'c' confirmed, 'e' exists, 'r' an error worth a retry, 'd' denied. */
struct scripted {
    struct depot head;
    const char *answers;
    char asked[1024]; /* names, each with a blank behind it */
};

static int scripted_put(struct depot *d, const struct depot_put *put, enum depot_put_result *ret,
                        struct error *err)
{
    struct scripted *s = (struct scripted *)d;
    size_t n = strlen(s->asked);
    char answer = *s->answers;

    s->answers += answer != '\0';
    (void)snprintf(s->asked + n, sizeof s->asked - n, "%s ", put->name);
    switch (answer) {
    case 'c':
        *ret = DEPOT_PUT_CONFIRMED;
        return 0;
    case 'e':
        *ret = DEPOT_PUT_EXISTS;
        return 0;
    case 'r':
        return err_set(err, ERR_RETRY, "503");
    default:
        return err_set(err, ERR_DENIED, "403");
    }
}

static const struct depot_type scripted_type = {.scheme = "test", .put = scripted_put};
static char dir[256];
static int serial;

static void count_note(void *user, const char *text)
{
    assert_non_null(strstr(text, "ALARM"));
    ++*(int *)user;
}

static void test_answers(void **state)
{
    static const struct {
        const char *answers, *asked;
        int rc, alarms;
    } cases[] = {
        {"c", "x ", 0, 0},
        {"rc", "x x ", 0, 0},
        {"rec", "x x x.r1 ", 0, 0}, /* ours, most likely: stored, its answer lost */
        {"ec", "x x.r1 ", 0, 1},    /* taken before our first attempt */
        {"reec", "x x x.r1 x.r2 ", 0, 1},
        {"rerec", "x x x.r1 x.r1 x.r2 ", 0, 0},
        {"d", "x ", -1, 0},
        {"rd", "x x ", -1, 0},
    };
    uint8_t sha[32] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scripted s = {.head = {&scripted_type}, .answers = cases[i].answers};
        struct depot_put put = {.name = "x", .bytes = "b", .len = 1, .sha256 = sha};
        struct deliver d = {.store = &s.head, .where = "test", .note = count_note};
        struct error err;
        char path[512];
        int alarms = 0;

        (void)snprintf(path, sizeof path, "%s/%d.db", dir, serial++);
        assert_int_equal(state_open(&d.state, path, &err), 0);
        d.user = &alarms;
        assert_int_equal(deliver_object(&d, &put, &err), cases[i].rc);
        assert_string_equal(s.asked, cases[i].asked);
        assert_int_equal(alarms, cases[i].alarms);
        if (cases[i].rc == 0) { /* what was confirmed is not sent again */
            assert_int_equal(deliver_object(&d, &put, &err), 0);
            assert_string_equal(s.asked, cases[i].asked);
        }
        state_close(d.state);
    }
}

static void test_waits_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(deliver_wait_ms(1, 0), 0);
    for (unsigned n = 1; n < 40; n++) {
        unsigned most = deliver_wait_ms(n, UINT32_MAX);

        assert_true(most <= 5000 && most >= (n < 6 ? (100U << n) - 1 : 4999));
    }
}

static void test_heartbeats_are_due(void **state)
{
    const int64_t hour = INT64_C(3600000000);

    (void)state;
    assert_false(batch_heartbeat_due(0, 10 * hour, 1));
    assert_false(batch_heartbeat_due(hour, 2 * hour - 1, 1));
    assert_true(batch_heartbeat_due(hour, 2 * hour, 1));
    assert_false(batch_heartbeat_due(hour, 2 * hour, 2));
    assert_false(batch_heartbeat_due(hour, 9 * hour, 0));
}

static int setup(void **state)
{
    (void)state;
    return tempdir_make(dir, sizeof dir) != 0;
}

static int drop(void **state)
{
    (void)state;
    return tempdir_drop(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_waits_are_bounded),
        cmocka_unit_test(test_heartbeats_are_due),
    };

    return cmocka_run_group_tests(tests, setup, drop);
}
