/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of output that is not all there. */
#include "tests/unit/check.h"

#include "replay/kept.h"

static void count(struct kept *k, char kind, const char *text, const char *kinds)
{
    struct timeline_event ev = {.kind = kind, .bytes = (const uint8_t *)text, .len = strlen(text)};

    kept_count(k, &ev, kinds);
}

static void marks_are_counted(void **state)
{
    static const struct {
        const char *mark, *kinds, *says; /* says NULL: nothing */
    } cases[] = {
        {"burst stdout bytes=1000 kept=20 sha256=00", "o",
         "1 burst of output was longer than is kept: 5 of 985 bytes are here"},
        {"burst stderr bytes=1000 kept=20 sha256=00", "oe",
         "1 burst of output was longer than is kept: 5 of 985 bytes are here"},
        {"burst stderr bytes=1000 kept=20 sha256=00", "o", NULL},
        {"burst stdout bytes=20 kept=1000 sha256=00", "o", NULL},
        {"burst stdout bytes=1000", "o", NULL},
        {"burst", "o", NULL},
        {"", "o", NULL},
        {"stream stdout bytes=5 sha256=00", "o", NULL},
        {"clock 1795348800000000", "o", NULL},
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kept k = {0, 0, 0, 0};
        bool says;

        count(&k, 'm', cases[i].mark, cases[i].kinds);
        count(&k, cases[i].kinds[0], "12345", cases[i].kinds);
        count(&k, 'i', "not output", cases[i].kinds);
        says = kept_text(&k, text, sizeof text);
        if (says != (cases[i].says != NULL) || (says && strcmp(text, cases[i].says) != 0)) {
            fail_msg("%s: %s", cases[i].mark, says ? text : "nothing");
        }
    }
}

static void bursts_add_up(void **state)
{
    struct kept k = {0, 0, 0, 0};
    char text[200];

    (void)state;
    count(&k, 'o', "abc", "o");
    count(&k, 'm', "burst stdout bytes=100 kept=3 sha256=00", "o");
    count(&k, 'o', "def", "o");
    count(&k, 'm', "burst stdout bytes=13 kept=3 sha256=00", "o");
    assert_true(kept_text(&k, text, sizeof text));
    assert_string_equal(text,
                        "2 bursts of output were longer than is kept: 6 of 113 bytes are here");
}

static void a_stream_that_was_only_counted_says_so(void **state)
{
    struct kept k = {0, 0, 0, 0};
    char text[200];

    (void)state;
    count(&k, 'm', "stream stdin bytes=77", "i");
    assert_true(kept_text(&k, text, sizeof text));
    assert_non_null(strstr(text, "0 of 77 bytes"));
    k.here = 1;
    assert_false(kept_text(&k, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_counted),
        cmocka_unit_test(bursts_add_up),
        cmocka_unit_test(a_stream_that_was_only_counted_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
