/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule T.  A line that is typed into a terminal in line mode before anybody reads it is echoed by
 * the kernel; when the program then asks for a secret, that line was it.  Only the first line that
 * a job is given can be such: a job that reads its line at once reads lines.
 */
#include <string.h>

#include "recorder/redact_impl.h"

#define DEL        0x7fU
#define AT_ONCE_US (50U * REDACT_MS)  /* a reader that was waiting has taken its line by then */
#define ASK_US     (250U * REDACT_MS) /* a reader that came later has asked by then */

bool redact_ahead_waits(const struct redact *r)
{
    return r->typed.count > 0 && typed_run_of(&r->typed, typed_at(&r->typed, 0))->ahead;
}

static struct typed_run *oldest(const struct redact *r)
{
    return typed_run_of(&r->typed, typed_at(&r->typed, 0));
}

/* When the oldest run's line was ended; 0: not yet. */
static uint64_t ended_us(const struct redact *r)
{
    const struct typed_key *k = typed_at(&r->typed, typed_run_length(&r->typed) - 1);

    return k->ends ? k->t_us : 0;
}

void redact_ahead_suspect(struct redact *r)
{
    for (uint32_t i = 0; i < r->typed.count; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);
        struct typed_run *run = typed_run_of(&r->typed, k);

        if (run->ahead && !run->suspect) {
            run->suspect = true;
            redact_output_settle(r, k->run, true, r->now_us);
        }
    }
}

void redact_ahead_settle(struct redact *r, uint64_t now_us)
{
    struct typed_key *k = typed_at(&r->typed, 0);

    typed_run_of(&r->typed, k)->ahead = false;
    redact_output_settle(r, k->run, false, now_us);
    r->read_us = 0;
    r->asked = false;
}

/* A line that asks, ended: its prompt and a new line came in one piece. */
static bool line_asked(const struct redact *r)
{
    size_t n = r->line_len;

    while (n > 0 && r->line[n - 1] == ' ') {
        n--;
    }
    return n > 0 && prompt_ends_like_one(r->line[n - 1]) && prompt_asks(&r->prompt, r->line, n);
}

void redact_ahead_printed(struct redact *r, uint32_t ch)
{
    size_t max = sizeof r->line / sizeof r->line[0];

    if (ch == '\n') {
        r->asked = r->asked || (redact_ahead_waits(r) && line_asked(r));
        r->line_len = 0;
        return;
    }
    if (r->line_len == max) {
        r->line_len = max / 2;
        memmove(r->line, r->line + max / 2, max / 2 * sizeof r->line[0]);
    }
    r->line[r->line_len++] = ch;
}

/* Whether the oldest was settled: then the next is looked at. */
static bool look_once(struct redact *r, const struct redact_tty *tty, uint64_t now_us)
{
    uint64_t end_us = ended_us(r);
    bool read = end_us != 0 && tty != NULL && tty->unread == 0;

    /* Whoever asked has its answer (if nobody can say so, too), and what is asked next is another
     * matter. */
    if (end_us != 0 && tty != NULL && tty->unread <= 0 && oldest(r)->answer &&
        !oldest(r)->suspect && now_us <= end_us + ASK_US) {
        redact_ahead_settle(r, now_us);
        return true;
    }
    if (r->asked || (tty != NULL && (tty->lflag & ICANON) != 0 && (tty->lflag & ECHO) == 0) ||
        prompt_asks(&r->prompt, r->line, r->line_len)) {
        redact_ahead_suspect(r);
        return false;
    }
    if (!read || oldest(r)->suspect) {
        return false;
    }
    r->read_us = r->read_us == 0 ? now_us : r->read_us;
    if (r->read_us > end_us + AT_ONCE_US) {
        return false;
    }
    r->reads_lines = tty->job;
    redact_ahead_settle(r, now_us);
    return true;
}

void redact_ahead_look(struct redact *r, const struct redact_tty *tty, uint64_t now_us)
{
    while (redact_ahead_waits(r) && look_once(r, tty, now_us)) {
        redact_release_echoed(r);
    }
}

uint64_t redact_ahead_due(const struct redact *r)
{
    const struct typed_run *run = oldest(r);
    uint64_t last = typed_at(&r->typed, typed_run_length(&r->typed) - 1)->t_us;

    if (run->suspect) {
        return last + ASK_US;
    }
    return r->read_us != 0 ? r->read_us + ASK_US
                           : run->first_us + (uint64_t)r->config.typeahead_hold_s * REDACT_S;
}

/* ---- its echo ---- */

bool redact_ahead_ends(struct redact *r, const struct unit *u)
{
    if (!redact_ahead_waits(r)) {
        return false;
    }
    for (uint32_t i = 0; i < r->typed.count; i++) {
        struct typed_key *k = typed_at(&r->typed, i);

        if (k->ends && !k->echoed && typed_run_of(&r->typed, k)->ahead) {
            k->echoed = u->ch == '\n';
            return true;
        }
    }
    return false;
}

bool redact_ahead_erases(struct redact *r, const struct unit *u)
{
    r->ahead_echo = r->ahead_echo && redact_ahead_waits(r);
    r->ahead_erases = r->ahead_echo && u->kind == UNIT_CONTROL && u->ch == '\b';
    return r->ahead_erases || (r->ahead_echo && u->kind == UNIT_CONTROL && u->ch == '\t');
}

bool redact_ahead_edited(const struct redact *r)
{
    bool odd = false;

    for (uint32_t i = 0; i < r->typed.count && redact_ahead_waits(r); i++) {
        const struct typed_key *k = typed_at(&r->typed, i);

        if (k->run != typed_at(&r->typed, 0)->run) {
            break;
        }
        if (k->ends && k->echoed) {
            return false;
        }
        odd = odd || k->kind == UNIT_ESCAPE || (k->kind == UNIT_CONTROL && k->ch != DEL);
    }
    return odd;
}
