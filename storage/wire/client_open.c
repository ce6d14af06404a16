/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the writer: at the start and the end of a session, and nowhere else. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/wire/client_impl.h"
#include "storage/wire/frame.h"

int client_wait(struct client *c, bool (*done)(const struct client *c), int timeout_ms,
                struct policy *policy, struct error *err)
{
    uint64_t end = clock_boot_us() + (uint64_t)timeout_ms * 1000;

    for (;;) {
        struct pollfd p = {.events = POLLIN};
        uint64_t now;

        client_flush(c);
        if (c->fd < 0) {
            return err_set(err, ERR_RETRY, "the writer closed the connection");
        }
        if (done(c)) {
            return 0;
        }
        now = clock_boot_us();
        if (now >= end) {
            return err_set(err, ERR_RETRY, "the writer did not answer within %d ms", timeout_ms);
        }
        p.fd = c->fd;
        p.events = client_wants_write(c) ? POLLIN | POLLOUT : POLLIN;
        if (poll(&p, 1, (int)((end - now) / 1000) + 1) < 0 && errno != EINTR) {
            return err_sys(err, "poll");
        }
        if (client_take(c, policy, err) != 0) {
            return -1;
        }
        if (done(c)) {
            return 0;
        }
    }
}

static bool is_live(const struct client *c)
{
    return c->state == CLIENT_LIVE;
}

static bool is_ready(const struct client *c)
{
    return c->ready || is_live(c);
}

static bool is_finished(const struct client *c)
{
    return c->goodbye;
}

static int begin(struct client *c, uint8_t type, const void *rest, size_t len, struct error *err)
{
    uint8_t body[FRAME_MAX_BODY];

    if (len > sizeof body - 4) {
        return err_set(err, ERR_LIMIT, "facts of %zu bytes", len);
    }
    /* After NESTED it goes on with the same one. */
    if (!c->asked || c->fd < 0) {
        c->fd = c->connect(c->user, err);
    }
    if (c->fd < 0) {
        return -1;
    }
    c->state = CLIENT_OPENING;
    c->full = c->asked = false;
    c->inner_due = c->inner >= 0;
    io_put_be32(body, WIRE_VERSION);
    memcpy(body + 4, rest, len);
    if (frame_put(&c->small, type, 0, body, len + 4, err) != 0) {
        client_lose(c);
        return -1;
    }
    c->passes = type == FRAME_OPEN && c->pass_fd >= 0;
    client_flush(c);
    return 0;
}

void client_pass(struct client *c, int fd)
{
    c->pass_fd = fd;
}

int client_take_fresh(struct client *c)
{
    int fd = c->fresh_fd;

    c->fresh_fd = -1;
    return fd;
}

int client_open_start(struct client *c, const struct buf *facts, struct error *err)
{
    return begin(c, FRAME_OPEN, buf_data(facts), facts->len, err);
}

int client_open_ready(struct client *c, int timeout_ms, struct policy *ret_policy,
                      struct error *err)
{
    if (client_wait(c, is_ready, timeout_ms, ret_policy, err) != 0) {
        client_lose(c);
        return -1;
    }
    return 0;
}

int client_open_finish(struct client *c, int timeout_ms, struct policy *ret_policy,
                       struct error *err)
{
    if (client_wait(c, is_live, timeout_ms, ret_policy, err) != 0) {
        client_lose(c);
        return -1;
    }
    return 0;
}

int client_open(struct client *c, const struct buf *facts, int timeout_ms,
                struct policy *ret_policy, struct error *err)
{
    if (client_open_start(c, facts, err) != 0) {
        return -1;
    }
    return client_open_finish(c, timeout_ms, ret_policy, err);
}

int client_reconnect(struct client *c, int timeout_ms, struct error *err)
{
    client_lose(c);
    if (begin(c, FRAME_RESUME, c->session, sizeof c->session, err) != 0) {
        return -1;
    }
    if (client_wait(c, is_live, timeout_ms, NULL, err) != 0) {
        client_lose(c);
        return -1;
    }
    return c->pending_us == CLIENT_NO_PENDING ? 0
                                              : client_put_pending(&c->small, c->pending_us, err);
}

int client_finish(struct client *c, int timeout_ms, struct error *err)
{
    if (c->fd < 0) {
        return err_set(err, ERR_RETRY, "the writer is gone");
    }
    /* BYE must come after the last event: put it behind them, in the outbox's order. */
    while (c->sent < c->outbox.len) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN | POLLOUT};

        client_flush(c);
        if (c->fd < 0 || c->sent >= c->outbox.len) {
            break;
        }
        if (poll(&p, 1, timeout_ms) == 0) {
            return err_set(err, ERR_RETRY, "the writer takes nothing");
        }
        if (client_take(c, NULL, err) != 0) {
            return -1;
        }
    }
    if (c->fd < 0) {
        return err_set(err, ERR_RETRY, "the writer closed the connection");
    }
    if (!c->bye && frame_put(&c->small, FRAME_BYE, 0, NULL, 0, err) != 0) {
        return -1;
    }
    c->bye = true;
    c->inner_due = false;
    return client_wait(c, is_finished, timeout_ms, NULL, err);
}
