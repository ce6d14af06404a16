/* SPDX-License-Identifier: Apache-2.0 */
/* The screen's inside, shared by screen.c (life, feeding) and state.c (what libvterm tells). */
#ifndef TTYTRAIL_SCREEN_SCREEN_IMPL_H
#define TTYTRAIL_SCREEN_SCREEN_IMPL_H

#include <vterm.h>

#include "screen/grid.h"
#include "screen/marks.h"
#include "screen/scan.h"
#include "screen/screen.h"

struct screen {
    struct screen_config config;
    VTermAllocatorFunctions allocator; /* libvterm keeps a pointer to it */
    VTerm *vt;
    VTermState *state;
    struct grid grid[2]; /* main, alternate */
    int64_t scrolled[2];
    int alt; /* index of the current one */
    struct marks marks;
    struct screen_cell pen; /* what is erased gets its background */
    int row, col;
    bool visible;

    /* where the newest glyph stands, for characters that combine with it; row -1: none */
    VTermPos last;
    int last_width;

    /* what the bytes say that libvterm does not tell: line feeds, and when to ask for modes */
    struct scan scan;
    bool line_feed, pastes;
    uint8_t partial[4]; /* the beginning of a character */
    size_t n_partial;
    uint32_t repeated; /* the newest character, for REP; 0: none */
    size_t answered;   /* bytes of answers that were dropped */
};

/** state_callbacks: For vterm_state_set_callbacks, with a struct screen as user. */
extern const VTermStateCallbacks state_callbacks;
/** state_before_wipe(s): All from the cursor on is about to be erased, in parts. */
void state_before_wipe(struct screen *s);

#endif
