/* SPDX-License-Identifier: Apache-2.0 */
/* When keys are decided, and letting go of them: in the order in which they were typed. */
#include <stdio.h>
#include <string.h>

#include "recorder/redact_impl.h"

#define FIRST_KEYS   3U /* of a run, of which two must be echoed before any is released */
#define UNSEEN_LINES 3U /* redacted in a row before an alert */
#define ALL_SEEN_US  (30U * REDACT_MS)
#define NEWLINE_US   (40U * REDACT_MS)
#define LINE_MIN_US  (80U * REDACT_MS)
#define QUIET_US     (50U * REDACT_MS)
#define LINE_MAX_US  (4U * REDACT_S)
#define IDLE_US      (8U * REDACT_S)
#define IDLE_FULL_US (2500U * REDACT_MS)
#define IDLE_DEAD_US (30U * REDACT_S)

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- handing on ---- */

/* Keys [from, to) of the queue's front, whose bytes stand in a row: one event for each time. */
static void hand_on(struct redact *r, uint32_t from, uint32_t to)
{
    const uint8_t *bytes;
    size_t off = 0;

    if (from == to) {
        return;
    }
    bytes = typed_bytes(&r->typed);
    for (uint32_t i = 0; i < from; i++) {
        off += typed_at(&r->typed, i)->len;
    }
    while (from < to) {
        uint64_t t_us = typed_at(&r->typed, from)->t_us;
        size_t len = 0;

        while (from < to && typed_at(&r->typed, from)->t_us == t_us) {
            len += typed_at(&r->typed, from++)->len;
        }
        r->sink.input(r->sink.user, t_us, bytes + off, len);
        off += len;
    }
}

/* Typing that is seen again ends what was unseen before it. */
static void note_seen(struct redact *r)
{
    r->unseen = r->unseen_lines = 0;
    r->alerted = false;
    r->line_before = 0;
    r->line_joined = false;
}

/* ---- at the echo ---- */

/* Two of the first keys, one behind the other: an echo alone may be an accident. */
static bool first_echoed(const struct redact *r, uint32_t at)
{
    const struct typed *q = &r->typed;
    uint32_t keys = 0, last = UINT32_MAX;

    for (uint32_t i = at; i < q->count && keys < FIRST_KEYS; i++) {
        const struct typed_key *k = typed_at(q, i);

        if (k->run != typed_at(q, at)->run) {
            break;
        }
        if (k->kind != UNIT_PRINT) {
            continue;
        }
        if (k->echoed && k->mask != 0) {
            continue; /* an echo that may be a mask tells nothing */
        }
        keys++;
        if (k->echoed && last != UINT32_MAX && typed_follows(q, last, i)) {
            return true;
        }
        last = k->echoed ? i : UINT32_MAX;
    }
    return false;
}

static bool may_go(struct redact *r, uint32_t i)
{
    const struct typed_key *k = typed_at(&r->typed, i);
    struct typed_run *run = typed_run_of(&r->typed, k);

    if (k->class == TYPED_SILENT || run->ahead) {
        return false;
    }
    if (k->kind != UNIT_PRINT) {
        return run->visible || run->keys == 0;
    }
    if (!k->echoed) {
        return false;
    }
    if (!run->visible && first_echoed(r, i)) {
        run->visible = true;
        redact_output_settle(r, k->run, false, r->now_us);
        note_seen(r);
    }
    r->silent = run->visible ? 0 : r->silent;
    return run->visible;
}

/* The oldest run's end: what ends a line, or the next run's beginning. */
static void find_end(struct redact *r)
{
    uint32_t i = 0;

    if (r->typed.count == 0 || (r->end_us != 0 && r->end_run == typed_at(&r->typed, 0)->run)) {
        return;
    }
    r->end_us = 0;
    while (i + 1 < r->typed.count && !typed_at(&r->typed, i)->ends &&
           typed_at(&r->typed, i + 1)->run == typed_at(&r->typed, 0)->run) {
        i++;
    }
    if (typed_at(&r->typed, i)->ends || i + 1 < r->typed.count) {
        r->end_us = typed_at(&r->typed, i)->t_us;
        r->end_run = typed_at(&r->typed, 0)->run;
        r->newline_us = 0;
    }
}

void redact_release_echoed(struct redact *r)
{
    struct typed *q = &r->typed;
    uint32_t n = 0;

    while (n < q->count && may_go(r, n)) {
        if (typed_at(q, n++)->ends) {
            r->end_us = 0;
        }
    }
    hand_on(r, 0, n);
    typed_drop(q, n);
    find_end(r);
}

/* ---- when it is over ---- */

static bool has_silent(const struct redact *r, uint32_t n, bool *ret_all_dead)
{
    bool silent = false;

    *ret_all_dead = true;
    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);

        if (k->kind == UNIT_PRINT) {
            silent = silent || !k->echoed;
            *ret_all_dead = *ret_all_dead && k->dead != TYPED_ALIVE;
        }
    }
    return silent;
}

static uint64_t line_due(const struct redact *r, bool silent)
{
    uint64_t end = r->end_us, due = end + LINE_MAX_US;
    uint64_t window = redact_echo_window(r);

    if (!silent) {
        return end + ALL_SEEN_US;
    }
    /* A new line that was shown later than an echo would have been. */
    if (r->newline_us != 0) {
        due = sooner(due, later(r->newline_us + NEWLINE_US + r->srtt_us / 2,
                                end + later(LINE_MIN_US, r->srtt_us + 2 * r->rttvar_us)));
    }
    /* A program that has shown nothing at all since then has not come to it yet. */
    return r->last_out_us > end
               ? sooner(due, later(end + window + window / 2, r->last_out_us + QUIET_US))
               : due;
}

/* A line that was typed while others were undecided is read when its turn comes, a long command
 * later perhaps, and shown then; unless what was typed behind it is shown already. */
static bool waits_its_turn(const struct redact *r, bool silent)
{
    const struct typed_run *run = typed_run_of(&r->typed, typed_at(&r->typed, 0));
    uint32_t last = typed_at(&r->typed, r->typed.count - 1)->run;

    if (!silent || !run->crowded || run->prompt || run->full_screen || run->ahead || r->ending ||
        typed_full(&r->typed)) {
        return false;
    }
    for (uint32_t i = typed_at(&r->typed, 0)->run + 1; i <= last; i++) {
        if (r->typed.runs[i % TYPED_RUNS].echoed) {
            return false;
        }
    }
    return true;
}

uint64_t redact_release_due(const struct redact *r)
{
    const struct typed *q = &r->typed;
    const struct typed_key *k;
    uint64_t hold, due, idle;
    bool silent, dead;
    uint32_t n;

    if (q->count == 0) {
        return REDACT_NO_PENDING;
    }
    k = typed_at(q, 0);
    hold = k->t_us + (uint64_t)r->config.hold_max_s * REDACT_S;
    if (typed_run_of(q, k)->ahead) {
        return sooner(hold, redact_ahead_due(r));
    }
    n = typed_run_length(q);
    silent = has_silent(r, n, &dead);
    if (r->end_us != 0 && waits_its_turn(r, silent)) {
        due = r->newline_us != 0 ? r->newline_us + NEWLINE_US : hold;
    } else if (r->end_us != 0) {
        due = line_due(r, silent);
    } else {
        /* A secret that is copied from paper comes in groups. */
        bool asked = typed_run_of(q, k)->prompt && !typed_run_of(q, k)->echoed;

        idle = dead || asked                     ? IDLE_DEAD_US
               : typed_run_of(q, k)->full_screen ? IDLE_FULL_US
                                                 : IDLE_US;
        due = typed_at(q, q->count - 1)->t_us + later(idle, 2 * redact_echo_window(r));
    }
    /* Keys wait outside: what is echoed at all has been by now. */
    if (typed_full(q) && r->deaf) {
        return 0;
    }
    if (typed_full(q)) {
        due = sooner(due, later(r->last_key_us, r->last_hit_us) + redact_echo_window(r));
    }
    return sooner(due, hold);
}

/* ---- deciding ---- */

static void settle_dead(struct redact *r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct typed_key *k = typed_at(&r->typed, i);

        if (k->dead == TYPED_UNKNOWN && i + 1 == r->typed.count) {
            redact_echo_judge(r, k);
        } else if (k->dead == TYPED_UNKNOWN) {
            k->dead = TYPED_ALIVE;
        }
    }
}

static void note_unseen(struct redact *r, uint32_t n, uint64_t end_us)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);

        if (r->unseen == 0 && r->unseen_lines == 0) {
            r->unseen_us = k->t_us;
        }
        r->unseen += k->redacted ? k->len : 0;
        r->unseen_lines += k->ends;
    }
    if (!r->alerted && r->config.max_no_echo > 0 &&
        (r->unseen_lines > UNSEEN_LINES || r->unseen > r->config.max_no_echo)) {
        r->alerted = true;
        r->sink.mark(r->sink.user, r->unseen_us, end_us, "alert no-echo-region", "");
    }
}

/* One mark for each stretch of redacted keys; in a run that is redacted whole there is one. */
static void tell_redacted(struct redact *r, uint32_t n, const struct redact_verdict *v, bool joined)
{
    const struct typed_run *run = typed_run_of(&r->typed, typed_at(&r->typed, 0));
    char what[64];
    uint64_t end_us = typed_at(&r->typed, n - 1)->t_us;
    bool told = joined;

    (void)snprintf(what, sizeof what, "redacted %s", v->why);
    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);

        if (k->redacted) {
            uint64_t to_us = end_us;

            for (uint32_t j = i; !v->whole && j < n && typed_at(&r->typed, j)->redacted; j++) {
                to_us = typed_at(&r->typed, j)->t_us;
            }
            if (!told) {
                r->sink.mark(r->sink.user, k->t_us, to_us, what, run->reader);
            }
            told = true;
        } else if (!v->whole && k->kind == UNIT_PRINT) {
            told = false;
        }
    }
}

/* Keys that the screen did not show and that are recorded all the same: from four in a row on, a
 * mark says so.  ${all}: in a run of commands an echo may be an accident too. */
static void tell_silent(struct redact *r, uint32_t n, bool all)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);

        if (k->kind != UNIT_PRINT || k->redacted) {
            continue;
        }
        if (k->echoed && !k->doubtful && !all) {
            r->silent = 0;
            continue;
        }
        r->silent_us = r->silent == 0 ? k->t_us : r->silent_us;
        if (++r->silent >= HISTORY_GRAM) {
            r->sink.mark(r->sink.user, r->silent_us, typed_at(&r->typed, n - 1)->t_us,
                         "silent keys", "");
            r->silent = 0;
            return;
        }
    }
}

static void emit(struct redact *r, uint32_t n)
{
    for (uint32_t i = 0, from; i < n;) {
        while (i < n && typed_at(&r->typed, i)->redacted) {
            i++;
        }
        for (from = i; i < n && !typed_at(&r->typed, i)->redacted; i++) {
        }
        if (i > from) {
            hand_on(r, from, i);
        }
    }
    typed_drop(&r->typed, n);
}

/* The line goes on after this decision: what follows knows what it follows. */
static void carry_over(struct redact *r, const struct typed_run *run, uint32_t n,
                       const struct redact_verdict *v)
{
    if (typed_at(&r->typed, n - 1)->ends || v->silent == 0) {
        r->line_before = 0;
        r->line_joined = false;
        return;
    }
    r->line_before = run->before + v->silent;
    r->line_joined = run->joined || (v->kind == REDACT_HIDE && v->whole);
}

/* Not shown yet: at the next new line it is looked for again. */
static bool postponed(struct redact *r, uint32_t n)
{
    bool dead;

    if (r->end_us == 0 || !waits_its_turn(r, has_silent(r, n, &dead)) || redact_rules_seen(r, n)) {
        return false;
    }
    r->newline_us = 0;
    return true;
}

/* Nothing was shown for it: masks may be on their way. */
static void await_masks(struct redact *r, uint32_t n, uint64_t now_us)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);

        if (k->kind == UNIT_PRINT && k->class != TYPED_SILENT) {
            redact_output_late(r, k, now_us);
            return;
        }
    }
}

void redact_release_decide(struct redact *r, uint64_t now_us)
{
    struct typed *q = &r->typed;
    uint32_t n = typed_run_length(q), number = typed_at(q, 0)->run;
    struct typed_run *run = typed_run_of(q, typed_at(q, 0));
    uint64_t hold = typed_at(q, 0)->t_us + (uint64_t)r->config.hold_max_s * REDACT_S;
    uint64_t end_us = typed_at(q, n - 1)->t_us;
    struct redact_verdict v;

    if (now_us < hold && postponed(r, n)) {
        return;
    }
    r->deaf = typed_full(q) && !run->echoed;
    settle_dead(r, n);
    redact_rules_judge(r, n, now_us >= hold, &v);
    if (n == q->count && !run->visible) {
        r->bound = true;
    }
    if (n == q->count) {
        carry_over(r, run, n, &v);
    }
    redact_output_settle(r, number, v.kind == REDACT_HIDE && (v.whole || v.masked), now_us);
    if (v.kind == REDACT_HIDE && v.whole && !r->withhold.span) {
        await_masks(r, n, now_us);
    }
    if (v.kind == REDACT_HIDE) {
        tell_redacted(r, n, &v, run->joined && v.whole);
        note_unseen(r, n, end_us);
    } else if (v.kind == REDACT_BLIND) {
        r->sink.mark(r->sink.user, typed_at(q, 0)->t_us, end_us, "alert blind-command", "");
    }
    if (v.kind == REDACT_KEYS || v.kind == REDACT_RELEASE || (v.kind == REDACT_HIDE && !v.whole)) {
        tell_silent(r, n, v.kind == REDACT_KEYS);
    }
    if (v.kind == REDACT_RELEASE && run->keys > 0) {
        note_seen(r);
    }
    emit(r, n);
    r->end_us = 0;
    find_end(r);
}
