/* SPDX-License-Identifier: Apache-2.0 */
/* A login's outer terminal: its recorder passes it, ttytrail-facts hangs it up, and the recorder
 * gets the fresh descriptor with OPENED.  The loop goes on meanwhile; after OUTER_US the session
 * opens without, and says so by its flag (PITFALLS 1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/wire/pass.h"
#include "storage/writer/writer_impl.h"

#define OUTER_US    100000
#define WITHDRAW_US 70000 /* the question; what is under way may still end well */

struct outer_ask {
    struct outer_ask *next;
    struct peer *peer; /* NULL: over; freed at the next step */
    int fd;
    uint64_t until_us, withdraw_us;
};

static int connect_facts(const struct writer *w)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, n = snprintf(a.sun_path, sizeof a.sun_path, "%.90s/facts.sock", w->run_dir);

    if (w->run_dir[0] == '\0' || n < 0 || (size_t)n >= sizeof a.sun_path) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool send_question(int fd, const struct peer *p, int tty)
{
    struct buf out;
    uint8_t owner[4];
    bool sent;

    io_put_be32(owner, (uint32_t)p->uid);
    buf_init(&out, 64);
    sent = frame_put(&out, FRAME_FACTS_HANGUP, 0, owner, sizeof owner, NULL) == 0 &&
           pass_send(fd, buf_data(&out), out.len, tty) == (ssize_t)out.len;
    buf_clear(&out);
    return sent;
}

/* OPENED, with or without. */
static void finish(struct writer *w, struct peer *p, int fresh)
{
    struct wsession *s = p->session;
    struct error err = {.kind = ERR_NONE};

    if (fresh < 0 && s != NULL && wsession_add_flag(s, "outer-tty-shared", NULL) == 0) {
        (void)store_session_flags(w->store, s->info.row, s->info.flags, NULL);
    }
    if (s == NULL || opening_answer(w, p, fresh, &err) != 0) {
        if (fresh >= 0 && p->out_fd != fresh) {
            close(fresh);
        }
        connections_hang_up(w, p);
    }
}

static void end(struct writer *w, struct outer_ask *a, int fresh)
{
    struct peer *p = a->peer;

    a->peer = NULL;
    (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, a->fd, NULL);
    close(a->fd);
    finish(w, p, fresh);
}

bool outer_ask(struct writer *w, struct peer *p)
{
    struct outer_ask *a;
    int tty = peer_take_passed(p), fd;

    if (tty < 0) {
        return false;
    }
    /* Nobody would take the fresh one who is gone by now, and the old one lives on without us. */
    fd = w->private || pass_gone(p->fd) ? -1 : connect_facts(w);
    a = fd >= 0 ? calloc(1, sizeof *a) : NULL;
    if (a == NULL || !send_question(fd, p, tty) ||
        connections_watch(w, fd, a, EPOLLIN | EPOLLRDHUP, NULL) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        free(a);
        close(tty);
        finish(w, p, -1);
        return true;
    }
    close(tty);
    *a = (struct outer_ask){.next = w->asks, .peer = p, .fd = fd};
    a->until_us = clock_boot_us() + OUTER_US;
    a->withdraw_us = a->until_us - OUTER_US + WITHDRAW_US;
    w->asks = a;
    p->waiting = true;
    return true;
}

bool outer_event(struct writer *w, const void *what)
{
    uint8_t bytes[1024];
    struct frame f;
    size_t used;
    int fresh = -1;

    for (struct outer_ask *a = w->asks; a != NULL; a = a->next) {
        if (a != what) {
            continue;
        }
        if (a->peer != NULL) {
            ssize_t n = pass_receive(a->fd, bytes, sizeof bytes, MSG_DONTWAIT, &fresh);
            bool done = n > 0 && frame_next(bytes, (size_t)n, &f, &used, NULL) == 1 &&
                        f.type == FRAME_DONE && fresh >= 0;

            if (!done) {
                log_line(LOG_LEVEL_WARN, "outer-tty-shared pid=%ld uid=%ld", (long)a->peer->pid,
                         (long)a->peer->uid);
                if (fresh >= 0) {
                    close(fresh);
                }
            }
            end(w, a, done ? fresh : -1);
        }
        return true;
    }
    return false;
}

/* Who has not begun must not begin when the recorder no longer waits for it. */
static void wait_or_withdraw(struct outer_ask *a, uint64_t now, uint64_t *wait_us)
{
    uint64_t due = a->withdraw_us != 0 ? a->withdraw_us : a->until_us;

    if (a->withdraw_us != 0 && now >= a->withdraw_us) {
        (void)shutdown(a->fd, SHUT_WR);
        a->withdraw_us = 0;
        due = a->until_us;
    }
    if (due - now < *wait_us) {
        *wait_us = due - now;
    }
}

void outer_tick(struct writer *w, uint64_t now, uint64_t *wait_us)
{
    struct outer_ask **at = &w->asks;

    while (*at != NULL) {
        struct outer_ask *a = *at;

        if (a->peer != NULL && now >= a->until_us) {
            log_line(LOG_LEVEL_WARN, "outer-tty-shared pid=%ld uid=%ld why=\"no answer\"",
                     (long)a->peer->pid, (long)a->peer->uid);
            end(w, a, -1);
            *wait_us = 0; /* it has to be sent */
        } else if (a->peer != NULL) {
            wait_or_withdraw(a, now, wait_us);
        }
        if (a->peer == NULL) {
            *at = a->next;
            free(a);
        } else {
            at = &a->next;
        }
    }
}

void outer_forget(struct writer *w, const struct peer *p)
{
    for (struct outer_ask *a = w->asks; a != NULL; a = a->next) {
        if (a->peer != NULL && (p == NULL || a->peer == p)) {
            a->peer = NULL;
            close(a->fd);
        }
    }
    while (p == NULL && w->asks != NULL) {
        struct outer_ask *a = w->asks;

        w->asks = a->next;
        free(a);
    }
}
