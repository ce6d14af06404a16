/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing leaves the gate before its event is acknowledged, and all of it leaves in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/gate.h"

static void put(struct gate *g, const char *text, uint64_t seq)
{
    size_t len = strlen(text);

    while (len > 0) {
        uint8_t *to;
        size_t n = gate_space(g, &to);

        n = n < len ? n : len;
        assert_true(n > 0);
        memcpy(to, text, n);
        gate_filled(g, n, seq);
        text += n;
        len -= n;
    }
}

static void expect(struct gate *g, const char *text)
{
    const uint8_t *p;
    size_t n = gate_next(g, &p);

    assert_int_equal(n, strlen(text));
    assert_memory_equal(p, text, n);
    gate_shown(g, n);
}

static void test_waits_for_the_acknowledgement(void **state)
{
    struct gate g;
    struct error err;

    (void)state;
    assert_int_equal(gate_init(&g, &err), 0);
    put(&g, "one", 1);
    put(&g, "two", 3);
    expect(&g, "");
    gate_ack(&g, 1);
    expect(&g, "one");
    gate_ack(&g, 2);
    expect(&g, "");
    gate_ack(&g, 3);
    expect(&g, "two");
    assert_int_equal(gate_waiting(&g), 0);
    gate_clear(&g);
}

static void test_unrecorded_bytes_never_overtake(void **state)
{
    struct gate g;
    struct error err;

    (void)state;
    assert_int_equal(gate_init(&g, &err), 0);
    put(&g, "free", 0);
    expect(&g, "free");
    put(&g, "held", 5);
    put(&g, "after", 0);
    expect(&g, "");
    gate_ack(&g, 5);
    expect(&g, "heldafter");
    gate_clear(&g);
}

/* More events than marks: some wait longer, none is lost, and the ring goes round. */
static void test_many_small_events(void **state)
{
    struct gate g;
    struct error err;
    uint64_t seq = 0, shown = 0, put_bytes = 0;

    (void)state;
    assert_int_equal(gate_init(&g, &err), 0);
    for (int round = 0; round < 400; round++) {
        for (int i = 0; i < 1200; i++) {
            put(&g, "x", ++seq);
            put_bytes++;
        }
        gate_ack(&g, seq - 600);
        for (;;) {
            const uint8_t *p;
            size_t n = gate_next(&g, &p);

            if (n == 0) {
                break;
            }
            gate_shown(&g, n);
            shown += n;
        }
        /* Marks that were merged carry a later number: shown may lag, never lead. */
        assert_true(shown <= seq - 600);
        gate_ack(&g, seq);
        for (;;) {
            const uint8_t *p;
            size_t n = gate_next(&g, &p);

            if (n == 0) {
                break;
            }
            gate_shown(&g, n);
            shown += n;
        }
        assert_int_equal(shown, put_bytes);
    }
    gate_clear(&g);
}

static void test_says_when_to_stop_reading(void **state)
{
    struct gate g;
    struct error err;
    uint8_t *to;

    (void)state;
    assert_int_equal(gate_init(&g, &err), 0);
    assert_true(gate_space(&g, &to) >= GATE_LIMIT);
    memset(to, 'a', GATE_LIMIT);
    gate_filled(&g, GATE_LIMIT - 1, 1);
    assert_false(gate_full(&g));
    gate_filled(&g, 1, 2);
    assert_true(gate_full(&g));
    /* And what is drained at the end still fits. */
    assert_true(gate_space(&g, &to) >= 65536);
    gate_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_the_acknowledgement),
        cmocka_unit_test(test_unrecorded_bytes_never_overtake),
        cmocka_unit_test(test_many_small_events),
        cmocka_unit_test(test_says_when_to_stop_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
