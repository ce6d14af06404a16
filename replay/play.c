/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/play.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "replay/console.h"
#include "replay/keys.h"
#include "replay/pace.h"
#include "replay/sanitize.h"

#define OUT_MAX       (64U * 1024 * 1024) /* one event of a foreign file, at its worst */
#define EVENTS_A_TURN 256                 /* not shown, before keys are looked at again */
#define LAST_WORDS_MS 1000

struct player {
    struct timeline *timeline;
    const struct play_config *config;
    struct play_result *result;
    struct console console;
    struct pace pace;
    struct keys keys;
    struct sanitize filter;
    struct buf out,
        scrap; /* to be written; what a raw player's filter is fed for its notes alone */
    struct timeline_event ev;
    bool have;      /* an event waits to be shown */
    unsigned skips; /* so many are not to wait */
    bool waiting, ended, in_gap, done;
    uint8_t last_byte; /* written */
};

/* ---- the recording ---- */

static int add_gap(struct player *p, const struct error *what, struct error *err)
{
    char text[2 * sizeof what->text];
    bool again = p->in_gap;

    p->in_gap = true;
    if (again) {
        return 0; /* many bad lines in a row are one gap */
    }
    p->result->gaps++;
    if (!p->console.terminal) {
        p->config->gap(p->config->user, what);
        return 0;
    }
    return buf_printf(&p->out, err, "\r\n\x1b[0;7m[missing here: %s]\x1b[0m\r\n",
                      log_escape(what->text, strlen(what->text), text, sizeof text));
}

static int fetch(struct player *p, struct error *err)
{
    struct error damage;

    err_clear(&damage);
    p->waiting = false;
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        int rc = timeline_next(p->timeline, &p->ev, &damage);

        if (rc < 0) {
            return add_gap(p, &damage, err);
        }
        if (rc != 1) {
            p->waiting = rc == TIMELINE_WAIT;
            p->ended = rc == 0;
            return 0;
        }
        p->in_gap = false;
        kept_count(&p->result->kept, &p->ev, "oe");
        if ((p->ev.kind == 'o' || p->ev.kind == 'e') && p->ev.len > 0) {
            p->have = true;
            pace_wait_for(&p->pace, p->ev.t_us);
            return 0;
        }
    }
    return 0;
}

static int show(struct player *p, struct error *err)
{
    buf_reset(&p->scrap);
    if (sanitize_feed(&p->filter, p->ev.bytes, p->ev.len, p->config->raw ? &p->scrap : &p->out,
                      err) != 0 ||
        (p->config->raw && buf_append(&p->out, p->ev.bytes, p->ev.len, err) != 0)) {
        return -1;
    }
    pace_shown(&p->pace, clock_boot_us());
    p->have = false;
    p->skips -= p->skips > 0;
    return 0;
}

/* ---- the viewer ---- */

static int obey(struct player *p, enum key key, struct error *err)
{
    uint64_t now = clock_boot_us();

    switch (key) {
    case KEY_PAUSE:
        pace_pause(&p->pace, !p->pace.paused, now);
        p->skips = 0;
        return 0;
    case KEY_STEP:
        pace_pause(&p->pace, true, now);
        p->skips++;
        return 0;
    case KEY_SKIP:
        pace_pause(&p->pace, false, now);
        p->skips++;
        return 0;
    case KEY_FASTER:
        pace_set_speed(&p->pace, p->pace.speed * 2, now);
        return 0;
    case KEY_SLOWER:
        pace_set_speed(&p->pace, p->pace.speed / 2, now);
        return 0;
    case KEY_NORMAL:
        pace_set_speed(&p->pace, p->config->speed, now);
        return 0;
    case KEY_SUSPEND: {
        bool paused = p->pace.paused;

        pace_pause(&p->pace, true, now);
        if (console_suspend(&p->console, err) != 0) {
            return -1;
        }
        pace_pause(&p->pace, paused, clock_boot_us());
        return 0;
    }
    case KEY_QUIT:
        p->done = true;
        return 0;
    case KEY_NONE:
    default:
        return 0;
    }
}

static int read_keys(struct player *p, struct error *err)
{
    uint8_t bytes[64];
    ssize_t n = read(p->console.key_fd, bytes, sizeof bytes);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        p->done = true; /* the terminal is gone */
        return 0;
    }
    for (ssize_t i = 0; i < n && !p->done; i++) {
        if (obey(p, keys_byte(&p->keys, bytes[i]), err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_signal(struct player *p, struct error *err)
{
    int number = console_signal(&p->console);

    if (number == SIGTSTP) {
        return obey(p, KEY_SUSPEND, err);
    }
    if (number != 0 && number != SIGPIPE) { /* that one, write(2) reports */
        p->result->signal = number;
        p->done = true;
    }
    return 0;
}

static int write_some(struct player *p, struct error *err)
{
    ssize_t n = console_write(&p->console, buf_data(&p->out), p->out.len);

    if (n < 0 && (errno == EPIPE || errno == EIO)) {
        p->result->signal = SIGPIPE;
        p->done = true;
        return 0;
    }
    if (n < 0) {
        return err_sys(err, "write");
    }
    if (n > 0) {
        p->last_byte = buf_data(&p->out)[n - 1];
        buf_consume(&p->out, (size_t)n);
    }
    return 0;
}

/* ---- the loop ---- */

enum { WATCH_SIGNAL, WATCH_KEYS, WATCH_OUT, WATCH_SOURCE, WATCH_COUNT };

/* How long nothing needs to be done by itself; UINT64_MAX: for ever. */
static uint64_t idle_us(const struct player *p)
{
    if (p->out.len > 0) {
        return UINT64_MAX;
    }
    if (p->have) {
        return p->skips > 0 ? 0 : pace_left(&p->pace, clock_boot_us());
    }
    return p->waiting ? UINT64_MAX : 0;
}

static int turn(struct player *p, struct error *err)
{
    struct pollfd fds[WATCH_COUNT] = {
        [WATCH_SIGNAL] = {.fd = p->console.signal_fd, .events = POLLIN},
        [WATCH_KEYS] = {.fd = p->console.key_fd, .events = POLLIN},
        [WATCH_OUT] = {.fd = p->out.len > 0 ? p->console.out_fd : -1, .events = POLLOUT},
        [WATCH_SOURCE] = {.fd = p->waiting ? timeline_fd(p->timeline) : -1, .events = POLLIN},
    };
    uint64_t us = idle_us(p);
    struct timespec wait = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};

    if (ppoll(fds, WATCH_COUNT, us == UINT64_MAX ? NULL : &wait, NULL) < 0) {
        return errno == EINTR ? 0 : err_sys(err, "poll");
    }
    if (fds[WATCH_SIGNAL].revents != 0 && read_signal(p, err) != 0) {
        return -1;
    }
    if (fds[WATCH_KEYS].revents != 0 && read_keys(p, err) != 0) {
        return -1;
    }
    if (fds[WATCH_OUT].revents != 0 && !p->done && write_some(p, err) != 0) {
        return -1;
    }
    if (fds[WATCH_SOURCE].revents != 0) {
        p->waiting = false;
    }
    return 0;
}

static int run(struct player *p, struct error *err)
{
    while (!p->done) {
        if (p->out.len == 0 && !p->have && !p->waiting && !p->ended && fetch(p, err) != 0) {
            return -1;
        }
        if (p->out.len == 0 && p->have &&
            (p->skips > 0 || pace_left(&p->pace, clock_boot_us()) == 0) && show(p, err) != 0) {
            return -1;
        }
        if (p->ended && p->out.len == 0 && !p->have) {
            return 0;
        }
        if (turn(p, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Undo what a recording may have left behind; nothing here moves a cursor that was not moved by it.
 */
static void leave(struct player *p)
{
    /* Keys, mouse, focus and paste as they were: only a raw player lets these be set, but nobody
     * knows what stood before. */
    static const char reports_off[] = "\x1b[?1l\x1b>\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l"
                                      "\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?2004l";
    char text[512];
    int n;

    if (!p->console.terminal) {
        return;
    }
    /* ST and CAN end whatever sequence was cut in the middle. */
    n = snprintf(text, sizeof text, "%s\x1b\\\x1b[0m\x1b(B\x0f\x1b[4l%s",
                 p->config->raw ? "\x18" : "", p->filter.region ? "\x1b[?6l\x1b[r\x1b[999;1H" : "");
    if (p->filter.alternate != 0) {
        n += snprintf(text + n, sizeof text - (size_t)n, "\x1b[?%ul", p->filter.alternate);
    }
    n += snprintf(text + n, sizeof text - (size_t)n, "\x1b[?5l\x1b[?7h\x1b[?25h%s%s",
                  p->filter.cursor_style ? "\x1b[0 q" : "", reports_off);
    if (p->filter.region || (p->last_byte != '\n' && p->last_byte != 0)) {
        n += snprintf(text + n, sizeof text - (size_t)n, "\r\n");
    }
    console_write_last(&p->console, text, (size_t)n, LAST_WORDS_MS);
}

int play_run(struct timeline *t, const struct play_config *config, struct play_result *ret,
             struct error *err)
{
    struct console_config console = {
        .keys = config->keys,
        .line_feeds = timeline_head(t)->no_terminal,
        .discard_input = config->raw,
    };
    struct player p;
    int result;

    memset(&p, 0, sizeof p);
    memset(ret, 0, sizeof *ret);
    p.timeline = t;
    p.config = config;
    p.result = ret;
    buf_init(&p.out, OUT_MAX);
    buf_init(&p.scrap, OUT_MAX);
    sanitize_init(&p.filter);
    result = console_open(&p.console, &console, err);
    if (result == 0) {
        pace_init(&p.pace, config->speed, config->idle_limit_us, clock_boot_us());
        result = run(&p, err);
        ret->ended = p.ended;
        ret->dropped = config->raw ? 0 : p.filter.dropped;
        leave(&p);
    }
    console_close(&p.console);
    buf_clear(&p.out);
    buf_clear(&p.scrap);
    return result;
}
