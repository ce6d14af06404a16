/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/control_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/wire/client.h"
#include "storage/wire/facts.h"
#include "storage/wire/frame.h"
#include "storage/wire/spawn.h"

#define CONTROL_TIMEOUT_MS 30000

struct control {
    int fd;
    struct buf inbox;
};

int control_open(struct control **ret, const char *socket_or_null, const char *db,
                 struct error *err)
{
    struct control *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return err_sys(err, "allocate");
    }
    buf_init(&c->inbox, FRAME_HEADER + FRAME_MAX_BODY);
    c->fd = socket_or_null != NULL ? client_connect_path(socket_or_null, err)
                                   : spawn_writer(db, NULL, err);
    if (c->fd < 0) {
        control_close(c);
        return -1;
    }
    *ret = c;
    return 0;
}

void control_close(struct control *c)
{
    if (c != NULL) {
        if (c->fd >= 0) {
            close(c->fd);
        }
        buf_clear(&c->inbox);
        free(c);
    }
}

static int wait_for(int fd, short events, uint64_t end_us, struct error *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        uint64_t now = clock_boot_us();
        int n;

        if (now >= end_us) {
            return err_set(err, ERR_RETRY, "the writer did not answer within %d s",
                           CONTROL_TIMEOUT_MS / 1000);
        }
        n = poll(&p, 1, (int)((end_us - now) / 1000) + 1);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return err_sys(err, "poll");
        }
    }
}

static int send_all(int fd, const uint8_t *p, size_t len, uint64_t end_us, struct error *err)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (wait_for(fd, POLLOUT, end_us, err) != 0) {
                return -1;
            }
        } else if (errno != EINTR) {
            return err_sys(err, "write to the writer");
        }
    }
    return 0;
}

static int answer_of(const struct frame *f, const struct control_wanted *wanted, struct error *err)
{
    if (f->type == FRAME_DONE) {
        struct facts facts;

        if (facts_parse(f->body, f->len, &facts, err) != 0) {
            return -1;
        }
        for (; wanted != NULL && wanted->name != NULL; wanted++) {
            *wanted->value = facts_int(&facts, wanted->name, 0);
        }
        return 0;
    }
    if (f->type == FRAME_REFUSED && f->len >= 4) {
        uint32_t kind = io_get_be32(f->body);
        int len = f->len < 240 ? (int)f->len - 4 : 0;

        if (kind < ERR_SYSTEM || kind > ERR_USAGE) {
            kind = ERR_DENIED;
        }
        return err_set(err, (enum err_kind)kind, "the writer refused: %.*s", len,
                       (const char *)f->body + 4);
    }
    return err_set(err, ERR_CORRUPT, "the writer sent message %u out of turn", (unsigned)f->type);
}

static int receive(struct control *c, uint64_t end_us, const struct control_wanted *wanted,
                   struct error *err)
{
    for (;;) {
        struct frame f;
        uint8_t *at;
        size_t used = 0;
        ssize_t n;
        int rc = frame_next(buf_data(&c->inbox), c->inbox.len, &f, &used, err);

        if (rc < 0) {
            return -1;
        }
        if (rc > 0 && f.type == FRAME_READY) {
            buf_consume(&c->inbox, used);
            continue;
        }
        if (rc > 0) {
            rc = answer_of(&f, wanted, err);
            buf_consume(&c->inbox, used);
            return rc;
        }
        if (wait_for(c->fd, POLLIN, end_us, err) != 0 ||
            buf_reserve(&c->inbox, 1024, &at, err) != 0) {
            return -1;
        }
        n = recv(c->fd, at, 1024, MSG_DONTWAIT);
        if (n == 0) {
            return err_set(err, ERR_RETRY, "the writer closed the connection");
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return err_sys(err, "read from the writer");
        }
        if (n > 0) {
            buf_commit(&c->inbox, (size_t)n);
        }
    }
}

int control_ask(struct control *c, uint8_t type, const void *body, size_t len,
                const struct control_wanted *wanted, struct error *err)
{
    uint64_t end_us = clock_boot_us() + (uint64_t)CONTROL_TIMEOUT_MS * 1000;
    struct buf out;
    int rc = -1;

    buf_init(&out, FRAME_HEADER + FRAME_MAX_BODY);
    if (frame_put(&out, type, 0, body, len, err) == 0 &&
        send_all(c->fd, buf_data(&out), out.len, end_us, err) == 0) {
        rc = receive(c, end_us, wanted, err);
    }
    buf_clear(&out);
    return rc;
}

int control_shipped(struct control *c, const uint8_t session[16], uint32_t segments,
                    struct error *err)
{
    uint8_t body[20];

    memcpy(body, session, 16);
    io_put_be32(body + 16, segments);
    return control_ask(c, FRAME_SHIPPED, body, sizeof body, NULL, err);
}

int control_shipped_many(struct control *c, const struct control_told *list, size_t n,
                         struct error *err)
{
    while (n > 0) {
        uint8_t body[SHIPPED_MANY * SHIPPED_ENTRY];
        size_t now = n < SHIPPED_MANY ? n : SHIPPED_MANY;

        for (size_t i = 0; i < now; i++) {
            memcpy(body + i * SHIPPED_ENTRY, list[i].session, 16);
            io_put_be32(body + i * SHIPPED_ENTRY + 16, list[i].segments);
        }
        if (control_ask(c, FRAME_SHIPPED, body, now * SHIPPED_ENTRY, NULL, err) != 0) {
            return -1;
        }
        list += now;
        n -= now;
    }
    return 0;
}

int control_seal_now(struct control *c, const uint8_t *session_or_null, int64_t *ret_horizon,
                     struct error *err)
{
    int64_t ignored = 0;
    const struct control_wanted wanted[] = {
        {"horizon", ret_horizon != NULL ? ret_horizon : &ignored}, {NULL, NULL}};

    return control_ask(c, FRAME_SEAL_NOW, session_or_null, session_or_null == NULL ? 0 : 16, wanted,
                       err);
}

int control_epoch(struct control *c, const char *reason, struct error *err)
{
    return control_ask(c, FRAME_EPOCH, reason, strnlen(reason, 512), NULL, err);
}
