/* SPDX-License-Identifier: Apache-2.0 */
/* Records out of streams, in pieces of every size; words in texts. */
#include "tests/unit/check.h"

#include "tests/unit/split_slow.h"
#include "trail/needles.h"
#include "trail/split.h"

struct told {
    char text[4096];
    size_t len;
};

static void slow_tell(void *user, const char *text, size_t len)
{
    struct told *t = user;

    assert_true(t->len + len + 1 < sizeof t->text);
    memcpy(t->text + t->len, text, len);
    t->len += len;
    t->text[t->len++] = '\n';
    t->text[t->len] = '\0';
}

static int tell(void *user, const char *text, size_t len)
{
    slow_tell(user, text, len);
    return 0;
}

static int split(const char *text, size_t piece, const struct needles *wanted, struct told *t)
{
    size_t len = strlen(text);
    struct error err = {.kind = ERR_NONE};
    struct split s;
    int rc = 0;

    memset(t, 0, sizeof *t);
    split_begin(&s, wanted, tell, t);
    for (size_t at = 0; rc == 0 && at < len; at += piece) {
        rc = split_feed(&s, text + at, len - at < piece ? len - at : piece, &err);
    }
    rc = split_end(&s, rc == 0 ? &err : NULL) != 0 ? -1 : rc;
    assert_int_equal(rc == 0 ? ERR_NONE : ERR_CORRUPT, err.kind);
    return rc;
}

static const struct {
    const char *text, *want;
} good[] = {
    {"{\"Records\":[]}", ""},
    {"{\"Records\":[{\"a\":1},{\"b\":[1,{}]}]}", "{\"a\":1}\n{\"b\":[1,{}]}\n"},
    {"{\"x\":{\"Records\":[1]},\n \"Records\" : [ {\"a\":\"}\\\"]{\"} , {} ],\"y\":[{}]}\n",
     "{\"a\":\"}\\\"]{\"}\n{}\n"},
    {"{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n"},
    {"[{\"a\":1},{\"b\":2}]", "{\"a\":1}\n{\"b\":2}\n"},
    {"{\"a\":\"\\\\\"}", "{\"a\":\"\\\\\"}\n"},
    {"{\"a\":\"Records\",\"b\":[1]}", "{\"a\":\"Records\",\"b\":[1]}\n"},
    {"{\"Records\":[{\"a\":1}]}{\"Records\":[{\"b\":1}]}", "{\"a\":1}\n{\"b\":1}\n"},
    {"{\"Records\":{\"a\":[{}]}}", "{\"Records\":{\"a\":[{}]}}\n"},
    {"\xef\xbb\xbf {\"Records\":[1,\"x\",null,{\"a\":1}]}", "{\"a\":1}\n"},
    {"{\"Records\":[{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaa\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\\\\\\\\\\\"}{\"},{\"c\":1}]}",
     "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaa\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\\\\\\\\\\\"}{\"}\n{\"c\":1}\n"},
};

static void records_come_out_of_pieces_of_every_size(void **state)
{
    static struct told t;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        for (size_t piece = 1; piece <= strlen(good[i].text) + 1; piece++) {
            assert_int_equal(split(good[i].text, piece, NULL, &t), 0);
            assert_string_equal(t.text, good[i].want);
        }
    }
}

static void the_slow_one_says_the_same(void **state)
{
    static struct told t;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct slow s = {
            .text = good[i].text, .len = strlen(good[i].text), .cb = slow_tell, .user = &t};

        memset(&t, 0, sizeof t);
        assert_true(slow_split(&s));
        assert_string_equal(t.text, good[i].want);
    }
}

static void what_is_none_is_told(void **state)
{
    static const char *const bad[] = {"",           "   ",
                                      "x",          "<Error/>",
                                      "{",          "{\"Records\":[",
                                      "{}}",        "]",
                                      "{\"a\":\"}", "{\"Records\":[{\"a\":1},{\"b\"",
                                      "\x1f\x8b"};
    static struct told t;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t piece = 1; piece < 5; piece++) {
            assert_int_equal(split(bad[i], piece, NULL, &t), -1);
        }
    }
    (void)split("{\"Records\":[{\"a\":1},{\"b\"", 3, NULL, &t);
    assert_string_equal(t.text, "{\"a\":1}\n"); /* what was whole came out */
}

static void only_what_is_wanted(void **state)
{
    static const char *const words[] = {"\"StartSession\"", "\"10.0.0.9\"", "i-0123"};
    static const char text[] =
        "{\"Records\":[{\"n\":\"StartSession\"},{\"n\":\"StartSessions\"},"
        "{\"ip\":\"10.0.0.91\"},{\"ip\":\"10.0.0.9\"},{\"t\":\"xi-0123x\"},{}]}";
    static struct told t;
    struct needles *n = NULL;
    struct error err;

    (void)state;
    MUST(needles_make(&n, words, 3, &err));
    for (size_t piece = 1; piece < sizeof text; piece++) {
        assert_int_equal(split(text, piece, n, &t), 0);
        assert_string_equal(t.text, "{\"n\":\"StartSession\"}\n{\"ip\":\"10.0.0.9\"}\n"
                                    "{\"t\":\"xi-0123x\"}\n");
    }
    needles_free(n);
}

static int count(void *user, const char *text, size_t len)
{
    (void)text;
    (void)len;
    ++*(unsigned *)user;
    return 0;
}

static void an_endless_record_is_left_out(void **state)
{
    static char piece[65536];
    struct error err;
    struct split s;
    unsigned n = 0;

    (void)state;
    memset(piece, 'x', sizeof piece);
    split_begin(&s, NULL, count, &n);
    MUST(split_feed(&s, "{\"Records\":[{\"a\":\"", 18, &err));
    for (int i = 0; i < 100; i++) {
        MUST(split_feed(&s, piece, sizeof piece, &err));
        assert_true(s.kept.len <= SPLIT_MAX);
    }
    MUST(split_feed(&s, "\"},{\"b\":1}]}", 12, &err));
    MUST(split_end(&s, &err));
    assert_int_equal(n, 1);
    assert_int_equal(s.too_long, 1);
    assert_int_equal(s.records, 2);
}

static void words_are_found_wherever_they_stand(void **state)
{
    static const char *const words[] = {"abcd", "bcdefg", "zzzzz", "abcdx", "quite a long one"};
    uint64_t random = 7;
    struct needles *n = NULL, *none = NULL;
    struct error err;

    (void)state;
    MUST(needles_make(&n, words, 5, &err));
    MUST(needles_make(&none, NULL, 0, &err));
    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t len = check_random(&random) % sizeof text;
        bool want = false;

        for (size_t i = 0; i < len; i++) {
            text[i] = "abcdefgzx"[check_random(&random) % 9];
        }
        if (len >= 4 && round % 3 == 0) {
            memcpy(text + check_random(&random) % (len - 3), "abcd", 4);
        }
        for (size_t w = 0; w < 5; w++) {
            want = want || memmem(text, len, words[w], strlen(words[w])) != NULL;
        }
        assert_int_equal(needles_any(n, text, len), want);
        assert_false(needles_any(none, text, len));
    }
    needles_free(n);
    needles_free(none);
    n = NULL;
    REFUSES(needles_make(&n, (const char *const[]){"abc"}, 1, &err), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_of_pieces_of_every_size),
        cmocka_unit_test(the_slow_one_says_the_same),
        cmocka_unit_test(what_is_none_is_told),
        cmocka_unit_test(only_what_is_wanted),
        cmocka_unit_test(an_endless_record_is_left_out),
        cmocka_unit_test(words_are_found_wherever_they_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
