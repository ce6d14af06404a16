/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminal bytes cut into units: a printable character, a line's end, another control, a whole
 * escape sequence (ECMA-48 section 5.4: CSI; SS3; the control strings OSC, DCS, APC, PM, SOS up to
 * their terminator).  What is typed and what is shown differ in two points: a keyboard sends ESC as
 * a key of its own, and X10's mouse reports.  Pure and without state: what is incomplete is asked
 * for again with more bytes.
 */
#ifndef TTYTRAIL_RECORDER_UNIT_H
#define TTYTRAIL_RECORDER_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNIT_MAX 4096U /* a control string longer than that is taken apart */

enum unit_kind { UNIT_PRINT, UNIT_LINE, UNIT_CONTROL, UNIT_ESCAPE };

struct unit {
    enum unit_kind kind;
    size_t len;
    uint32_t ch; /* PRINT: the code point, U+FFFD for a byte that is none; LINE, CONTROL: the byte;
                    ESCAPE: its final byte */
};

/** unit_typed(bytes, len, last, ret): The unit at ${bytes}, from a keyboard.  False when it is not
 * whole, which cannot be where ${last} says that nothing will follow, nor above UNIT_MAX bytes. */
bool unit_typed(const uint8_t *bytes, size_t len, bool last, struct unit *ret);
/** unit_is_key(bytes, len, ret): Whether the escape sequence at ${bytes} is a key by which a
 * terminal types a character or a control: its kind and ch are set. */
bool unit_is_key(const uint8_t *bytes, size_t len, struct unit *ret);
/** unit_shown(bytes, len, last, ret): The same for what a program writes. */
bool unit_shown(const uint8_t *bytes, size_t len, bool last, struct unit *ret);

#endif
