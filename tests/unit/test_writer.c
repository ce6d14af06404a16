/* SPDX-License-Identifier: Apache-2.0 */
/* The writer as recorders and commands meet it: in a process of its own, over its sockets. */
#include "tests/unit/writer_rig.h"

#include <fcntl.h>

static void finish_with(struct client *c, const char *exit)
{
    struct error err;

    MUST(client_event(c, 'x', 1000000, exit, strlen(exit), NULL, &err));
    MUST(client_finish(c, RIG_WAIT_MS, &err));
    client_free(c);
}

static struct client *begin(struct rig *g, const char *title)
{
    struct client *c = NULL;
    struct policy policy;
    struct buf facts;
    struct error err;

    buf_init(&facts, FACTS_MAX);
    MUST(facts_put_text(&facts, "title", title, &err));
    MUST(facts_put_text(&facts, "kind", "tty", &err));
    MUST(facts_put_int(&facts, "cols", 90, &err));
    MUST(client_new(&c, rig_connect, g, &err));
    MUST(client_open(c, &facts, RIG_WAIT_MS, &policy, &err));
    assert_true(policy.commit_first);
    buf_clear(&facts);
    return c;
}

static void say(struct client *c, char kind, uint64_t t_us, const char *text)
{
    struct error err;

    MUST(client_event(c, kind, t_us, text, strlen(text), NULL, &err));
    client_flush(c);
}

static void wait_acked(struct client *c)
{
    uint64_t end = clock_boot_us() + RIG_WAIT_MS * UINT64_C(1000);
    struct error err;

    while (client_acked(c) < client_last_seq(c)) {
        struct pollfd p = {.fd = client_fd(c), .events = POLLIN};

        assert_true(clock_boot_us() < end);
        client_flush(c);
        (void)poll(&p, 1, 100);
        MUST(client_receive(c, &err));
    }
}

static void expect(struct rig *g, const char *spec, enum session_state state, const char *exit,
                   const char *part)
{
    struct session_row row;
    struct buf text;
    struct error err;

    session_row_init(&row);
    buf_init(&text, SEGMENT_MAX_TEXT);
    rig_read(g, spec, &row, &text);
    assert_int_equal(row.state, state);
    assert_true(row.final);
    assert_string_equal(row.exit, exit);
    if (strstr(buf_text(&text, &err), part) == NULL) {
        fail_msg("%s is not in %s", part, buf_text(&text, &err));
    }
    session_row_clear(&row);
    buf_clear(&text);
}

static void records_a_session(void **state)
{
    struct rig *g = *state;
    struct client *c = begin(g, "one");

    say(c, 'o', 1000, "hello ");
    say(c, 'i', 2000, "ls");
    say(c, 'o', 3000, "\xff");
    finish_with(c, "exit 7");
    rig_seal(g);
    expect(g, "title:one", SESSION_DONE, "exit 7",
           "[0.001,\"o\",\"hello \"]\n[0.002,\"i\",\"ls\"]\n"
           "[0.003,\"o\",\"\xef\xbf\xbd\"]\n[0.003,\"b\",\"/w==\"]\n[1.000,\"x\",\"exit 7\"]\n");
}

static void sessions_never_mix(void **state)
{
    static const char *const titles[] = {"title:aa", "title:bb", "title:cc"};
    struct rig *g = *state;
    struct client *c[3];
    char text[3][5];

    for (int i = 0; i < 3; i++) {
        c[i] = begin(g, titles[i] + 6);
        (void)snprintf(text[i], sizeof text[i], "%c%c%c", 'a' + i, 'a' + i, 'a' + i);
    }
    for (uint64_t n = 1; n <= 300; n++) {
        for (int i = 0; i < 3; i++) {
            say(c[i], 'o', n * 1000, text[i]);
        }
    }
    for (int i = 0; i < 3; i++) {
        finish_with(c[i], "exit 0");
    }
    rig_seal(g);
    for (int i = 0; i < 3; i++) {
        struct session_row row;
        struct buf all;
        char line[64];
        size_t n = 0;

        session_row_init(&row);
        buf_init(&all, SEGMENT_MAX_TEXT);
        rig_read(g, titles[i], &row, &all);
        assert_true(row.segments > 0);
        assert_int_equal(row.bytes_out, 900);
        (void)snprintf(line, sizeof line, "\"o\",\"%s\"]", text[i]);
        for (const char *at = buf_text(&all, NULL); (at = strstr(at, "\"o\",")) != NULL; at++) {
            assert_memory_equal(at, line, strlen(line));
            n++;
        }
        assert_int_equal(n, 300);
        session_row_clear(&row);
        buf_clear(&all);
    }
}

static void goes_on_after_the_writer_was_killed(void **state)
{
    struct rig *g = *state;
    struct client *c = begin(g, "long");
    struct error err;
    char line[32];
    uint64_t n = 0;

    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 50; i++) {
            (void)snprintf(line, sizeof line, "<%llu>", (unsigned long long)++n);
            say(c, 'o', n * 1000, line);
        }
        if (round % 2 == 0) {
            wait_acked(c); /* else some of it is on its way */
        }
        rig_stop(g, round == 2 ? SIGTERM : SIGKILL);
        rig_start(g);
        MUST(client_reconnect(c, RIG_WAIT_MS, &err));
    }
    finish_with(c, "exit 0");
    rig_seal(g);

    struct session_row row;
    struct buf text;
    const char *at;

    session_row_init(&row);
    buf_init(&text, SEGMENT_MAX_TEXT);
    rig_read(g, "title:long", &row, &text);
    at = buf_text(&text, &err);
    for (n = 1; n <= 200; n++) {
        (void)snprintf(line, sizeof line, "\"<%llu>\"", (unsigned long long)n);
        at = strstr(at, line);
        assert_non_null(at);
        assert_null(strstr(at + 1, line));
    }
    session_row_clear(&row);
    buf_clear(&text);
}

static void cuts_a_session_whose_recorder_died(void **state)
{
    struct rig *g = *state;
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct client *c = begin(g, "dead");

        say(c, 'o', 5000, "last words");
        (void)client_pending(c, 6000, NULL);
        client_flush(c);
        wait_acked(c);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(rig_wait(g, "title:dead", SESSION_CUT));
    expect(g, "title:dead", SESSION_CUT, "cut", "\"last words\"]");
    expect(g, "title:dead", SESSION_CUT, "cut", "\"undecided input lost since 0.006000; cut\"]");
}

static void nobody_else_may_go_on_with_a_session(void **state)
{
    struct rig *g = *state;
    struct raw r;
    uint8_t id[16], body[20] = {0, 0, 0, 1};
    pid_t child;
    int status = 0;

    raw_open(&r, g->sock);
    raw_begin(&r, "mine", id);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct raw thief;

        raw_open(&thief, g->sock);
        memcpy(body + 4, id, 16);
        raw_send(&thief, FRAME_RESUME, 0, body, sizeof body);
        _exit(raw_next(&thief) == FRAME_REFUSED && io_get_be32(thief.frame.body) == ERR_DENIED ? 0
                                                                                               : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    /* A session that is not there: the same answer. */
    struct raw none;

    raw_open(&none, g->sock);
    raw_send(&none, FRAME_RESUME, 0, body, sizeof body);
    assert_int_equal(raw_next(&none), FRAME_REFUSED);
    assert_int_equal(io_get_be32(none.frame.body), ERR_DENIED);
    raw_close(&none);
    raw_event(&r, 'o', 1, 10, "still mine");
    assert_int_equal(raw_next(&r), FRAME_ACK);
    raw_close(&r);
}

/* GOODBYE was lost with its connection: the recorder asks again and gets it. */
static void says_goodbye_again(void **state)
{
    struct rig *g = *state;
    struct raw r;
    uint8_t body[20] = {0, 0, 0, 1};

    raw_open(&r, g->sock);
    raw_begin(&r, "bye", body + 4);
    raw_event(&r, 'o', 1, 10, "x");
    raw_send(&r, FRAME_BYE, 0, NULL, 0);
    while (raw_next(&r) != FRAME_GOODBYE) {
        assert_int_equal(r.frame.type, FRAME_ACK);
    }
    raw_close(&r);
    assert_true(rig_wait(g, "title:bye", SESSION_DONE));
    raw_open(&r, g->sock);
    raw_send(&r, FRAME_RESUME, 0, body, sizeof body);
    assert_int_equal(raw_next(&r), FRAME_RESUMED);
    assert_int_equal(io_get_be64(r.frame.body), 1);
    raw_send(&r, FRAME_BYE, 0, NULL, 0);
    while (raw_next(&r) != FRAME_GOODBYE) {
        assert_int_equal(r.frame.type, FRAME_ACK);
    }
    raw_close(&r);
}

/* ---- what is legal when ---- */

enum stage { AT_NEW, AT_LIVE, AT_BYE, AT_CONTROL };

static void refuses_what_is_out_of_turn(void **state)
{
    static const uint8_t types[] = {0,
                                    FRAME_OPEN,
                                    FRAME_RESUME,
                                    FRAME_EVENT,
                                    FRAME_PENDING,
                                    FRAME_BYE,
                                    FRAME_PONG,
                                    FRAME_OPENED,
                                    FRAME_RESUMED,
                                    FRAME_ACK,
                                    FRAME_PING,
                                    FRAME_GOODBYE,
                                    FRAME_REFUSED,
                                    FRAME_SHIPPED,
                                    FRAME_SEAL_NOW,
                                    FRAME_EPOCH,
                                    FRAME_IMPORT,
                                    FRAME_NOTE,
                                    FRAME_DONE,
                                    FRAME_NESTED,
                                    FRAME_INNER,
                                    FRAME_NESTING,
                                    FRAME_NESTED_IN,
                                    200};
    static const uint8_t legal[4][6] = {
        [AT_NEW] = {FRAME_OPEN, FRAME_RESUME},
        [AT_LIVE] = {FRAME_EVENT, FRAME_PENDING, FRAME_BYE, FRAME_PONG},
        [AT_BYE] = {FRAME_PONG},
        [AT_CONTROL] = {FRAME_SHIPPED, FRAME_SEAL_NOW, FRAME_EPOCH, FRAME_IMPORT},
    };
    struct rig *g = *state;

    for (int at = AT_NEW; at <= AT_CONTROL; at++) {
        for (size_t i = 0; i < sizeof types; i++) {
            uint8_t body[24] = {0, 0, 0, 1};
            struct raw r;

            if (types[i] != 0 && memchr(legal[at], types[i], sizeof legal[at]) != NULL) {
                continue;
            }
            raw_open(&r, at == AT_CONTROL ? g->control : g->sock);
            if (at == AT_LIVE || at == AT_BYE) {
                raw_begin(&r, "turn", NULL);
            }
            if (at == AT_BYE) {
                raw_send(&r, FRAME_BYE, 0, NULL, 0);
                while (raw_next(&r) != FRAME_GOODBYE) {
                    assert_int_equal(r.frame.type, FRAME_ACK);
                }
            }
            raw_send(&r, types[i], 'o', body, sizeof body);
            if (raw_next(&r) != FRAME_REFUSED) {
                fail_msg("type %u in state %d: answered by %d", types[i], at, r.frame.type);
            }
            if (at != AT_CONTROL) {
                assert_int_equal(raw_next(&r), -1);
            }
            raw_close(&r);
        }
    }
}

static void refuses_wrong_events(void **state)
{
    static const struct {
        char kind;
        uint64_t seq, t_us;
    } cases[] = {{'o', 3, 1}, {'b', 2, 1}, {'\0', 2, 1}, {'o', 2, UINT64_MAX}, {'z', 2, 1}};
    struct rig *g = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct raw r;

        raw_open(&r, g->sock);
        raw_begin(&r, "wrong", NULL);
        raw_event(&r, 'o', 1, 1, "right");
        raw_event(&r, cases[i].kind, cases[i].seq, cases[i].t_us, "wrong");
        while (raw_next(&r) == FRAME_ACK) {
        }
        assert_int_equal(r.frame.type, FRAME_REFUSED);
        assert_int_equal(raw_next(&r), -1);
        raw_close(&r);
    }
}

static void refuses_damaged_openings(void **state)
{
    static const struct {
        const char *body;
        size_t len;
    } cases[] = {{"", 0},
                 {"\0\0\0\0", 4},
                 {"\0\0\0\2", 4},
                 {"\0\0\1", 3},
                 {"\0\0\0\1\x05", 5},
                 {"\0\0\0\1\1A\0\0\0\0", 10},
                 {"\0\0\0\1\1a\0\0\0\0\1a\0\0\0\0", 16}};
    struct rig *g = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct raw r;

        raw_open(&r, g->sock);
        raw_send(&r, FRAME_OPEN, 0, cases[i].body, cases[i].len);
        assert_int_equal(raw_next(&r), FRAME_REFUSED);
        assert_int_equal(raw_next(&r), -1);
        raw_close(&r);
    }
    assert_int_equal(kill(g->writer, 0), 0);
}

/* ---- private ---- */

static int on_private(void *user, struct error *err)
{
    (void)err;
    return *(int *)user;
}

/* A recorder with a writer of its own, both in processes of their own; returns when both are over.
 */
static void private_session(struct rig *g, bool orderly)
{
    char wal[100], c;
    int done[2], both[2];
    pid_t child;

    assert_int_equal(pipe2(done, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct client *client = NULL;
        struct policy policy;
        struct buf facts;
        struct error err;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0);
        if (fork() == 0) {
            close(both[0]);
            rig_serve(g, both[1]);
        }
        close(both[1]);
        close(done[1]);
        buf_init(&facts, FACTS_MAX);
        MUST(facts_put_text(&facts, "title", "private", &err));
        MUST(client_new(&client, on_private, &both[0], &err));
        MUST(client_open(client, &facts, RIG_WAIT_MS, &policy, &err));
        say(client, 'o', 1000, "kept");
        wait_acked(client);
        if (orderly) {
            finish_with(client, "exit 0");
        }
        _exit(0);
    }
    close(done[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(read(done[0], &c, 1), 0); /* the writer's end of it is closed: it is over */
    close(done[0]);
    (void)snprintf(wal, sizeof wal, "%s-wal", g->db);
    assert_int_not_equal(access(wal, F_OK), 0); /* everything is in the one file */
    expect(g, "title:private", orderly ? SESSION_DONE : SESSION_CUT, orderly ? "exit 0" : "cut",
           "\"o\",\"kept\"]");
}

static void a_private_writer_ends_with_its_session(void **state)
{
    rig_stop(*state, SIGTERM);
    private_session(*state, true);
}

static void a_private_writer_cuts_what_is_left(void **state)
{
    rig_stop(*state, SIGTERM);
    private_session(*state, false);
}

#define W_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        W_TEST(records_a_session),
        W_TEST(sessions_never_mix),
        W_TEST(goes_on_after_the_writer_was_killed),
        W_TEST(cuts_a_session_whose_recorder_died),
        W_TEST(nobody_else_may_go_on_with_a_session),
        W_TEST(says_goodbye_again),
        W_TEST(refuses_what_is_out_of_turn),
        W_TEST(refuses_wrong_events),
        W_TEST(refuses_damaged_openings),
        W_TEST(a_private_writer_ends_with_its_session),
        W_TEST(a_private_writer_cuts_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
