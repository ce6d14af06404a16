/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of redaction, one by one, on conversations that a table holds. */
#include "redact_rig.h"

static void test_rule_a(void **state)
{
    static const struct conversation table[] = {
        {"a password, key by key",
         {TYPE(1, "s", N), TYPE(2, "e", N), TYPE(3, "c", N), TYPE(4, "\r", N), SHOW(5, "\r\n")},
         "\r",
         "redacted canonical no-echo 1-4",
         NULL},
        {"in one read",
         {TYPE(5, "secret\r", N), SHOW(6, "\r\n")},
         "\r",
         "redacted canonical no-echo 5-5",
         NULL},
        {"only the reading before tells",
         {{1, "secret\r", NULL, N, E, false}},
         "\r",
         "redacted canonical no-echo 1-1",
         NULL},
        {"only the reading after tells",
         {{1, "secret\r", NULL, E, N, false}},
         "\r",
         "redacted canonical no-echo 1-1",
         NULL},
        {"interrupted",
         {TYPE(1, "sec", N), {2, "\003", NULL, N, R, false}},
         "\003",
         "redacted canonical no-echo 1-2",
         NULL},
        {"^C is a character at mysql's prompt",
         {TYPE(1, "a\003b", M), TYPE(2, "\r", M)},
         "\r",
         "redacted canonical no-echo 1-2",
         NULL},
        {"^D ends it", {TYPE(1, "sec\004", N)}, "\004", "redacted canonical no-echo 1-1", NULL},
        {"erase and kill keys tell lengths",
         {TYPE(1, "ab\177\025c", N), TYPE(2, "\n", N)},
         "\n",
         "redacted canonical no-echo 1-2",
         NULL},
        {"an empty password", {TYPE(1, "\r", N)}, "\r", "", NULL},
        {"two passwords, two marks",
         {TYPE(1, "one\r", N), TYPE(900, "two\r", N)},
         "\r\r",
         "redacted canonical no-echo 1-1; redacted canonical no-echo 900-900",
         NULL},
        {"an escape sequence at the prompt is part of it",
         {TYPE(1, "\033[A\033[200~pw\033[201~", N), TYPE(2, "\r", N)},
         "\r",
         "redacted canonical no-echo 1-2",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_what_is_seen_is_released(void **state)
{
    static const struct conversation table[] = {
        {"echoed by a line editor",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "l", R), SHOW(11, "l"), TYPE(12, "s", R),
          SHOW(13, "s"), TYPE(14, "\r", R), SHOW(15, "\r\n")},
         "ls\r",
         "",
         NULL},
        {"late, far away",
         {SHOW(1, "$ "), TYPE(10, "l", R), TYPE(20, "s", R), TYPE(40, "\r", R), SHOW(190, "ls"),
          SHOW(200, "\r\nfile\r\n")},
         "ls\r",
         "",
         NULL},
        {"kernel echo, a paste of lines",
         {SHOW(1, "> "), TYPE(10, "one two\r", E), SHOW(11, "one two\r\n")},
         "one two\r",
         "",
         NULL},
        {"wide characters",
         {SHOW(1, "$ "), TYPE(10, "日本語", R), SHOW(12, "日本語"), TYPE(30, "\r", R),
          SHOW(31, "\r\n")},
         "日本語\r",
         "",
         NULL},
        {"redrawn elsewhere: the text stands on the screen",
         {SHOW(1, "$ "), TYPE(10, "query", R), SHOW(12, "\033[10;5Hquery"), TYPE(30, "\r", R),
          SHOW(31, "\r\n")},
         "query\r",
         "",
         NULL},
        {"arrow keys and single answers",
         {TYPE(10, "\033[A", R), SHOW(12, "ls"), TYPE(900, "y", R), TYPE(5000, "\r", R)},
         "\033[Ay\r",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_silent_prompts(void **state)
{
    static const struct conversation table[] = {
        {"B: the far side of ssh, a prompt nobody knows",
         {SHOW(1, "Zauberwort? "), TYPE(10, "s", R), TYPE(20, "i", R), TYPE(30, "m", R),
          TYPE(40, "s", R), TYPE(50, "\r", R), SHOW(120, "\r\n$ ")},
         "\r",
         "redacted silent 10-50",
         NULL},
        {"C: three digits at a prompt that is known",
         {SHOW(1, "PIN: "), TYPE(10, "1", R), TYPE(20, "2", R), TYPE(30, "3", R), TYPE(50, "\r", R),
          SHOW(120, "\r\n$ ")},
         "\r",
         "redacted prompt 10-50",
         NULL},
        {"C: in Korean",
         {SHOW(1, "암호: "), TYPE(10, "a1", R), TYPE(50, "\r", R), SHOW(90, "\r\n")},
         "\r",
         "redacted prompt 10-50",
         NULL},
        {"Bdead: on a full screen without feedback",
         {SHOW(1, "\033[?1049h\033[5;5HEnter it"), TYPE(10, "s", R), TYPE(20, "e", R),
          TYPE(30, "x", R), TYPE(40, "y", R), TYPE(50, "\r", R), SHOW(120, "\033[?1049l")},
         "\r",
         "redacted silent, full screen 10-50",
         NULL},
        {"K: commands of a full screen",
         {SHOW(1, "\033[?1049h\033[2J"), TYPE(10, "j", R), SHOW(12, "\033[2;1H"), TYPE(20, "j", R),
          SHOW(22, "\033[3;1H"), TYPE(30, "k", R), SHOW(32, "\033[2;1H"), TYPE(40, "q", R),
          SHOW(42, "\033[?1049l")},
         "jjkq",
         "silent keys 10-40",
         NULL},
        {"E: a line editor that echoes nothing",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "rm x", R), TYPE(50, "\r", R),
          SHOW(55, "\033[?2004l\r\n")},
         "rm x\r",
         "alert blind-command 10-50",
         NULL},
        {"interrupted: what was typed stays hidden",
         {SHOW(1, "Passphrase: "), TYPE(10, "half", R), TYPE(50, "\003", R), SHOW(90, "^C\r\n")},
         "\003",
         "redacted prompt 10-50",
         NULL},
        {"a line goes on after a decision: the rest joins it",
         {SHOW(1, "Passphrase: "), TYPE(10, "half", R), TYPE(45000, "wa", R), TYPE(45100, "y", R),
          TYPE(45200, "\r", R), SHOW(45300, "\r\n")},
         "\r",
         "redacted prompt 10-10",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_masks_do_not_tell_a_length(void **state)
{
    static const struct conversation table[] = {
        {"one asterisk a key, erased at the end",
         {SHOW(1, "Password: "), TYPE(10, "a", R), SHOW(11, "*"), TYPE(20, "b", R), SHOW(21, "*"),
          TYPE(30, "c", R), SHOW(31, "*"), TYPE(40, "\r", R),
          SHOW(41, "\b \b\b \b\b \b\r\nwelcome\r\n")},
         "\r",
         "redacted prompt 10-40",
         "Password: \r\nwelcome\r\n"},
        {"the whole line drawn anew",
         {SHOW(1, "? Key "), TYPE(10, "a", R), SHOW(11, "\033[1G\033[K? Key *"), TYPE(20, "b", R),
          SHOW(21, "\033[1G\033[K? Key **"), TYPE(30, "c", R), SHOW(31, "\033[1G\033[K? Key ***"),
          TYPE(40, "d", R), SHOW(41, "\033[1G\033[K? Key ****"), TYPE(50, "\r", R),
          SHOW(51, "\r\ndone\r\n")},
         "\r",
         "redacted masked 10-50",
         "? Key \r\ndone\r\n"},
        {"a status line in between",
         {SHOW(1, "\033[?1049h\033[3;1HPassword: "), TYPE(10, "a", R),
          SHOW(11, "\033[24;1H12:00\033[3;11H*"), TYPE(20, "b", R),
          SHOW(21, "\033[24;1H12:01\033[3;12H*"), TYPE(30, "c", R), SHOW(31, "*"),
          TYPE(40, "\r", R), SHOW(41, "\033[4;1Hok\033[?1049l")},
         "\r",
         "redacted masked 10-40",
         "\033[?1049h\033[3;1HPassword: \033[24;1H12:00\033[3;11H\033[24;1H12:01\033[3;11H"
         "\033[4;1Hok\033[?1049l"},
        {"bullets, cut in the middle of a character",
         {SHOW(1, "Password: "), TYPE(10, "a", R), SHOW(11, "\342\200"), SHOW(12, "\242"),
          TYPE(20, "b", R), SHOW(21, "\342\200\242"), TYPE(40, "\r", R), SHOW(41, "\r\n")},
         "\r",
         "redacted prompt 10-40",
         "Password: \r\n"},
        {"asterisks that are echoes stay",
         {SHOW(1, "$ "), TYPE(10, "ls *", R), SHOW(11, "ls *"), TYPE(20, "*", R), SHOW(21, "*"),
          TYPE(40, "\r", R), SHOW(41, "\r\n")},
         "ls **\r",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_typed_ahead(void **state)
{
    static const struct conversation table[] = {
        {"T: the prompt comes after the secret",
         {SHOW(1, "$ prog\r\n"), TYPE(10, "hunter2\r", E), SHOW(11, "hunter2\r\n"),
          SHOW(300, "Password: ")},
         "\r",
         "redacted typed ahead 10-10",
         "$ prog\r\n\r\nPassword: "},
        {"nobody asks: it was a line",
         {SHOW(1, "$ prog\r\n"), TYPE(10, "hunter2\r", E), SHOW(11, "hunter2\r\n"),
          SHOW(300, "working\r\n")},
         "hunter2\r",
         "",
         "$ prog\r\nworking\r\nhunter2\r\n"},
        {"not at the left edge: somebody asked already",
         {SHOW(1, "Colour? "), TYPE(10, "red\r", E), SHOW(11, "red\r\n"), SHOW(30, "Password: ")},
         "red\r",
         "",
         NULL},
    };

    (void)state;
    CHECK(table);
}

static void test_reader_of_lines_is_known(void **state)
{
    struct log log;
    struct redact *r = open_with(&log, &standard);
    struct redact_tty read = tty_of(E);

    (void)state;
    read.unread = 0;
    log.now = 1000;
    show(r, &log, "$ cat\r\n");
    log.now = 2000;
    type(r, &log, "first\r", E, E);
    assert_true(redact_wants_tty(r));
    assert_string_equal(log.output, "$ cat\r\n");
    /* The echo comes with the reader's answer: both go, in order. */
    log.now = 3000;
    redact_output(r, (const uint8_t *)"first\r\nfirst\r\n", 14, &read, log.now);
    assert_string_equal(log.output, "$ cat\r\nfirst\r\nfirst\r\n");
    log.now = 4000;
    type(r, &log, "more\r", E, E);
    assert_false(redact_wants_tty(r));
    show(r, &log, "more\r\nmore\r\n");
    assert_string_equal(log.output, "$ cat\r\nfirst\r\nfirst\r\nmore\r\nmore\r\n");
    redact_end(r, log.now);
    assert_string_equal(log.input, "first\rmore\r");
    assert_string_equal(log.marks, "");
    redact_free(r);
}

static void test_knobs(void **state)
{
    static const struct conversation off[] = {
        {"off", {TYPE(1, "secret\r", N)}, "secret\r", "", NULL}};
    static const struct conversation strict[] = {
        {"strict",
         {SHOW(1, "\033[?1049h"), TYPE(10, "jjjj", R), TYPE(20, "\r", R), SHOW(22, "\033[2;1H")},
         "\r",
         "redacted strict 10-20",
         NULL}};
    static const struct conversation blind[] = {
        {"blind commands are redacted",
         {SHOW(1, "\033[?2004h$ "), TYPE(10, "rm x", R), TYPE(50, "\r", R), SHOW(55, "\r\n")},
         "\r",
         "redacted silent 10-50",
         NULL}};
    static const struct conversation keep[] = {
        {"masks are kept",
         {SHOW(1, "Password: "), TYPE(10, "a", R), SHOW(11, "*"), TYPE(20, "\r", R),
          SHOW(21, "\r\n")},
         "\r",
         "redacted prompt 10-20",
         NULL}};
    static const struct conversation own[] = {
        {"a pattern of the administrator's",
         {SHOW(1, "Sesam? "), TYPE(10, "ab", R), TYPE(20, "\r", R), SHOW(50, "\r\n")},
         "\r",
         "redacted prompt 10-20",
         NULL}};
    static const struct conversation alert[] = {
        {"much unseen",
         {TYPE(10, "1\r", N), TYPE(20, "2\r", N), TYPE(30, "3\r", N), TYPE(40, "4\r", N)},
         "\r\r\r\r",
         "redacted canonical no-echo 10-10; redacted canonical no-echo 20-20; redacted canonical "
         "no-echo 30-30; redacted canonical no-echo 40-40; alert no-echo-region 10-40",
         NULL}};
    struct redact_config c;

    (void)state;
    c = standard;
    c.policy = REDACT_OFF;
    check(off, 1, &c);
    c.policy = REDACT_STRICT;
    check(strict, 1, &c);
    c = standard;
    c.blind_redact = true;
    check(blind, 1, &c);
    c = standard;
    c.mask_hide = false;
    check(keep, 1, &c);
    c = standard;
    c.prompt_patterns = "sesam\\?|geheim";
    check(own, 1, &c);
    check(alert, 1, &standard);
}

static void test_held_too_long(void **state)
{
    struct log log;
    struct redact *r = open_with(&log, &standard);

    (void)state;
    show(r, &log, "Magic: ");
    /* A key every five seconds never idles, and holds back sealing no longer than hold_max. */
    for (unsigned i = 0; i < 10; i++) {
        wait_until(r, &log, (1000 + i * 5000U) * 1000U);
        type(r, &log, "k", R, R);
        assert_true(log.pending == REDACT_NO_PENDING || log.pending + 36000000U > log.now);
    }
    wait_until(r, &log, 60000000U);
    type(r, &log, "\r", R, R);
    show(r, &log, "\r\n");
    wait_until(r, &log, 90000000U);
    redact_end(r, log.now);
    assert_string_equal(log.input, "\r");
    assert_string_equal(log.marks, "redacted held too long 1000-26000");
    redact_free(r);
}

static void test_a_resize_in_a_prompt(void **state)
{
    struct log log;
    struct redact *r = open_with(&log, &standard);

    (void)state;
    show(r, &log, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nPassword: ");
    log.now = 10000;
    type(r, &log, "sec", R, R);
    redact_resize(r, 5, 40);
    log.now = 20000;
    type(r, &log, "ret", R, R);
    type(r, &log, "\r", R, R);
    log.now = 90000;
    show(r, &log, "\r\n");
    wait_until(r, &log, 10000000U);
    redact_end(r, log.now);
    assert_string_equal(log.input, "\r");
    assert_string_equal(log.marks, "redacted prompt 10-20");
    redact_free(r);
}

/* A paste that is larger than what may be held waits for its echo, and none of it is lost. */
static void test_a_paste_larger_than_memory(void **state)
{
    enum { LINES = 200, WIDTH = 60 };
    static char text[LINES * (WIDTH + 1) + 1], seen[LINES * (WIDTH + 2) + 1];
    struct log *log = calloc(1, sizeof *log);
    struct redact *r = open_with(log, &standard);
    size_t done = 0, shown = 0, all = 0;

    (void)state;
    assert_non_null(log);
    for (unsigned i = 0; i < LINES; i++) {
        for (unsigned j = 0; j < WIDTH; j++) {
            text[all++] = (char)('a' + (i * 7 + j * 3) % 26);
        }
        text[all++] = '\r';
    }
    show(r, log, "> ");
    while (done < all) {
        uint8_t *to;
        const uint8_t *slice;
        size_t room = redact_space(r, &to), n = all - done < room ? all - done : room;

        memcpy(to, text + done, n);
        redact_typed(r, n, log->now);
        while ((n = redact_next(r, &slice)) > 0) {
            struct redact_tty tty = tty_of(R);
            char echo[128];
            size_t len = 0;

            redact_before(r, &tty);
            redact_written(r, n, &tty, log->now);
            log->now += 100;
            for (size_t i = 0; i < n; i++) {
                echo[len++] = text[done + i];
                if (text[done + i] == '\r') {
                    echo[len++] = '\n';
                }
            }
            done += n;
            memcpy(seen + shown, echo, len);
            shown += len;
            log->input[0] = log->output[0] = '\0';
            redact_output(r, (uint8_t *)echo, len, &tty, log->now);
        }
    }
    wait_until(r, log, log->now + 20000000U);
    redact_end(r, log->now);
    assert_string_equal(log->marks, "");
    redact_free(r);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_a),
        cmocka_unit_test(test_what_is_seen_is_released),
        cmocka_unit_test(test_silent_prompts),
        cmocka_unit_test(test_masks_do_not_tell_a_length),
        cmocka_unit_test(test_typed_ahead),
        cmocka_unit_test(test_reader_of_lines_is_known),
        cmocka_unit_test(test_knobs),
        cmocka_unit_test(test_held_too_long),
        cmocka_unit_test(test_a_resize_in_a_prompt),
        cmocka_unit_test(test_a_paste_larger_than_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
