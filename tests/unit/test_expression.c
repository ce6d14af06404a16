/* SPDX-License-Identifier: Apache-2.0 */
/* list's predicates: what they match, how they bind, and what their errors point at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/expression.h"
#include "storage/wire/facts.h"

#define MAX_WORDS 200

/* 2026-11-22T12:00:00Z */
#define NOON_US (INT64_C(1795348800) * 1000000)

static struct session_row session(void)
{
    struct session_row s;

    memset(&s, 0, sizeof s);
    s.user = (char *)(uintptr_t) "alice";
    s.title = (char *)(uintptr_t) "deploy of the web shop";
    s.flags = (char *)(uintptr_t) "stalled blind-command token";
    s.uid = 1000;
    s.host = (char *)(uintptr_t) "web1";
    s.tty = (char *)(uintptr_t) "/dev/pts/3";
    s.command = (char *)(uintptr_t) "[\"/usr/bin/git\",\"pull\"]";
    s.exit = (char *)(uintptr_t) "exit 7";
    s.state = SESSION_DONE;
    s.ended_us = NOON_US + 100 * 1000000;
    memset(s.id, 0x5a, sizeof s.id);
    buf_init(&s.facts, 4096);
    assert_int_equal(facts_put_text(&s.facts, "cwd", "/srv", NULL), 0);
    assert_int_equal(facts_put_text(&s.facts, "way_in", "login", NULL), 0);
    assert_int_equal(facts_put_text(&s.facts, "env.ssh_connection", "10.0.0.9 1 10.0.0.1 22", NULL),
                     0);
    assert_int_equal(facts_put_text(&s.facts, "conn.key", "SHA256:abc", NULL), 0);
    s.redactions = 3;
    s.started_us = NOON_US;
    return s;
}

/* Splits at blanks into words of the command line; '_' stands for a blank inside one. */
static int words_of(const char *line, char *copy, size_t size, char **argv)
{
    int argc = 0;

    assert_true(strlen(line) < size);
    memcpy(copy, line, strlen(line) + 1);
    for (char *p = copy; *p != '\0';) {
        while (*p == ' ') {
            *p++ = '\0';
        }
        if (*p == '\0') {
            break;
        }
        assert_true(argc < MAX_WORDS);
        argv[argc++] = p;
        for (; *p != '\0' && *p != ' '; p++) {
            *p = *p == '_' ? ' ' : *p;
        }
    }
    return argc;
}

static int parse(const char *line, struct expression **ret, struct error *err)
{
    char copy[2048], *argv[MAX_WORDS];
    int argc = words_of(line, copy, sizeof copy, argv);

    return expression_parse(ret, argc, argv, err);
}

static const struct {
    const char *line;
    bool match;
} matches[] = {
    {"", true},
    {"user alice", true},
    {"user bob", false},
    {"user ali", false},
    {"user 1000", true},
    {"user 100", false},
    {"u alice", true},
    {"title web", true},
    {"ti Web", false},
    {"title web_shop", true},
    {"from 1795348800", true},
    {"from 1795348801", false},
    {"f 2026-11-22T12:00:00Z", true},
    {"fromdate 2026-11-22T12:00:01Z", false},
    {"fro 2026-11-21T00:00:00Z", true},
    {"to 1795348800", true},
    {"to 1795348799.5", false},
    {"tod 2026-11-22T11:59:59Z", false},
    {"from 2026-11-22T12:00:00 to 2026-11-22T12:00:00", true},
    {"to 2026-11-22T12:00", true},
    {"to 2026-11-22T11:59", false},
    {"from 2026-11-20 to 2026-11-24", true},
    {"from 2026-11-24 to 2026-11-20", false},
    {"to 2026-11-22", true},
    {"to 2026-11-21", false},
    {"host web1", true},
    {"ho web", false},
    {"tty pts/3", true},
    {"tty /dev/pts/3", true},
    {"tty pts/4", false},
    {"command ^.*/usr/bin/(git|hg)", true},
    {"c svn", false},
    {"cwd /srv", true},
    {"way login", true},
    {"ip 10.0.0.9", true},
    {"ip 10.0.0.8", false},
    {"key SHA256:abc", true},
    {"key abc", true},
    {"key ab", false},
    {"exit 7", true},
    {"exit 0", false},
    {"exit signal", false},
    {"duration 90", true},
    {"dur 2m", false},
    {"state done", true},
    {"state open", false},
    {"id 5a5a", true},
    {"id 5b", false},
    {"flag blind-command", true},
    {"flag not-redacted", false},
    {"redactions 3", true},
    {"redactions 4", false},
    {"r 0", true},
    {"fl stalled and flag token", true},
    {"not user bob", true},
    {"! user alice", false},
    {"not not user alice", true},
    {"user bob or user alice", true},
    {"user bob user alice", false},
    {"user alice title web", true},
    {"user alice and title db", false},
    {"user bob or user alice and title db", false},
    {"( user bob or user alice ) and title web", true},
    {"user bob and title db or user alice", true},
    {"user bob and ( title db or user alice )", false},
    {"not user bob title web", true},
    {"not ( user bob or title db )", true},
    {"not ( user bob or title web )", false},
    {"user bob || user alice && title web", true},
    {"title and", false},
    {"user or or user alice", true},
    {"( ( ( user alice ) ) )", true},
    {"_user_alice_", true},
    {"title_'web_shop'_and_!(user_bob)", true},
    {"title_\"shop_web\"_or_(user_bob)", false},
    {"title_deploy_and_not_(user_alice_or_user_bob)", false},
};

static void matches_what_it_says(void **state)
{
    struct session_row s = session();

    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        struct expression *e = NULL;
        struct error err;

        err_clear(&err);
        if (parse(matches[i].line, &e, &err) != 0) {
            fail_msg("%s: %s", matches[i].line, err.text);
        }
        if (expression_match(e, &s) != matches[i].match) {
            fail_msg("%s: should%s match", matches[i].line, matches[i].match ? "" : " not");
        }
        expression_free(e);
    }
    buf_clear(&s.facts);
}

static void names_the_word_and_its_place(void **state)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        {"usr alice", "word 1, 'usr': no such predicate"},
        {"user alice and hots x", "word 4, 'hots': no such predicate"},
        {"t x", "word 1, 't': ambiguous"},
        {"user", "after word 1: 'user' needs a value"},
        {"user alice or", "after word 3"},
        {"user alice and", "after word 3"},
        {"not", "after word 1"},
        {"( user alice", "word 1, '(': is never closed"},
        {"user alice )", "word 3, ')': nothing opens it"},
        {"( )", "word 2, ')'"},
        {"or user alice", "word 1, 'or'"},
        {"user alice from yesterday-ish", "word 4, 'yesterday-ish'"},
        {"to 2026-13-45", "word 2, '2026-13-45'"},
        {"from 20261122", "a day is written 2026-11-22"},
        {"from 2026-02-30", "there is no such day or time"},
        {"flag blind", "word 2, 'blind': no session has such a flag (there are blind-command"},
        {"flag_''", "no session has such a flag"},
        {"redactions many", "word 2, 'many': a number is needed"},
        {"redactions -1", "word 2, '-1': a number is needed"},
        {"last", "--limit 1 lists the newest session"},
        {"title_'web", "word 2: the quote is never closed"},
        {"'user'_alice", "word 1, 'user'"},
        {"x\x1b[2Jy z", "word 1, 'x\\x1b[2Jy'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct expression *e = NULL;
        struct error err;

        err_clear(&err);
        if (parse(cases[i].line, &e, &err) == 0) {
            fail_msg("%s: was accepted", cases[i].line);
        }
        assert_null(e);
        assert_int_equal(err.kind, ERR_USAGE);
        if (strstr(err.text, cases[i].text) == NULL) {
            fail_msg("%s: '%s' instead of '%s'", cases[i].line, err.text, cases[i].text);
        }
    }
}

static void refuses_what_is_too_deep_or_too_long(void **state)
{
    char *argv[4 * EXPRESSION_MAX_NODES];
    char word_not[] = "not", word_open[] = "(", word_user[] = "user", word_x[] = "x";
    struct expression *e = NULL;
    struct error err;
    int argc = 0;

    (void)state;
    for (argc = 0; argc < EXPRESSION_MAX_DEPTH + 1; argc++) {
        argv[argc] = argc % 2 == 0 ? word_not : word_open;
    }
    argv[argc++] = word_user;
    argv[argc++] = word_x;
    assert_int_equal(expression_parse(&e, argc, argv, &err), -1);
    assert_non_null(strstr(err.text, "nested too deeply"));

    for (argc = 0; argc < 2 * EXPRESSION_MAX_NODES; argc += 2) {
        argv[argc] = word_user;
        argv[argc + 1] = word_x;
    }
    assert_int_equal(expression_parse(&e, argc, argv, &err), -1);
    assert_non_null(strstr(err.text, "more than"));
    assert_null(e);

    char *huge = calloc(1, EXPRESSION_MAX_TEXT + 2);
    assert_non_null(huge);
    memset(huge, 'x', EXPRESSION_MAX_TEXT + 1);
    assert_int_equal(expression_parse(&e, 1, &huge, &err), -1);
    free(huge);
}

static void to_a_second_is_to_its_end(void **state)
{
    struct session_row s = session();
    struct expression *e = NULL;
    struct error err;

    (void)state;
    s.started_us = NOON_US + 999999;
    assert_int_equal(parse("from 2026-11-22T12:00:00 to 2026-11-22T12:00:00", &e, &err), 0);
    assert_true(expression_match(e, &s));
    s.started_us++;
    assert_false(expression_match(e, &s));
    expression_free(e);
    buf_clear(&s.facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_what_it_says),
        cmocka_unit_test(to_a_second_is_to_its_end),
        cmocka_unit_test(names_the_word_and_its_place),
        cmocka_unit_test(refuses_what_is_too_deep_or_too_long),
    };

    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
