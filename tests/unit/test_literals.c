/* SPDX-License-Identifier: Apache-2.0 */
/* What a pattern asks the index for. */
#include "check.h"
#include "replay/search/literals.h"

static void asks_for_what_has_to_be_there(void **state)
{
    static const struct {
        const char *pattern, *query; /* NULL: everything has to be looked at */
        bool fixed;
    } rows[] = {
        {"abcd", "(\"abc\" AND \"bcd\")", false},
        {"ab", NULL, false},
        {"ab.cdef", "(\"cde\" AND \"def\")", false},
        {"abc*", NULL, false},
        {"abcd*", "(\"abc\")", false},
        {"abcd?xyz", "(\"abc\" AND \"xyz\")", false},
        {"abc+def", "(\"abc\" AND \"def\")", false},
        {"abc{0,2}def", "(\"def\")", false},
        {"abc|def", "(\"abc\") OR (\"def\")", false},
        {"abc|x", NULL, false},
        {"(abc|x)def", "(\"def\")", false},
        {"[abc]def[)]ghi", "(\"def\" AND \"ghi\")", false},
        {"a\\.bc\\*d", "(\"a.b\" AND \".bc\" AND \"bc*\" AND \"c*d\")", false},
        {"\\babc\\b", "(\"abc\")", false},
        {"^abc$", "(\"abc\")", false},
        {"a.c*", "(\"a.c\" AND \".c*\")", true},
        {"say \"x\"", "(\"say\" AND \"ay \" AND \"y \"\"\" AND \" \"\"x\" AND \"\"\"x\"\"\")",
         false},
        {"\xc3\xa4\xc3\xb6\xc3\xbc", "(\"\xc3\xa4\xc3\xb6\xc3\xbc\")", false},
        {"\xc3\xa4\xc3\xb6\xc3\xbc?", NULL, false},
        {"", NULL, false},
        {"(((", NULL, false},
        {"abc[", "(\"abc\")", false},
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        int rc;

        buf_init(&out, 65536);
        rc = literals_query(rows[i].pattern, rows[i].fixed, &out, &err);
        assert_int_equal(rc, rows[i].query != NULL ? 1 : 0);
        if (rc == 1) {
            assert_string_equal(buf_text(&out, NULL), rows[i].query);
        }
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_what_has_to_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
