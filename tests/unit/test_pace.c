/* SPDX-License-Identifier: Apache-2.0 */
/* The player's clock: waits, their limit, speeds, pauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replay/pace.h"

#define S UINT64_C(1000000)

static void assert_near(uint64_t got, uint64_t want)
{
    assert_in_range(got, want > 2 ? want - 2 : 0, want + 2);
}

static void waits_as_long_as_it_took(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 1, 0, 100 * S);
    pace_wait_for(&p, 3 * S);
    assert_near(pace_left(&p, 100 * S), 3 * S);
    assert_near(pace_left(&p, 102 * S), 1 * S);
    assert_int_equal(pace_left(&p, 103 * S), 0);
    pace_shown(&p, 103 * S + 7);
    pace_wait_for(&p, 4 * S); /* from the absolute time, not from when it was shown */
    assert_near(pace_left(&p, 103 * S + 7), S - 7);
}

static void cuts_long_waits(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 1, 2 * S, 0);
    pace_wait_for(&p, 3600 * S);
    assert_near(pace_left(&p, 0), 2 * S);
    pace_shown(&p, 2 * S);
    pace_wait_for(&p, 3601 * S);
    assert_near(pace_left(&p, 2 * S), S);
}

static void obeys_the_speed_also_in_the_middle(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 4, 0, 0);
    pace_wait_for(&p, 8 * S);
    assert_near(pace_left(&p, 0), 2 * S);
    pace_set_speed(&p, 1, 1 * S); /* half way: four seconds of the recording are left */
    assert_near(pace_left(&p, 1 * S), 4 * S);
    pace_set_speed(&p, 0, 1 * S);
    assert_true(p.speed == PACE_MIN_SPEED);
    pace_set_speed(&p, 1e300, 1 * S);
    assert_true(p.speed == PACE_MAX_SPEED);
    assert_true(pace_left(&p, 1 * S) <= 100);
}

static void stands_still_while_paused(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 1, 0, 0);
    pace_wait_for(&p, 5 * S);
    pace_pause(&p, true, 2 * S);
    assert_int_equal(pace_left(&p, 1000 * S), UINT64_MAX);
    pace_pause(&p, false, 1000 * S);
    assert_near(pace_left(&p, 1000 * S), 3 * S);
}

static void goes_on_from_a_step(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 1, 0, 0);
    pace_wait_for(&p, 5 * S);
    pace_pause(&p, true, 1 * S);
    pace_shown(&p, 2 * S); /* stepped */
    pace_wait_for(&p, 6 * S);
    pace_pause(&p, false, 50 * S);
    assert_near(pace_left(&p, 50 * S), 1 * S);
}

static void takes_times_that_step_back_for_now(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, 1, 0, 0);
    pace_wait_for(&p, 5 * S);
    pace_shown(&p, 5 * S);
    pace_wait_for(&p, 1 * S);
    assert_int_equal(pace_left(&p, 5 * S), 0);
    pace_shown(&p, 5 * S);
    pace_wait_for(&p, 6 * S);
    assert_near(pace_left(&p, 5 * S), S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_as_long_as_it_took),
        cmocka_unit_test(cuts_long_waits),
        cmocka_unit_test(obeys_the_speed_also_in_the_middle),
        cmocka_unit_test(stands_still_while_paused),
        cmocka_unit_test(goes_on_from_a_step),
        cmocka_unit_test(takes_times_that_step_back_for_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
