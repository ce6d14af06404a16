/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recording may do to the terminal it is shown on: draw.  A filter of bytes that passes
 * characters, the controls that move the cursor, and the escape sequences on a list of harmless
 * ones; it drops OSC, DCS, APC, PM and SOS strings, everything a terminal answers to, window
 * operations, key and mouse modes, C1 controls, and what it does not know.  Stands in until the
 * screen model replays cells instead.
 *
 * Pure.  Invariants: the output is valid UTF-8 without C1 controls; it depends on the bytes alone,
 * not on how they were cut into chunks; a sequence leaves whole or not at all; memory is constant,
 * however long a sequence.  Bytes that are no UTF-8 leave as U+FFFD.  A string that has not ended
 * after SANITIZE_MAX_STRING bytes is given up, and what follows is shown. Source: ECMA-48; xterm's
 * ctlseqs; the state diagram of DEC's VT500 parser.
 */
#ifndef TTYTRAIL_REPLAY_SANITIZE_H
#define TTYTRAIL_REPLAY_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define SANITIZE_MAX_SEQUENCE 128U
#define SANITIZE_MAX_STRING   (1024U * 1024)

enum sanitize_state {
    SANITIZE_GROUND,
    SANITIZE_ESCAPE,       /* after ESC, collecting intermediates */
    SANITIZE_CSI,          /* after ESC [ */
    SANITIZE_CSI_TOO_LONG, /* until its final byte */
    SANITIZE_STRING        /* after an introducer, until ST or BEL */
};

/* Private: its members may be read, never written, by others. */
struct sanitize {
    enum sanitize_state state;
    uint8_t held[SANITIZE_MAX_SEQUENCE]; /* the sequence after its ESC, or part of a character */
    size_t held_len;
    size_t string_len;
    /* What the screen was put into, for a clean exit. */
    unsigned alternate; /* the DEC mode that opened the alternate screen (47, 1047, 1049), or 0 */
    bool region;        /* scroll region or origin mode may be set */
    bool cursor_style;
    uint64_t dropped; /* sequences and controls dropped */
};

void sanitize_init(struct sanitize *s);
/** sanitize_feed(s, bytes, len, out, err): Append what may be shown of ${bytes} to ${out}.  Fails
 * only as
 * ${out} does (the state is then undefined until sanitize_init). */
int sanitize_feed(struct sanitize *s, const uint8_t *bytes, size_t len, struct buf *out,
                  struct error *err);

#endif
