/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/scan.h"

#define CAN    0x18
#define SUB    0x1a
#define ESC    0x1b
#define DEL    0x7f
#define NUMBER 100000U /* a parameter is of no interest above */

bool scan_in_text(const struct scan *s)
{
    return s->state == SCAN_TEXT;
}

static enum scan_found scan_csi(struct scan *s, uint8_t b)
{
    if (b >= '0' && b <= '9') {
        s->number = s->number < NUMBER ? s->number * 10 + (b - '0') : s->number;
        return SCAN_FOUND_NOTHING;
    }
    s->has_2004 = s->has_2004 || s->number == 2004;
    s->first = s->parameters++ == 0 ? s->number : s->first;
    s->number = 0;
    s->plain = s->plain && (b == ';' || b >= 0x40);
    if (b < 0x40) {
        return SCAN_FOUND_NOTHING;
    }
    s->state = SCAN_TEXT;
    if (b == 'b' && s->plain) {
        return SCAN_FOUND_REPEAT;
    }
    if ((b == 's' || b == 'u') && s->plain && s->parameters == 1 && s->first == 0) {
        return b == 's' ? SCAN_FOUND_SAVE : SCAN_FOUND_RESTORE;
    }
    return b == 'p' || ((b == 'h' || b == 'l') && s->has_2004) ? SCAN_FOUND_SWITCH
                                                               : SCAN_FOUND_NOTHING;
}

/* libvterm 0.1.4 knows the control strings OSC and DCS alone, prints the others, and crashes
 * answering one DCS (DECRQSS of what it does not know).  All are of no effect here, so that all are
 * handed to it as OSC, which it ends and bounds. */
static enum scan_found scan_escape(struct scan *s, uint8_t b)
{
    bool plain = s->plain;

    /* "ESC ( B" and its like; libvterm forgets what stood between and takes "ESC % P" for DCS. */
    if (b >= 0x20 && b <= 0x2f) {
        s->plain = false;
        return SCAN_FOUND_NOTHING;
    }
    if (!plain) {
        s->state = SCAN_TEXT;
        return b == 'P' || b == '_' || b == '^' || b == 'X' || b == '[' || b == ']'
                   ? SCAN_FOUND_UNKNOWN
                   : SCAN_FOUND_NOTHING;
    }
    s->state = b == '[' ? SCAN_CSI : SCAN_TEXT;
    s->number = s->first = s->parameters = 0;
    s->has_2004 = false;
    s->plain = true;
    switch (b) {
    case 'P':
    case '_':
    case '^':
    case 'X':
        return SCAN_FOUND_STRING;
    case 'D':
    case 'E':
        return SCAN_FOUND_LINE_FEED;
    case 'c':
        return SCAN_FOUND_SWITCH;
    default:
        return SCAN_FOUND_NOTHING;
    }
}

enum scan_found scan_byte(struct scan *s, uint8_t b)
{
    if (b == ESC) {
        s->state = SCAN_ESCAPE;
        s->plain = true;
        return SCAN_FOUND_NOTHING;
    }
    if (b >= 0x0a && b <= 0x0c) {
        return SCAN_FOUND_LINE_FEED;
    }
    if (b == CAN || b == SUB) {
        s->state = SCAN_TEXT;
    }
    /* Controls act within a sequence, and change nothing of it (ECMA-48 does not say; VT500s do).
     */
    if (s->state == SCAN_TEXT || b < 0x20 || b == DEL) {
        return SCAN_FOUND_NOTHING;
    }
    if (b >= 0x80) {
        s->state = SCAN_TEXT;
        return SCAN_FOUND_BROKEN;
    }
    return s->state == SCAN_ESCAPE ? scan_escape(s, b) : scan_csi(s, b);
}
