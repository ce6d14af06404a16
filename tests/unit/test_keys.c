/* SPDX-License-Identifier: Apache-2.0 */
/* The player's keys, and that a terminal's answers are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "replay/keys.h"

/* The wishes of a run of bytes, as letters: p s k f l n z q. */
static void wishes(const char *bytes, char *ret)
{
    static const char letters[] = ".pskflnzq";
    struct keys k;

    memset(&k, 0, sizeof k);
    for (const char *p = bytes; *p != '\0'; p++) {
        enum key key = keys_byte(&k, (uint8_t)*p);

        if (key != KEY_NONE) {
            *ret++ = letters[key];
        }
    }
    *ret = '\0';
}

static void means_what_players_mean(void **state)
{
    static const struct {
        const char *bytes, *want;
    } cases[] = {
        {" ", "p"},
        {".", "s"},
        {"\r\n", "kk"},
        {"+}>", "fff"},
        {"-{<", "lll"},
        {"\x7f\b", "nn"},
        {"qQ\x03", "qqq"},
        {"\x1a", "z"},
        {"abc", ""},
        {"\x1b[A\x1b[B q", "pq"}, /* arrows */
        {"\x1b[?62;1;2cq", "q"},  /* an answer to DA */
        {"\x1bOPq", "q"},         /* F1 */
        {"\x1b[\x03", "q"},       /* ^C in the middle of one */
        {"\x1bq", "q"},           /* Escape, q */
        {"\x1b\x1b[A ", "p"},
    };
    char got[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wishes(cases[i].bytes, got);
        assert_string_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(means_what_players_mean)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
