/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/redact.h"

#include <string.h>

#define WHY_RULE_A "canonical no-echo"

#define KEY_CTRL_C  3
#define KEY_CTRL_D  4
#define KEY_LF      10
#define KEY_CR      13
#define KEY_CTRL_Z  26
#define KEY_CTRL_BS 28 /* ^\ */

int redact_open(struct redact *r, bool enabled, uint32_t hold_max_s, const struct redact_sink *sink,
                struct error *err)
{
    memset(r, 0, sizeof *r);
    r->sink = *sink;
    r->enabled = enabled;
    r->hold_max_us = (uint64_t)hold_max_s * 1000000U;
    r->pending_us = REDACT_NO_PENDING;
    return arena_open(&r->arena, err);
}

void redact_close(struct redact *r)
{
    arena_close(&r->arena);
}

size_t redact_space(struct redact *r, uint8_t **ret)
{
    return arena_space(&r->arena, ret);
}

void redact_typed(struct redact *r, size_t n, uint64_t t_us)
{
    arena_filled(&r->arena, n);
    if (r->count == REDACT_READS) {
        r->reads[(r->first + r->count - 1) % REDACT_READS].len += n;
        return;
    }
    r->reads[(r->first + r->count) % REDACT_READS].t_us = t_us;
    r->reads[(r->first + r->count) % REDACT_READS].len = n;
    r->count++;
}

/* A slice never spans two reads, so it has one time; nor two lines, so that the modes which the
 * first line's reader set are seen before the second is written. */
size_t redact_next(const struct redact *r, const uint8_t **ret)
{
    const uint8_t *p = r->arena.mem + r->arena.off;
    size_t len = r->count > 0 ? r->reads[r->first].len : 0;

    *ret = p;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == KEY_CR || p[i] == KEY_LF) {
            return i + 1;
        }
    }
    return len;
}

static bool is_secret(tcflag_t lflag)
{
    return (lflag & ICANON) != 0 && (lflag & ECHO) == 0;
}

static void tell_pending(struct redact *r, uint64_t t_us)
{
    if (r->pending_us != t_us) {
        r->pending_us = t_us;
        r->sink.pending(r->sink.user, t_us);
    }
}

void redact_before(struct redact *r, tcflag_t lflag)
{
    if (r->enabled && r->count > 0 && is_secret(lflag) && !r->running) {
        tell_pending(r, r->reads[r->first].t_us);
    }
}

static void begin_run(struct redact *r, uint64_t t_us)
{
    if (!r->running) {
        r->running = true;
        r->marked = false;
        r->run_us = t_us;
        tell_pending(r, t_us);
    }
}

static void end_run(struct redact *r, uint64_t end_us)
{
    if (r->running) {
        r->running = false;
        if (!r->marked) {
            r->sink.mark(r->sink.user, r->run_us, end_us, WHY_RULE_A);
        }
    }
}

/* What ends a line stays recorded: ^C and ^Z only where they are signals (mysql's prompt takes them
 * as characters, and a password may hold one). */
static bool ends_line(uint8_t c, tcflag_t lflag)
{
    switch (c) {
    case KEY_CR:
    case KEY_LF:
    case KEY_CTRL_D:
        return true;
    case KEY_CTRL_C:
    case KEY_CTRL_Z:
    case KEY_CTRL_BS:
        return (lflag & ISIG) != 0;
    default:
        return false;
    }
}

static void hide(struct redact *r, const uint8_t *p, size_t n, uint64_t t_us, tcflag_t lflag)
{
    for (size_t i = 0; i < n; i++) {
        if (ends_line(p[i], lflag)) {
            end_run(r, t_us);
            r->sink.input(r->sink.user, t_us, p + i, 1);
        } else {
            begin_run(r, t_us);
        }
    }
    if (!r->running) {
        tell_pending(r, REDACT_NO_PENDING);
    }
}

static void forget(struct redact *r, size_t n)
{
    arena_drop(&r->arena, n);
    r->reads[r->first].len -= n;
    if (r->reads[r->first].len == 0) {
        r->first = (r->first + 1) % REDACT_READS;
        r->count--;
    }
}

void redact_written(struct redact *r, size_t n, tcflag_t before, tcflag_t after)
{
    const uint8_t *p = r->arena.mem + r->arena.off;
    uint64_t t_us;

    if (r->count == 0 || n == 0) {
        return;
    }
    n = n < r->reads[r->first].len ? n : r->reads[r->first].len;
    t_us = r->reads[r->first].t_us;
    /* Either reading may be the one that tells: the prompt comes up, or is gone, in between. */
    if (r->enabled && (is_secret(before) || is_secret(after))) {
        hide(r, p, n, t_us, is_secret(before) ? before : after);
    } else {
        end_run(r, t_us);
        tell_pending(r, REDACT_NO_PENDING);
        r->sink.input(r->sink.user, t_us, p, n);
    }
    forget(r, n);
}

void redact_tick(struct redact *r, uint64_t now_us)
{
    if (redact_deadline(r) <= now_us) {
        r->sink.mark(r->sink.user, r->run_us, now_us, WHY_RULE_A);
        r->marked = true;
        tell_pending(r, REDACT_NO_PENDING);
    }
}

uint64_t redact_deadline(const struct redact *r)
{
    return r->running && !r->marked ? r->run_us + r->hold_max_us : REDACT_NO_PENDING;
}

void redact_end(struct redact *r, uint64_t now_us)
{
    end_run(r, now_us);
    tell_pending(r, REDACT_NO_PENDING);
    /* What was typed but never reached the pty was read by nobody: it is not recorded. */
    arena_drop(&r->arena, r->arena.len);
    r->count = 0;
}
