/* SPDX-License-Identifier: Apache-2.0 */
/* Keys put idleness off, output only for a while, and it is said once until the next key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/idle.h"

static void test_never(void **state)
{
    struct idle i;

    (void)state;
    idle_open(&i, 0, 5);
    assert_true(idle_deadline(&i) == UINT64_MAX);
    assert_false(idle_due(&i, UINT64_MAX - 1));
}

static void test_keys_put_it_off(void **state)
{
    struct idle i;

    (void)state;
    idle_open(&i, 100, 1000);
    assert_int_equal(idle_deadline(&i), 1100);
    assert_false(idle_due(&i, 1099));
    idle_typed(&i, 1099);
    assert_false(idle_due(&i, 1198));
    assert_true(idle_due(&i, 1199));
}

static void test_is_said_once_until_the_next_key(void **state)
{
    struct idle i;

    (void)state;
    idle_open(&i, 100, 0);
    assert_true(idle_due(&i, 100));
    assert_false(idle_due(&i, 5000));
    assert_true(idle_deadline(&i) == UINT64_MAX);
    idle_shown(&i, 5000);
    assert_false(idle_due(&i, 9000));
    idle_typed(&i, 9000);
    assert_int_equal(idle_deadline(&i), 9100);
    assert_true(idle_due(&i, 9100));
}

static void test_output_counts_for_a_while(void **state)
{
    struct idle i;
    uint64_t now = 0;

    (void)state;
    idle_open(&i, 100, 0);
    for (; now < 100 * IDLE_SHOWN_TIMES; now += 10) {
        assert_false(idle_due(&i, now));
        idle_shown(&i, now);
    }
    assert_true(idle_due(&i, now));
}

static void test_enter_opens(void **state)
{
    (void)state;
    assert_true(idle_opens((const uint8_t *)"abc\rd", 5));
    assert_true(idle_opens((const uint8_t *)"\n", 1));
    assert_false(idle_opens((const uint8_t *)"abc \033[A", 7));
    assert_false(idle_opens((const uint8_t *)"", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_keys_put_it_off),
        cmocka_unit_test(test_is_said_once_until_the_next_key),
        cmocka_unit_test(test_output_counts_for_a_while),
        cmocka_unit_test(test_enter_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
