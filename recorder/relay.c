/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/relay.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "recorder/left.h"
#include "recorder/tty_idle.h"

#define DRAIN_BYTES     65536U
#define DRAIN_US        100000U
#define LEAVE_US        400000U /* a session that is ended waits so long for its child */
#define LEAVE_COMMIT_MS 400U    /* and so long for the writer: together under a second */
#define LOST_COMMIT_MS  100U
#define FULL_COMMIT_MS  2000U /* a full disk: the writer has room for the end in reserve */
#define WATCH_LESS_US   1000U
#define SHOW_MS         3600000 /* a terminal that was stopped with ^S keeps what is for it */

enum { POLL_SIGNALS, POLL_LINK, POLL_TTY, POLL_STREAMS = POLL_TTY + TTY_POLLS };
#define POLLS (POLL_STREAMS + 3 * STREAM_POLLS)

/* ---- ends ---- */

/* Close the terminal and the pipes of the child, which then gets SIGHUP, SIGPIPE or end of file. */
static void end_session(struct relay *r, int sig)
{
    if (r->end_us != 0) {
        return;
    }
    r->ended_by = sig;
    r->end_us = clock_boot_us() + LEAVE_US;
    if (r->tty != NULL) {
        tty_drain(r->tty, DRAIN_BYTES, 0);
        pty_close(r->tty->pty);
    }
    if (!r->reaped && (r->tty == NULL || sig != 0)) {
        (void)kill(r->child, sig != 0 && r->tty == NULL ? sig : SIGHUP);
    }
}

static void reap(struct relay *r)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == r->child) {
            r->reaped = true;
            r->status = status;
        }
    }
}

static void take_signals(struct relay *r)
{
    int sig;

    while ((sig = signals_next(r->signals)) != 0) {
        if (sig == SIGCHLD) {
            reap(r);
        } else if (sig == SIGWINCH && r->tty != NULL) {
            tty_resized(r->tty);
        } else if (signals_ends(sig)) {
            r->hung_up = r->hung_up || sig == SIGHUP;
            end_session(r, sig);
        }
    }
}

static bool streams_done(const struct relay *r)
{
    for (int i = 0; i < 3; i++) {
        /* stdin may stay open: nobody reads it any more. */
        if (i > 0 && r->streams[i] != NULL && !stream_done(r->streams[i])) {
            return false;
        }
    }
    return true;
}

static bool is_over(const struct relay *r)
{
    if (r->end_us != 0 && (r->reaped || clock_boot_us() >= r->end_us)) {
        return true;
    }
    return r->reaped && streams_done(r);
}

/* ---- the loop ---- */

/* While an echo or an acknowledgement is due, terminals are left out of the poll for a moment:
 * polling a terminal waits for its flush work in the kernel, which costs more than all the rest of
 * a keystroke. */
static void watch_less(struct relay *r, struct pollfd *fds)
{
    enum link_wait what = link_waits(r->link);
    uint64_t now;

    if (what == LINK_WAITS_NOT) {
        r->watch_less_until_us = 0;
        return;
    }
    now = clock_boot_us();
    if (r->watch_less_until_us == 0) {
        r->watch_less_until_us = now + WATCH_LESS_US;
    }
    if (now >= r->watch_less_until_us) {
        return;
    }
    if ((fds[TTY_POLL_OUTER].events & POLLOUT) == 0) {
        fds[TTY_POLL_OUTER].fd = -1;
    }
    if (what == LINK_WAITS_ACK) {
        fds[TTY_POLL_MASTER].fd = -1;
    }
}

static void prepare(struct relay *r, struct pollfd *fds)
{
    for (int i = 0; i < POLLS; i++) {
        fds[i] = (struct pollfd){.fd = -1};
    }
    fds[POLL_SIGNALS] = (struct pollfd){.fd = r->signals->fd, .events = POLLIN};
    fds[POLL_LINK].fd = client_fd(r->link->client);
    fds[POLL_LINK].events = link_poll_events(r->link);
    if (r->tty != NULL && !r->tty->hung_up) {
        tty_prepare(r->tty, fds + POLL_TTY);
        watch_less(r, fds + POLL_TTY);
    }
    for (int i = 0; i < 3; i++) {
        if (r->streams[i] != NULL) {
            stream_prepare(r->streams[i], fds + POLL_STREAMS + i * STREAM_POLLS);
        }
    }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct timespec wait_time(const struct relay *r)
{
    uint64_t due = link_deadline(r->link), now, us;

    if (r->tty != NULL) {
        due = sooner(due, tty_deadline(r->tty));
    }
    for (int i = 0; i < 3; i++) {
        if (r->streams[i] != NULL) {
            due = sooner(due, stream_deadline(r->streams[i]));
        }
    }
    due = r->end_us != 0 ? sooner(due, r->end_us) : due;
    now = clock_boot_us();
    /* Once over, it is no deadline any more: the terminals are watched again. */
    due = r->watch_less_until_us > now ? sooner(due, r->watch_less_until_us) : due;
    us = due > now ? sooner(due - now, 60000000U) : 0;
    return (struct timespec){.tv_sec = (time_t)(us / 1000000U),
                             .tv_nsec = (long)(us % 1000000U) * 1000};
}

static void handle(struct relay *r, const struct pollfd *fds)
{
    if (fds[POLL_SIGNALS].revents != 0) {
        take_signals(r);
    }
    if (fds[POLL_LINK].revents != 0) {
        link_receive(r->link);
    }
    if (r->tty != NULL && !r->tty->hung_up) {
        /* What has just been acknowledged first: somebody is waiting for it. */
        if (tty_takes(r->tty)) {
            tty_show(r->tty);
        }
        tty_handle(r->tty, fds + POLL_TTY);
    }
    for (int i = 0; i < 3; i++) {
        if (r->streams[i] != NULL) {
            stream_handle(r->streams[i], fds + POLL_STREAMS + i * STREAM_POLLS);
        }
    }
}

static int tick(struct relay *r, struct error *err)
{
    if (r->tty != NULL) {
        struct error ignored;

        tty_tick(r->tty);
        if (term_continued()) {
            /* Stopped and continued: the shell may have left its own modes. */
            (void)term_raw(r->tty->term, &ignored);
            tty_resized(r->tty);
            idle_typed(&r->tty->idle, clock_boot_us());
        }
        if (r->tty->idle_ended) {
            end_session(r, SIGHUP);
        }
        if (r->tty->hung_up && !r->hung_up) {
            r->hung_up = true;
            end_session(r, 0);
        }
    }
    for (int i = 0; i < 3; i++) {
        if (r->streams[i] != NULL) {
            stream_tick(r->streams[i]);
        }
    }
    return link_tick(r->link, err);
}

static int loop(struct relay *r, struct error *err)
{
    struct pollfd fds[POLLS];

    while (!is_over(r)) {
        struct timespec patience;

        prepare(r, fds);
        patience = wait_time(r);
        if (ppoll(fds, POLLS, &patience, &r->signals->wait_mask) < 0) {
            if (errno != EINTR) {
                return err_sys(err, "poll");
            }
        } else {
            handle(r, fds);
        }
        if (tick(r, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- after the last byte ---- */

static void tell_left(struct relay *r)
{
    struct error ignored;
    struct buf names, text;
    unsigned n;

    buf_init(&names, 4096);
    buf_init(&text, 4200);
    n = left_list(&names, &ignored);
    if (n > 0 && buf_printf(&text, &ignored, "left-behind processes=%u: ", n) == 0 &&
        buf_append(&text, buf_data(&names), names.len, &ignored) == 0) {
        link_text(r->link, 'm', link_now(r->link), "flag left-behind");
        link_event(r->link, 'm', link_now(r->link), buf_data(&text), text.len);
    }
    buf_clear(&names);
    buf_clear(&text);
}

static void tell_exit(struct relay *r)
{
    uint64_t now;

    if (r->name_left) {
        tell_left(r);
    }
    now = link_now(r->link);
    if (!r->reaped) {
        link_text(r->link, 'm', now, "left running");
    } else if (WIFSIGNALED(r->status)) {
        link_text(r->link, 'x', now, "signal %d", WTERMSIG(r->status));
    } else {
        link_text(r->link, 'x', now, "exit %d", WEXITSTATUS(r->status));
    }
}

/* Commit, then show: what the writer has confirmed is shown even if the rest cannot be. */
static int finish(struct relay *r, bool lost, struct error *err)
{
    unsigned patience = lost             ? r->link->full ? FULL_COMMIT_MS : LOST_COMMIT_MS
                        : r->end_us != 0 ? LEAVE_COMMIT_MS
                                         : r->link->policy.writer_timeout_s * 1000U;
    int show_ms = r->hung_up ? 0 : r->end_us != 0 ? 100 : SHOW_MS;
    int rc;

    if (r->tty != NULL) {
        tty_drain(r->tty, DRAIN_BYTES, DRAIN_US);
    }
    for (int i = 0; i < 3; i++) {
        if (r->streams[i] != NULL) {
            stream_end(r->streams[i]);
        }
    }
    tell_exit(r);
    rc = link_finish(r->link, patience, err);
    if (r->tty != NULL) {
        tty_show_rest(r->tty, show_ms);
        if (r->tty->idle_ended) {
            tty_idle_bye(r->tty);
        }
    }
    for (int i = 1; i < 3; i++) {
        if (r->streams[i] != NULL) {
            stream_write_rest(r->streams[i], show_ms);
        }
    }
    return rc;
}

int relay_run(struct relay *r, struct error *err)
{
    struct error later;
    int rc;

    /* The child may have ended before its first signal could be seen. */
    rc = loop(r, err);
    if (rc != 0) {
        end_session(r, 0);
        reap(r);
        (void)finish(r, true, &later);
        return -1;
    }
    return finish(r, false, err);
}
