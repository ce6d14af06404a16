/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal's screen as a model: bytes in; cells, cursor, modes and events out.  libvterm's state
 * layer parses; the grid is ours, rows behind pointers, so that a scroll rotates pointers.  It
 * knows nothing of recordings, redaction or descriptors: replay, search, text export and the
 * recorder share it.
 *
 * Invariants: whatever the bytes, nothing is ever written anywhere but into memory from the given
 * allocator, and no query is answered; rows and columns stay within SCREEN_MAX_*; memory depends on
 * the size alone; events come in the order of the bytes, within the call of screen_feed; feeding
 * the same bytes in other pieces gives the same events and the same screen.
 */
#ifndef TTYTRAIL_SCREEN_SCREEN_H
#define TTYTRAIL_SCREEN_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SCREEN_MAX_ROWS 500
#define SCREEN_MAX_COLS 1000
#define SCREEN_TAIL     UINT32_MAX /* ch of the right half of a wide character */

enum {
    SCREEN_BOLD = 1,
    SCREEN_DIM = 2,
    SCREEN_ITALIC = 4,
    SCREEN_UNDERLINE = 8,
    SCREEN_BLINK = 16,
    SCREEN_REVERSE = 32,
    SCREEN_CONCEAL = 64,
    SCREEN_STRIKE = 128,
};

/* Colours: 0 is the default, SCREEN_INDEXED | 0..255, SCREEN_RGB | 0xrrggbb. */
#define SCREEN_INDEXED 0x01000000U
#define SCREEN_RGB     0x02000000U

struct screen_cell {
    uint32_t ch; /* 0: erased or never written */
    uint32_t fg, bg;
    uint16_t attrs;
    uint16_t marks; /* combining characters on it: 0 none, else for screen_marks */
};

enum screen_event_kind {
    SCREEN_PRINT, /* `ch`, a code point (a combining one with the cell it lands on), at absrow, col
                   */
    SCREEN_NEWLINE, /* the cursor went to another row by a line feed, a wrap or a scroll */
    SCREEN_JUMP,    /* ... by being placed there */
    SCREEN_ALT,     /* the alternate screen was switched `on` or off */
    SCREEN_PASTE,   /* bracketed paste (2004) was switched `on` or off */
    SCREEN_BELL,
};

struct screen_event {
    enum screen_event_kind kind;
    uint32_t ch;
    int width;      /* columns of ch: 0 to 2 */
    int64_t absrow; /* row of the cursor (of the cell, for PRINT), as screen_absrow counts */
    int col;        /* of PRINT */
    bool on;
};

struct screen_config {
    int rows, cols; /* clamped to 1..SCREEN_MAX_* */
    /* All memory comes from here; NULL: malloc and free.  alloc gives zeroed memory or NULL. */
    void *(*alloc)(size_t size, void *user);
    void (*free)(void *memory, void *user);
    void *alloc_user;
    /* NULL: nobody listens. */
    void (*on_event)(void *user, const struct screen_event *event);
    /* A row is about to leave the main buffer for good, at its top: scrolled out, cut off by a new
     * size, or wiped with the whole screen (then each row down to the last used one), as a terminal
     * with a history would keep it.  It is still there for screen_row.  NULL: nobody wants it. */
    void (*on_leave)(void *user, int row);
    void *user;
};

struct screen;

/** screen_new(ret, config, err): An empty screen; the caller owns it.  screen_free(NULL) does
 * nothing. */
int screen_new(struct screen **ret, const struct screen_config *config, struct error *err);
void screen_free(struct screen *s);

/** screen_feed(s, bytes, len): What a program wrote.  Cannot fail: what a terminal would ignore is
 * ignored. */
void screen_feed(struct screen *s, const uint8_t *bytes, size_t len);
/** screen_resize(s, rows, cols): Crop and pad, as xterm does.  On lack of memory nothing changes.
 */
int screen_resize(struct screen *s, int rows, int cols, struct error *err);

int screen_rows(const struct screen *s);
int screen_cols(const struct screen *s);
void screen_cursor(const struct screen *s, int *ret_row, int *ret_col);
/** screen_scrolled(s): Lines that have left the top of the current buffer so far: row + scrolled is
 * a line's absolute row, which stays when it scrolls. */
int64_t screen_scrolled(const struct screen *s);
/** screen_row(s, row): ${row}'s cells, screen_cols of them; borrowed until the next feed. */
const struct screen_cell *screen_row(const struct screen *s, int row);
/** screen_marks(s, cell, ret): The combining code points on ${cell}; their number, at most 5. */
int screen_marks(const struct screen *s, const struct screen_cell *cell, uint32_t ret[5]);

bool screen_is_alt(const struct screen *s);
bool screen_pastes(const struct screen *s); /* bracketed paste is on */
bool screen_cursor_visible(const struct screen *s);
/** screen_look(s): Colours and attributes that the next character gets, as one number: equal for
 * equal ones. */
uint64_t screen_look(const struct screen *s);
/** screen_cell_look(c): The same of a cell. */
uint64_t screen_cell_look(const struct screen_cell *c);

#endif
