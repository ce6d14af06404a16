/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/writer/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/wire/pass.h"

int peer_new(struct peer **ret, int fd, bool control, struct error *err)
{
    struct peer *p = calloc(1, sizeof *p);
    struct ucred cred;
    socklen_t len = sizeof cred;

    if (p == NULL) {
        close(fd);
        return err_sys(err, "allocate");
    }
    p->fd = fd;
    p->passed_fd = p->out_fd = -1;
    p->control = control;
    p->began_us = p->heard_us = clock_boot_us();
    buf_init(&p->in, PEER_TURN_BYTES + FRAME_HEADER + FRAME_MAX_BODY);
    buf_init(&p->out, 2 * FRAME_MAX_BODY);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
        err_sys(err, "identify the peer");
        peer_free(p);
        return -1;
    }
    p->pid = cred.pid;
    p->uid = cred.uid;
    p->start = clock_process_start(cred.pid);
    *ret = p;
    return 0;
}

void peer_free(struct peer *p)
{
    if (p != NULL) {
        if (p->fd >= 0) {
            close(p->fd);
        }
        if (p->passed_fd >= 0) {
            close(p->passed_fd);
        }
        if (p->out_fd >= 0) {
            close(p->out_fd);
        }
        buf_clear(&p->in);
        buf_clear(&p->out);
        buf_clear(&p->import.bytes);
        free(p);
    }
}

int peer_receive(struct peer *p)
{
    uint8_t *at;
    size_t room = p->in.max - p->in.len;
    ssize_t n;

    if (room > PEER_TURN_BYTES) {
        room = PEER_TURN_BYTES;
    }
    if (room == 0) {
        return 0; /* what waits for its commit comes first */
    }
    if (buf_reserve(&p->in, room, &at, NULL) != 0) {
        return 0;
    }
    do {
        int passed = -1;

        n = pass_receive(p->fd, at, room, MSG_DONTWAIT, &passed);
        /* One at a time: whatever else comes is not ours to keep. */
        if (passed >= 0 && (p->state == PEER_NEW || p->state == PEER_LIVE) && p->passed_fd < 0 &&
            !p->control) {
            p->passed_fd = passed;
        } else if (passed >= 0) {
            close(passed);
        }
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;
    }
    if (n <= 0) {
        return -1;
    }
    buf_commit(&p->in, (size_t)n);
    return 0;
}

int peer_next(struct peer *p, struct frame *ret, size_t *ret_used, struct error *err)
{
    return frame_next(buf_data(&p->in) + p->events, p->in.len - p->events, ret, ret_used, err);
}

void peer_keep(struct peer *p, size_t used)
{
    p->events += used;
}

void peer_drop(struct peer *p, size_t used)
{
    uint8_t *at = buf_data(&p->in) + p->events;

    if (p->events == 0) {
        buf_consume(&p->in, used);
        return;
    }
    memmove(at, at + used, p->in.len - p->events - used);
    p->in.len -= used;
}

void peer_committed(struct peer *p)
{
    buf_consume(&p->in, p->events);
    p->events = 0;
    p->urgent = false;
}

void peer_send(struct peer *p, uint8_t type, const void *body, size_t len)
{
    struct error err = {.kind = ERR_NONE};
    int rc = frame_put(&p->out, type, 0, body, len, &err);

    /* A peer that lets 128 KiB of small answers pile up is not reading: it loses them.  One that
     * would wait for what there was no memory for is hung up on instead, and comes again; that
     * shows at the next read. */
    if (rc != 0 && err.kind != ERR_LIMIT) {
        (void)shutdown(p->fd, SHUT_RDWR);
    }
    p->last_is_ack = rc == 0 && type == FRAME_ACK;
}

void peer_ack(struct peer *p, uint64_t seq)
{
    uint8_t body[8];

    io_put_be64(body, seq);
    /* With a byte before it, the waiting acknowledgement is whole: the newer one takes its place.
     */
    if (p->last_is_ack && p->out.len > FRAME_HEADER + sizeof body) {
        memcpy(buf_data(&p->out) + p->out.len - sizeof body, body, sizeof body);
        return;
    }
    peer_send(p, FRAME_ACK, body, sizeof body);
}

void peer_refuse(struct peer *p, enum err_kind kind, const char *text)
{
    uint8_t body[4 + 250];
    size_t len = strnlen(text, 250);

    io_put_be32(body, (uint32_t)kind);
    memcpy(body + 4, text, len);
    peer_send(p, FRAME_REFUSED, body, 4 + len);
}

int peer_take_passed(struct peer *p)
{
    int fd = p->passed_fd;

    p->passed_fd = -1;
    return fd;
}

bool peer_flush(struct peer *p)
{
    while (p->out.len > 0 && p->fd >= 0) {
        ssize_t n = pass_send(p->fd, buf_data(&p->out), p->out.len, p->out_fd);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                buf_reset(&p->out); /* the end shows at the next read */
            }
            break;
        }
        buf_consume(&p->out, (size_t)n);
        if (p->out_fd >= 0) {
            close(p->out_fd);
            p->out_fd = -1;
        }
    }
    return p->out.len > 0;
}
