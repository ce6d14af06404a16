/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/tty.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

/* Measured over 64 MiB of log text, speed against a relay that records nothing: 4 KiB 0.77, 8 KiB
 * 0.83, 16 KiB 0.99, 32 KiB 0.98, 64 KiB 0.90 where a write returns with what there is room for;
 * where it would wait for all of it, what poll(2) called room must do (docs/DESIGN.md section 4).
 */
#define PIECE          16384U
#define PIECE_BLOCKING 4096U
#define NOBODY_US      20000U /* how often a pty that no process has open is looked at */
#define KEYS_MAX       4096U
#define OUTBOX_MAX     (1024U * 1024)

/* ---- what redaction decides ---- */

static void on_input(void *user, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    struct tty *t = user;

    if (t->record_input) {
        link_event(t->link, 'i', t_us, bytes, len);
    }
}

static void on_mark(void *user, uint64_t start_us, uint64_t end_us, const char *why)
{
    struct tty *t = user;

    /* Cut to milliseconds, as times of lines are: the mark is never later than its own line. */
    link_text(t->link, 'm', start_us, "redacted %s, %llu.%03llu-%llu.%03llu%s%s", why,
              (unsigned long long)(start_us / 1000000U),
              (unsigned long long)(start_us / 1000U % 1000U),
              (unsigned long long)(end_us / 1000000U), (unsigned long long)(end_us / 1000U % 1000U),
              t->reader[0] != '\0' ? ", reader " : "", t->reader);
}

/* Who reads the secret: the name of the pty's foreground process, as far as it is plain. */
static void name_reader(struct tty *t)
{
    char path[40], raw[sizeof t->reader];
    ssize_t n = 0;
    pid_t group = tcgetpgrp(t->pty->master);
    int fd;

    t->reader[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)group);
    fd = group > 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd >= 0) {
        n = read(fd, raw, sizeof raw - 1);
        close(fd);
    }
    for (ssize_t i = 0; i < n && raw[i] != '\n'; i++) {
        unsigned char c = (unsigned char)raw[i];

        t->reader[i] = isalnum(c) || c == '-' || c == '_' || c == '.' ? (char)c : '?';
        t->reader[i + 1] = '\0';
    }
}

static void on_pending(void *user, uint64_t t_us)
{
    struct tty *t = user;

    if (t_us != REDACT_NO_PENDING) {
        name_reader(t);
    }
    link_pending(t->link, t_us == REDACT_NO_PENDING ? CLIENT_NO_PENDING : t_us);
}

int tty_open(struct tty *t, struct term *term, struct pty *pty, struct link *link,
             bool record_input, struct error *err)
{
    const struct policy *policy = &link->policy;
    struct redact_sink sink = {t, on_input, on_mark, on_pending};

    memset(t, 0, sizeof *t);
    t->term = term;
    t->pty = pty;
    t->link = link;
    t->record_input = record_input;
    t->size = term->size;
    if (redact_open(&t->redact, record_input && policy->redact != POLICY_REDACT_OFF,
                    policy->hold_max_s, &sink, err) != 0 ||
        gate_init(&t->gate, err) != 0) {
        redact_close(&t->redact);
        return -1;
    }
    if (!t->redact.arena.locked) {
        link_text(link, 'm', link_now(link), "flag memory-not-locked");
    }
    return 0;
}

void tty_close(struct tty *t)
{
    redact_close(&t->redact);
    gate_clear(&t->gate);
}

/* ---- size ---- */

static void note_size(struct tty *t, const struct winsize *now)
{
    if (now->ws_col != t->size.ws_col || now->ws_row != t->size.ws_row) {
        link_text(t->link, 'r', link_now(t->link), "%ux%u", (unsigned)now->ws_col,
                  (unsigned)now->ws_row);
    }
    t->size = *now;
}

void tty_resized(struct tty *t)
{
    if (term_resized(t->term)) {
        note_size(t, &t->term->size);
        (void)ioctl(t->pty->master, TIOCSWINSZ, &t->term->size);
    }
}

/* `stty rows` inside changes the pty's size without any signal to us (PITFALLS 13). */
static void look_at_size(struct tty *t)
{
    struct winsize now;

    if (ioctl(t->pty->master, TIOCGWINSZ, &now) == 0 &&
        (now.ws_col != t->size.ws_col || now.ws_row != t->size.ws_row)) {
        note_size(t, &now);
    }
}

/* ---- keyboard to pty ---- */

static tcflag_t modes(const struct tty *t)
{
    struct termios now;

    return tcgetattr(t->pty->master, &now) == 0 ? now.c_lflag : 0;
}

/* One write for each slice, judged by the modes around it. */
static void type_keys(struct tty *t)
{
    const uint8_t *p;
    size_t len;
    bool judge = t->redact.enabled;

    t->keys_stuck = false;
    while ((len = redact_next(&t->redact, &p)) > 0) {
        tcflag_t before = judge ? modes(t) : 0;
        ssize_t n;

        redact_before(&t->redact, before);
        n = write(t->pty->master, p, len);
        if (n <= 0) {
            t->keys_stuck = true;
            if (n < 0 && errno != EAGAIN) {
                /* Nobody has the pty open just now; the keys wait for who comes next. */
                t->quiet_us = clock_boot_us() + NOBODY_US;
            }
            break;
        }
        redact_written(&t->redact, (size_t)n, before, judge ? modes(t) : 0);
    }
    if (t->record_input) {
        look_at_size(t);
        link_send_soon(t->link);
    }
}

static void read_keys(struct tty *t)
{
    uint8_t *to;
    size_t room = redact_space(&t->redact, &to);
    ssize_t n;

    if (room == 0) {
        return;
    }
    n = read(t->term->fd, to, room < KEYS_MAX ? room : KEYS_MAX);
    if (n > 0) {
        redact_typed(&t->redact, (size_t)n, link_now(t->link));
        type_keys(t);
    } else if (n == 0) {
        t->hung_up = true;
    } else if (errno == EIO) {
        /* Also what a background process group that ignores SIGTTIN gets: then there are no keys.
         */
        t->no_keys = true;
    } else if (errno == EBADF || errno == ENXIO) {
        t->no_keys = true;
    }
}

/* ---- pty to user ---- */

static bool read_output(struct tty *t, size_t max)
{
    uint8_t *to;
    size_t room = gate_space(&t->gate, &to);
    ssize_t n = read(t->pty->master, to, room < max ? room : max);

    if (n <= 0) {
        if (n == 0 || errno == EIO) {
            t->quiet_us = clock_boot_us() + NOBODY_US;
        }
        return false;
    }
    gate_filled(&t->gate, (size_t)n, link_output(t->link, 'o', link_now(t->link), to, (size_t)n));
    return true;
}

bool tty_takes(const struct tty *t)
{
    return t->term->nonblocking && !t->show_stuck;
}

void tty_show(struct tty *t)
{
    const uint8_t *p;
    size_t len, most;
    ssize_t n;

    gate_ack(&t->gate, link_acked(t->link));
    len = gate_next(&t->gate, &p);
    if (len == 0 || t->hung_up) {
        return;
    }
    most = t->term->nonblocking ? PIECE : PIECE_BLOCKING;
    len = len < most ? len : most;
    n = write(t->term->fd, p, len);
    if (n > 0) {
        gate_shown(&t->gate, (size_t)n);
    } else if (n < 0 && errno == EIO) {
        t->hung_up = true;
    }
    t->show_stuck = n < (ssize_t)len;
}

/* ---- the poll loop's four questions ---- */

void tty_prepare(struct tty *t, struct pollfd *fds)
{
    const uint8_t *p;
    uint8_t *to;
    bool keys = !t->no_keys && !link_blocks(t->link) && !t->keys_stuck &&
                client_unacked_bytes(t->link->client) < OUTBOX_MAX &&
                redact_space(&t->redact, &to) > 0;
    bool showable;

    gate_ack(&t->gate, link_acked(t->link));
    showable = gate_next(&t->gate, &p) > 0;
    fds[TTY_POLL_OUTER] = (struct pollfd){.fd = t->term->fd};
    if (keys) {
        fds[TTY_POLL_OUTER].events |= POLLIN;
    }
    if (showable) {
        fds[TTY_POLL_OUTER].events |= POLLOUT;
    }
    fds[TTY_POLL_MASTER] = (struct pollfd){.fd = -1};
    if (t->pty->master < 0 || (t->quiet_us != 0 && clock_boot_us() < t->quiet_us)) {
        return;
    }
    if (!gate_full(&t->gate) && !link_congested(t->link)) {
        fds[TTY_POLL_MASTER].events |= POLLIN;
    }
    if (t->keys_stuck) {
        fds[TTY_POLL_MASTER].events |= POLLOUT;
    }
    /* POLLHUP comes unasked for: look only when there is something to do about it. */
    if (fds[TTY_POLL_MASTER].events != 0) {
        fds[TTY_POLL_MASTER].fd = t->pty->master;
    }
}

void tty_handle(struct tty *t, const struct pollfd *fds)
{
    short outer = fds[TTY_POLL_OUTER].revents, master = fds[TTY_POLL_MASTER].revents;

    if ((master & (POLLIN | POLLHUP | POLLERR)) != 0 &&
        (fds[TTY_POLL_MASTER].events & POLLIN) != 0) {
        t->quiet_us = 0;
        if (read_output(t, GATE_SIZE)) {
            link_send(t->link);
        }
    }
    if ((outer & POLLIN) != 0) {
        read_keys(t);
    } else if (t->keys_stuck && (master & POLLOUT) != 0) {
        type_keys(t);
    }
    if ((outer & (POLLHUP | POLLERR | POLLNVAL)) != 0 && (outer & POLLIN) == 0) {
        t->hung_up = true;
    }
    if ((outer & POLLOUT) != 0) {
        tty_show(t);
    }
}

uint64_t tty_deadline(const struct tty *t)
{
    uint64_t due = redact_deadline(&t->redact);

    due = due == REDACT_NO_PENDING ? UINT64_MAX : due + t->link->zero_us;
    return t->quiet_us != 0 && t->quiet_us < due ? t->quiet_us : due;
}

void tty_tick(struct tty *t)
{
    redact_tick(&t->redact, link_now(t->link));
}

/* ---- the end ---- */

void tty_drain(struct tty *t, size_t max_bytes, uint64_t max_us)
{
    uint64_t end = clock_boot_us() + max_us, start = t->gate.in;

    /* The gate keeps room for this beyond the limit at which reading stops. */
    while (t->pty->master >= 0 && gate_waiting(&t->gate) < GATE_LIMIT + GATE_SPARE) {
        size_t done = (size_t)(t->gate.in - start);

        if (done >= max_bytes || clock_boot_us() >= end || !read_output(t, max_bytes - done)) {
            break;
        }
    }
    redact_end(&t->redact, link_now(t->link));
}

void tty_show_rest(struct tty *t, int patience_ms)
{
    uint64_t end = clock_boot_us() + (uint64_t)patience_ms * 1000U;
    const uint8_t *p;

    for (;;) {
        struct pollfd fd = {.fd = t->term->fd, .events = POLLOUT};

        tty_show(t);
        if (t->hung_up || gate_next(&t->gate, &p) == 0 || clock_boot_us() >= end) {
            return;
        }
        if (!tty_takes(t) && poll(&fd, 1, 100) > 0 && (fd.revents & (POLLHUP | POLLERR)) != 0) {
            return;
        }
    }
}
