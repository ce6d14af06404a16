/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/client_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/wire/event.h"
#include "storage/wire/frame.h"
#include "storage/wire/pass.h"

int client_connect_path(const char *path, struct error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof a.sun_path) {
        return err_set(err, ERR_USAGE, "socket's path is longer than %zu bytes",
                       sizeof a.sun_path - 1);
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return err_sys(err, "socket");
    }
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        err_sys(err, "connect to the writer at %s", path);
        close(fd);
        return -1;
    }
    return fd;
}

int client_new(struct client **ret, client_connect_fn *connect, void *user, struct error *err)
{
    struct client *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return err_sys(err, "allocate");
    }
    c->connect = connect;
    c->user = user;
    c->fd = c->pass_fd = c->fresh_fd = c->inner = -1;
    c->pending_us = CLIENT_NO_PENDING;
    buf_init(&c->outbox, CLIENT_OUTBOX_MAX);
    buf_init(&c->small, FRAME_MAX_BODY + 4096);
    buf_init(&c->inbox, FRAME_MAX_BODY + FRAME_HEADER);
    *ret = c;
    return 0;
}

void client_lose(struct client *c)
{
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    c->state = CLIENT_LOST;
    c->sent = 0;
    c->frame_left = 0;
    c->bye = c->asked = c->passes = false;
    buf_reset(&c->small);
    buf_reset(&c->inbox);
}

void client_drop(struct client *c)
{
    client_lose(c);
}

void client_free(struct client *c)
{
    if (c != NULL) {
        client_lose(c);
        if (c->fresh_fd >= 0) {
            close(c->fresh_fd);
        }
        buf_clear(&c->outbox);
        buf_clear(&c->small);
        buf_clear(&c->inbox);
        free(c);
    }
}

/* ---- sending ---- */

/* How many bytes after ${sent} may go out before a frame boundary at which `small` may step in. */
static size_t to_boundary(const struct client *c)
{
    return c->small.len > 0 ? c->frame_left : c->outbox.len - c->sent;
}

/* Keeps frame_left right after ${n} more bytes of the outbox were sent. */
static void note_sent(struct client *c, size_t n)
{
    const uint8_t *data = buf_data(&c->outbox);

    while (n > 0) {
        size_t step;

        if (c->frame_left == 0) {
            c->frame_left = FRAME_HEADER + io_get_be32(data + c->sent);
        }
        step = n < c->frame_left ? n : c->frame_left;
        c->sent += step;
        c->frame_left -= step;
        n -= step;
    }
}

static ssize_t send_some(struct client *c, const uint8_t *p, size_t len)
{
    ssize_t n;

    do {
        n = pass_send(c->fd, p, len, c->passes ? c->pass_fd : -1);
    } while (n < 0 && errno == EINTR);
    c->passes = c->passes && n <= 0;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        /* Not lost yet: what the writer said before it went may still be read. */
        if (errno != EPIPE && errno != ECONNRESET) {
            client_lose(c);
        }
        return -1;
    }
    return n;
}

void client_flush(struct client *c)
{
    while (c->fd >= 0 && client_wants_write(c)) {
        bool small = c->small.len > 0 && c->frame_left == 0;
        size_t len = small ? c->small.len : to_boundary(c);
        const uint8_t *p = small ? buf_data(&c->small) : buf_data(&c->outbox) + c->sent;
        ssize_t n;

        if (c->inner_due && c->state == CLIENT_LIVE && c->small.len == 0 && c->frame_left == 0) {
            if (!client_send_inner(c)) {
                return;
            }
            continue;
        }
        n = send_some(c, p, len);

        if (n < 0) {
            return;
        }
        if (small) {
            buf_consume(&c->small, (size_t)n);
        } else {
            note_sent(c, (size_t)n);
        }
    }
}

/* ---- receiving ---- */

/* Forget the events up to ${seq}. */
static void acknowledge(struct client *c, uint64_t seq)
{
    size_t drop = 0;

    while (drop + FRAME_HEADER + 8 <= c->sent) {
        const uint8_t *at = buf_data(&c->outbox) + drop;
        size_t len = FRAME_HEADER + io_get_be32(at);
        uint64_t first = io_get_be64(at + FRAME_HEADER);

        if (drop + len > c->sent || (at[4] == FRAME_EVENT && first > seq)) {
            break;
        }
        if (at[4] == FRAME_PENDING) {
            c->pending_us = first;
        }
        drop += len;
    }
    buf_consume(&c->outbox, drop);
    c->sent -= drop;
    if (seq > c->acked) {
        c->acked = seq;
    }
}

static int on_opened(struct client *c, const struct frame *f, struct policy *policy,
                     struct error *err)
{
    struct facts facts;

    if (f->len < 24 || facts_parse(f->body + 24, f->len - 24, &facts, err) != 0) {
        return err_set(err, ERR_CORRUPT, "writer's answer is damaged");
    }
    memcpy(c->session, f->body, 16);
    c->started_us = (int64_t)io_get_be64(f->body + 16);
    if (policy != NULL) {
        policy_defaults(policy);
        policy_from(policy, &facts);
    }
    c->state = CLIENT_LIVE;
    return 0;
}

static int on_full(struct client *c, const struct frame *f, struct error *err)
{
    struct facts facts;

    c->full = f->type == FRAME_FULL;
    if (f->len == 0) {
        return 0;
    }
    if (facts_parse(f->body, f->len, &facts, err) != 0) {
        return err_set(err, ERR_CORRUPT, "writer's policy is damaged");
    }
    policy_defaults(&c->policy);
    policy_from(&c->policy, &facts);
    c->has_policy = true;
    return 0;
}

static int on_refused(const struct frame *f, struct error *err)
{
    uint32_t kind = f->len >= 4 ? io_get_be32(f->body) : 0;
    int len = f->len < 4 ? 0 : f->len < 240 ? (int)f->len - 4 : 236;

    if (kind < ERR_SYSTEM || kind > ERR_USAGE) {
        kind = ERR_DENIED;
    }
    return err_set(err, (enum err_kind)kind, "the writer refused: %.*s", len,
                   len > 0 ? (const char *)f->body + 4 : "");
}

/* The recorder's half of the table of legal messages (docs/FORMAT.md, "Messages"). */
static int on_frame(struct client *c, const struct frame *f, struct policy *policy,
                    struct error *err)
{
    bool live = c->state == CLIENT_LIVE;
    int rc;

    if (f->type == FRAME_REFUSED) {
        return on_refused(f, err);
    }
    rc = client_nested_frame(c, f, policy, err);
    if (rc != 0) {
        return rc > 0 ? 0 : -1;
    }
    if (f->type == FRAME_READY && c->state == CLIENT_OPENING && f->len == 0) {
        c->ready = true;
        return 0;
    }
    if (f->type == FRAME_FULL || (f->type == FRAME_FULL_OVER && live && f->len == 0)) {
        return on_full(c, f, err);
    }
    if (f->type == FRAME_OPENED && c->state == CLIENT_OPENING) {
        return on_opened(c, f, policy, err);
    }
    if (f->type == FRAME_RESUMED && c->state == CLIENT_OPENING && f->len == 8) {
        c->state = CLIENT_LIVE;
        c->sent = c->outbox.len; /* acknowledge() looks at what was sent */
        acknowledge(c, io_get_be64(f->body));
        c->sent = 0;
        return 0;
    }
    if (f->type == FRAME_ACK && live && f->len == 8) {
        acknowledge(c, io_get_be64(f->body));
        return 0;
    }
    if (f->type == FRAME_PING && live && f->len == 0) {
        return frame_put(&c->small, FRAME_PONG, 0, NULL, 0, err);
    }
    if (f->type == FRAME_GOODBYE && live && f->len == 0) {
        c->goodbye = true;
        return 0;
    }
    return err_set(err, ERR_CORRUPT, "the writer sent message %u out of turn", (unsigned)f->type);
}

static int take_frames(struct client *c, struct policy *policy, struct error *err)
{
    for (;;) {
        struct frame f;
        size_t used = 0;
        int rc = frame_next(buf_data(&c->inbox), c->inbox.len, &f, &used, err);

        if (rc == 0) {
            return 0;
        }
        if (rc < 0 || on_frame(c, &f, policy, err) != 0) {
            client_lose(c);
            return -1;
        }
        buf_consume(&c->inbox, used);
    }
}

int client_take(struct client *c, struct policy *policy, struct error *err)
{
    while (c->fd >= 0) {
        uint8_t *at;
        size_t room = c->inbox.max - c->inbox.len;
        ssize_t n;

        if (room > 4096) {
            room = 4096;
        }
        if (buf_reserve(&c->inbox, room, &at, err) != 0) {
            return -1;
        }
        /* Only while it opens: nobody fills up our table later. */
        n = c->state == CLIENT_OPENING && c->pass_fd >= 0
                ? pass_receive(c->fd, at, room, MSG_DONTWAIT, &c->fresh_fd)
                : recv(c->fd, at, room, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return 0;
        }
        if (n <= 0) {
            client_lose(c);
            return 0;
        }
        buf_commit(&c->inbox, (size_t)n);
        if (take_frames(c, policy, err) != 0) {
            return -1;
        }
        /* A short answer means that the socket is empty: no second call to be told so. */
        if ((size_t)n < room) {
            return 0;
        }
    }
    return 0;
}

int client_receive(struct client *c, struct error *err)
{
    return client_take(c, NULL, err);
}

/* ---- queueing ---- */

int client_put_pending(struct buf *to, uint64_t t_us, struct error *err)
{
    uint8_t body[8];

    io_put_be64(body, t_us);
    return frame_put(to, FRAME_PENDING, 0, body, sizeof body, err);
}

int client_event(struct client *c, char kind, uint64_t t_us, const void *bytes, size_t len,
                 uint64_t *ret_seq, struct error *err)
{
    const uint8_t *p = bytes;

    do {
        struct event ev = {.seq = c->last_seq + 1, .t_us = t_us, .kind = kind, .bytes = p};

        ev.len = len < EVENT_MAX_BYTES ? len : EVENT_MAX_BYTES;
        if (event_put(&c->outbox, &ev, err) != 0) {
            return -1;
        }
        c->last_seq++;
        p += ev.len;
        len -= ev.len;
    } while (len > 0);
    if (ret_seq != NULL) {
        *ret_seq = c->last_seq;
    }
    return 0;
}

int client_pending(struct client *c, uint64_t t_us, struct error *err)
{
    return client_put_pending(&c->outbox, t_us, err);
}

/* ---- looking ---- */

int client_fd(const struct client *c)
{
    return c->fd;
}

bool client_wants_write(const struct client *c)
{
    return c->fd >= 0 && (c->small.len > 0 ||
                          (c->state == CLIENT_LIVE && (c->sent < c->outbox.len || c->inner_due)));
}

bool client_lost(const struct client *c)
{
    return c->state == CLIENT_LOST;
}

uint64_t client_acked(const struct client *c)
{
    return c->acked;
}

uint64_t client_last_seq(const struct client *c)
{
    return c->last_seq;
}

size_t client_unacked_bytes(const struct client *c)
{
    return c->outbox.len;
}

const uint8_t *client_unacked(const struct client *c, size_t *ret_len)
{
    *ret_len = c->outbox.len;
    return buf_data(&c->outbox);
}

bool client_full(const struct client *c)
{
    return c->full;
}

bool client_full_policy(const struct client *c, struct policy *ret)
{
    if (c->full && c->has_policy) {
        *ret = c->policy;
    }
    return c->full && c->has_policy;
}

const uint8_t *client_session(const struct client *c)
{
    return c->session;
}

int64_t client_started_us(const struct client *c)
{
    return c->started_us;
}
