/* SPDX-License-Identifier: Apache-2.0 */
/* What libvterm's state layer tells of a terminal, drawn into the grid. */
#include <string.h>

#include "screen/screen_impl.h"

static void tell(struct screen *s, enum screen_event_kind kind, int row, bool on)
{
    if (s->config.on_event != NULL) {
        struct screen_event e = {.kind = kind, .absrow = row + s->scrolled[s->alt], .on = on};

        s->config.on_event(s->config.user, &e);
    }
}

static void tell_print(struct screen *s, uint32_t ch, int width, VTermPos pos)
{
    if (s->config.on_event != NULL) {
        struct screen_event e = {.kind = SCREEN_PRINT,
                                 .ch = ch,
                                 .width = width,
                                 .absrow = pos.row + s->scrolled[s->alt],
                                 .col = pos.col};

        s->config.on_event(s->config.user, &e);
    }
}

static struct screen_cell blank_of(const struct screen *s)
{
    return (struct screen_cell){.bg = s->pen.bg};
}

/* What libvterm names may lie outside: it remembers places from before a resize, and counts back
 * over the left edge. */
static bool is_inside(const struct screen *s, VTermPos pos)
{
    const struct grid *g = &s->grid[s->alt];

    return pos.row >= 0 && pos.row < g->rows && pos.col >= 0 && pos.col < g->cols;
}

static int between(int n, int least, int most)
{
    return n < least ? least : n > most ? most : n;
}

static VTermRect clipped(const struct screen *s, VTermRect r)
{
    const struct grid *g = &s->grid[s->alt];

    r.start_row = between(r.start_row, 0, g->rows);
    r.end_row = between(r.end_row, r.start_row, g->rows);
    r.start_col = between(r.start_col, 0, g->cols);
    r.end_col = between(r.end_col, r.start_col, g->cols);
    return r;
}

/* ---- glyphs ---- */

/* Full of marks of cells that were overwritten since: keep those that still stand. */
static void sweep_marks(struct screen *s)
{
    struct marks kept = {0};

    for (int g = 0; g < 2; g++) {
        size_t n = (size_t)s->grid[g].rows * (size_t)s->grid[g].cols;

        for (size_t i = 0; i < n; i++) {
            struct screen_cell *c = &s->grid[g].cells[i];
            uint32_t chars[MARKS_PER_CELL + 1] = {0};

            if (c->marks != 0) {
                (void)marks_get(&s->marks, c->marks, chars);
                c->marks = marks_full(&kept) ? 0 : marks_add(&kept, &s->config, chars);
            }
        }
    }
    marks_close(&s->marks, &s->config);
    s->marks = kept;
}

/* libvterm puts a glyph again, with all its characters, when one more combines with it. */
static int already_there(const struct screen *s, const uint32_t *chars, VTermPos pos)
{
    const struct screen_cell *c = &s->grid[s->alt].row[pos.row][pos.col];
    uint32_t had[MARKS_PER_CELL];
    int n;

    if (s->last.row != pos.row || s->last.col != pos.col || c->ch != chars[0]) {
        return 0;
    }
    n = marks_get(&s->marks, c->marks, had);
    for (int i = 0; i < n; i++) {
        if (chars[1 + i] != had[i]) {
            return 0;
        }
    }
    /* The same again is a glyph of its own: one that combines brings one character more. */
    return n < MARKS_PER_CELL && chars[1 + n] != 0 ? n + 1 : 0;
}

static void draw(struct screen *s, const VTermGlyphInfo *info, VTermPos pos)
{
    struct grid *g = &s->grid[s->alt];
    struct screen_cell blank = blank_of(s), *c = &g->row[pos.row][pos.col];
    int width = pos.col + info->width > g->cols ? 1 : info->width;

    if (c->ch == SCREEN_TAIL || width != 1 || (pos.col + 1 < g->cols && c[1].ch == SCREEN_TAIL)) {
        grid_erase(g, pos.row, pos.col, pos.col + (width > 0 ? width : 1), &blank);
    }
    *c = s->pen;
    c->ch = info->chars[0];
    if (info->chars[1] != 0) {
        if (marks_full(&s->marks)) {
            sweep_marks(s);
        }
        c->marks = marks_add(&s->marks, &s->config, info->chars + 1);
    }
    if (width == 2) {
        c[1] = s->pen;
        c[1].ch = SCREEN_TAIL;
    }
}

static int put_glyph(VTermGlyphInfo *info, VTermPos pos, void *user)
{
    struct screen *s = user;
    int known;

    if (!is_inside(s, pos)) {
        return 1;
    }
    if (pos.row != s->row) {
        s->row = pos.row;
        tell(s, SCREEN_NEWLINE, pos.row, false);
    }
    known = already_there(s, info->chars, pos);
    draw(s, info, pos);
    if (s->config.on_event != NULL) {
        for (int i = known; i < VTERM_MAX_CHARS_PER_CELL && info->chars[i] != 0; i++) {
            tell_print(s, info->chars[i], i == 0 ? info->width : 0, pos);
        }
    }
    s->repeated = info->chars[0];
    s->last = pos;
    s->last_width = info->width;
    return 1;
}

/* ---- the cursor ---- */

static int move_cursor(VTermPos pos, VTermPos old, int visible, void *user)
{
    struct screen *s = user;
    int edge = s->last.col + s->last_width;

    (void)old;
    (void)visible;
    pos.row = between(pos.row, 0, s->grid[s->alt].rows - 1);
    pos.col = between(pos.col, 0, s->grid[s->alt].cols - 1);
    if (pos.row != s->row) {
        s->row = pos.row;
        tell(s, s->line_feed ? SCREEN_NEWLINE : SCREEN_JUMP, pos.row, false);
    }
    s->col = pos.col;
    if (pos.row != s->last.row ||
        (pos.col != edge && !(edge == s->grid[s->alt].cols && pos.col == edge - s->last_width))) {
        s->last.row = -1;
    }
    return 1;
}

/* ---- areas ---- */

static void tell_leaving(struct screen *s, int rows)
{
    for (int row = 0; s->config.on_leave != NULL && s->alt == 0 && row < rows; row++) {
        s->config.on_leave(s->config.user, row);
    }
}

/* Rows down to the last that something was written to. */
static int used_rows(const struct grid *g)
{
    for (int row = g->rows; row > 0; row--) {
        for (int col = 0; col < g->cols; col++) {
            if (g->row[row - 1][col].ch != 0) {
                return row;
            }
        }
    }
    return 0;
}

static int scroll_rect(VTermRect rect, int downward, int rightward, void *user)
{
    struct screen *s = user;
    struct grid *g = &s->grid[s->alt];
    struct screen_cell blank = blank_of(s);

    rect = clipped(s, rect);
    if (rightward != 0 || rect.start_col != 0 || rect.end_col != g->cols) {
        return 0; /* then as moves and erasures */
    }
    if (downward > 0 && rect.start_row == 0) {
        tell_leaving(s, downward < rect.end_row ? downward : rect.end_row);
    }
    grid_scroll(g, rect.start_row, rect.end_row, downward, &blank);
    s->last.row = -1;
    if (downward > 0) {
        s->scrolled[s->alt] += rect.start_row == 0 ? downward : 0;
        tell(s, SCREEN_NEWLINE, s->row, false);
    } else {
        tell(s, SCREEN_JUMP, s->row, false);
    }
    return 1;
}

void state_before_wipe(struct screen *s)
{
    if (s->config.on_leave != NULL && s->row == 0 && s->col == 0) {
        tell_leaving(s, used_rows(&s->grid[s->alt]));
    }
}

static int move_rect(VTermRect dest, VTermRect src, void *user)
{
    struct screen *s = user;
    struct grid *g = &s->grid[s->alt];
    int height, width;

    dest = clipped(s, dest);
    src = clipped(s, src);
    height = between(src.end_row - src.start_row, 0, dest.end_row - dest.start_row);
    width = between(src.end_col - src.start_col, 0, dest.end_col - dest.start_col);

    for (int i = 0; i < height; i++) {
        int row = dest.start_row <= src.start_row ? i : height - 1 - i;

        memmove(g->row[dest.start_row + row] + dest.start_col,
                g->row[src.start_row + row] + src.start_col,
                (size_t)width * sizeof(struct screen_cell));
    }
    return 1;
}

static int erase(VTermRect rect, int selective, void *user)
{
    struct screen *s = user;
    struct screen_cell blank = blank_of(s);
    const struct grid *g = &s->grid[s->alt];

    (void)selective;
    rect = clipped(s, rect);
    if (rect.start_row == 0 && rect.end_row == g->rows && rect.start_col == 0 &&
        rect.end_col == g->cols) {
        tell_leaving(s, s->config.on_leave != NULL ? used_rows(g) : 0);
    }
    for (int row = rect.start_row; row < rect.end_row; row++) {
        grid_erase(&s->grid[s->alt], row, rect.start_col, rect.end_col, &blank);
    }
    return 1;
}

/* ---- pens ---- */

static uint32_t colour_of(const VTermColor *c)
{
    if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c)) {
        return 0;
    }
    if (VTERM_COLOR_IS_INDEXED(c)) {
        return SCREEN_INDEXED | c->indexed.idx;
    }
    return SCREEN_RGB | (uint32_t)c->rgb.red << 16 | (uint32_t)c->rgb.green << 8 | c->rgb.blue;
}

static int init_pen(void *user)
{
    struct screen *s = user;

    memset(&s->pen, 0, sizeof s->pen);
    return 1;
}

static void set_attr(struct screen *s, unsigned bit, bool on)
{
    s->pen.attrs = (uint16_t)(on ? s->pen.attrs | bit : s->pen.attrs & ~bit);
}

static int set_pen(VTermAttr attr, VTermValue *val, void *user)
{
    struct screen *s = user;

    switch (attr) {
    case VTERM_ATTR_BOLD:
        set_attr(s, SCREEN_BOLD, val->boolean != 0);
        break;
    case VTERM_ATTR_UNDERLINE:
        set_attr(s, SCREEN_UNDERLINE, val->number != 0);
        break;
    case VTERM_ATTR_ITALIC:
        set_attr(s, SCREEN_ITALIC, val->boolean != 0);
        break;
    case VTERM_ATTR_BLINK:
        set_attr(s, SCREEN_BLINK, val->boolean != 0);
        break;
    case VTERM_ATTR_REVERSE:
        set_attr(s, SCREEN_REVERSE, val->boolean != 0);
        break;
    case VTERM_ATTR_STRIKE:
        set_attr(s, SCREEN_STRIKE, val->boolean != 0);
        break;
    case VTERM_ATTR_FOREGROUND:
        s->pen.fg = colour_of(&val->color);
        break;
    case VTERM_ATTR_BACKGROUND:
        s->pen.bg = colour_of(&val->color);
        break;
    default:
        break;
    }
    return 1;
}

/* ---- the rest ---- */

static void switch_buffer(struct screen *s, bool alt)
{
    struct screen_cell blank = {0};

    if (alt == (s->alt == 1)) {
        return;
    }
    s->alt = alt ? 1 : 0;
    s->last.row = -1;
    for (int row = 0; alt && row < s->grid[1].rows; row++) {
        grid_erase(&s->grid[1], row, 0, s->grid[1].cols, &blank);
    }
    tell(s, SCREEN_ALT, s->row, alt);
}

static int set_property(VTermProp prop, VTermValue *val, void *user)
{
    struct screen *s = user;

    if (prop == VTERM_PROP_ALTSCREEN) {
        switch_buffer(s, val->boolean != 0);
    } else if (prop == VTERM_PROP_CURSORVISIBLE) {
        s->visible = val->boolean != 0;
    }
    return 1;
}

static int bell(void *user)
{
    struct screen *s = user;

    tell(s, SCREEN_BELL, s->row, false);
    return 1;
}

/* Both buffers, anew; the cursor's row stays on the screen, as with xterm. */
static int resize(int rows, int cols, VTermPos *delta, void *user)
{
    struct screen *s = user;
    int skip = s->row >= rows ? s->row - rows + 1 : 0;
    struct grid fresh[2] = {{0}, {0}};

    if (grid_open(&fresh[0], &s->config, rows, cols) != 0 ||
        grid_open(&fresh[1], &s->config, rows, cols) != 0) {
        grid_close(&fresh[0], &s->config);
        return 0;
    }
    tell_leaving(s, skip);
    for (int g = 0; g < 2; g++) {
        int over = s->alt == g ? skip : 0;

        grid_copy(&fresh[g], &s->grid[g], over);
        s->scrolled[g] += over;
        grid_close(&s->grid[g], &s->config);
        s->grid[g] = fresh[g];
    }
    s->row -= skip;
    s->col = s->col < cols ? s->col : cols - 1;
    s->last.row = -1;
    delta->row = -skip;
    return 1;
}

const VTermStateCallbacks state_callbacks = {
    .putglyph = put_glyph,
    .movecursor = move_cursor,
    .scrollrect = scroll_rect,
    .moverect = move_rect,
    .erase = erase,
    .initpen = init_pen,
    .setpenattr = set_pen,
    .settermprop = set_property,
    .bell = bell,
    .resize = resize,
};
