/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/grid.h"

#include <string.h>

int grid_open(struct grid *g, const struct screen_config *config, int rows, int cols)
{
    g->cells = config->alloc((size_t)rows * (size_t)cols * sizeof *g->cells, config->alloc_user);
    g->row = config->alloc((size_t)rows * sizeof(struct screen_cell *), config->alloc_user);
    if (g->cells == NULL || g->row == NULL) {
        grid_close(g, config);
        return -1;
    }
    g->rows = rows;
    g->cols = cols;
    for (int i = 0; i < rows; i++) {
        g->row[i] = g->cells + (size_t)i * (size_t)cols;
    }
    return 0;
}

void grid_close(struct grid *g, const struct screen_config *config)
{
    if (g->row != NULL) {
        config->free(g->row, config->alloc_user);
    }
    if (g->cells != NULL) {
        config->free(g->cells, config->alloc_user);
    }
    memset(g, 0, sizeof *g);
}

void grid_copy(struct grid *to, const struct grid *from, int skip)
{
    int cols = to->cols < from->cols ? to->cols : from->cols;

    for (int i = 0; i < to->rows && i + skip < from->rows; i++) {
        memcpy(to->row[i], from->row[i + skip], (size_t)cols * sizeof *to->cells);
        /* A wide character at the new edge has lost its right half. */
        if (cols < from->cols && from->row[i + skip][cols].ch == SCREEN_TAIL) {
            to->row[i][cols - 1].ch = 0;
        }
    }
}

static void fill(struct screen_cell *cells, int n, const struct screen_cell *blank)
{
    for (int i = 0; i < n; i++) {
        cells[i] = *blank;
    }
}

/* Turn the rows [top, bottom) left by ${n} through three reversals, without memory of its own. */
static void reverse(struct screen_cell **row, int from, int to)
{
    for (to--; from < to; from++, to--) {
        struct screen_cell *x = row[from];

        row[from] = row[to];
        row[to] = x;
    }
}

static void rotate(struct screen_cell **row, int top, int bottom, int n)
{
    if (n == 1) { /* a line feed at the bottom */
        struct screen_cell *first = row[top];

        memmove(row + top, row + top + 1, (size_t)(bottom - top - 1) * sizeof *row);
        row[bottom - 1] = first;
        return;
    }
    reverse(row, top, top + n);
    reverse(row, top + n, bottom);
    reverse(row, top, bottom);
}

void grid_scroll(struct grid *g, int top, int bottom, int n, const struct screen_cell *blank)
{
    int height = bottom - top;

    n = n > height ? height : n < -height ? -height : n;
    if (n > 0) {
        rotate(g->row, top, bottom, n);
        for (int i = bottom - n; i < bottom; i++) {
            fill(g->row[i], g->cols, blank);
        }
    } else if (n < 0) {
        rotate(g->row, top, bottom, height + n);
        for (int i = top; i < top - n; i++) {
            fill(g->row[i], g->cols, blank);
        }
    }
}

void grid_erase(struct grid *g, int row, int from, int to, const struct screen_cell *blank)
{
    struct screen_cell *cells = g->row[row];

    if (from >= to) {
        return;
    }
    if (from > 0 && cells[from].ch == SCREEN_TAIL) {
        cells[from - 1].ch = 0;
    }
    if (to < g->cols && cells[to].ch == SCREEN_TAIL) {
        cells[to].ch = 0;
    }
    fill(cells + from, to - from, blank);
}
