/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people write them, around a moment that is given. */
#include "check.h"
#include "replay/dates.h"

#include <stdlib.h>
#include <time.h>

/* Friday, 2026-11-27T12:00:00Z */
#define NOW_US (INT64_C(1795780800) * 1000000)
#define S      INT64_C(1000000)
#define DAY    (86400 * S)
#define TODAY  (NOW_US - 12 * 3600 * S)

static void names_times(void **state)
{
    static const struct {
        const char *text;
        int64_t from, to;
    } rows[] = {
        {"now", NOW_US, NOW_US},
        {"today", TODAY, TODAY + DAY - 1},
        {"Yesterday", TODAY - DAY, TODAY - 1},
        {"tomorrow", TODAY + DAY, TODAY + 2 * DAY - 1},
        {"monday", TODAY - 4 * DAY, TODAY - 3 * DAY - 1},
        {"Mon", TODAY - 4 * DAY, TODAY - 3 * DAY - 1},
        {"friday", TODAY, TODAY + DAY - 1},
        {"last friday", TODAY - 7 * DAY, TODAY - 6 * DAY - 1},
        {"2 hours ago", NOW_US - 7200 * S, NOW_US - 7200 * S},
        {"an hour ago", NOW_US - 3600 * S, NOW_US - 3600 * S},
        {"last week", NOW_US - 7 * DAY, NOW_US - 7 * DAY},
        {"90m", NOW_US - 5400 * S, NOW_US - 5400 * S},
        {"-2d", NOW_US - 2 * DAY, NOW_US - 2 * DAY},
        {"10:30", TODAY + 37800 * S, TODAY + 37860 * S - 1},
        {"yesterday 22:15:09", TODAY - DAY + 80109 * S, TODAY - DAY + 80110 * S - 1},
        {"last monday 8:05", TODAY - 4 * DAY + 29100 * S, TODAY - 4 * DAY + 29160 * S - 1},
        {"2026-11-22", TODAY - 5 * DAY, TODAY - 4 * DAY - 1},
        {"1795780800", NOW_US, NOW_US + S - 1},
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t from = 0, to = 0;

        MUST(dates_span(rows[i].text, NOW_US, &from, &to, &err));
        if (from != rows[i].from || to != rows[i].to) {
            fail_msg("%s: %lld to %lld", rows[i].text, (long long)from, (long long)to);
        }
    }
}

static void refuses_what_is_none(void **state)
{
    static const char *const bad[] = {
        "",  "soon",       "25:00",    "10:61",       "2 hours",      "7",     "last",       "ago",
        "h", "2026-13-01", "monday x", "1 2 3 4 5 6", "99999999999d", "10:3x", "today today"};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t from, to;

        if (dates_span(bad[i], NOW_US, &from, &to, &err) == 0) {
            fail_msg("'%s' was taken", bad[i]);
        }
        assert_int_equal(err.kind, ERR_USAGE);
    }
}

static void reads_lengths(void **state)
{
    struct error err;
    int64_t us;

    (void)state;
    MUST(dates_length("90", &us, &err));
    assert_int_equal(us, 90 * S);
    MUST(dates_length("10m", &us, &err));
    assert_int_equal(us, 600 * S);
    MUST(dates_length("2 hours", &us, &err));
    assert_int_equal(us, 7200 * S);
    assert_int_equal(dates_length("-1h", &us, &err), -1);
    assert_int_equal(dates_length("later", &us, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_times),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(reads_lengths),
    };

    (void)setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
