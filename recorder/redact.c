/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/redact.h"

#include <stdlib.h>
#include <string.h>

#include "recorder/redact_impl.h"

#define KEY_LF 10
#define KEY_CR 13

#define IDLE_CLEAR_US (250U * REDACT_MS) /* the watermark stays while keys come this fast */
#define PENDING_OLD   REDACT_S           /* ... and never speaks of more than this too much */
#define AHEAD_POLL_US (10U * REDACT_MS)
#define FIRST_SRTT    (30U * REDACT_MS)
#define DECIDED_MAX   1000 /* runs in one tick */

int redact_new(struct redact **ret, const struct redact_config *config,
               const struct redact_sink *sink, struct error *err)
{
    struct redact *r = calloc(1, sizeof *r);

    if (r == NULL) {
        return err_sys(err, "allocate");
    }
    r->config = *config;
    r->sink = *sink;
    r->pending_us = REDACT_NO_PENDING;
    r->srtt_us = r->rttvar_us = FIRST_SRTT;
    r->snapshot_of = UINT64_MAX;
    r->fifo = secrets_alloc(&r->secrets, REDACT_FIFO);
    if (r->fifo == NULL) {
        redact_free(r);
        return err_set(err, ERR_SYSTEM, "no memory for typed keys");
    }
    view_open(&r->view, &r->secrets, config->rows, config->cols, redact_echo_event, r);
    typed_open(&r->typed, &r->secrets, (size_t)config->hold_max_kib * 1024U + UNIT_MAX);
    prompt_open(&r->prompt, config->prompt_patterns);
    r->config.prompt_patterns = NULL;
    *ret = r;
    return 0;
}

void redact_free(struct redact *r)
{
    if (r == NULL) {
        return;
    }
    prompt_close(&r->prompt);
    view_close(&r->view);
    typed_close(&r->typed);
    withhold_close(&r->withhold, &r->secrets);
    secrets_close(&r->secrets);
    explicit_bzero(r, sizeof *r);
    free(r);
}

bool redact_locked(const struct redact *r)
{
    return !r->secrets.unlocked;
}

/* ---- the watermark ---- */

static uint64_t oldest_undecided(const struct redact *r)
{
    return r->typed.count > 0   ? typed_at(&r->typed, 0)->t_us
           : r->partial_len > 0 ? r->partial_us
           : r->n_reads > 0     ? r->reads[r->first_read].t_us
                                : REDACT_NO_PENDING;
}

static void tell_pending(struct redact *r, uint64_t t_us, bool at_once)
{
    if (r->pending_us != t_us) {
        r->pending_us = t_us;
        r->sink.pending(r->sink.user, t_us, at_once);
    }
}

/* A watermark that is a little too low costs nothing, a message for every key does. */
static void tend_pending(struct redact *r, uint64_t now_us)
{
    uint64_t oldest = oldest_undecided(r);

    if (r->pending_us == REDACT_NO_PENDING) {
        return;
    }
    if (oldest == REDACT_NO_PENDING) {
        if (now_us >= r->last_key_us + IDLE_CLEAR_US) {
            tell_pending(r, REDACT_NO_PENDING, false);
        } else if (now_us > r->pending_us + PENDING_OLD) {
            tell_pending(r, now_us, false);
        }
    } else if (oldest > r->pending_us + PENDING_OLD) {
        tell_pending(r, oldest, false);
    }
}

/* ---- keys on their way to the pty ---- */

size_t redact_space(struct redact *r, uint8_t **ret)
{
    size_t used = r->fifo_off + r->fifo_len;

    *ret = r->fifo + used;
    if (typed_full(&r->typed) && r->config.policy != REDACT_OFF) {
        return 0;
    }
    if (r->fifo_len > 0 && r->fifo_off > 0 && used == REDACT_FIFO) {
        memmove(r->fifo, r->fifo + r->fifo_off, r->fifo_len);
        explicit_bzero(r->fifo + r->fifo_len, r->fifo_off);
        r->fifo_off = 0;
        *ret = r->fifo + r->fifo_len;
        used = r->fifo_len;
    }
    return REDACT_FIFO - used;
}

void redact_typed(struct redact *r, size_t n, uint64_t t_us)
{
    struct redact_read *last = &r->reads[(r->first_read + r->n_reads - 1) % REDACT_READS];

    r->fifo_len += n;
    if (r->n_reads == REDACT_READS) {
        last->len += n;
        return;
    }
    r->reads[(r->first_read + r->n_reads++) % REDACT_READS] = (struct redact_read){t_us, n};
}

/* A slice never spans two reads, so it has one time; nor two lines, so that the modes which the
 * first line's reader set are seen before the second is written. */
size_t redact_next(const struct redact *r, const uint8_t **ret)
{
    const uint8_t *p = r->fifo + r->fifo_off;
    size_t len = r->n_reads > 0 ? r->reads[r->first_read].len : 0;

    *ret = p;
    if (r->config.policy != REDACT_OFF && typed_full(&r->typed)) {
        return 0;
    }
    /* No more keys than there is room for: what is written has to be held. */
    len = len < TYPED_KEYS - r->typed.count ? len : TYPED_KEYS - r->typed.count;
    len = len < UNIT_MAX ? len : UNIT_MAX;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == KEY_CR || p[i] == KEY_LF) {
            return i + 1;
        }
    }
    return len;
}

void redact_before(struct redact *r, const struct redact_tty *before)
{
    r->before = *before;
    if (r->config.policy != REDACT_OFF && r->n_reads > 0 && r->pending_us == REDACT_NO_PENDING) {
        tell_pending(r, r->reads[r->first_read].t_us, true);
    }
}

static bool is_silent(tcflag_t lflag)
{
    return (lflag & ICANON) != 0 && (lflag & ECHO) == 0;
}

/* Either reading may be the one that tells: the prompt comes up, or is gone, in between.  A line
 * with its end may also have been read by a line editor, and its command asks already. */
static enum typed_class class_of(tcflag_t before, tcflag_t after, bool whole_line)
{
    if (is_silent(after) && (before & ICANON) == 0 && whole_line) {
        return TYPED_TURNED;
    }
    if (is_silent(before) || is_silent(after)) {
        return TYPED_SILENT;
    }
    return (before & ICANON) != 0 && (after & ICANON) != 0 ? TYPED_ECHOED : TYPED_RAW;
}

static void forget(struct redact *r, size_t n)
{
    explicit_bzero(r->fifo + r->fifo_off, n);
    r->fifo_off += n;
    r->fifo_len -= n;
    r->reads[r->first_read].len -= n;
    if (r->reads[r->first_read].len == 0) {
        r->first_read = (r->first_read + 1) % REDACT_READS;
        r->n_reads--;
    }
    if (r->fifo_len == 0) {
        r->fifo_off = 0;
    }
}

void redact_written(struct redact *r, size_t n, const struct redact_tty *after, uint64_t now_us)
{
    const uint8_t *p = r->fifo + r->fifo_off;
    enum typed_class class;
    uint64_t t_us;

    if (r->n_reads == 0 || n == 0) {
        return;
    }
    n = n < r->reads[r->first_read].len ? n : r->reads[r->first_read].len;
    t_us = r->reads[r->first_read].t_us;
    class = class_of(r->before.lflag, after->lflag, p[n - 1] == KEY_CR || p[n - 1] == KEY_LF);
    if (r->config.policy == REDACT_OFF) {
        r->sink.input(r->sink.user, t_us, p, n);
    } else {
        tcflag_t lflag = is_silent(r->before.lflag) ? r->before.lflag : after->lflag;

        redact_tick(r, after, now_us);
        redact_keys_typed(r, p, n, class, (lflag & ISIG) != 0, t_us);
        redact_release_echoed(r);
    }
    forget(r, n);
}

/* ---- output, and time ---- */

bool redact_wants_tty(const struct redact *r)
{
    return redact_ahead_waits(r);
}

void redact_output(struct redact *r, const uint8_t *bytes, size_t len, const struct redact_tty *tty,
                   uint64_t now_us)
{
    if (r->config.policy == REDACT_OFF) {
        r->sink.output(r->sink.user, now_us, bytes, len);
        return;
    }
    r->now_us = now_us;
    if (redact_output_watching(r)) {
        redact_tick(r, tty, now_us);
        redact_output_watched(r, bytes, len, tty);
    } else {
        view_keep(&r->view, bytes, len);
        r->sink.output(r->sink.user, now_us, bytes, len);
        r->last_out_us = now_us;
    }
    tend_pending(r, now_us);
}

void redact_resize(struct redact *r, int rows, int cols)
{
    if (r->config.policy != REDACT_OFF) {
        view_resize(&r->view, rows, cols);
    }
}

enum redact_screen redact_screen(struct redact *r)
{
    if (r->config.policy != REDACT_OFF) {
        view_sync(&r->view);
    }
    return r->view.screen == NULL          ? REDACT_SCREEN_UNKNOWN
           : screen_is_alt(r->view.screen) ? REDACT_SCREEN_OTHER
                                           : REDACT_SCREEN_MAIN;
}

static void tick_ahead(struct redact *r, const struct redact_tty *tty, uint64_t now_us)
{
    redact_ahead_look(r, tty, now_us);
    if (redact_ahead_waits(r) && now_us >= redact_ahead_due(r)) {
        if (typed_run_of(&r->typed, typed_at(&r->typed, 0))->suspect) {
            redact_release_decide(r, now_us);
        } else {
            redact_ahead_settle(r, now_us);
        }
    }
}

void redact_tick(struct redact *r, const struct redact_tty *tty, uint64_t now_us)
{
    r->now_us = now_us;
    if (redact_keys_due(r) <= now_us) {
        redact_keys_partial(r);
    }
    if (redact_output_due(r) <= now_us) {
        redact_output_tick(r);
    }
    if (redact_ahead_waits(r)) {
        tick_ahead(r, tty, now_us);
    }
    redact_release_echoed(r);
    for (int i = 0; i < DECIDED_MAX && r->typed.count > 0; i++) {
        uint32_t had = r->typed.count;

        if (redact_release_due(r) > now_us) {
            break;
        }
        redact_release_decide(r, now_us);
        redact_release_echoed(r);
        if (r->typed.count == had) {
            break; /* it waits on */
        }
    }
    tend_pending(r, now_us);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t redact_deadline(const struct redact *r)
{
    uint64_t due = sooner(sooner(redact_release_due(r), redact_keys_due(r)), redact_output_due(r));

    if (r->config.policy == REDACT_OFF) {
        return REDACT_NO_PENDING;
    }
    if (redact_ahead_waits(r)) {
        due = sooner(due, r->now_us + AHEAD_POLL_US);
    }
    if (r->pending_us != REDACT_NO_PENDING && oldest_undecided(r) == REDACT_NO_PENDING) {
        due = sooner(due, r->last_key_us + IDLE_CLEAR_US);
    }
    return due;
}

void redact_end(struct redact *r, uint64_t now_us)
{
    r->now_us = now_us;
    redact_keys_partial(r);
    r->ending = true;
    while (r->typed.count > 0) {
        redact_release_decide(r, now_us);
    }
    redact_output_end(r);
    tell_pending(r, REDACT_NO_PENDING, false);
    /* What was typed but never reached the pty was read by nobody: it is not recorded. */
    explicit_bzero(r->fifo, REDACT_FIFO);
    r->fifo_off = r->fifo_len = 0;
    r->n_reads = 0;
}
