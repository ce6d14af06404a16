/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output goes on as it comes, but while somebody types and nothing echoes it: then it is taken
 * apart, and what shows nothing but mask characters, or is the echo of a line typed ahead, is kept
 * out of the record until its run is decided.  The record's cursor then stands where the masks
 * begin; movements into the masks are recorded as movements to there.
 */
#include <stdio.h>
#include <string.h>

#include "recorder/redact_impl.h"
#include "recorder/unit.h"

#define CHUNK_MAX 8192U /* output that is longer is no prompt's */
#define PART_MAX  64U   /* of a unit whose rest has not come */
#define PART_US   (20U * REDACT_MS)
#define LATE_US   (10U * REDACT_S) /* masks of a slow network come so much later than their keys */
#define BUFFER    (CHUNK_MAX + PART_MAX)

static struct typed_place cursor(const struct redact *r)
{
    struct typed_place p;

    view_cursor(&r->view, &p.row, &p.col);
    return p;
}

static bool within(const struct redact *r, struct typed_place p)
{
    return withhold_within(&r->withhold, p.row, p.col);
}

/* ---- settling ---- */

static void record(struct redact *r, const uint8_t *bytes, size_t len, uint64_t t_us)
{
    if (len > 0) {
        r->sink.output(r->sink.user, t_us, bytes, len);
    }
}

void redact_output_settle(struct redact *r, uint32_t run, bool secret, uint64_t now_us)
{
    struct withhold *w = &r->withhold;

    if (w->what == WITHHOLD_NOTHING || w->run != run) {
        return;
    }
    if (!secret && !w->stale) {
        record(r, w->bytes, w->len, now_us);
    }
    if (!secret) {
        w->span = false;
    } else if (w->what == WITHHOLD_AHEAD && w->has_newline) {
        record(r, (const uint8_t *)"\r\n", 2, now_us);
    }
    w->decided = secret;
    w->alike = 0;
    withhold_forget(w);
}

static bool was_echoed(const struct redact *r, uint32_t run)
{
    return run < r->typed.first_run || r->typed.runs[run % TYPED_RUNS].echoed;
}

static void keep_back(struct redact *r, enum withhold_what what, uint32_t run, const uint8_t *bytes,
                      size_t len)
{
    struct withhold *w = &r->withhold;

    if (w->span && w->decided && what == WITHHOLD_MASKS) {
        return; /* of a secret: it is gone */
    }
    if (w->what != WITHHOLD_NOTHING && (w->what != what || w->run != run)) {
        /* Masks of a field whose keys were not seen are no text because the next one has some. */
        redact_output_settle(r, w->run,
                             w->what == WITHHOLD_MASKS && what == w->what && !was_echoed(r, w->run),
                             r->now_us);
    }
    if (!withhold_put(w, &r->secrets, bytes, len)) {
        record(r, bytes, len, r->now_us);
        return;
    }
    w->what = what;
    w->run = run;
}

/* ---- one unit ---- */

/* A mask of a secret that is decided already, at its place or behind another such. */
static bool is_late(const struct redact *r, const struct unit *u)
{
    bool there = r->print_row == r->late.row && r->print_col >= r->late.col &&
                 r->print_col <= r->late.col + 1;

    return r->late_us > r->now_us && !r->hit && !r->masked && withhold_is_mask(u->ch) &&
           (r->withhold.span ? withhold_within(&r->withhold, r->print_row, r->print_col) : there);
}

void redact_output_late(struct redact *r, const struct typed_key *k, uint64_t now_us)
{
    r->late = (struct typed_place){k->absrow, k->col};
    r->late_us = now_us + LATE_US;
}

void redact_output_span(struct redact *r, uint32_t run)
{
    struct withhold *w = &r->withhold;

    if (w->span && w->span_run != run) {
        if (w->what == WITHHOLD_MASKS) {
            redact_output_settle(r, w->run, !was_echoed(r, w->run), r->now_us);
        }
        w->span = false;
    }
    w->span_run = run;
}

static enum redact_action printed(struct redact *r, const struct unit *u)
{
    struct withhold *w = &r->withhold;

    if (r->hit_ahead || (r->ahead_erases && u->ch == ' ') ||
        (r->ahead_echo && redact_ahead_edited(r))) {
        r->ahead_echo = true;
        r->ahead_erases = false;
        return REDACT_AHEAD;
    }
    if (!r->config.mask_hide) {
        return REDACT_RECORD;
    }
    if (is_late(r, u)) {
        withhold_extend(w, r->print_row, r->print_col, r->print_width, screen_cols(r->view.screen));
        w->decided = true;
        w->last = u->ch;
        return REDACT_MASK;
    }
    if ((r->masked || r->hit_mask) && withhold_counts(w, u->ch)) {
        redact_output_span(r, r->masked_run);
        withhold_extend(w, r->print_row, r->print_col, r->print_width, screen_cols(r->view.screen));
        return REDACT_MASK;
    }
    if (w->span && withhold_within(w, r->print_row, r->print_col) &&
        (u->ch == ' ' || u->ch == w->last)) {
        withhold_extend(w, r->print_row, r->print_col, r->print_width, screen_cols(r->view.screen));
        return REDACT_MASK;
    }
    return REDACT_RECORD;
}

static enum redact_action feed_unit(struct redact *r, const uint8_t *bytes, const struct unit *u)
{
    struct typed_place from = cursor(r);

    r->hit = r->masked = r->hit_ahead = r->hit_mask = false;
    view_feed(&r->view, bytes, u->len);
    if (u->kind == UNIT_PRINT) {
        return printed(r, u);
    }
    if (redact_ahead_erases(r, u)) {
        return REDACT_AHEAD;
    }
    if (u->kind == UNIT_LINE && redact_ahead_ends(r, u)) {
        return REDACT_AHEAD;
    }
    return r->config.mask_hide && r->withhold.span ? redact_move_judge(r, u, from, cursor(r))
                                                   : REDACT_RECORD;
}

/* ---- a chunk of them ---- */

struct piece {
    uint16_t off, len;
    uint8_t action;
    int16_t row, col; /* REDACT_TO_CURSOR, REDACT_TO_SPAN: where it went */
};

static void record_move(struct redact *r, int row, int col)
{
    char text[32];
    int n = snprintf(text, sizeof text, "\033[%d;%dH", row + 1, col + 1);

    record(r, (const uint8_t *)text, (size_t)n, r->now_us);
}

/* Of what was typed nothing is silent: asterisks that were withheld are its echo. */
static bool only_echoes_wait(const struct redact *r)
{
    if (r->withhold.what != WITHHOLD_MASKS) {
        return false;
    }
    for (uint32_t i = 0; i < r->typed.count; i++) {
        const struct typed_key *k = typed_at(&r->typed, i);

        if (k->run == r->withhold.run && k->kind == UNIT_PRINT &&
            (!k->echoed || typed_run_of(&r->typed, k)->prompt)) {
            return false;
        }
    }
    return true;
}

static void hand_on(struct redact *r, const uint8_t *bytes, const struct piece *pieces, size_t n)
{
    uint32_t run = r->typed.count > 0 ? typed_at(&r->typed, 0)->run : 0;

    for (size_t i = 0; i < n;) {
        size_t first = i, len = 0;

        while (i < n && pieces[i].action == pieces[first].action &&
               pieces[i].action <= REDACT_AHEAD) {
            len += pieces[i++].len;
        }
        switch (pieces[first].action) {
        case REDACT_RECORD:
            if (memchr(bytes + pieces[first].off, '\n', len) != NULL && only_echoes_wait(r)) {
                redact_output_settle(r, r->withhold.run, false, r->now_us);
            }
            r->withhold.stale = r->withhold.frame && r->withhold.what == WITHHOLD_MASKS;
            record(r, bytes + pieces[first].off, len, r->now_us);
            break;
        case REDACT_MASK:
            keep_back(r, WITHHOLD_MASKS, r->masked_run, bytes + pieces[first].off, len);
            break;
        case REDACT_AHEAD:
            /* What it waited for may have been seen meanwhile. */
            if (redact_ahead_waits(r)) {
                keep_back(r, WITHHOLD_AHEAD, run, bytes + pieces[first].off, len);
            } else {
                record(r, bytes + pieces[first].off, len, r->now_us);
            }
            break;
        default:
            record_move(r, pieces[i].row, pieces[i].col);
            i++;
            break;
        }
    }
}

/* How many pieces the ${len} bytes at ${bytes} are; what is left is part of a unit. */
static size_t take_apart(struct redact *r, const uint8_t *bytes, size_t len, struct piece *pieces,
                         bool *ret_masks)
{
    size_t n = 0, off = 0;
    struct unit u;

    while (unit_shown(bytes + off, len - off, false, &u)) {
        struct piece *p = &pieces[n++];
        int row, col;

        p->off = (uint16_t)off;
        p->len = (uint16_t)u.len;
        p->action = (uint8_t)feed_unit(r, bytes + off, &u);
        *ret_masks = *ret_masks || p->action == REDACT_MASK;
        screen_cursor(r->view.screen, &row, &col);
        p->row = (int16_t)row;
        p->col = (int16_t)col;
        if (p->action == REDACT_TO_SPAN) {
            p->row = (int16_t)(r->withhold.row - screen_scrolled(r->view.screen));
            p->col = (int16_t)r->withhold.col;
        }
        off += u.len;
    }
    r->units_partial = len - off;
    return n;
}

/* Keys wait, and nothing of them was seen: what is drawn may be nothing but their feedback. */
static bool typing_unseen(const struct redact *r)
{
    return r->config.mask_hide && r->n_un > 0 && !typed_run_of(&r->typed, r->un[0])->echoed &&
           !redact_ahead_waits(r);
}

/* A frame that is drawn anew for each key tells their number and rhythm, with masks in it or
 * without. */
static void judge_frame(struct redact *r, const uint8_t *bytes, size_t len, struct typed_place from,
                        uint64_t look, struct piece *pieces, size_t n)
{
    struct typed_place to = cursor(r);
    bool stays = from.row == to.row && from.col == to.col;

    if (n == 0 || look != screen_look(r->view.screen) || !redact_cells_only_draws(bytes, len) ||
        !redact_cells_frame(r) || (!stays && !within(r, to))) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        pieces[i].action = REDACT_MASK;
    }
    r->masked_run = r->un[0]->run;
    /* It shows all that the one before it did. */
    if (r->withhold.frame && stays && r->withhold.run == r->masked_run) {
        withhold_forget(&r->withhold);
    }
    r->withhold.frame = true;
}

/* Masks only: then all of the chunk is theirs. */
static void judge_chunk(struct redact *r, struct typed_place from, struct piece *pieces, size_t n)
{
    struct typed_place to = cursor(r);

    if (!redact_cells_only_masks(r)) {
        return;
    }
    if (!within(r, to) && (from.row != to.row || from.col != to.col)) {
        /* It leads away from them at its end, to a new line perhaps: that goes on. */
        while (n > 0 && pieces[n - 1].action != REDACT_MASK) {
            n--;
        }
    }
    for (size_t i = 0; i < n; i++) {
        pieces[i].action = pieces[i].action == REDACT_AHEAD ? REDACT_AHEAD : REDACT_MASK;
    }
}

static void leave_span(struct redact *r)
{
    if (r->withhold.span && r->withhold.decided && !within(r, cursor(r))) {
        r->withhold.span = false;
    }
}

/* The part of a unit that was shown and waits for its rest. */
static void give_up_part(struct redact *r)
{
    if (r->units_partial > 0) {
        view_feed(&r->view, r->units, r->units_partial);
        record(r, r->units, r->units_partial, r->now_us);
        r->units_partial = 0;
    }
}

static void by_units(struct redact *r, const uint8_t *bytes, size_t len,
                     const struct redact_tty *tty)
{
    struct piece pieces[BUFFER];
    bool masks = false, unseen = typing_unseen(r);
    bool saved = (r->withhold.span || r->withhold.alike > 0 || unseen) && redact_cells_save(r);
    struct typed_place from = cursor(r);
    uint64_t look = screen_look(r->view.screen);
    int64_t scrolled = screen_scrolled(r->view.screen);
    size_t n, whole;

    memcpy(r->units + r->units_partial, bytes, len);
    len += r->units_partial;
    n = take_apart(r, r->units, len, pieces, &masks);
    saved = saved && scrolled == screen_scrolled(r->view.screen);
    if (masks && saved) {
        judge_chunk(r, from, pieces, n);
    } else if (saved && unseen && r->n_un > 0) {
        judge_frame(r, r->units, len - r->units_partial, from, look, pieces, n);
    }
    redact_ahead_look(r, tty, r->now_us);
    hand_on(r, r->units, pieces, n);
    whole = len - r->units_partial;
    memmove(r->units, r->units + whole, r->units_partial);
    if (r->units_partial > PART_MAX) {
        give_up_part(r);
    }
    leave_span(r);
}

/* ---- the road of a chunk ---- */

static bool watching(const struct redact *r)
{
    return r->typed.count > 0 || r->withhold.what != WITHHOLD_NOTHING || r->withhold.span ||
           r->units_partial > 0 || r->late_us > r->now_us;
}

static bool in_detail(struct redact *r, size_t len)
{
    bool needed = r->late_us > r->now_us || r->withhold.span || r->n_un > 0 ||
                  r->units_partial > 0 || redact_ahead_waits(r);

    if (!needed || len > CHUNK_MAX || r->view.screen == NULL) {
        return false;
    }
    if (r->units == NULL) {
        r->units = secrets_alloc(&r->secrets, BUFFER);
    }
    return r->units != NULL;
}

void redact_output_watched(struct redact *r, const uint8_t *bytes, size_t len,
                           const struct redact_tty *tty)
{
    struct typed_key *newest = r->typed.count > 0 ? typed_at(&r->typed, r->typed.count - 1) : NULL;

    view_sync(&r->view);
    if (newest != NULL && r->now_us > newest->t_us + redact_echo_window(r)) {
        redact_echo_judge(r, newest);
    }
    redact_echo_begin(r);
    if (in_detail(r, len)) {
        by_units(r, bytes, len, tty);
    } else {
        give_up_part(r);
        view_feed(&r->view, bytes, len);
        redact_ahead_look(r, tty, r->now_us);
        record(r, bytes, len, r->now_us);
        leave_span(r);
    }
    r->n_un = 0;
    r->last_out_us = r->now_us;
    redact_release_echoed(r);
}

bool redact_output_watching(const struct redact *r)
{
    return watching(r);
}

uint64_t redact_output_due(const struct redact *r)
{
    return r->units_partial > 0 ? r->last_out_us + PART_US : REDACT_NO_PENDING;
}

void redact_output_tick(struct redact *r)
{
    give_up_part(r);
}

void redact_output_end(struct redact *r)
{
    give_up_part(r);
    if (r->withhold.what != WITHHOLD_NOTHING) {
        redact_output_settle(r, r->withhold.run, false, r->now_us);
    }
}
