/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/view.h"

#include <stdlib.h>
#include <string.h>

#define SWITCH_MAX 32U /* bytes of a sequence that switches modes */

void view_open(struct view *v, struct secrets *secrets, int rows, int cols,
               void (*on_event)(void *, const struct screen_event *), void *user)
{
    memset(v, 0, sizeof *v);
    v->secrets = secrets;
    v->rows = rows > 0 ? rows : 24;
    v->cols = cols > 0 ? cols : 80;
    v->on_event = on_event;
    v->user = user;
}

void view_close(struct view *v)
{
    screen_free(v->screen);
    free(v->half[0]);
    free(v->half[1]);
    memset(v, 0, sizeof *v);
}

/* ---- the model ---- */

static void *take(size_t size, void *user)
{
    return secrets_alloc(user, size);
}

static void give(void *memory, void *user)
{
    secrets_free(user, memory);
}

static bool have_screen(struct view *v)
{
    struct screen_config config = {
        .rows = v->rows,
        .cols = v->cols,
        .alloc = take,
        .free = give,
        .alloc_user = v->secrets,
        .on_event = v->on_event,
        .user = v->user,
    };
    struct error err;

    /* Without memory for it nothing is ever seen echoed: redaction then errs to the safe side. */
    return v->screen != NULL || screen_new(&v->screen, &config, &err) == 0;
}

void view_feed(struct view *v, const uint8_t *bytes, size_t len)
{
    if (have_screen(v)) {
        screen_feed(v->screen, bytes, len);
        v->generation++;
    }
}

/* ---- what is kept ---- */

/* The length of the mode switch at ${p} ("ESC c", "CSI ? ... h" or "l", "CSI ... r"), else 0. */
static size_t mode_switch(const uint8_t *p, size_t len)
{
    size_t i = 2;

    if (len >= 2 && p[1] == 'c') {
        return 2;
    }
    if (len < 3 || p[1] != '[') {
        return 0;
    }
    while (i < len && i < SWITCH_MAX &&
           ((p[i] >= '0' && p[i] <= '9') || p[i] == ';' || p[i] == '?')) {
        i++;
    }
    if (i == len || i == SWITCH_MAX) {
        return 0;
    }
    return p[i] == 'r' || (p[2] == '?' && (p[i] == 'h' || p[i] == 'l')) ? i + 1 : 0;
}

/* What scrolled by in a flood is not worth parsing; what it switched is. */
static void skim(struct view *v, const uint8_t *bytes, size_t len)
{
    static const uint8_t cancel[] = {0x18}; /* CAN: whatever sequence was begun */
    const uint8_t *p = bytes, *end = bytes + len;

    view_feed(v, cancel, sizeof cancel);
    while ((p = memchr(p, 0x1b, (size_t)(end - p))) != NULL) {
        size_t n = mode_switch(p, (size_t)(end - p));

        if (n > 0) {
            view_feed(v, p, n);
        }
        p += n > 0 ? n : 1;
    }
}

void view_keep(struct view *v, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        uint8_t **half = &v->half[v->newer];
        size_t room = VIEW_HALF - v->len[v->newer], n = len < room ? len : room;

        if (room == 0) {
            v->newer ^= 1;
            if (v->len[v->newer] > 0) {
                skim(v, v->half[v->newer], v->len[v->newer]);
                v->len[v->newer] = 0;
            }
            continue;
        }
        if (*half == NULL && (*half = malloc(VIEW_HALF)) == NULL) {
            view_sync(v);
            view_feed(v, bytes, len);
            return;
        }
        memcpy(*half + v->len[v->newer], bytes, n);
        v->len[v->newer] += n;
        bytes += n;
        len -= n;
    }
}

void view_sync(struct view *v)
{
    unsigned older = v->newer ^ 1;

    if (v->len[older] > 0) {
        view_feed(v, v->half[older], v->len[older]);
        v->len[older] = 0;
    }
    if (v->len[v->newer] > 0) {
        view_feed(v, v->half[v->newer], v->len[v->newer]);
        v->len[v->newer] = 0;
    }
}

void view_resize(struct view *v, int rows, int cols)
{
    struct error err;

    if (rows <= 0 || cols <= 0) {
        return;
    }
    view_sync(v);
    v->rows = rows;
    v->cols = cols;
    if (v->screen != NULL) {
        (void)screen_resize(v->screen, rows, cols, &err);
        v->generation++;
    }
}

/* ---- looking ---- */

void view_cursor(const struct view *v, int64_t *ret_absrow, int *ret_col)
{
    int row = 0;

    *ret_col = 0;
    *ret_absrow = 0;
    if (v->screen != NULL) {
        screen_cursor(v->screen, &row, ret_col);
        *ret_absrow = row + screen_scrolled(v->screen);
    }
}

static uint64_t mixed(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15U;
    return h ^ h >> 29;
}

static uint64_t hash_row(const struct view *v, int row, uint64_t h)
{
    const struct screen_cell *cells = screen_row(v->screen, row);
    int cols = screen_cols(v->screen);

    for (int i = 0; i < cols; i++) {
        uint32_t ch = cells[i].ch;

        /* Where nothing stands weighs nothing: erased or never written is the same. */
        if (ch != 0 && ch != ' ') {
            h = mixed(h, (uint64_t)i << 32 | ch);
        }
    }
    return h;
}

uint64_t view_snapshot(const struct view *v)
{
    int row, col;
    uint64_t h;

    if (v->screen == NULL) {
        return 0;
    }
    screen_cursor(v->screen, &row, &col);
    h = mixed(0, (uint64_t)row);
    h = hash_row(v, row, h);
    return row > 0 ? hash_row(v, row - 1, mixed(h, 1)) : h;
}

bool view_is_blank(const struct view *v, int from, int to)
{
    const struct screen_cell *cells;
    int row, col;
    uint32_t pad;

    if (v->screen == NULL || from < 0 || from >= to || to > screen_cols(v->screen)) {
        return false;
    }
    screen_cursor(v->screen, &row, &col);
    cells = screen_row(v->screen, row);
    pad = cells[from].ch == 0 ? ' ' : cells[from].ch;
    if (pad != ' ' && pad != '_' && pad != '.') {
        return false;
    }
    for (int i = from; i < to; i++) {
        if ((cells[i].ch == 0 ? ' ' : cells[i].ch) != pad) {
            return false;
        }
    }
    return true;
}

size_t view_text(const struct view *v, int row, int from, int to, uint32_t *ret)
{
    const struct screen_cell *cells;
    size_t n = 0;

    if (v->screen == NULL || row < 0 || row >= screen_rows(v->screen)) {
        return 0;
    }
    cells = screen_row(v->screen, row);
    for (int i = from; i < to && i < screen_cols(v->screen); i++) {
        if (cells[i].ch != SCREEN_TAIL) {
            ret[n++] = cells[i].ch != 0 ? cells[i].ch : ' ';
        }
    }
    return n;
}
