/* SPDX-License-Identifier: Apache-2.0 */
/* A session as a line of a table, and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay/listing.h"
#include "storage/wire/facts.h"

#define START_US (INT64_C(1795348800) * 1000000) /* 2026-11-22T12:00:00Z */

struct fixture {
    struct listing l;
    struct session_row s;
    struct buf out;
    struct error err;
};

static void set(char **to, const char *text)
{
    free(*to);
    *to = strdup(text);
    assert_non_null(*to);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct session_row *s;

    assert_non_null(f);
    s = &f->s;
    session_row_init(s);
    buf_init(&f->out, LISTING_LINE);
    f->l = (struct listing){
        .id_digits = 8, .user_width = 6, .flags_width = 5, .now_us = START_US + 61000000};
    assert_int_equal(json_open(&f->l.json, &f->err), 0);
    memset(s->id, 0xab, sizeof s->id);
    set(&s->kind, "tty");
    set(&s->host, "web1");
    set(&s->user, "alice");
    set(&s->title, "");
    set(&s->tty, "pts/3");
    set(&s->command, "[\"make\",\"-j 4\",\"a\\u001b[2Jb\"]");
    set(&s->exit, "");
    set(&s->flags, "");
    s->uid = 1000;
    s->cols = 80;
    s->rows = 24;
    s->started_us = START_US;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    json_close(f->l.json);
    session_row_clear(&f->s);
    buf_clear(&f->out);
    free(f);
    return 0;
}

static const char *row(struct fixture *f)
{
    buf_reset(&f->out);
    assert_int_equal(listing_row(&f->l, &f->out, &f->s, &f->err), 0);
    return buf_text(&f->out, &f->err);
}

static void tells_what_there_is(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(row(f), "abababab 2026-11-22T12:00:00   0:01:01 open  -         alice  "
                                "-     make -j 4 a\\x1b[2Jb\n");
    f->s.state = SESSION_DONE;
    f->s.ended_us = START_US + INT64_C(90061) * 1000000;
    set(&f->s.exit, "signal 15");
    set(&f->s.title, "r\xc3\xa9sum\xc3\xa9\x9b");
    set(&f->s.flags, "commit-batch lost-input");
    assert_string_equal(row(f), "abababab 2026-11-22T12:00:00  1d01h01m done  signal 15 alice  "
                                "comm> r\xc3\xa9sum\xc3\xa9\\x9b\n");
    f->l.flags_width = 24;
    assert_string_equal(row(f), "abababab 2026-11-22T12:00:00  1d01h01m done  signal 15 alice  "
                                "commit-batch,lost-input  r\xc3\xa9sum\xc3\xa9\\x9b\n");
}

/* What a user calls his session stays in its column. */
static void a_title_forges_no_flag(void **state)
{
    struct fixture *f = *state;

    f->l.flags_width = 13;
    set(&f->s.title, "token  x");
    assert_non_null(strstr(row(f), " alice  -             token  x\n"));
    set(&f->s.flags, "blind-command");
    set(&f->s.title, "-");
    assert_non_null(strstr(row(f), " alice  blind-command -\n"));
}

static void fits_the_width(void **state)
{
    static const char *const titles[] = {
        "short", "r\xc3\xa9sum\xc3\xa9 r\xc3\xa9sum\xc3\xa9 r\xc3\xa9sum\xc3\xa9"
                 " with a long title that has no room here at all"};
    static const char *const flags[] = {"", "lost-input",
                                        "many words that take more room than there is"};
    struct fixture *f = *state;

    set(&f->s.user, "a-user-with-a-long-name");
    for (size_t t = 0; t < 2; t++) {
        for (size_t g = 0; g < 3; g++) {
            f->l.flags_width = strlen(flags[g]) > 5 ? strlen(flags[g]) : 5;
            for (size_t width = 76; width < 140; width++) {
                set(&f->s.title, titles[t]);
                set(&f->s.flags, flags[g]);
                f->l.width = width;
                const char *line = row(f);
                assert_in_range(listing_width(line, strlen(line)), 1, width + 1);
            }
        }
    }
}

static void makes_ids_unique(void **state)
{
    uint8_t ids[3][CHAIN_ID] = {
        {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 1}, {0x99}, {0x12, 0x34, 0x56, 0x78, 0x9a, 0xb0}};

    (void)state;
    assert_int_equal(listing_id_digits(ids, 3), 12);
    assert_int_equal(listing_id_digits(ids, 1), 8);
    assert_int_equal(listing_id_digits(ids, 0), 8);
}

static void writes_json_that_reads_back(void **state)
{
    static const struct {
        const char *path, *want;
    } members[] = {
        {"$.id", "abababababababababababababababab"},
        {"$.user", "alice"},
        {"$.uid", "1000"},
        {"$.command[2]", "a\x1b[2Jb"},
        {"$.title", "c1 \xc2\x9b end"},
        {"$.state", "cut"},
        {"$.flags[1]", "lost-input"},
        {"$.alerts", "2"},
        {"$.started", "2026-11-22T12:00:00Z"},
        {"$.facts.ssh_connection", "10.0.0.1 22"},
    };
    struct fixture *f = *state;
    struct buf value;

    buf_init(&value, 4096);
    f->s.state = SESSION_CUT;
    set(&f->s.title, "c1 \xc2\x9b end");
    set(&f->s.flags, "commit-batch lost-input no-echo-region blind-commands blind-command");
    assert_int_equal(facts_put_text(&f->s.facts, "ssh_connection", "10.0.0.1 22", &f->err), 0);
    assert_int_equal(listing_json(&f->l, &f->out, &f->s, &f->err), 0);
    for (size_t i = 0; i + 1 < f->out.len; i++) { /* nothing a terminal could act on */
        const uint8_t *p = buf_data(&f->out) + i;

        assert_true(p[0] >= 0x20 && p[0] != 0x7f && (p[0] != 0xc2 || p[1] >= 0xa0));
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        buf_reset(&value);
        assert_int_equal(json_text(f->l.json, (const char *)buf_data(&f->out), f->out.len,
                                   members[i].path, &value, &f->err),
                         1);
        assert_string_equal(buf_text(&value, &f->err), members[i].want);
    }
    buf_clear(&value);
}

static void one_session_cannot_hide_the_rest(void **state)
{
    struct fixture *f = *state;
    static char most[60001];

    memset(most, 0x1b, sizeof most - 1);
    most[32767] = '\0';
    set(&f->s.title, most);
    set(&f->s.tty, most);
    set(&f->s.command, most);
    most[32767] = 0x1b;
    assert_int_equal(facts_put_text(&f->s.facts, "title", most, &f->err), 0);
    assert_int_equal(listing_json(&f->l, &f->out, &f->s, &f->err), 0);
    assert_int_equal(listing_row(&f->l, &f->out, &f->s, &f->err), 0);
}

static void survives_a_command_that_is_no_json(void **state)
{
    struct fixture *f = *state;

    set(&f->s.command, "rm -rf \"");
    assert_non_null(strstr(row(f), "rm -rf \""));
    buf_reset(&f->out);
    assert_int_equal(listing_json(&f->l, &f->out, &f->s, &f->err), 0);
    assert_non_null(strstr(buf_text(&f->out, &f->err), "\"command\":\"rm -rf \\\"\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(a_title_forges_no_flag, setup, teardown),
        cmocka_unit_test_setup_teardown(fits_the_width, setup, teardown),
        cmocka_unit_test(makes_ids_unique),
        cmocka_unit_test_setup_teardown(writes_json_that_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(one_session_cannot_hide_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_a_command_that_is_no_json, setup, teardown),
    };

    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
