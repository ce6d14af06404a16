/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder's end of the socket, against a writer that the test plays itself: nothing is lost,
 * nothing comes twice, whatever the connection does. */
#include "storage/wire/pass.h"
#include "tests/unit/far.h"

static void sends_in_order_and_forgets_what_is_acknowledged(void **state)
{
    struct fixture *x = *state;

    open_session(x);
    for (uint64_t i = 1; i <= 5; i++) {
        event(x, 'o', i * 10, "text");
    }
    assert_int_equal(client_last_seq(x->c), 5);
    client_flush(x->c);
    far_read(&x->far, 0);
    for (uint64_t i = 1; i <= 5; i++) {
        far_expect(&x->far, FRAME_EVENT, i);
    }
    assert_int_equal(x->far.in.len, 0);
    far_send_u64(&x->far, 0, FRAME_ACK, 3);
    far_send(&x->far, 0, FRAME_PING, NULL, 0);
    receive(x);
    assert_int_equal(client_acked(x->c), 3);
    assert_int_equal(client_unacked_bytes(x->c), 2 * (FRAME_HEADER + EVENT_HEADER + 4));
    assert_true(client_wants_write(x->c));
    client_flush(x->c);
    far_read(&x->far, 0);
    far_expect(&x->far, FRAME_PONG, 0);
    far_send_u64(&x->far, 0, FRAME_ACK, 5);
    receive(x);
    assert_int_equal(client_unacked_bytes(x->c), 0);
    assert_false(client_wants_write(x->c));
}

static void resends_what_was_not_acknowledged(void **state)
{
    static const struct {
        uint64_t acked, committed;
    } cases[] = {{0, 0}, {0, 2}, {2, 2}, {2, 4}, {4, 4}, {0, 4}};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct fixture *x;
        void *mine = NULL;
        struct error err;

        assert_int_equal(setup(&mine), 0);
        x = mine;
        open_session(x);
        for (uint64_t i = 1; i <= 4; i++) {
            event(x, 'o', i, "abc");
        }
        client_flush(x->c);
        far_send_u64(&x->far, 0, FRAME_ACK, cases[k].acked);
        receive(x);
        shutdown(x->far.fd[0], SHUT_RDWR);
        receive(x);
        assert_true(client_lost(x->c));
        assert_int_equal(client_fd(x->c), -1);
        assert_int_equal(client_reconnect(x->c, 1000, &err), -1); /* nobody there yet */
        event(x, 'o', 5, "while nobody listened");
        far_pair(&x->far);
        far_send_u64(&x->far, 1, FRAME_RESUMED, cases[k].committed);
        MUST(client_reconnect(x->c, 5000, &err));
        assert_int_equal(client_acked(x->c), cases[k].committed);
        client_flush(x->c);
        buf_reset(&x->far.in);
        far_read(&x->far, 1);
        far_expect(&x->far, FRAME_RESUME, 0);
        for (uint64_t i = cases[k].committed + 1; i <= 5; i++) {
            far_expect(&x->far, FRAME_EVENT, i);
        }
        assert_int_equal(x->far.in.len, 0);
        teardown(&mine);
    }
}

/* The connection breaks in the middle of a frame, many times, at any place. */
static void survives_any_break(void **state)
{
    uint64_t random = 11;

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct fixture *x;
        void *mine = NULL;
        struct error err;
        uint64_t committed = 0, next = 1;
        int small = 4096;

        assert_int_equal(setup(&mine), 0);
        x = mine;
        open_session(x);
        for (int k = 0; k < 3; k++) {
            (void)setsockopt(client_fd(x->c), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
            for (int i = 0; i < 8; i++) {
                char text[3000];
                size_t len = check_random(&random) % sizeof text;

                memset(text, 'x', sizeof text);
                MUST(client_event(x->c, 'o', 1, text, len, NULL, &err));
            }
            client_flush(x->c);
            buf_reset(&x->far.in);
            far_read(&x->far, k);
            if (k > 0) {
                far_expect(&x->far, FRAME_RESUME, 0);
            }
            for (;;) { /* whole frames count, the begun one does not */
                struct frame f;
                size_t used = 0;

                if (frame_next(buf_data(&x->far.in), x->far.in.len, &f, &used, &err) != 1) {
                    break;
                }
                assert_int_equal(f.type, FRAME_EVENT);
                assert_true(io_get_be64(f.body) == next);
                next++;
                buf_consume(&x->far.in, used);
            }
            /* Some of it was committed; what came in after that was not. */
            committed +=
                next - 1 > committed ? check_random(&random) % (uint32_t)(next - committed) : 0;
            next = committed + 1;
            shutdown(x->far.fd[k], SHUT_RDWR);
            receive(x);
            assert_true(client_lost(x->c));
            far_pair(&x->far);
            far_send_u64(&x->far, k + 1, FRAME_RESUMED, committed);
            MUST(client_reconnect(x->c, 5000, &err));
        }
        teardown(&mine);
    }
}

static void pending_keeps_its_place(void **state)
{
    struct fixture *x = *state;
    struct error err;

    open_session(x);
    event(x, 'o', 1, "a");
    MUST(client_pending(x->c, 10, &err));
    event(x, 'o', 11, "b");
    event(x, 'i', 10, "k");
    MUST(client_pending(x->c, CLIENT_NO_PENDING, &err));
    client_flush(x->c);
    far_read(&x->far, 0);
    far_expect(&x->far, FRAME_EVENT, 1);
    far_expect(&x->far, FRAME_PENDING, 10);
    far_expect(&x->far, FRAME_EVENT, 2);
    far_expect(&x->far, FRAME_EVENT, 3);
    far_expect(&x->far, FRAME_PENDING, CLIENT_NO_PENDING);
    /* Events 1 and 2 are committed; a new writer hears of the watermark before anything else. */
    far_send_u64(&x->far, 0, FRAME_ACK, 1);
    receive(x);
    shutdown(x->far.fd[0], SHUT_RDWR);
    receive(x);
    far_pair(&x->far);
    far_send_u64(&x->far, 1, FRAME_RESUMED, 2);
    MUST(client_reconnect(x->c, 5000, &err));
    client_flush(x->c);
    far_read(&x->far, 1);
    far_expect(&x->far, FRAME_RESUME, 0);
    far_expect(&x->far, FRAME_PENDING, 10);
    far_expect(&x->far, FRAME_EVENT, 3);
    far_expect(&x->far, FRAME_PENDING, CLIENT_NO_PENDING);
    assert_int_equal(x->far.in.len, 0);
}

static void long_runs_are_several_events(void **state)
{
    struct fixture *x = *state;
    struct error err;
    uint64_t seq = 0;
    size_t len = 2 * EVENT_MAX_BYTES + 5;
    char *run = calloc(1, len);

    assert_non_null(run);
    open_session(x);
    MUST(client_event(x->c, 'o', 1, run, len, &seq, &err));
    assert_int_equal(seq, 3);
    MUST(client_event(x->c, 'o', 1, run, EVENT_MAX_BYTES, &seq, &err));
    assert_int_equal(seq, 4);
    MUST(client_event(x->c, 'm', 1, "", 0, &seq, &err));
    assert_int_equal(seq, 5);
    while (client_event(x->c, 'o', 1, run, EVENT_MAX_BYTES, &seq, &err) == 0) {
        assert_true(client_unacked_bytes(x->c) <= CLIENT_OUTBOX_MAX);
    }
    assert_int_equal(err.kind, ERR_LIMIT);
    free(run);
}

static void says_why_it_was_refused(void **state)
{
    static const struct {
        uint32_t kind;
        size_t len;
        enum err_kind want;
    } cases[] = {{ERR_LIMIT, 9, ERR_LIMIT},   {ERR_DENIED, 0, ERR_DENIED},
                 {0, 5, ERR_DENIED},          {99, 5, ERR_DENIED},
                 {ERR_RETRY, 230, ERR_RETRY}, {ERR_RETRY, 250, ERR_RETRY}};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct fixture *x;
        void *mine = NULL;
        struct policy policy;
        struct buf facts;
        struct error err;
        uint8_t body[300];

        assert_int_equal(setup(&mine), 0);
        x = mine;
        buf_init(&facts, FACTS_MAX);
        io_put_be32(body, cases[k].kind);
        memset(body + 4, 'w', sizeof body - 4);
        far_pair(&x->far);
        far_send(&x->far, 0, FRAME_REFUSED, body, 4 + cases[k].len);
        REFUSES(client_open(x->c, &facts, 5000, &policy, &err), cases[k].want);
        assert_non_null(strstr(err.text, cases[k].len > 0 ? "refused: www" : "refused"));
        assert_true(client_lost(x->c));
        buf_clear(&facts);
        teardown(&mine);
    }
}

static void nonsense_ends_the_connection(void **state)
{
    static const struct {
        uint8_t type;
        size_t len;
    } cases[] = {{FRAME_OPENED, 24}, {FRAME_RESUMED, 8},
                 {FRAME_ACK, 7},     {FRAME_ACK, 9},
                 {FRAME_PING, 1},    {FRAME_EVENT, 30},
                 {FRAME_DONE, 0},    {FRAME_GOODBYE, 2},
                 {FRAME_PENDING, 8}, {0, 0},
                 {255, 4},           {FRAME_OPEN, 4}};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct fixture *x;
        void *mine = NULL;
        struct error err;
        uint8_t body[64] = {0};

        assert_int_equal(setup(&mine), 0);
        x = mine;
        open_session(x);
        far_send(&x->far, 0, cases[k].type, body, cases[k].len);
        REFUSES(client_receive(x->c, &err), ERR_CORRUPT);
        assert_true(client_lost(x->c));
        teardown(&mine);
    }
}

static void gives_up_when_nobody_answers(void **state)
{
    struct fixture *x = *state;
    struct policy policy;
    struct buf facts;
    struct error err;

    buf_init(&facts, FACTS_MAX);
    REFUSES(client_open(x->c, &facts, 50, &policy, &err), ERR_SYSTEM);
    far_pair(&x->far);
    REFUSES(client_open(x->c, &facts, 50, &policy, &err), ERR_RETRY);
    far_pair(&x->far);
    shutdown(x->far.fd[1], SHUT_RDWR);
    REFUSES(client_open(x->c, &facts, 5000, &policy, &err), ERR_RETRY);
    buf_clear(&facts);
}

static void finishes_when_all_is_committed(void **state)
{
    struct fixture *x = *state;
    struct error err;

    open_session(x);
    event(x, 'o', 1, "a");
    event(x, 'x', 2, "exit 0");
    /* The connection breaks before the last word. */
    shutdown(x->far.fd[0], SHUT_RDWR);
    REFUSES(client_finish(x->c, 5000, &err), ERR_RETRY);
    far_pair(&x->far);
    far_send_u64(&x->far, 1, FRAME_RESUMED, 1);
    MUST(client_reconnect(x->c, 5000, &err));
    far_send_u64(&x->far, 1, FRAME_ACK, 2);
    far_send(&x->far, 1, FRAME_GOODBYE, NULL, 0);
    MUST(client_finish(x->c, 5000, &err));
    far_read(&x->far, 1);
    far_expect(&x->far, FRAME_RESUME, 0);
    far_expect(&x->far, FRAME_EVENT, 2);
    far_expect(&x->far, FRAME_BYE, 0);
    assert_int_equal(x->far.in.len, 0);
    assert_int_equal(client_unacked_bytes(x->c), 0);
}

static void refuses_paths_that_are_too_long(void **state)
{
    char path[300];
    struct error err;

    (void)state;
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[299] = '\0';
    REFUSES(client_connect_path(path, &err), ERR_USAGE);
    REFUSES(client_connect_path("/nowhere/at/all", &err), ERR_SYSTEM);
    client_free(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Out with the opening, back before the session is open, and nothing is taken afterwards. */
static void a_terminal_goes_out_and_a_fresh_one_comes(void **state)
{
    static const uint8_t ready[FRAME_HEADER] = {0, 0, 0, 0, FRAME_READY, 0, 0, 0};
    struct fixture *x = *state;
    int ends[2], got = -1, fresh;
    struct policy policy;
    struct error err;
    struct buf facts;
    uint8_t bytes[4096];

    assert_int_equal(pipe(ends), 0);
    buf_init(&facts, FACTS_MAX);
    far_pair(&x->far);
    assert_int_equal(pass_send(x->far.fd[0], ready, sizeof ready, ends[0]), (ssize_t)sizeof ready);
    far_opened(&x->far, 0);
    client_pass(x->c, ends[1]);
    MUST(client_open(x->c, &facts, 5000, &policy, &err));
    assert_true(pass_receive(x->far.fd[0], bytes, sizeof bytes, MSG_DONTWAIT, &got) > 0);
    assert_true(got >= 0);
    fresh = client_take_fresh(x->c);
    assert_true(fresh >= 0);
    assert_int_equal(write(got, "x", 1), 1);
    assert_int_equal(read(fresh, bytes, sizeof bytes), 1);
    assert_int_equal(client_take_fresh(x->c), -1);
    far_send(&x->far, 0, FRAME_PING, NULL, 0);
    assert_int_equal(pass_send(x->far.fd[0], ready, 1, ends[0]), 1);
    (void)client_receive(x->c, &err);
    assert_int_equal(client_take_fresh(x->c), -1);
    close(got);
    close(fresh);
    close(ends[0]);
    close(ends[1]);
    buf_clear(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(sends_in_order_and_forgets_what_is_acknowledged),
        cmocka_unit_test(resends_what_was_not_acknowledged),
        cmocka_unit_test(survives_any_break),
        T(pending_keeps_its_place),
        T(a_terminal_goes_out_and_a_fresh_one_comes),
        T(long_runs_are_several_events),
        cmocka_unit_test(says_why_it_was_refused),
        cmocka_unit_test(nonsense_ends_the_connection),
        T(gives_up_when_nobody_answers),
        T(finishes_when_all_is_committed),
        cmocka_unit_test(refuses_paths_that_are_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
