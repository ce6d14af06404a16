/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/scan.h"

#define BEL        0x07
#define CAN        0x18
#define SUB        0x1a
#define ESC        0x1b
#define DEL        0x7f
#define PARAMETERS 14U     /* and one more */
#define NUMBER     100000U /* a parameter is of no interest above */

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
    /* libvterm 0.1.4 writes beyond its sixteen. */
    if (s->parameters > PARAMETERS && b < 0x40) {
        s->state = SCAN_IGNORE;
        return SCAN_FOUND_UNKNOWN;
    }
    s->plain = s->plain && (b == ';' || b >= 0x40);
    if (b < 0x40) {
        return SCAN_FOUND_NOTHING;
    }
    s->state = SCAN_TEXT;
    if (b == 'b') {
        return s->plain ? SCAN_FOUND_REPEAT : SCAN_FOUND_UNKNOWN;
    }
    if (b == 'J' && s->plain && s->parameters == 1 && s->first == 0) {
        return SCAN_FOUND_WIPE;
    }
    if ((b == 's' || b == 'u') && s->plain && s->parameters == 1 && s->first == 0) {
        return b == 's' ? SCAN_FOUND_SAVE : SCAN_FOUND_RESTORE;
    }
    if (b == 'h' || b == 'l') {
        return s->has_2004 ? SCAN_FOUND_SWITCH : SCAN_FOUND_PLACED;
    }
    return b == 'p' ? SCAN_FOUND_SWITCH : SCAN_FOUND_NOTHING;
}

/* Control strings change nothing here, and libvterm 0.1.4 crashes answering one (DECRQSS), reads
 * beyond its buffer in others and prints those it does not know: it gets none. */
static enum scan_found begin_string(struct scan *s, bool bell)
{
    s->state = SCAN_STRING;
    s->bell = bell;
    return SCAN_FOUND_STRING;
}

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
    case ']':
        return begin_string(s, b == ']');
    case 'D':
    case 'E':
        return SCAN_FOUND_LINE_FEED;
    case 'c':
        return SCAN_FOUND_SWITCH;
    case '8':
        return SCAN_FOUND_PLACED;
    default:
        return SCAN_FOUND_NOTHING;
    }
}

/* Up to ST; an ESC that is not ST's ends the string and begins a sequence. */
static enum scan_found scan_string(struct scan *s, uint8_t b)
{
    if (s->state == SCAN_STRING) {
        s->state = b == ESC                                        ? SCAN_STRING_ESCAPE
                   : b == CAN || b == SUB || (b == BEL && s->bell) ? SCAN_TEXT
                                                                   : SCAN_STRING;
        return SCAN_FOUND_DROP;
    }
    if (b == ESC) {
        return SCAN_FOUND_DROP;
    }
    s->state = SCAN_TEXT;
    if (b == '\\') {
        return SCAN_FOUND_DROP;
    }
    s->again = true;
    (void)scan_byte(s, ESC);
    return scan_byte(s, b);
}

enum scan_found scan_byte(struct scan *s, uint8_t b)
{
    if (s->state == SCAN_STRING || s->state == SCAN_STRING_ESCAPE) {
        return scan_string(s, b);
    }
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
    if (s->state == SCAN_IGNORE) {
        s->state = b >= 0x40 ? SCAN_TEXT : SCAN_IGNORE;
        return SCAN_FOUND_DROP;
    }
    return s->state == SCAN_ESCAPE ? scan_escape(s, b) : scan_csi(s, b);
}
