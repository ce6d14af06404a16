/* SPDX-License-Identifier: Apache-2.0 */
/* Movements of the cursor into, within and out of the cells that hold masks. */
#include <string.h>

#include "recorder/redact_impl.h"

static bool within(const struct redact *r, struct typed_place p)
{
    return withhold_within(&r->withhold, p.row, p.col);
}

/* Whether nothing but blanks stands to the right of the span. */
static bool right_is_blank(const struct redact *r)
{
    int64_t row = r->withhold.end_row - screen_scrolled(r->view.screen);
    const struct screen_cell *cells;

    if (row < 0 || row >= screen_rows(r->view.screen)) {
        return false;
    }
    cells = screen_row(r->view.screen, (int)row);
    for (int i = r->withhold.end_col; i < screen_cols(r->view.screen); i++) {
        if (cells[i].ch != 0 && cells[i].ch != ' ') {
            return false;
        }
    }
    return true;
}

static bool is_relative(const struct unit *u)
{
    return (u->kind == UNIT_CONTROL && u->ch == '\b') ||
           (u->kind == UNIT_ESCAPE && u->ch != 0 && strchr("ABCDEFaejk", (int)u->ch) != NULL);
}

static bool is_move(const struct unit *u)
{
    return u->kind == UNIT_LINE || is_relative(u) ||
           (u->kind == UNIT_ESCAPE && u->ch != 0 && strchr("GHdf`78su", (int)u->ch) != NULL);
}

enum redact_action redact_move_judge(const struct redact *r, const struct unit *u,
                                     struct typed_place from, struct typed_place to)
{
    const struct withhold *w = &r->withhold;
    bool begins = from.row == w->row && from.col == w->col, in = within(r, from),
         out = within(r, to);

    if (in && out &&
        (is_move(u) || (u->kind == UNIT_ESCAPE && u->ch != 0 &&
                        strchr("KXP@", (int)u->ch) != NULL && right_is_blank(r)))) {
        return REDACT_MASK;
    }
    if (!in && out && is_move(u) && !(to.row == w->row && to.col == w->col)) {
        return REDACT_TO_SPAN;
    }
    return in && !out && !begins && is_relative(u) ? REDACT_TO_CURSOR : REDACT_RECORD;
}
