/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the detector, by the letters that docs/REDACTION.md names them with. */
#include <string.h>

#include "recorder/redact_impl.h"

#define FIRM_MIN   3U /* echoes in a row that are no accident */
#define FIRM_KEYS  6U
#define SILENT_MIN 4U /* keys in a row that are a secret rather than an accident */
#define MASKED_MIN 2U /* ... where each was masked */
#define LINE_MIN   3U /* keys of a line at a prompt on a full screen */

struct count {
    uint32_t keys, silent, echoed; /* printable ones; silent: not echoed */
    uint32_t dead;                 /* of the silent */
    uint32_t distinct;
    bool odd; /* one of the silent is not among the usual commands of full-screen programs */
    bool class_silent;
};

static struct typed_key *printable(const struct redact *r, uint32_t i)
{
    struct typed_key *k = typed_at(&r->typed, i);

    return k->kind == UNIT_PRINT ? k : NULL;
}

static bool is_command(uint32_t ch)
{
    return ch < 128 && strchr("hjklgGnNpPqQbBfFduezwWr/?:+-<>[]{} ", (int)ch) != NULL && ch != 0;
}

static void tally(const struct redact *r, uint32_t n, struct count *c)
{
    uint64_t seen[4] = {0};

    memset(c, 0, sizeof *c);
    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);
        unsigned bit;

        c->class_silent =
            c->class_silent ||
            (!k->ends && (k->class == TYPED_SILENT ||
                          (k->class == TYPED_TURNED && !k->echoed && k->kind == UNIT_PRINT)));
        if (k->kind != UNIT_PRINT) {
            continue;
        }
        c->keys++;
        if (k->echoed) {
            c->echoed++;
            continue;
        }
        c->silent++;
        c->dead += k->dead == TYPED_DEAD;
        c->odd = c->odd || !is_command(k->ch);
        bit = k->ch % 256;
        c->distinct += (seen[bit / 64] >> bit % 64 & 1) == 0;
        seen[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

/* ---- a few echoes among silent keys may be accidents: a screen drawn anew holds any letter ----
 */

static void doubt(const struct redact *r, uint32_t from, uint32_t to, bool believe)
{
    for (uint32_t i = from; i < to; i++) {
        struct typed_key *k = printable(r, i);

        if (k != NULL) {
            k->doubtful = k->echoed;
            k->echoed = k->echoed && believe;
        }
    }
}

/* So many accidents there are not: lines of a job that scroll between the echoes, say. */
static bool nearly_all_echoed(const struct redact *r, uint32_t n)
{
    uint32_t keys = 0, echoed = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = printable(r, i);

        keys += k != NULL;
        echoed += k != NULL && k->echoed;
    }
    return keys >= FIRM_KEYS && echoed * 10 >= keys * 8;
}

/* Text is echoed one behind the other; fewer than three such keys are doubted. */
static void doubt_accidents(const struct redact *r, uint32_t n)
{
    uint32_t begin = 0, last = UINT32_MAX, length = 0, keys = 0, stretches = 0;
    bool believe = nearly_all_echoed(r, n);

    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = printable(r, i);

        if (k == NULL) {
            continue;
        }
        keys++;
        if (k->echoed && last != UINT32_MAX && typed_follows(&r->typed, last, i)) {
            length++;
            last = i;
            continue;
        }
        if (last != UINT32_MAX && length < FIRM_MIN) {
            doubt(r, begin, i, believe);
        }
        stretches++;
        begin = i;
        length = 1;
        last = k->echoed ? i : UINT32_MAX;
    }
    if (last != UINT32_MAX && length < FIRM_MIN && (stretches > 1 || keys > FIRM_MIN)) {
        doubt(r, begin, n, believe);
    }
}

/* ---- second chance: the text stands on the screen after all ---- */

/* What is printed below the ended line is no echo of it, but an answer, or the next prompt, which
 * likes to say the same words again.  At a text that asks nothing elsewhere is. */
static uint64_t seen_until(const struct redact *r, uint32_t n)
{
    const struct typed_key *last = typed_at(&r->typed, n - 1);
    const struct typed_run *run = typed_run_of(&r->typed, last);

    if (run->prompt && !run->full_screen) {
        return 0;
    }
    if (run->prompt && last->ends) {
        return last->printed;
    }
    return run->below != 0 && !run->full_screen && !run->crowded ? run->below : r->history.end;
}

static void mark_seen(const struct redact *r, uint32_t n)
{
    struct history_grams grams;
    struct typed_key *last[HISTORY_GRAM];
    uint32_t gram[HISTORY_GRAM];
    uint32_t have = 0;
    bool first = true;

    for (uint32_t i = 0; i < n; i++) {
        struct typed_key *k = printable(r, i);

        if (k == NULL) {
            continue;
        }
        if (first) {
            history_summarise(&r->history, k->printed, seen_until(r, n), &grams);
            first = false;
        }
        memmove(last, last + 1, sizeof last - sizeof last[0]);
        memmove(gram, gram + 1, sizeof gram - sizeof gram[0]);
        last[HISTORY_GRAM - 1] = k;
        gram[HISTORY_GRAM - 1] = k->ch;
        if (++have >= HISTORY_GRAM && history_has(&r->history, &grams, gram)) {
            for (uint32_t j = 0; j < HISTORY_GRAM; j++) {
                if (last[j]->class != TYPED_TURNED) {
                    last[j]->echoed = true;
                    last[j]->doubtful = false;
                }
            }
        }
    }
    explicit_bzero(gram, sizeof gram);
}

/* Blanks within what was echoed: programs skip them with a cursor movement. */
static void mark_blanks(const struct redact *r, uint32_t n)
{
    bool echoed = typed_run_of(&r->typed, typed_at(&r->typed, 0))->visible;

    for (uint32_t i = 0; i < n; i++) {
        struct typed_key *k = printable(r, i);

        if (k != NULL) {
            k->echoed = k->echoed || (k->ch == ' ' && echoed);
            echoed = k->echoed;
        }
    }
}

/* ---- masks ---- */

static bool is_mask(uint32_t ch)
{
    return withhold_is_mask(ch) || ch == '.' || ch == 'x' || ch == 'X' || ch == '#' || ch == '_';
}

/* Of the keys [from, to), ${silent} of which are silent. */
static bool masked(const struct redact *r, uint32_t from, uint32_t to, uint32_t silent)
{
    uint32_t best = 0, most = 0;

    /* The most frequent one, by a majority vote and a recount. */
    for (uint32_t i = from, votes = 0; i < to; i++) {
        const struct typed_key *k = printable(r, i);

        if (k != NULL && !k->echoed && k->mask != 0) {
            best = votes == 0 ? k->mask : best;
            votes = k->mask == best ? votes + 1 : votes - 1;
        }
    }
    for (uint32_t i = from; i < to; i++) {
        const struct typed_key *k = printable(r, i);

        most += k != NULL && !k->echoed && best != 0 && k->mask == best;
    }
    if (most == 0) {
        return false;
    }
    return (is_mask(best) && most * 10 >= silent * 6) ||
           (most >= SILENT_MIN && most * 10 >= silent * 8);
}

/* An asterisk that was shown for an asterisk is a mask where other keys got the same one. */
static void doubt_masks(const struct redact *r, uint32_t n)
{
    const struct typed_run *run = typed_run_of(&r->typed, typed_at(&r->typed, 0));
    uint32_t mask = 0, others = 0, same = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = printable(r, i);

        if (k != NULL && withhold_is_mask(k->mask)) {
            mask = k->mask;
            /* At a text that asks, nothing but asterisks is masks, too. */
            others += !k->echoed || (run->prompt && !run->full_screen);
        }
        same += k != NULL && k->echoed && !withhold_is_mask(k->ch);
    }
    for (uint32_t i = 0; i < n && others > same; i++) {
        struct typed_key *k = printable(r, i);

        k = k != NULL && k->echoed && k->mask == mask && k->ch == mask ? k : NULL;
        if (k != NULL) {
            k->echoed = false;
        }
    }
}

/* ---- hiding ---- */

static void hide_all(const struct redact *r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct typed_key *k = typed_at(&r->typed, i);

        k->redacted = !k->ends;
    }
}

static void hide_silent(const struct redact *r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct typed_key *k = printable(r, i);

        if (k != NULL) {
            k->redacted = !k->echoed;
        }
    }
}

/* Keys [from, to) are silent: whether they are a secret.  On a full screen keys that each did
 * something are commands; masks tell that they are none, a field behind a visible one, say. */
static bool stretch_is_secret(const struct redact *r, uint32_t from, uint32_t to, bool full_screen,
                              bool *ret_masked)
{
    uint32_t silent = 0, dead = 0;

    for (uint32_t i = from; i < to; i++) {
        const struct typed_key *k = printable(r, i);

        silent += k != NULL;
        dead += k != NULL && k->dead == TYPED_DEAD;
    }
    *ret_masked = silent >= MASKED_MIN && masked(r, from, to, silent);
    return *ret_masked || (silent >= SILENT_MIN && (!full_screen || dead * 10 >= silent * 6));
}

/* Rule B4: of a line that is echoed, long silent stretches. */
static bool hide_stretches(const struct redact *r, uint32_t n, bool full_screen, bool *ret_masked)
{
    uint32_t begin = 0;
    bool any = false, masks;

    for (uint32_t i = 0; i <= n; i++) {
        if (i < n && (printable(r, i) == NULL || !printable(r, i)->echoed)) {
            continue;
        }
        if (stretch_is_secret(r, begin, i, full_screen, &masks)) {
            for (uint32_t j = begin; j < i; j++) {
                typed_at(&r->typed, j)->redacted = printable(r, j) != NULL;
            }
            *ret_masked = *ret_masked || masks;
            any = true;
        }
        begin = i + 1;
    }
    return any;
}

/* ---- the rules, first match wins ---- */

/* Why the silent keys of a run that was not echoed are a secret; NULL when they are commands. */
static const char *silent_run(const struct redact *r, uint32_t n, const struct typed_run *run,
                              const struct count *c, bool ended, bool held_too_long,
                              bool *ret_blind)
{
    uint32_t silent = c->silent + (run->full_screen ? 0 : run->before);
    bool mostly_dead = c->dead * 10 >= c->silent * 4;
    /* No full-screen program takes such a line for commands. */
    bool line = (ended || held_too_long) && c->odd && c->silent >= LINE_MIN;

    if (run->prompt && (!run->full_screen || mostly_dead)) {
        return "prompt"; /* C */
    }
    if (masked(r, 0, n, c->silent)) {
        return "masked"; /* Bmask */
    }
    if (run->prompt && line) {
        return "prompt"; /* C, while something else moves */
    }
    if (run->joined && (!run->full_screen || c->dead == c->silent)) {
        return "silent"; /* the rest of what was redacted */
    }
    if (silent < SILENT_MIN) {
        return NULL;
    }
    if (!run->full_screen && run->editor && !r->config.blind_redact) {
        *ret_blind = true; /* E */
        return NULL;
    }
    if (!run->full_screen && held_too_long) {
        return "held too long";
    }
    /* Without a line's end, keys that each did something are commands: `more` reads like this. */
    if (!run->full_screen && (ended || mostly_dead)) {
        return "silent"; /* B */
    }
    if (run->full_screen && c->dead * 10 >= c->silent * 6 &&
        (c->odd || (c->distinct >= 3 && c->distinct * 10 >= c->silent * 4))) {
        return "silent, full screen"; /* Bdead */
    }
    return NULL; /* K */
}

/* Three in a row that stand one behind the other, at the end of what was typed. */
static bool has_text(const struct redact *r, uint32_t n)
{
    uint32_t last = UINT32_MAX, length = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct typed_key *k = printable(r, i);

        if (k == NULL) {
            continue;
        }
        length =
            k->echoed && (last == UINT32_MAX || typed_follows(&r->typed, last, i)) ? length + 1 : 0;
        last = k->echoed ? i : UINT32_MAX;
    }
    return length >= FIRM_MIN;
}

static void judge_silent(struct redact *r, uint32_t n, const struct typed_run *run,
                         const struct count *c, bool held_too_long, struct redact_verdict *ret)
{
    bool ended = typed_at(&r->typed, n - 1)->ends, blind = false;

    if (r->config.policy == REDACT_STRICT) {
        bool most = run->visible || c->echoed * 10 >= c->keys * 9 || c->keys <= 3;

        ret->kind = REDACT_HIDE;
        ret->why = "strict";
        ret->whole = !most;
        if (most) {
            hide_silent(r, n);
        } else {
            hide_all(r, n);
        }
        return;
    }
    if (run->visible || c->echoed * 10 >= c->keys * 7) {
        ret->kind =
            hide_stretches(r, n, run->full_screen, &ret->masked) ? REDACT_HIDE : REDACT_RELEASE;
        ret->why = "silent stretch";
        return;
    }
    ret->why = silent_run(r, n, run, c, ended, held_too_long, &blind);
    if (ret->why != NULL) {
        ret->kind = REDACT_HIDE;
        /* What stands on a full screen behind keys that did nothing is text. */
        ret->whole = !(run->full_screen && !run->prompt && has_text(r, n));
        if (ret->whole) {
            hide_all(r, n);
        } else {
            hide_silent(r, n);
        }
    } else {
        ret->kind = blind ? REDACT_BLIND : REDACT_KEYS;
    }
}

bool redact_rules_seen(struct redact *r, uint32_t n)
{
    struct count c;

    mark_seen(r, n);
    tally(r, n, &c);
    return c.silent == 0;
}

void redact_rules_judge(struct redact *r, uint32_t n, bool held_too_long,
                        struct redact_verdict *ret)
{
    const struct typed_run *run = typed_run_of(&r->typed, typed_at(&r->typed, 0));
    struct count c;

    memset(ret, 0, sizeof *ret);
    if (run->keys > FIRM_MIN) {
        doubt_accidents(r, n);
    }
    doubt_masks(r, n);
    mark_seen(r, n);
    mark_blanks(r, n);
    tally(r, n, &c);
    ret->silent = c.silent;
    if (c.class_silent) {
        ret->kind = REDACT_HIDE;
        ret->why = "canonical no-echo"; /* A */
        ret->whole = true;
        hide_all(r, n);
    } else if (run->ahead && run->suspect && c.keys > 0) {
        ret->kind = REDACT_HIDE;
        ret->why = "typed ahead"; /* T */
        ret->whole = true;
        hide_all(r, n);
    } else if (c.silent > 0) {
        judge_silent(r, n, run, &c, held_too_long, ret);
    }
}
