/* SPDX-License-Identifier: Apache-2.0 */
/* Rule A: what was typed while the pty was canonical without echo is never released. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/redact.h"

#define N (ICANON | ISIG)        /* canonical, no echo */
#define E (ICANON | ECHO | ISIG) /* canonical, echo */
#define R (ISIG)                 /* raw */
#define M (ICANON)               /* as mysql asks: no signals either */

/* One keyboard read, written to the pty under two readings of its modes. */
struct key {
    uint64_t t;
    const char *bytes;
    tcflag_t before, after;
};

/* What came out, in order: "i@T:bytes", "m@START-END", "p@T", "p-" joined by blanks. */
struct log {
    char text[1024];
    uint64_t pending;
};

static void say(struct log *log, const char *what)
{
    size_t len = strlen(log->text);

    (void)snprintf(log->text + len, sizeof log->text - len, "%s%s", len > 0 ? " " : "", what);
}

static void on_input(void *user, uint64_t t, const uint8_t *bytes, size_t len)
{
    char word[300], shown[200] = "";
    size_t n = 0;

    for (size_t i = 0; i < len && n + 3 < sizeof shown; i++) {
        if (bytes[i] < 32) {
            shown[n++] = '^';
            shown[n++] = (char)(bytes[i] + 64);
        } else {
            shown[n++] = (char)bytes[i];
        }
    }
    shown[n] = '\0';
    (void)snprintf(word, sizeof word, "i@%llu:%s", (unsigned long long)t, shown);
    say(user, word);
}

static void on_mark(void *user, uint64_t start, uint64_t end, const char *why)
{
    char word[100];

    assert_string_equal(why, "canonical no-echo");
    (void)snprintf(word, sizeof word, "m@%llu-%llu", (unsigned long long)start,
                   (unsigned long long)end);
    say(user, word);
}

static void on_pending(void *user, uint64_t t)
{
    struct log *log = user;
    char word[40];

    assert_true(log->pending != t);
    log->pending = t;
    (void)snprintf(word, sizeof word, "p@%llu", (unsigned long long)t);
    say(user, t == REDACT_NO_PENDING ? "p-" : word);
}

static void open_with(struct redact *r, struct log *log, bool enabled)
{
    struct redact_sink sink = {log, on_input, on_mark, on_pending};
    struct error err;

    memset(log, 0, sizeof *log);
    log->pending = REDACT_NO_PENDING;
    assert_int_equal(redact_open(r, enabled, 30, &sink, &err), 0);
}

static void type(struct redact *r, const struct key *key)
{
    uint8_t *to;
    const uint8_t *slice;
    size_t len = strlen(key->bytes), n;

    assert_true(redact_space(r, &to) >= len);
    memcpy(to, key->bytes, len);
    redact_typed(r, len, key->t);
    while ((n = redact_next(r, &slice)) > 0) {
        redact_before(r, key->before);
        redact_written(r, n, key->before, key->after);
    }
}

static void test_rule_a(void **state)
{
    static const struct {
        const char *what;
        struct key keys[8];
        const char *expect;
    } table[] = {
        {"ordinary typing", {{1, "l", R, R}, {2, "s\r", R, R}}, "i@1:l i@2:s^M"},
        {"kernel echo", {{1, "yes\r", E, E}}, "i@1:yes^M"},
        {"a password, key by key",
         {{1, "s", N, N}, {2, "e", N, N}, {3, "c", N, N}, {4, "\r", N, R}},
         "p@1 m@1-4 i@4:^M p-"},
        {"a password in one read", {{5, "secret\r", N, N}}, "p@5 m@5-5 i@5:^M p-"},
        {"only the reading before tells", {{1, "secret\r", N, E}}, "p@1 m@1-1 i@1:^M p-"},
        {"only the reading after tells", {{1, "secret\r", E, N}}, "p@1 m@1-1 i@1:^M p-"},
        {"interrupted", {{1, "sec", N, N}, {2, "\003", N, R}}, "p@1 m@1-2 i@2:^C p-"},
        {"^C is a character at mysql's prompt",
         {{1, "a\003b", M, M}, {2, "\r", M, M}},
         "p@1 m@1-2 i@2:^M p-"},
        {"^D ends it", {{1, "sec\004", N, N}}, "p@1 m@1-1 i@1:^D p-"},
        {"erase and kill keys tell lengths",
         {{1, "ab\177\025c", N, N}, {2, "\n", N, N}},
         "p@1 m@1-2 i@2:^J p-"},
        {"an empty password", {{1, "\r", N, N}}, "p@1 i@1:^M p-"},
        {"two passwords, two marks",
         {{1, "one\r", N, N}, {9, "two\r", N, N}},
         "p@1 m@1-1 i@1:^M p- p@9 m@9-9 i@9:^M p-"},
        {"the prompt went away without a line end",
         {{1, "abc", N, N}, {2, "x", R, R}},
         "p@1 m@1-2 p- i@2:x"},
        {"typing resumes after it",
         {{1, "pw\r", N, R}, {2, "id\r", R, R}},
         "p@1 m@1-1 i@1:^M p- i@2:id^M"},
        {"lines of one paste are judged apart",
         {{1, "pw\rid\r", N, N}},
         "p@1 m@1-1 i@1:^M p- p@1 m@1-1 i@1:^M p-"},
        {"an escape sequence at the prompt is part of it",
         {{1, "\033[A\033[200~pw\033[201~", N, N}, {2, "\r", N, N}},
         "p@1 m@1-2 i@2:^M p-"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct redact r;
        struct log log;

        open_with(&r, &log, true);
        for (const struct key *k = table[i].keys; k->bytes != NULL; k++) {
            type(&r, k);
        }
        if (strcmp(log.text, table[i].expect) != 0) {
            print_error("%s\n", table[i].what);
        }
        assert_string_equal(log.text, table[i].expect);
        redact_close(&r);
    }
}

static void test_switched_off(void **state)
{
    struct key key = {1, "secret\r", N, N};
    struct redact r;
    struct log log;

    (void)state;
    open_with(&r, &log, false);
    type(&r, &key);
    assert_string_equal(log.text, "i@1:secret^M");
    redact_close(&r);
}

static void test_pending_comes_before_the_write(void **state)
{
    struct redact r;
    struct log log;
    uint8_t *to;

    (void)state;
    open_with(&r, &log, true);
    assert_true(redact_space(&r, &to) > 0);
    *to = 's';
    redact_typed(&r, 1, 7);
    redact_before(&r, N);
    assert_string_equal(log.text, "p@7");
    redact_close(&r);
}

static void test_held_too_long_is_marked_once(void **state)
{
    struct key a = {1000000, "se", N, N}, b = {40000000, "cret", N, N}, c = {41000000, "\r", N, N};
    struct redact r;
    struct log log;

    (void)state;
    open_with(&r, &log, true);
    type(&r, &a);
    assert_int_equal(redact_deadline(&r), 31000000);
    redact_tick(&r, 30999999);
    assert_string_equal(log.text, "p@1000000");
    redact_tick(&r, 31000000);
    assert_true(redact_deadline(&r) == REDACT_NO_PENDING);
    type(&r, &b);
    type(&r, &c);
    assert_string_equal(log.text, "p@1000000 m@1000000-31000000 p- i@41000000:^M");
    redact_close(&r);
}

static void test_end_decides_everything(void **state)
{
    struct key a = {1, "secr", N, N};
    struct redact r;
    struct log log;
    uint8_t *to;

    (void)state;
    open_with(&r, &log, true);
    type(&r, &a);
    assert_true(redact_space(&r, &to) > 0);
    memcpy(to, "et", 2);
    redact_typed(&r, 2, 2);
    redact_end(&r, 3);
    assert_string_equal(log.text, "p@1 m@1-3 p-");
    redact_close(&r);
}

static void test_partial_writes(void **state)
{
    struct redact r;
    struct log log;
    uint8_t *to;
    const uint8_t *slice;

    (void)state;
    open_with(&r, &log, true);
    assert_true(redact_space(&r, &to) >= 6);
    memcpy(to, "secre", 5);
    redact_typed(&r, 5, 1);
    redact_before(&r, N);
    redact_written(&r, 2, N, N);
    assert_int_equal(redact_next(&r, &slice), 3);
    assert_memory_equal(slice, "cre", 3);
    redact_written(&r, 3, N, N);
    assert_string_equal(log.text, "p@1");
    redact_close(&r);
}

static void test_arena_holds_nothing_that_left_it(void **state)
{
    struct key a = {1, "topsecret", N, N}, b = {2, "public", R, R};
    struct redact r;
    struct log log;

    (void)state;
    open_with(&r, &log, true);
    type(&r, &a);
    type(&r, &b);
    for (size_t i = 0; i < ARENA_SIZE; i++) {
        assert_int_equal(r.arena.mem[i], 0);
    }
    redact_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_a),
        cmocka_unit_test(test_switched_off),
        cmocka_unit_test(test_pending_comes_before_the_write),
        cmocka_unit_test(test_held_too_long_is_marked_once),
        cmocka_unit_test(test_end_decides_everything),
        cmocka_unit_test(test_partial_writes),
        cmocka_unit_test(test_arena_holds_nothing_that_left_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
