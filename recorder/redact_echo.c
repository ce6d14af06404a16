/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/redact_impl.h"

#define ECHO_AGE_US   (10U * REDACT_S) /* a key that waited longer is not echoed any more */
#define ECHO_SLACK    2                /* columns that an echo may stand off */
#define SAMPLE_MAX_US (3U * REDACT_S)
#define WINDOW_MIN_US (250U * REDACT_MS)
#define WINDOW_MAX_US (3U * REDACT_S)

uint64_t redact_echo_window(const struct redact *r)
{
    uint64_t w = 4 * r->srtt_us + 6 * r->rttvar_us + 50U * REDACT_MS;

    return w < WINDOW_MIN_US ? WINDOW_MIN_US : w > WINDOW_MAX_US ? WINDOW_MAX_US : w;
}

uint64_t redact_echo_snapshot(struct redact *r)
{
    if (r->snapshot_of != r->view.generation) {
        r->snapshot = view_snapshot(&r->view);
        r->snapshot_of = r->view.generation;
    }
    return r->snapshot;
}

void redact_echo_judge(struct redact *r, struct typed_key *k)
{
    int64_t row;
    int col;

    if (k->kind != UNIT_PRINT || k->dead != TYPED_UNKNOWN) {
        return;
    }
    view_cursor(&r->view, &row, &col);
    /* A field that shows nothing moves the cursor over its blanks. */
    k->dead = redact_echo_snapshot(r) == k->snapshot && row == k->absrow &&
                      (col == k->col || view_is_blank(&r->view, k->col, col))
                  ? TYPED_DEAD
                  : TYPED_ALIVE;
}

void redact_echo_begin(struct redact *r)
{
    r->n_un = 0;
    for (uint32_t i = 0; i < r->typed.count && r->n_un < REDACT_MATCHED; i++) {
        struct typed_key *k = typed_at(&r->typed, i);

        if (k->kind == UNIT_PRINT && !k->echoed && r->now_us < k->t_us + ECHO_AGE_US) {
            r->un[r->n_un++] = k;
        }
    }
}

/* Whether ${k}'s echo may stand there: where the cursor was, or as much further as keys before it
 * take, be it over the right edge into rows below. */
static bool in_reach(const struct redact *r, const struct typed_key *k,
                     const struct screen_event *e)
{
    int64_t down = e->absrow - k->absrow;
    int reach = k->col + k->ahead + ECHO_SLACK;

    if (down == 0) {
        return e->col >= k->col - (k->after_control ? ECHO_SLACK : 0) && e->col <= reach;
    }
    return down > 0 && reach / screen_cols(r->view.screen) >= down &&
           e->col <= k->ahead + ECHO_SLACK;
}

static void sample(struct redact *r, uint64_t took_us)
{
    uint64_t off = took_us > r->srtt_us ? took_us - r->srtt_us : r->srtt_us - took_us;

    if (took_us < SAMPLE_MAX_US) {
        r->rttvar_us = (3 * r->rttvar_us + off) / 4;
        r->srtt_us = (7 * r->srtt_us + took_us) / 8;
    }
}

static bool echoes(struct redact *r, const struct screen_event *e)
{
    for (unsigned i = 0; i < r->n_un; i++) {
        struct typed_key *k = r->un[i];

        if (k->ch == e->ch && in_reach(r, k, e)) {
            /* Of a secret's first asterisk nobody knows yet whether it is shown or masked. */
            struct typed_run *run = typed_run_of(&r->typed, k);

            r->hit_mask = withhold_is_mask(e->ch) && !run->visible && !run->plain &&
                          (run->prompt || run->masked);
            k->mask = withhold_is_mask(e->ch) && !run->plain ? e->ch : k->mask;
            run->plain = run->plain || !withhold_is_mask(e->ch);
            r->masked_run = r->hit_mask ? k->run : r->masked_run;
            k->echoed = true;
            run->echoed = true;
            k->echo_row = e->absrow;
            k->echo_col = e->col;
            r->hit_ahead = run->ahead;
            sample(r, r->now_us > k->t_us ? r->now_us - k->t_us : 0);
            r->last_hit_us = r->now_us;
            r->deaf = false;
            r->n_un--;
            for (; i < r->n_un; i++) {
                r->un[i] = r->un[i + 1];
            }
            return true;
        }
    }
    return false;
}

/* Printed where a key's echo would stand, but something else. */
static bool masks(struct redact *r, const struct screen_event *e)
{
    /* What is drawn up to the cursor is the prompt, drawn again. */
    int slack = withhold_is_mask(e->ch) ? 1 : 0;

    for (unsigned i = 0; e->ch != ' ' && i < r->n_un; i++) {
        struct typed_key *k = r->un[i];

        int reach = k->col + k->ahead + 1;
        bool below = e->absrow == k->absrow + 1 && e->col <= k->ahead + 1 &&
                     reach + 1 >= screen_cols(r->view.screen);

        if (k->mask == 0 &&
            (below || (e->absrow == k->absrow && e->col >= k->col - slack && e->col <= reach))) {
            k->mask = e->ch;
            r->masked_run = k->run;
            typed_run_of(&r->typed, k)->masked = true;
            return true;
        }
    }
    return false;
}

static void on_print(struct redact *r, const struct screen_event *e)
{
    history_add(&r->history, &r->secrets, e->ch);
    r->print_row = e->absrow;
    r->print_col = e->col;
    r->print_width = e->width;
    r->hit = r->n_un > 0 && echoes(r, e);
    r->masked = !r->hit && r->n_un > 0 && masks(r, e);
    if (!r->hit && redact_ahead_waits(r)) {
        redact_ahead_printed(r, e->ch);
    }
}

static void on_row(struct redact *r, bool line)
{
    struct history *h = &r->history;

    if (h->ring == NULL || h->end == 0 || h->ring[(h->end - 1) % HISTORY_SIZE] != '\n') {
        history_add(h, &r->secrets, '\n');
    }
    redact_ahead_printed(r, '\n');
    if (line && r->end_us != 0 && r->newline_us == 0 && r->typed.count > 0) {
        r->newline_us = r->now_us;
        typed_run_of(&r->typed, typed_at(&r->typed, 0))->below = h->end;
    }
}

static void reader_changed(struct redact *r)
{
    r->bound = true;
    r->line_before = 0;
    r->line_joined = false;
}

/* Somebody is typing, and nothing of it was seen yet: over a slow line a line editor's last word
 * comes when its successor is given keys already. */
static bool typing_unseen(const struct redact *r)
{
    const struct typed_key *newest;

    if (r->typed.count == 0) {
        return false;
    }
    newest = typed_at(&r->typed, r->typed.count - 1);
    return !newest->ends && !typed_run_of(&r->typed, newest)->echoed;
}

void redact_echo_event(void *user, const struct screen_event *event)
{
    struct redact *r = user;

    switch (event->kind) {
    case SCREEN_PRINT:
        on_print(r, event);
        break;
    case SCREEN_NEWLINE:
    case SCREEN_JUMP:
        on_row(r, event->kind == SCREEN_NEWLINE);
        break;
    case SCREEN_PASTE:
        r->editor_fresh = r->editor_fresh || event->on;
        if (event->on || !typing_unseen(r)) {
            reader_changed(r);
        }
        break;
    case SCREEN_ALT:
        reader_changed(r);
        break;
    case SCREEN_BELL:
    default:
        break;
    }
}
