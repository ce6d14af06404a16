/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/writer/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

/* ---- small things the others use ---- */

struct wsession *writer_find(struct writer *w, const uint8_t id[16])
{
    struct wsession *s = w->sessions;

    while (s != NULL && memcmp(s->info.id, id, 16) != 0) {
        s = s->next;
    }
    return s;
}

void writer_add_session(struct writer *w, struct wsession *s)
{
    s->next = w->sessions;
    w->sessions = s;
}

static void on_peer(struct writer *w, struct peer *p, uint32_t events)
{
    /* Of one turn's peers the first may have used their user's share up. */
    if (p->state == PEER_GONE || (limits_wait(p) && events == EPOLLIN)) {
        return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        size_t before = p->in.len;
        int rc = peer_receive(p);

        if (p->in.len > before) {
            limits_spend(w, p, p->in.len - before, clock_boot_us());
        }

        messages_take(w, p);
        nested_drop_passed(p);
        if (rc != 0 || p->state == PEER_GONE) {
            connections_hang_up(w, p);
        }
    }
}

static void on_signal(struct writer *w)
{
    struct signalfd_siginfo si;
    struct conf fresh;
    struct error err;

    while (read(w->config->signal_fd, &si, sizeof si) == (ssize_t)sizeof si) {
        if (si.ssi_signo != SIGHUP) {
            w->stop = true;
            continue;
        }
        /* A typing error must not lock anybody out: the last good version stays (PITFALLS 28). */
        if (conf_open(&fresh, w->config->config_path, &err) != 0) {
            log_line(LOG_LEVEL_ERROR, "reload-failed why=\"%s\"", err.text);
            continue;
        }
        conf_clear(w->conf);
        *w->conf = fresh;
        if (rules_load(w, &err) != 0) {
            log_line(LOG_LEVEL_ERROR, "reload-failed why=\"%s\"", err.text);
        }
        w->segment_bytes = (size_t)w->conf->segment_kib * 1024;
        log_line(LOG_LEVEL_INFO, "reloaded");
    }
}

static void drain_results(struct writer *w)
{
    struct seal_job *job;
    uint64_t n;

    (void)!read(w->done_fd, &n, sizeof n);
    while (w->sealer != NULL && (job = sealer_take(w->sealer)) != NULL) {
        job->next = w->results;
        w->results = job;
    }
}

/* What ${p} is watched for: nothing to read while its buffer is full and cannot be committed (a
 * full disk), else the loop would spin on it. */
static void watch_again(struct writer *w, struct peer *p, bool left)
{
    bool full = p->in.len >= p->in.max;
    uint32_t events = (left ? EPOLLOUT : 0U) |
                      (full || p->holding || limits_wait(p) ? 0U : EPOLLIN) |
                      (full ? 0U : EPOLLRDHUP);
    struct epoll_event e = {.events = events, .data = {.ptr = p}};

    if (events != p->watched) {
        /* Watched for nothing, a hang-up would still be reported, again and again. */
        int op = events == 0 ? EPOLL_CTL_DEL : p->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

        (void)epoll_ctl(w->epoll_fd, op, p->fd, &e);
        p->watched = events;
    }
}

static void flush_peer(struct writer *w, struct peer *p)
{
    if (p->state != PEER_GONE) {
        watch_again(w, p, p->out.len > 0 && peer_flush(p));
    }
}

/* ---- time ---- */

static void ping(struct writer *w, uint64_t now)
{
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        struct wsession *s = p->session;

        if (p->state != PEER_LIVE || s == NULL || now - p->heard_us < WRITER_PING_US) {
            continue;
        }
        if (p->pinged_us > p->heard_us && now - p->pinged_us > WRITER_PING_US) {
            if (wsession_add_flag(s, "stalled", NULL) == 0) {
                (void)store_session_flags(w->store, s->info.row, s->info.flags, NULL);
            }
            p->heard_us = now;
        } else if (p->pinged_us <= p->heard_us) {
            p->pinged_us = now;
            peer_send(p, FRAME_PING, NULL, 0);
        }
    }
}

static void tick(struct writer *w, uint64_t now)
{
    bool dying = recover_orphans(w);

    turn_seal_again(w);
    connections_look(w);
    ping(w, now);
    if (!w->private) {
        recover_sweep(w);
        witness_tick(w, now);
        if (w->commits == w->commits_seen) {
            turn_checkpoint(w, true);
        }
        w->commits_seen = w->commits;
    }
    if (w->deaf) {
        connections_listen(w, true);
    }
    connections_drop_silent(w, now);
    disk_tick(w, now);
    ring_import_tick(w, now);
    dying = dying && now - w->hung_up_us < WRITER_TICK_US;
    w->tick_at_us = now + (dying ? WRITER_TICK_US / 50 : WRITER_TICK_US);
}

/* ---- the loop ---- */

static void remove_finished(struct writer *w)
{
    struct peer **p = &w->peers;
    struct wsession **s = &w->sessions;

    while (*p != NULL) {
        struct peer *gone = *p;

        if (gone->state == PEER_GONE && (gone->events == 0 || gone->session == NULL) &&
            !gone->bye_due) {
            *p = gone->next;
            limits_leave(gone);
            outer_forget(w, gone);
            peer_free(gone);
        } else {
            p = &gone->next;
        }
    }
    while (*s != NULL) {
        struct wsession *done = *s;
        bool held = done->connected || done->sealing || done->cut_due;
        bool given_up = done->seal_failed && (w->private || !done->seal_again);

        if (!held && done->closed && (done->info.final || given_up)) {
            *s = done->next;
            for (struct peer *q = w->peers; q != NULL; q = q->next) {
                q->session = q->session == done ? NULL : q->session;
            }
            wsession_free(done);
        } else {
            s = &done->next;
        }
    }
}

static struct timespec patience(const struct writer *w, uint64_t now, uint64_t wait_us)
{
    uint64_t until_tick = w->tick_at_us > now ? w->tick_at_us - now : 0;

    if (w->private && w->peers != NULL && w->sessions != NULL && w->sessions->connected) {
        until_tick = WRITER_PING_US; /* nothing to look after but one live connection */
    }
    if (wait_us > until_tick) {
        wait_us = until_tick;
    }
    if ((w->paused || w->naming) && wait_us > WRITER_PAUSE_US) {
        wait_us = WRITER_PAUSE_US;
    }
    return (struct timespec){.tv_sec = (time_t)(wait_us / 1000000),
                             .tv_nsec = (long)(wait_us % 1000000) * 1000};
}

static void handle(struct writer *w, const struct epoll_event *e)
{
    if (e->data.ptr == &w->done_fd) {
        drain_results(w);
    } else if (e->data.ptr == &w->config->signal_fd) {
        on_signal(w);
    } else if (e->data.ptr == &w->config->listen_fd) {
        connections_accept(w, w->config->listen_fd, false);
    } else if (e->data.ptr == &w->config->control_fd) {
        connections_accept(w, w->config->control_fd, true);
    } else if (!outer_event(w, e->data.ptr)) {
        on_peer(w, e->data.ptr, e->events);
    }
}

/* What piled up in the sockets of bulk senders while they were not read. */
static void gather(struct writer *w)
{
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->holding) {
            p->holding = false;
            on_peer(w, p, EPOLLIN);
        }
    }
}

static int loop(struct writer *w, struct error *err)
{
    struct epoll_event events[WRITER_EVENTS];

    while (!w->stop && !private_is_done(w)) {
        uint64_t now = clock_boot_us(), wait_us = WRITER_TICK_US * 60;
        bool due = turn_due(w, now, &wait_us);

        outer_tick(w, now, &wait_us);
        if (!w->private && w->sessions != NULL && w->root_at_us < now + wait_us) {
            wait_us = w->root_at_us > now ? w->root_at_us - now : 0;
        }
        struct timespec t = patience(w, now, due ? 0 : wait_us);
        int n = epoll_pwait2(w->epoll_fd, events, WRITER_EVENTS, &t, NULL);

        if (n < 0 && errno != EINTR) {
            return err_sys(err, "epoll");
        }
        for (int i = 0; i < n; i++) {
            handle(w, &events[i]);
        }
        messages_named(w);
        now = clock_boot_us();
        limits_turn(w, now);
        if (!checkpoint_wants_turn(w->checkpoint)) {
            w->aside_until_us = now + CHECKPOINT_ASIDE_US;
        }
        if (now >= w->tick_at_us) {
            tick(w, now);
        }
        rootwatch_step(w, now);
        if (turn_due(w, now, &wait_us)) {
            gather(w);
            turn_commit(w);
        }
        limits_each(w, flush_peer);
        turn_seal(w);
        control_progress(w);
        limits_each(w, flush_peer);
        remove_finished(w);
        private_grace(w, now);
    }
    return 0;
}

/* Told to end: commit what was received and leave; recorders reconnect to whoever comes next. */
static void wind_up(struct writer *w)
{
    struct peer *p;
    struct wsession *s;
    uint64_t wait_us = 0;

    for (p = w->peers; p != NULL; p = p->next) {
        p->urgent = p->urgent || p->events > 0;
    }
    if (turn_due(w, UINT64_MAX / 2, &wait_us)) {
        turn_commit(w);
        limits_each(w, flush_peer);
    }
    sealer_stop(w->sealer);
    checkpoint_stop(w->checkpoint);
    names_close(w->names);
    while (w->results != NULL) {
        struct seal_job *j = w->results;

        w->results = j->next;
        seal_job_free(j);
    }
    outer_forget(w, NULL);
    witness_forget(w);
    while ((p = w->peers) != NULL) {
        w->peers = p->next;
        limits_leave(p);
        peer_free(p);
    }
    while (w->users != NULL) {
        struct wuser *u = w->users;

        w->users = u->next;
        free(u);
    }
    policy_rules_clear(&w->rules);
    while ((s = w->sessions) != NULL) {
        w->sessions = s->next;
        wsession_free(s);
    }
    store_close(w->store, w->private);
    close(w->epoll_fd);
    close(w->done_fd);
}

/* The recorder lets its command start now, while the session is opened. */
static void tell_ready(void *user)
{
    struct writer *w = user;

    if (w->peers != NULL) {
        peer_send(w->peers, FRAME_READY, NULL, 0);
        (void)peer_flush(w->peers);
    }
}

/* Where ttytrail-facts listens, and words to the shipper are left: beside the socket. */
static void find_run_dir(struct writer *w)
{
    struct sockaddr_un a = {.sun_family = AF_UNSPEC};
    socklen_t len = sizeof a;
    char *slash;

    if (w->config->listen_fd < 0 ||
        getsockname(w->config->listen_fd, (struct sockaddr *)&a, &len) != 0 ||
        a.sun_family != AF_UNIX || a.sun_path[0] != '/') {
        return;
    }
    (void)snprintf(w->run_dir, sizeof w->run_dir, "%.*s", (int)sizeof a.sun_path - 1, a.sun_path);
    slash = strrchr(w->run_dir, '/');
    slash[slash == w->run_dir ? 1 : 0] = '\0';
}

static int set_up(struct writer *w, struct error *err)
{
    const struct writer_config *c = w->config;
    struct store_config store = {.path = c->db,
                                 .durability_power = w->conf->durability == CONF_DURABILITY_POWER,
                                 .only_owner = c->private_fd >= 0,
                                 .busy_ms = 10000,
                                 .usable = tell_ready,
                                 .user = w};

    clock_boot_id(w->self.boot);
    w->self.pid = getpid();
    w->self.start = (int64_t)clock_process_start(getpid());
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->epoll_fd < 0 || w->done_fd < 0) {
        return err_sys(err, "epoll");
    }
    if (c->private_fd >= 0 && connections_add(w, c->private_fd, false, err) != 0) {
        return -1;
    }
    if (names_open(&w->names, w->private ? -1 : w->done_fd, err) != 0) {
        return -1;
    }
    if ((c->unreadable ? rules_load_published(w, err) : rules_load(w, err)) != 0 ||
        store_open(&w->store, &store, err) != 0 || identity_load(w, err) != 0 ||
        connections_watch(w, w->done_fd, &w->done_fd, EPOLLIN, err) != 0) {
        return -1;
    }
    if ((c->signal_fd >= 0 &&
         connections_watch(w, c->signal_fd, (void *)(uintptr_t)&c->signal_fd, EPOLLIN, err) != 0) ||
        (c->listen_fd >= 0 &&
         connections_watch(w, c->listen_fd, (void *)(uintptr_t)&c->listen_fd, EPOLLIN, err) != 0) ||
        (c->control_fd >= 0 &&
         connections_watch(w, c->control_fd, (void *)(uintptr_t)&c->control_fd, EPOLLIN, err) !=
             0)) {
        return -1;
    }
    if (!w->private) {
        find_run_dir(w);
        journal_load(w);
        witness_load(w);
    }
    return 0;
}

/* A private writer that cannot open its database says so to the one who waits for it. */
static void refuse_private(const struct writer_config *c, const struct error *why)
{
    struct peer *p = NULL;

    if (c->private_fd >= 0 && peer_new(&p, dup(c->private_fd), false, NULL) == 0) {
        peer_refuse(p, why->kind, why->text);
        (void)peer_flush(p);
        peer_free(p);
    }
}

int writer_run(const struct writer_config *config, struct error *err)
{
    struct writer w = {.config = config, .conf = config->conf, .epoll_fd = -1, .done_fd = -1};
    int rc;

    w.private = config->private_fd >= 0;
    w.cache_left = WRITER_CACHE_BYTES;
    w.segment_bytes = (size_t)config->conf->segment_kib * 1024;
    if (config->refuse != NULL) {
        refuse_private(config, config->refuse);
        close(config->private_fd);
        return 0;
    }
    rc = set_up(&w, err);
    if (rc != 0) {
        refuse_private(config, err);
    } else {
        rc = loop(&w, err);
    }
    wind_up(&w);
    return rc;
}
