/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/tty.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "recorder/tty_idle.h"
#include "recorder/tty_record.h"

/* Measured over 64 MiB of log text, speed against a relay that records nothing: 4 KiB 0.77, 8 KiB
 * 0.83, 16 KiB 0.99, 32 KiB 0.98, 64 KiB 0.90 where a write returns with what there is room for;
 * where it would wait for all of it, what poll(2) called room must do (docs/DESIGN.md section 4).
 */
#define PIECE          16384U
#define PIECE_BLOCKING 4096U
#define NOBODY_US      20000U /* how often a pty that no process has open is looked at */
#define KEYS_MAX       4096U
#define OUTBOX_MAX     (1024U * 1024)

int tty_open(struct tty *t, struct term *term, struct pty *pty, struct link *link, pid_t child,
             bool record_input, struct error *err)
{
    memset(t, 0, sizeof *t);
    t->term = term;
    t->pty = pty;
    t->link = link;
    t->own_job = child;
    t->record_input = record_input;
    t->size = term->size;
    if (tty_record_open(t, err) != 0 || gate_init(&t->gate, err) != 0) {
        tty_record_close(t);
        return -1;
    }
    tty_idle_open(t);
    return 0;
}

void tty_close(struct tty *t)
{
    tty_record_close(t);
    gate_clear(&t->gate);
}

/* ---- size ---- */

static void note_size(struct tty *t, const struct winsize *now)
{
    if (now->ws_col != t->size.ws_col || now->ws_row != t->size.ws_row) {
        link_text(t->link, 'r', link_now(t->link), "%ux%u", (unsigned)now->ws_col,
                  (unsigned)now->ws_row);
        redact_resize(t->redact, now->ws_row, now->ws_col);
        tokens_resize(&t->shown, now->ws_col);
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

/* One write for each slice, judged by the modes around it. */
static void type_keys(struct tty *t)
{
    const uint8_t *p;
    size_t len;

    t->keys_stuck = false;
    while ((len = redact_next(t->redact, &p)) > 0) {
        struct redact_tty state = {.unread = -1};
        ssize_t n;

        tty_record_state(t, &state);
        redact_before(t->redact, &state);
        n = write(t->pty->master, p, len);
        if (n <= 0) {
            t->keys_stuck = true;
            if (n < 0 && errno != EAGAIN) {
                /* Nobody has the pty open just now; the keys wait for who comes next. */
                t->quiet_us = clock_boot_us() + NOBODY_US;
            }
            break;
        }
        tty_record_state(t, &state);
        redact_written(t->redact, (size_t)n, &state, link_now(t->link));
    }
    if (t->record_input) {
        look_at_size(t);
        link_send_soon(t->link);
    }
}

static void read_keys(struct tty *t)
{
    uint8_t *to;
    size_t room = redact_space(t->redact, &to);
    ssize_t n;

    if (t->locked) {
        tty_idle_keys(t);
        return;
    }
    if (room == 0) {
        return;
    }
    n = term_read(t->term, to, room < KEYS_MAX ? room : KEYS_MAX);
    if (n > 0) {
        idle_typed(&t->idle, clock_boot_us());
        redact_typed(t->redact, (size_t)n, link_now(t->link));
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
    idle_shown(&t->idle, clock_boot_us());
    gate_filled(&t->gate, (size_t)n, tty_record_output(t, to, (size_t)n));
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
    if (len == 0 || t->hung_up || t->locked) {
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

static bool takes_keys(const struct tty *t)
{
    uint8_t *to;

    return !t->no_keys && !link_blocks(t->link) && !t->keys_stuck &&
           client_unacked_bytes(t->link->client) < OUTBOX_MAX && redact_space(t->redact, &to) > 0;
}

void tty_prepare(struct tty *t, struct pollfd *fds)
{
    const uint8_t *p;
    bool keys = takes_keys(t), showable;

    gate_ack(&t->gate, link_acked(t->link));
    showable = !t->locked && gate_next(&t->gate, &p) > 0;
    fds[TTY_POLL_OUTER] = (struct pollfd){.fd = t->term->fd};
    /* Keys for the lock go no further: it opens whatever the program or the writer does. */
    if (keys || (t->locked && !t->no_keys)) {
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
    if ((outer & POLLIN) != 0 || (t->term->early_len > 0 && takes_keys(t))) {
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
    uint64_t due = tty_record_deadline(t), idle = idle_deadline(&t->idle);

    if (t->term->early_len > 0 && !t->hung_up && takes_keys(t)) {
        return 0;
    }
    due = due == UINT64_MAX ? due : due + t->link->zero_us;
    due = idle < due ? idle : due;
    return t->quiet_us != 0 && t->quiet_us < due ? t->quiet_us : due;
}

void tty_tick(struct tty *t)
{
    const uint8_t *p;

    tty_idle_tick(t);
    if (tty_record_deadline(t) > link_now(t->link)) {
        return;
    }
    tty_record_tick(t);
    /* What was decided made room for keys that waited for it. */
    if (!t->keys_stuck && redact_next(t->redact, &p) > 0) {
        type_keys(t);
    } else {
        link_send(t->link);
    }
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
    tty_record_end(t);
}

void tty_show_rest(struct tty *t, int patience_ms)
{
    uint64_t end = clock_boot_us() + (uint64_t)patience_ms * 1000U;
    const uint8_t *p;

    tty_idle_unlock(t);
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
