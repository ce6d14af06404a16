/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "screen/screen_impl.h"

#define CAN 0x18
#define ESC 0x1b

static void *plain_alloc(size_t size, void *user)
{
    (void)user;
    return calloc(1, size);
}

static void plain_free(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static int clamped(int n, int most)
{
    return n < 1 ? 1 : n > most ? most : n;
}

/* A terminal would answer queries; a model must not. */
static void drop_answer(const char *bytes, size_t len, void *user)
{
    struct screen *s = user;

    (void)bytes;
    s->answered += len;
}

static int start(struct screen *s, int rows, int cols, struct error *err)
{
    if (grid_open(&s->grid[0], &s->config, rows, cols) != 0 ||
        grid_open(&s->grid[1], &s->config, rows, cols) != 0) {
        return err_set(err, ERR_SYSTEM, "no memory for a screen of %d rows", rows);
    }
    s->allocator = (VTermAllocatorFunctions){s->config.alloc, s->config.free};
    s->vt = vterm_new_with_allocator(rows, cols, &s->allocator, s->config.alloc_user);
    if (s->vt == NULL) {
        return err_set(err, ERR_SYSTEM, "no memory for a terminal's state");
    }
    vterm_set_utf8(s->vt, 1);
    vterm_output_set_callback(s->vt, drop_answer, s);
    s->state = vterm_obtain_state(s->vt);
    vterm_state_set_callbacks(s->state, &state_callbacks, s);
    vterm_state_reset(s->state, 1);
    return 0;
}

int screen_new(struct screen **ret, const struct screen_config *config, struct error *err)
{
    bool own = config->alloc != NULL;
    struct screen *s = own ? config->alloc(sizeof *s, config->alloc_user) : calloc(1, sizeof *s);
    void (*listener)(void *, const struct screen_event *) = config->on_event;

    if (s == NULL) {
        return err_set(err, ERR_SYSTEM, "no memory for a screen");
    }
    s->config = *config;
    s->config.on_event = NULL; /* nothing happened yet */
    if (!own) {
        s->config.alloc = plain_alloc;
        s->config.free = plain_free;
    }
    s->last.row = -1;
    if (start(s, clamped(config->rows, SCREEN_MAX_ROWS), clamped(config->cols, SCREEN_MAX_COLS),
              err) != 0) {
        screen_free(s);
        return -1;
    }
    s->config.on_event = listener;
    *ret = s;
    return 0;
}

void screen_free(struct screen *s)
{
    struct screen_config config;

    if (s == NULL) {
        return;
    }
    config = s->config;
    if (s->vt != NULL) {
        vterm_free(s->vt);
    }
    grid_close(&s->grid[0], &config);
    grid_close(&s->grid[1], &config);
    marks_close(&s->marks, &config);
    config.free(s, config.alloc_user);
}

/* ---- feeding ---- */

/* The state layer keeps this mode to itself: what it would send before a paste tells. */
static bool ask_pastes(const struct screen *s)
{
    struct screen *asked = (struct screen *)(uintptr_t)s;
    size_t before = s->answered;

    vterm_keyboard_start_paste(asked->vt);
    return asked->answered > before;
}

static void hand_over(struct screen *s, const uint8_t *bytes, size_t len)
{
    if (len > 0) {
        (void)vterm_input_write(s->vt, (const char *)bytes, len);
    }
}

static size_t ascii(const uint8_t *p, size_t len)
{
    size_t i = 0;
    uint64_t word;

    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    while (i < len && p[i] < 0x80) {
        i++;
    }
    return i;
}

/* What is no UTF-8 becomes U+FFFD here, byte by byte: libvterm 0.1.4's answer depends on how the
 * bytes are cut.  Returns how many of them may still become a character: at most 3, at the end. */
static size_t hand_over_valid(struct screen *s, const uint8_t *bytes, size_t len)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    size_t from = 0, at = 0;

    while (at < len) {
        int n;

        at += ascii(bytes + at, len - at);
        n = at < len ? utf8_length(bytes + at, len - at) : 0;
        if (n > 0) {
            /* One by one: what combines with the character before it is put elsewhere in a run of
             * text than on its own. */
            hand_over(s, bytes + from, at - from);
            hand_over(s, bytes + at, (size_t)n);
            from = at += (size_t)n;
        } else if (at < len) {
            hand_over(s, bytes + from, at - from);
            if (utf8_partial_tail(bytes + at, len - at) == len - at) {
                return len - at;
            }
            hand_over(s, replacement, sizeof replacement);
            from = ++at;
        }
    }
    hand_over(s, bytes + from, len - from);
    return 0;
}

static void write_out(struct screen *s, const uint8_t *bytes, size_t len)
{
    size_t left;

    /* The rest of a character, byte by byte until it is whole or is none. */
    while (s->n_partial > 0 && len > 0) {
        s->partial[s->n_partial++] = *bytes++;
        len--;
        left = hand_over_valid(s, s->partial, s->n_partial);
        memmove(s->partial, s->partial + s->n_partial - left, left);
        s->n_partial = left;
    }
    if (len > 0) {
        left = hand_over_valid(s, bytes, len);
        memcpy(s->partial, bytes + len - left, left);
        s->n_partial = left;
    }
}

static void note_pastes(struct screen *s)
{
    bool on = ask_pastes(s);

    if (on != s->pastes && s->config.on_event != NULL) {
        struct screen_event e = {
            .kind = SCREEN_PASTE, .absrow = s->row + s->scrolled[s->alt], .on = on};

        s->pastes = on;
        s->config.on_event(s->config.user, &e);
    }
}

/* libvterm 0.1.4 restores a cursor to where it was on a screen that was larger, and then reads what
 * it keeps of that row. */
static void keep_inside(struct screen *s)
{
    const struct grid *g = &s->grid[s->alt];
    char text[32];
    VTermPos pos;
    int n;

    vterm_state_get_cursorpos(s->state, &pos);
    if (pos.row >= 0 && pos.row < g->rows && pos.col >= 0 && pos.col < g->cols) {
        return;
    }
    /* As it is clamped already in what we were told. */
    n = snprintf(text, sizeof text, "\033[?6l\033[%d;%dH", s->row + 1, s->col + 1);
    write_out(s, (const uint8_t *)text, (size_t)n);
}

/* REP, which libvterm 0.1.4 does for ever where no character came before: to the row's end at most.
 */
static void repeat(struct screen *s)
{
    unsigned room = (unsigned)(s->grid[s->alt].cols - s->col),
             n = s->scan.first > 0 ? s->scan.first : 1;
    uint8_t bytes[4];
    size_t len = s->repeated > 0 ? utf8_put(s->repeated, bytes) : 0;

    for (n = n < room ? n : room; n > 0 && len > 0; n--) {
        write_out(s, bytes, len);
    }
}

/* How much of ${bytes} is text that nobody has to look at. */
static size_t skip_text(const struct screen *s, const uint8_t *bytes, size_t len)
{
    size_t i = 0;

    if (!scan_in_text(&s->scan)) {
        return 0;
    }
    if (s->config.on_event == NULL) {
        const uint8_t *found = memchr(bytes, ESC, len);

        return found != NULL ? (size_t)(found - bytes) : len;
    }
    while (i < len && bytes[i] > ESC) {
        i++;
    }
    return i;
}

/* The byte at ${at}; what is not written yet begins at ${done}, which is returned anew. */
static size_t act(struct screen *s, enum scan_found found, const uint8_t *bytes, size_t done,
                  size_t at)
{
    static const uint8_t escape = ESC, cancel = CAN, save[] = {CAN, ESC, '7'};
    static const uint8_t restore[] = {CAN, ESC, '8'};

    if (s->scan.again) {
        s->scan.again = false;
        write_out(s, &escape, 1);
    }
    switch (found) {
    case SCAN_FOUND_LINE_FEED:
        write_out(s, bytes + done, at - done);
        s->line_feed = true;
        write_out(s, bytes + at, 1);
        s->line_feed = false;
        return at + 1;
    case SCAN_FOUND_SWITCH:
    case SCAN_FOUND_PLACED:
        write_out(s, bytes + done, at + 1 - done);
        keep_inside(s);
        if (found == SCAN_FOUND_SWITCH) {
            note_pastes(s);
        }
        return at + 1;
    case SCAN_FOUND_STRING:
        write_out(s, bytes + done, at - done);
        write_out(s, &cancel, 1);
        return at + 1;
    case SCAN_FOUND_DROP:
        write_out(s, bytes + done, at - done);
        return at + 1;
    case SCAN_FOUND_WIPE:
        write_out(s, bytes + done, at - done);
        state_before_wipe(s);
        return at;
    case SCAN_FOUND_REPEAT:
        write_out(s, bytes + done, at - done);
        write_out(s, &cancel, 1);
        repeat(s);
        return at + 1;
    case SCAN_FOUND_SAVE:
    case SCAN_FOUND_RESTORE:
        write_out(s, bytes + done, at - done);
        write_out(s, found == SCAN_FOUND_SAVE ? save : restore, sizeof save);
        keep_inside(s);
        return at + 1;
    case SCAN_FOUND_BROKEN:
    case SCAN_FOUND_UNKNOWN:
        write_out(s, bytes + done, at - done);
        write_out(s, &cancel, 1);
        return found == SCAN_FOUND_BROKEN ? at : at + 1;
    case SCAN_FOUND_NOTHING:
    default:
        return done;
    }
}

void screen_feed(struct screen *s, const uint8_t *bytes, size_t len)
{
    size_t done = 0;

    for (size_t i = 0; i < len; i++) {
        i += skip_text(s, bytes + i, len - i);
        if (i < len) {
            done = act(s, scan_byte(&s->scan, bytes[i]), bytes, done, i);
        }
    }
    write_out(s, bytes + done, len - done);
}

/* As xterm does; libvterm 0.1.4 would keep a region of which a part is gone, and move what is not
 * there.  The sequence that was under way, if any, is over. */
static void reset_margins(struct screen *s)
{
    void (*listener)(void *, const struct screen_event *) = s->config.on_event;
    char text[48];
    int n = snprintf(text, sizeof text, "%c\033[?69l\033[?6l\033[r\033[%d;%dH", CAN, s->row + 1,
                     s->col + 1);

    s->config.on_event = NULL;
    write_out(s, (const uint8_t *)text, (size_t)n);
    s->config.on_event = listener;
    s->scan.state = s->scan.state == SCAN_STRING || s->scan.state == SCAN_STRING_ESCAPE
                        ? s->scan.state
                        : SCAN_TEXT;
}

int screen_resize(struct screen *s, int rows, int cols, struct error *err)
{
    void *probe;

    rows = clamped(rows, SCREEN_MAX_ROWS);
    cols = clamped(cols, SCREEN_MAX_COLS);
    /* libvterm does not look whether it got its memory, nor do two new grids come one by one. */
    probe = s->config.alloc((size_t)rows * (size_t)cols * 2 * sizeof(struct screen_cell) +
                                (size_t)(rows + cols) * 64 + 4096,
                            s->config.alloc_user);
    if (probe == NULL) {
        return err_set(err, ERR_SYSTEM, "no memory for a screen of %d rows", rows);
    }
    s->config.free(probe, s->config.alloc_user);
    if (rows != s->grid[0].rows || cols != s->grid[0].cols) {
        reset_margins(s);
        vterm_set_size(s->vt, rows, cols);
    }
    return 0;
}

/* ---- looking ---- */

int screen_rows(const struct screen *s)
{
    return s->grid[s->alt].rows;
}

int screen_cols(const struct screen *s)
{
    return s->grid[s->alt].cols;
}

void screen_cursor(const struct screen *s, int *ret_row, int *ret_col)
{
    *ret_row = s->row;
    *ret_col = s->col;
}

int64_t screen_scrolled(const struct screen *s)
{
    return s->scrolled[s->alt];
}

const struct screen_cell *screen_row(const struct screen *s, int row)
{
    return s->grid[s->alt].row[row];
}

int screen_marks(const struct screen *s, const struct screen_cell *cell, uint32_t ret[5])
{
    return marks_get(&s->marks, cell->marks, ret);
}

bool screen_is_alt(const struct screen *s)
{
    return s->alt == 1;
}

bool screen_pastes(const struct screen *s)
{
    return s->config.on_event != NULL ? s->pastes : ask_pastes(s);
}

bool screen_cursor_visible(const struct screen *s)
{
    return s->visible;
}

uint64_t screen_cell_look(const struct screen_cell *c)
{
    return (c->fg ^ (uint64_t)c->bg << 25 ^ (uint64_t)c->bg >> 7 ^ (uint64_t)c->attrs << 48) *
           0x9e3779b97f4a7c15U;
}

uint64_t screen_look(const struct screen *s)
{
    return screen_cell_look(&s->pen) ^ (uint64_t)screen_cursor_visible(s);
}
