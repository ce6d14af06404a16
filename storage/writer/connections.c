/* SPDX-License-Identifier: Apache-2.0 */
/* Connections as descriptors: accepted, bounded, watched, and noticed when they end. */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

#define ACCEPT_AT_ONCE 32

int connections_watch(struct writer *w, int fd, void *what, uint32_t events, struct error *err)
{
    struct epoll_event e = {.events = events, .data = {.ptr = what}};

    return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0 ? err_sys(err, "epoll") : 0;
}

int connections_add(struct writer *w, int fd, bool control, struct error *err)
{
    struct peer *p = NULL;

    if (peer_new(&p, fd, control, err) != 0) {
        return -1;
    }
    if (connections_watch(w, fd, p, EPOLLIN | EPOLLRDHUP, err) != 0) {
        peer_free(p);
        return -1;
    }
    p->watched = EPOLLIN | EPOLLRDHUP;
    p->next = w->peers;
    w->peers = p;
    limits_join(w, p);
    return 0;
}

/* Nobody may use up the writer's descriptors: a bound for each user, and one for the socket that
 * all may open. */
static bool too_many(const struct writer *w, const struct peer *new)
{
    size_t same = 0, control = 0;

    for (const struct peer *p = w->peers; p != NULL; p = p->next) {
        same += p != new && p->uid == new->uid;
        control += p != new && p->control;
    }
    if (new->uid == 0 || new->uid == geteuid()) {
        return false;
    }
    return new->control ? control >= WRITER_PEERS_CONTROL || same >= WRITER_PEERS_CONTROL / 4
                        : same >= WRITER_PEERS_UID + (size_t)w->conf->user_sessions;
}

/* Out of descriptors: the sockets would stay readable, and the loop would spin. */
void connections_listen(struct writer *w, bool listen)
{
    const int *fds[] = {&w->config->listen_fd, &w->config->control_fd};

    for (size_t i = 0; i < 2; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = (void *)(uintptr_t)fds[i]}};

        if (*fds[i] >= 0) {
            (void)epoll_ctl(w->epoll_fd, listen ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, *fds[i], &e);
        }
    }
    w->deaf = !listen;
}

/* A few a turn: who connects and hangs up without end would keep the loop here, and everybody's
 * sessions waiting.  What is left in the queue is there in the next turn. */
void connections_accept(struct writer *w, int fd, bool control)
{
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct error err;
        int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (one < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                connections_listen(w, false);
            }
            return;
        }
        if (connections_add(w, one, control, &err) != 0) {
            log_line(LOG_LEVEL_WARN, "connection-refused why=\"%s\"", err.text);
        } else if (too_many(w, w->peers)) {
            peer_refuse(w->peers, ERR_LIMIT, "too many connections of this user");
            (void)peer_flush(w->peers);
            w->peers->state = PEER_GONE;
        }
    }
}

/* The connection is over; what was received stays to be committed. */
void connections_hang_up(struct writer *w, struct peer *p)
{
    p->state = PEER_GONE;
    outer_forget(w, p);
    (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, p->fd, NULL);
    if (w->seal_now.peer == p) {
        w->seal_now.peer = NULL;
    }
    if (p->session != NULL) {
        p->session->connected = false;
        w->hung_up_us = clock_boot_us();
        w->tick_at_us = 0; /* look at once whether its process is gone */
    }
}

/* A peer that is not watched, since its buffer is full and cannot be committed, may hang up unseen.
 */
void connections_look(struct writer *w)
{
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        struct pollfd f = {.fd = p->fd, .events = POLLRDHUP};

        if (p->state != PEER_GONE && p->watched == 0 && poll(&f, 1, 0) == 1) {
            connections_hang_up(w, p);
        }
    }
}

void connections_drop_silent(struct writer *w, uint64_t now)
{
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        bool idle = p->state == PEER_NEW || (p->state == PEER_CONTROL && p->session == NULL);
        /* A byte now and then does not make an opening longer. */
        uint64_t since = p->state == PEER_NEW ? p->began_us : p->heard_us;

        if (!w->private && idle && w->seal_now.peer != p && now - since > WRITER_SILENCE_US) {
            connections_hang_up(w, p);
        }
    }
}
