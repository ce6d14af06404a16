/* SPDX-License-Identifier: Apache-2.0 */
/* The screen before a piece of output and behind it. */
#include <string.h>

#include "recorder/redact_impl.h"
#include "recorder/unit.h"

#define CELLS_MAX 131072U /* screens that are larger are not compared */

/* A cell's character, blanks and nothing alike, below its look. */
#define CH_BITS 21U
#define CH_MASK ((1U << CH_BITS) - 1)

static uint32_t cell_of(const struct screen_cell *c)
{
    uint32_t look = (uint32_t)(screen_cell_look(c) >> (32 + CH_BITS)) << CH_BITS;

    return (c->ch == ' ' || c->ch > CH_MASK ? 0 : c->ch) | look;
}

bool redact_cells_save(struct redact *r)
{
    const struct screen *s = r->view.screen;
    size_t size = (size_t)screen_rows(s) * (size_t)screen_cols(s);

    if (size > CELLS_MAX) {
        return false;
    }
    if (r->cells_size < size) {
        secrets_free(&r->secrets, r->cells);
        r->cells = secrets_alloc(&r->secrets, size * sizeof *r->cells);
        r->cells_size = r->cells != NULL ? size : 0;
    }
    for (int i = 0; r->cells != NULL && i < screen_rows(s); i++) {
        const struct screen_cell *cells = screen_row(s, i);

        for (int j = 0; j < screen_cols(s); j++) {
            r->cells[i * screen_cols(s) + j] = cell_of(&cells[j]);
        }
    }
    return r->cells != NULL;
}

bool redact_cells_only_masks(const struct redact *r)
{
    const struct screen *s = r->view.screen;

    for (int i = 0; i < screen_rows(s); i++) {
        const struct screen_cell *cells = screen_row(s, i);

        for (int j = 0; j < screen_cols(s); j++) {
            uint32_t now = cell_of(&cells[j]), ch = now & CH_MASK;

            if (now != r->cells[i * screen_cols(s) + j] &&
                !(withhold_within(&r->withhold, i + screen_scrolled(s), j) &&
                  (ch == 0 || ch == r->withhold.last))) {
                return false;
            }
        }
    }
    return true;
}

static bool mask_or_nothing(uint32_t ch)
{
    return ch == 0 || withhold_is_mask(ch);
}

/* A mask somewhere is the oldest key's that has none. */
static void attribute(struct redact *r, uint32_t mask)
{
    for (unsigned i = 0; mask != 0 && i < r->n_un; i++) {
        if (r->un[i]->mask == 0) {
            r->un[i]->mask = mask;
            typed_run_of(&r->typed, r->un[i])->masked = true;
            return;
        }
    }
}

bool redact_cells_frame(struct redact *r)
{
    const struct screen *s = r->view.screen;
    int cols = screen_cols(s);

    /* Two passes: the span grows only when all of it is so. */
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < screen_rows(s); i++) {
            const struct screen_cell *cells = screen_row(s, i);

            for (int j = 0; j < cols; j++) {
                uint32_t now = cell_of(&cells[j]), was = r->cells[i * cols + j];

                if (now == was) {
                    continue;
                }
                now &= CH_MASK;
                was &= CH_MASK;
                if (now == was) {
                    return false; /* another look: a selection, say */
                }
                if (!mask_or_nothing(now) || !mask_or_nothing(was)) {
                    return false;
                }
                if (pass == 1) {
                    redact_output_span(r, r->un[0]->run);
                    attribute(r, was == 0 ? now : 0);
                    r->withhold.last = now != 0 ? now : was;
                    withhold_extend(&r->withhold, i + screen_scrolled(s), j, 1, cols);
                }
            }
        }
    }
    return true;
}

static bool draws(const uint8_t *p, const struct unit *u)
{
    if (u->kind != UNIT_ESCAPE) {
        return u->kind != UNIT_CONTROL || u->ch == '\b' || u->ch == '\a' || u->ch == '\t';
    }
    if (p[1] != '[' || u->ch == 0 || u->ch > 0x7e) {
        return false;
    }
    return strchr("ABCDEFGHIJKPX@`adefm", (int)u->ch) != NULL ||
           (u->len == 6 && (memcmp(p, "\033[?25h", 6) == 0 || memcmp(p, "\033[?25l", 6) == 0));
}

bool redact_cells_only_draws(const uint8_t *bytes, size_t len)
{
    struct unit u;

    while (len > 0 && unit_shown(bytes, len, true, &u)) {
        if (!draws(bytes, &u)) {
            return false;
        }
        bytes += u.len;
        len -= u.len;
    }
    return len == 0;
}
