/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows escape sequences far enough to know what libvterm does not tell, and what it must not be
 * told.  A pure automaton over single bytes.  Used by screen/ alone.
 */
#ifndef TTYTRAIL_SCREEN_SCAN_H
#define TTYTRAIL_SCREEN_SCAN_H

#include <stdbool.h>
#include <stdint.h>

enum scan_state { SCAN_TEXT, SCAN_ESCAPE, SCAN_CSI, SCAN_IGNORE, SCAN_STRING, SCAN_STRING_ESCAPE };

struct scan {
    enum scan_state state;
    unsigned number, first, parameters; /* of the CSI: the current one, the first, how many */
    bool has_2004;
    bool plain; /* without prefix or intermediates */
    bool bell;  /* the control string ends with BEL too: it is OSC */
    bool again; /* the ESC before this byte was dropped with a string, and begins a sequence */
};

/* What the byte that was just looked at calls for. */
enum scan_found {
    SCAN_FOUND_NOTHING,
    SCAN_FOUND_LINE_FEED,
    SCAN_FOUND_SWITCH, /* bracketed paste may be another now */
    SCAN_FOUND_STRING, /* a control string begins with this byte, */
    SCAN_FOUND_DROP,   /* goes on or ends */
    SCAN_FOUND_REPEAT,
    SCAN_FOUND_WIPE,    /* all from the cursor on is erased by this byte */
    SCAN_FOUND_PLACED,  /* the cursor may be where it was saved, on a screen that was larger */
    SCAN_FOUND_SAVE,    /* the cursor, */
    SCAN_FOUND_RESTORE, /* as "ESC 7" and "ESC 8" */
    SCAN_FOUND_BROKEN,  /* no byte of the sequence that was begun */
    SCAN_FOUND_UNKNOWN, /* ends a sequence that is better not known to libvterm */
};

/** scan_byte(s, b): The stream goes on with ${b}. */
enum scan_found scan_byte(struct scan *s, uint8_t b);
/** scan_in_text(s): Whether no sequence is under way. */
bool scan_in_text(const struct scan *s);

#endif
