/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a byte of a terminal's stream is to text (ECMA-48, xterm's control sequences): a character,
 * part of an escape sequence, a character of a control string; and where the cursor stands, as far
 * as that is known without a screen.  Used by shapes.c alone.  Invariant: no sequence but a control
 * string is longer than LEX_MAX.
 */
#ifndef TTYTRAIL_RECORDER_SHAPES_LEX_H
#define TTYTRAIL_RECORDER_SHAPES_LEX_H

#include <stdbool.h>
#include <stdint.h>

#define LEX_MAX     64U
#define LEX_UNKNOWN UINT32_MAX

enum shapes_lex_kind {
    LEX_TEXT,   /* a character, or a control */
    LEX_INSIDE, /* of an escape sequence that does nothing to text */
    LEX_BEGIN,  /* a control string begins */
    LEX_STRING, /* a character of it */
    LEX_ERASE,  /* the rest of the row was erased */
    LEX_DOWN,   /* the cursor went to a row below, or may have */
    LEX_RIGHT,  /* ... `repeat` columns to the right */
    LEX_AWAY,   /* ... elsewhere */
    LEX_EDGE,   /* another screen, a paste's edge: no text goes on over it */
    LEX_REPEAT, /* the newest character again, `repeat` times */
};

struct shapes_lex {
    unsigned state, len;
    unsigned param[2], n_params;
    bool private_, other; /* CSI ?; with intermediates or other markers */
    unsigned repeat;
    uint32_t row, col; /* row from 1, 0: not known; col from 0, LEX_UNKNOWN */
    /* of a control string */
    unsigned command, fields; /* OSC's number; semicolons so far */
    uint32_t bits, n_bits;    /* of the clipboard's base64 */
};

/** shapes_lex_step(l, c): The stream's next byte. */
enum shapes_lex_kind shapes_lex_step(struct shapes_lex *l, uint8_t c);
/** shapes_lex_in_string(l): Whether a control string is open. */
bool shapes_lex_in_string(const struct shapes_lex *l);
/** shapes_lex_ground(l): Whether no sequence is. */
bool shapes_lex_ground(const struct shapes_lex *l);
/** shapes_lex_column(l, c): ${c} was printed, or is a control of LEX_TEXT. */
void shapes_lex_column(struct shapes_lex *l, uint8_t c);
/** shapes_lex_clipboard(l, c, ret): ${c} is of a control string: 0, it is as it stands; 1, it is
 * base64 and completes the byte ${*ret}; -1, it is and completes none. */
int shapes_lex_clipboard(struct shapes_lex *l, uint8_t c, uint8_t *ret);

#endif
