/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/check.h"

#include "common/json_doc.h"

static const char whole[] = "{\n"
                            "  \"a\": \"x\\\"y\",\n"
                            "  \"list\": [\n"
                            "    1,\n"
                            "    {}\n"
                            "  ],\n"
                            "  \"yes\": true,\n"
                            "  \"none\": null\n"
                            "}\n";

static void writes_members_elements_and_empty_levels(void **state)
{
    struct error err = {.kind = ERR_NONE};
    struct json_doc d;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    json_doc_begin(&d, &b, &err);
    json_doc_object(&d, NULL);
    json_doc_text(&d, "a", "x\"y");
    json_doc_array(&d, "list");
    json_doc_int(&d, NULL, 1);
    json_doc_object(&d, NULL);
    json_doc_close(&d);
    json_doc_close(&d);
    json_doc_bool(&d, "yes", true);
    json_doc_text(&d, "none", NULL);
    json_doc_close(&d);
    MUST(json_doc_end(&d));
    assert_string_equal(buf_text(&b, &err), whole);
    buf_clear(&b);
}

static void the_first_error_sticks(void **state)
{
    struct error err = {.kind = ERR_NONE};
    struct json_doc d;
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    json_doc_begin(&d, &b, &err);
    json_doc_object(&d, NULL);
    json_doc_text(&d, "a", "longer than there is room");
    json_doc_close(&d);
    assert_int_equal(json_doc_end(&d), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_clear(&b);
}

static void levels_are_counted(void **state)
{
    struct error err = {.kind = ERR_NONE};
    struct json_doc d;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    json_doc_begin(&d, &b, &err);
    json_doc_object(&d, NULL);
    REFUSES(json_doc_end(&d), ERR_USAGE);
    json_doc_begin(&d, &b, &err);
    json_doc_close(&d);
    assert_int_equal(json_doc_end(&d), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    json_doc_begin(&d, &b, &err);
    for (int i = 0; i <= JSON_DOC_DEPTH; i++) {
        json_doc_array(&d, NULL);
    }
    assert_int_equal(json_doc_end(&d), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_members_elements_and_empty_levels),
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(levels_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
