/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/check.h"

#include "shipper/probe.h"

static void only_probes_are_passed_over(void **state)
{
    static const struct {
        const char *name;
        uint64_t size;
        bool is;
    } table[] = {
        {"packs/dt=2026-11-26/host=web-1/probe", PROBE_SIZE, true},
        {"packs/dt=2026-11-26/host=AROA1:i-0/probe", PROBE_SIZE, true},
        {"packs/dt=2026-11-26/host=web-1/probe", PROBE_SIZE + 1, false},
        {"packs/dt=2026-11-26/host=web-1/x/probe", PROBE_SIZE, false},
        {"packs/dt=2026-11-26/host=/probe", PROBE_SIZE, false},
        {"packs/dt=2026-11-26/host=web-1/probe.r1", PROBE_SIZE, false},
        {"packs/dt=2026-1-26/host=web-1/probe", PROBE_SIZE, false},
        {"batches/dt=2026-11-26/host=web-1/probe", PROBE_SIZE, false},
        {"packs/dt=2026", PROBE_SIZE, false},
        {"", PROBE_SIZE, false},
    };
    char name[512];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (probe_is(table[i].name, table[i].size) != table[i].is) {
            fail_msg("%s, %d bytes", table[i].name, (int)table[i].size);
        }
    }
    probe_name("web-1", INT64_C(1795681240000000), name, sizeof name);
    assert_string_equal(name, "packs/dt=2026-11-26/host=web-1/probe");
    assert_true(probe_is(name, PROBE_SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_probes_are_passed_over)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
