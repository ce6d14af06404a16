/* SPDX-License-Identifier: Apache-2.0 */
/* The screen before a piece of output and behind it. */
#include "recorder/redact_impl.h"

#define CELLS_MAX 131072U /* screens that are larger are not compared */

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
            r->cells[i * screen_cols(s) + j] = cells[j].ch == ' ' ? 0 : cells[j].ch;
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
            uint32_t ch = cells[j].ch == ' ' ? 0 : cells[j].ch;

            if (ch != r->cells[i * screen_cols(s) + j] &&
                !(withhold_within(&r->withhold, i + screen_scrolled(s), j) &&
                  (ch == 0 || ch == r->withhold.last))) {
                return false;
            }
        }
    }
    return true;
}
