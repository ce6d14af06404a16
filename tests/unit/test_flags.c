/* SPDX-License-Identifier: Apache-2.0 */
/* A session's flags: what its marks tell stands in its row as soon as they are committed. */
#include "tests/unit/writer_rig.h"

static void expect_flags(struct rig *g, const char *spec, const char *flags)
{
    struct session_row row;
    struct buf text;

    session_row_init(&row);
    buf_init(&text, SEGMENT_MAX_TEXT);
    rig_read(g, spec, &row, &text);
    assert_string_equal(row.flags, flags);
    session_row_clear(&row);
    buf_clear(&text);
}

static void wait_ack(struct raw *r, uint64_t seq)
{
    do {
        assert_int_equal(raw_next(r), FRAME_ACK);
    } while (io_get_be64(r->frame.body) < seq);
}

static void say_goodbye(struct raw *r)
{
    raw_send(r, FRAME_BYE, 0, NULL, 0);
    while (raw_next(r) != FRAME_GOODBYE) {
        assert_true(r->frame.type == FRAME_ACK || r->frame.type == FRAME_DONE);
    }
}

/* A session of these marks, and the flags it has while it runs and at its end. */
static void expect_of(struct rig *g, const char *title, const char *const *marks, size_t count,
                      const char *flags)
{
    char spec[40];
    struct raw r;
    uint64_t seq = 0;

    (void)snprintf(spec, sizeof spec, "title:%s", title);
    raw_open(&r, g->sock);
    raw_begin(&r, title, NULL);
    for (size_t i = 0; i < count; i++) {
        seq++;
        raw_event(&r, 'm', seq, seq * 1000, marks[i]);
    }
    seq++;
    raw_event(&r, 'o', seq, seq * 1000, "alert no-flag, of what is shown");
    wait_ack(&r, seq);
    expect_flags(g, spec, flags);
    say_goodbye(&r);
    expect_flags(g, spec, flags);
    raw_close(&r);
}

/* Known words alone, each once. */
static void marks_become_flags(void **state)
{
    static const char *const known[] = {
        "alert blind-command, 0.001-0.002",
        "alert blind-command, 0.003-0.004",
        "token github, output",
        "flag memory-not-locked",
        "flag left-behind",
        "flag outer-tty-shared",
        "flag not-redacted",
        "alert no-echo-region, 0.001-0.002",
    };
    static const char *const others[] = {
        "alert blind-commander, 0.001-0.002",
        "alert no-echo",
        "alert something-else, 0.001-0.002",
        "flag lost-input",
        "flag memory-not-locked-at-all",
        "flag not-redacted-at-all",
        "tokens github, output",
        "redacted alert blind-command, 0.1-0.2",
        "",
    };

    expect_of(*state, "known", known, sizeof known / sizeof known[0],
              "blind-command token memory-not-locked left-behind outer-tty-shared not-redacted "
              "no-echo-region");
    expect_of(*state, "others", others, sizeof others / sizeof others[0], "");
}

static void flags_outlive_the_writer(void **state)
{
    struct rig *g = *state;
    struct raw r;
    uint8_t body[20] = {0, 0, 0, 1};

    raw_open(&r, g->sock);
    raw_begin(&r, "killed", body + 4);
    raw_event(&r, 'm', 1, 1000, "alert blind-command, 0.001-0.002");
    wait_ack(&r, 1);
    rig_stop(g, SIGKILL);
    raw_close(&r);
    expect_flags(g, "title:killed", "blind-command");
    rig_start(g);
    raw_open(&r, g->sock);
    raw_send(&r, FRAME_RESUME, 0, body, sizeof body);
    assert_int_equal(raw_next(&r), FRAME_RESUMED);
    raw_event(&r, 'm', 1, 1000, "alert no-echo-region, 0.001-0.002"); /* committed: not looked at */
    raw_event(&r, 'm', 2, 2000, "token jwt, input");
    wait_ack(&r, 2);
    expect_flags(g, "title:killed", "blind-command token");
    say_goodbye(&r);
    raw_close(&r);
}

static void flags_outlive_the_recorder(void **state)
{
    struct rig *g = *state;
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        uint8_t since[8] = {0, 0, 0, 0, 0, 0, 8, 0};
        struct raw r;

        raw_open(&r, g->sock);
        raw_begin(&r, "dead", NULL);
        raw_send(&r, FRAME_PENDING, 0, since, sizeof since);
        raw_event(&r, 'm', 1, 1000, "alert no-echo-region, 0.001-0.002");
        wait_ack(&r, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(rig_wait(g, "title:dead", SESSION_CUT));
    expect_flags(g, "title:dead", "no-echo-region lost-input");
}

static void imports_have_flags_too(void **state)
{
    struct rig *g = *state;
    struct buf body;
    struct error err;
    struct raw r;

    buf_init(&body, FRAME_MAX_BODY);
    MUST(buf_append(&body, "\0\0\0\1", 4, &err));
    MUST(facts_put_text(&body, "title", "imported", &err));
    MUST(facts_put_int(&body, "started_us", 1000000, &err));
    raw_open(&r, g->control);
    raw_send(&r, FRAME_IMPORT, 0, buf_data(&body), body.len);
    raw_event(&r, 'm', 1, 1000, "alert blind-command, 0.001-0.002");
    say_goodbye(&r);
    assert_true(rig_wait(g, "title:imported", SESSION_DONE));
    expect_flags(g, "title:imported", "blind-command");
    raw_close(&r);
    buf_clear(&body);
}

#define G_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        G_TEST(marks_become_flags),
        G_TEST(flags_outlive_the_writer),
        G_TEST(flags_outlive_the_recorder),
        G_TEST(imports_have_flags_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
