/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's end of a recorder's socket, played by the test. */
#ifndef TTYTRAIL_TESTS_UNIT_FAR_H
#define TTYTRAIL_TESTS_UNIT_FAR_H

#include "tests/unit/check.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "storage/wire/client.h"
#include "storage/wire/event.h"
#include "storage/wire/frame.h"

/* The other end: sockets are made in advance, so that answers can lie ready and nobody waits. */
struct far {
    int near[4], fd[4]; /* one pair for each connection */
    int made, used;
    struct buf in;
};

static inline int on_connect(void *user, struct error *err)
{
    struct far *f = user;

    if (f->used == f->made) {
        return err_set(err, ERR_SYSTEM, "nobody there");
    }
    return f->near[f->used++];
}

static inline void far_pair(struct far *f)
{
    int both[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0);
    f->near[f->made] = both[0];
    f->fd[f->made++] = both[1];
}

static inline void far_send(struct far *f, int which, uint8_t type, const void *body, size_t len)
{
    struct buf out;
    struct error err;

    buf_init(&out, FRAME_HEADER + FRAME_MAX_BODY);
    MUST(frame_put(&out, type, 0, body, len, &err));
    MUST(io_write_all(f->fd[which], buf_data(&out), out.len, &err));
    buf_clear(&out);
}

static inline void far_send_u64(struct far *f, int which, uint8_t type, uint64_t n)
{
    uint8_t body[8];

    io_put_be64(body, n);
    far_send(f, which, type, body, sizeof body);
}

static inline void far_opened(struct far *f, int which)
{
    struct policy policy;
    struct buf body;
    struct error err;
    uint8_t head[24];

    memset(head, 0xab, 16);
    io_put_be64(head + 16, 1763790000123456);
    policy_defaults(&policy);
    policy.commit_ms = 77;
    (void)snprintf(policy.notice, sizeof policy.notice, "this is recorded");
    buf_init(&body, FRAME_MAX_BODY);
    MUST(buf_append(&body, head, sizeof head, &err));
    MUST(policy_put(&body, &policy, &err));
    far_send(f, which, FRAME_OPENED, buf_data(&body), body.len);
    buf_clear(&body);
}

/* Everything that has come in on connection ${which}, appended to f->in. */
static inline void far_read(struct far *f, int which)
{
    uint8_t chunk[65536];
    struct error err;
    ssize_t n;

    while ((n = recv(f->fd[which], chunk, sizeof chunk, MSG_DONTWAIT)) > 0) {
        MUST(buf_append(&f->in, chunk, (size_t)n, &err));
    }
}

/* The next frame, which must be there. */
static inline struct frame far_frame(struct far *f, size_t *used)
{
    struct frame frame = {.type = 0};
    struct error err;

    assert_int_equal(frame_next(buf_data(&f->in), f->in.len, &frame, used, &err), 1);
    return frame;
}

static inline void far_expect(struct far *f, uint8_t type, uint64_t first)
{
    size_t used = 0;
    struct frame frame = far_frame(f, &used);

    assert_int_equal(frame.type, type);
    if (frame.len >= 8 && (type == FRAME_EVENT || type == FRAME_PENDING)) {
        assert_true(io_get_be64(frame.body) == first);
    }
    buf_consume(&f->in, used);
}

struct fixture {
    struct far far;
    struct client *c;
};

static inline int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    struct error err;

    if (x == NULL) {
        return -1;
    }
    buf_init(&x->far.in, 16U << 20);
    *state = x;
    return client_new(&x->c, on_connect, &x->far, &err);
}

static inline int teardown(void **state)
{
    struct fixture *x = *state;

    client_free(x->c);
    for (int i = 0; i < x->far.made; i++) {
        close(x->far.fd[i]);
        if (i >= x->far.used) {
            close(x->far.near[i]);
        }
    }
    buf_clear(&x->far.in);
    free(x);
    return 0;
}

/* A session on the first connection. */
static inline void open_session(struct fixture *x)
{
    struct policy policy;
    struct buf facts;
    struct error err;

    buf_init(&facts, FACTS_MAX);
    MUST(facts_put_text(&facts, "user", "alice", &err));
    far_pair(&x->far);
    far_opened(&x->far, 0);
    MUST(client_open(x->c, &facts, 5000, &policy, &err));
    assert_int_equal(policy.commit_ms, 77);
    assert_string_equal(policy.notice, "this is recorded");
    assert_int_equal(client_started_us(x->c), 1763790000123456);
    assert_int_equal(client_session(x->c)[15], 0xab);
    far_read(&x->far, 0);
    far_expect(&x->far, FRAME_OPEN, 0);
    buf_clear(&facts);
}

static inline void event(struct fixture *x, char kind, uint64_t t_us, const char *text)
{
    struct error err;

    MUST(client_event(x->c, kind, t_us, text, strlen(text), NULL, &err));
}

static inline void receive(struct fixture *x)
{
    struct error err;

    MUST(client_receive(x->c, &err));
}

#endif
