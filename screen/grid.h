/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells in rows behind pointers, so that scrolling whole rows moves pointers.  Used by screen/
 * alone; knows nothing of terminals' sequences.
 */
#ifndef TTYTRAIL_SCREEN_GRID_H
#define TTYTRAIL_SCREEN_GRID_H

#include "screen/screen.h"

struct grid {
    struct screen_cell *cells;
    struct screen_cell **row;
    int rows, cols;
};

/** grid_open(g, config, rows, cols): 0; -1 without memory.  grid_close accepts a zeroed ${g}. */
int grid_open(struct grid *g, const struct screen_config *config, int rows, int cols);
void grid_close(struct grid *g, const struct screen_config *config);
/** grid_copy(to, from, skip): The rows of ${from} from ${skip} on, cropped or padded. */
void grid_copy(struct grid *to, const struct grid *from, int skip);
/** grid_scroll(g, top, bottom, n, blank): Rows [top, bottom) up by ${n} (down, if negative); what
 * comes in is ${blank}. */
void grid_scroll(struct grid *g, int top, int bottom, int n, const struct screen_cell *blank);
/** grid_erase(g, row, from, to, blank): Columns [from, to); a wide character that is cut goes. */
void grid_erase(struct grid *g, int row, int from, int to, const struct screen_cell *blank);

#endif
