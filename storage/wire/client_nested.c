/* SPDX-License-Identifier: Apache-2.0 */
/* Recorders within sessions: asking whether one is, and being told of one. */
#include <errno.h>
#include <string.h>

#include "common/io.h"
#include "storage/wire/client_impl.h"
#include "storage/wire/pass.h"

static bool is_answered(const struct client *c)
{
    return c->asked;
}

static int send_question(struct client *c, int tty, struct error *err)
{
    uint8_t body[4];
    struct buf frame;
    int rc;

    io_put_be32(body, WIRE_VERSION);
    buf_init(&frame, 64);
    rc = frame_put(&frame, FRAME_NESTED, 0, body, sizeof body, err);
    /* The connection is new: so few bytes go at once. */
    if (rc == 0 && pass_send(c->fd, buf_data(&frame), frame.len, tty) != (ssize_t)frame.len) {
        rc = err_set(err, ERR_RETRY, "the writer takes nothing");
    }
    buf_clear(&frame);
    return rc;
}

int client_nested(struct client *c, int tty, int timeout_ms, bool *ret_yes,
                  struct policy *ret_policy, struct error *err)
{
    c->fd = c->connect(c->user, err);
    if (c->fd < 0) {
        return -1;
    }
    c->state = CLIENT_NEW;
    c->asked = c->nested = false;
    if (send_question(c, tty, err) != 0 ||
        client_wait(c, is_answered, timeout_ms, ret_policy, err) != 0) {
        client_lose(c);
        return -1;
    }
    *ret_yes = c->nested;
    return 0;
}

static int on_answer(struct client *c, const struct frame *f, struct policy *policy,
                     struct error *err)
{
    struct facts facts;

    c->asked = true;
    c->nested = f->len > 0;
    if (f->len == 0) {
        return 1;
    }
    if (f->len < 16 || facts_parse(f->body + 16, f->len - 16, &facts, err) != 0) {
        return err_set(err, ERR_CORRUPT, "writer's answer is damaged");
    }
    if (policy != NULL) {
        policy_defaults(policy);
        policy_from(policy, &facts);
    }
    return 1;
}

int client_nested_frame(struct client *c, const struct frame *f, struct policy *policy,
                        struct error *err)
{
    if (f->type == FRAME_NESTING && c->state == CLIENT_NEW && !c->asked) {
        return on_answer(c, f, policy, err);
    }
    if (f->type == FRAME_NESTED_IN && c->state == CLIENT_LIVE && f->len == 4) {
        c->nested_pid = io_get_be32(f->body);
        return 1;
    }
    return 0;
}

uint32_t client_took_in(struct client *c)
{
    uint32_t pid = c->nested_pid;

    c->nested_pid = 0;
    return pid;
}

void client_inner(struct client *c, int master)
{
    c->inner = master;
    c->inner_due = true;
}

bool client_send_inner(struct client *c)
{
    static const uint8_t frame[FRAME_HEADER] = {0, 0, 0, 0, FRAME_INNER, 0, 0, 0};
    ssize_t n = pass_send(c->fd, frame, sizeof frame, c->inner);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return false;
    }
    if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
        return false; /* what the writer said before may still be read */
    }
    c->inner_due = false;
    if (n >= 0 && n != (ssize_t)sizeof frame) {
        client_lose(c);
        return false;
    }
    return true;
}
