/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/tty_idle.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

#define KEYS_MAX 4096U

/* To a terminal that takes nothing just now, nothing is said. */
static void say(struct tty *t, const char *text)
{
    struct pollfd fd = {.fd = t->term->fd, .events = POLLOUT};

    if (!t->hung_up && poll(&fd, 1, 0) > 0 && (fd.revents & POLLOUT) != 0) {
        ssize_t ignored = write(t->term->fd, text, strlen(text));

        (void)ignored;
    }
}

void tty_idle_open(struct tty *t)
{
    const struct policy *policy = &t->link->policy;
    uint64_t s = policy->on_idle == POLICY_IDLE_OFF ? 0 : policy->idle_s;

    idle_open(&t->idle, s * 1000000U, clock_boot_us());
}

static void warn(struct tty *t)
{
    char line[120];

    /* What waits to be shown may be the rest of an escape sequence. */
    if (redact_screen(t->redact) != REDACT_SCREEN_MAIN || gate_waiting(&t->gate) > 0) {
        say(t, "\a");
        return;
    }
    (void)snprintf(line, sizeof line, "\a\r\nttytrail: nothing was typed for %u seconds\r\n",
                   (unsigned)t->link->policy.idle_s);
    say(t, line);
}

/* The terminal's other screen keeps what stands on the first; where the program is on it itself, or
 * nobody knows, it has to draw its own again. */
static void lock(struct tty *t)
{
    t->lock_apart = redact_screen(t->redact) == REDACT_SCREEN_MAIN;
    say(t, t->lock_apart ? "\033[?1049h" : "\0337");
    say(t, "\033[0m\033[2J\033[H\attytrail: this session is locked, since nothing was typed for a "
           "while.\r\nEnter opens it.\r\n");
    t->locked = true;
}

/* A program that is told of another size draws its screen again; the outer one is the last word. */
static void redraw(struct tty *t)
{
    struct winsize now, other;

    if (ioctl(t->pty->master, TIOCGWINSZ, &now) != 0 || now.ws_row < 2) {
        return;
    }
    other = now;
    other.ws_row--;
    (void)ioctl(t->pty->master, TIOCSWINSZ, &other);
    (void)ioctl(t->pty->master, TIOCSWINSZ, &now);
}

void tty_idle_unlock(struct tty *t)
{
    if (!t->locked) {
        return;
    }
    t->locked = false;
    say(t, t->lock_apart ? "\033[?1049l" : "\033[2J\0338");
    link_text(t->link, 'm', link_now(t->link), "idle, opened");
    if (!t->lock_apart && t->pty->master >= 0) {
        redraw(t);
    }
}

void tty_idle_keys(struct tty *t)
{
    uint8_t keys[KEYS_MAX];
    ssize_t n = read(t->term->fd, keys, sizeof keys);

    if (n == 0) {
        t->hung_up = true;
    } else if (n < 0) {
        t->no_keys = errno == EIO || errno == EBADF || errno == ENXIO;
    } else if (idle_opens(keys, (size_t)n)) {
        idle_typed(&t->idle, clock_boot_us());
        tty_idle_unlock(t);
    }
    /* Somebody may have typed a password. */
    explicit_bzero(keys, sizeof keys);
}

void tty_idle_tick(struct tty *t)
{
    static const char *const marks[] = {
        [POLICY_IDLE_WARN] = "idle, warned",
        [POLICY_IDLE_LOCK] = "idle, locked",
        [POLICY_IDLE_END] = "flag idle-ended",
    };
    enum policy_idle what = t->link->policy.on_idle;
    uint64_t now;

    /* What nobody could open is not locked. */
    if (t->idle.after_us == 0 || t->hung_up || (t->no_keys && what == POLICY_IDLE_LOCK)) {
        return;
    }
    now = clock_boot_us();
    if (t->locked) {
        return;
    }
    if (link_blocks(t->link)) {
        /* The keyboard is not read: nobody knows whether something was typed. */
        idle_typed(&t->idle, now);
    }
    if (!idle_due(&t->idle, now)) {
        return;
    }
    link_text(t->link, 'm', link_now(t->link), "%s", marks[what]);
    if (what == POLICY_IDLE_WARN) {
        warn(t);
    } else if (what == POLICY_IDLE_LOCK) {
        lock(t);
    } else {
        t->idle_ended = true;
    }
    link_send(t->link);
}

void tty_idle_bye(struct tty *t)
{
    char line[120];

    (void)snprintf(line, sizeof line,
                   "%s\r\nttytrail: this session ended, since nothing was typed for %u seconds\r\n",
                   redact_screen(t->redact) == REDACT_SCREEN_OTHER ? "\033[?1049l" : "",
                   (unsigned)t->link->policy.idle_s);
    say(t, line);
}
