/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/unit.h"

#define ESC 0x1b
#define BEL 0x07
#define DEL 0x7f

static bool give(struct unit *ret, enum unit_kind kind, size_t len, uint32_t ch)
{
    *ret = (struct unit){kind, len, ch};
    return true;
}

/* Length of the UTF-8 sequence that ${lead} begins (RFC 3629), 0 when none can. */
static size_t utf8_length(uint8_t lead)
{
    return lead >= 0xc2 && lead <= 0xdf   ? 2
           : lead >= 0xe0 && lead <= 0xef ? 3
           : lead >= 0xf0 && lead <= 0xf4 ? 4
                                          : 0;
}

static bool character(const uint8_t *p, size_t len, bool last, struct unit *ret)
{
    size_t n = utf8_length(p[0]);
    uint32_t ch;

    if (n == 0) {
        return give(ret, UNIT_PRINT, 1, 0xfffd);
    }
    ch = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if (i == len) {
            return last && give(ret, UNIT_PRINT, 1, 0xfffd);
        }
        if ((p[i] & 0xc0) != 0x80) {
            return give(ret, UNIT_PRINT, 1, 0xfffd);
        }
        ch = ch << 6 | (p[i] & 0x3fU);
    }
    return give(ret, UNIT_PRINT, n, ch);
}

/* Behind "ESC [": parameters, intermediates, a final byte. */
static bool csi(const uint8_t *p, size_t len, bool last, struct unit *ret)
{
    size_t i = 2;

    while (i < len && i < UNIT_MAX && p[i] >= 0x20 && p[i] <= 0x3f) {
        i++;
    }
    if (i == len && len < UNIT_MAX && !last) {
        return false;
    }
    if (i == len || p[i] < 0x40 || p[i] > 0x7e) {
        return give(ret, UNIT_CONTROL, 1, ESC);
    }
    return give(ret, UNIT_ESCAPE, i + 1, p[i]);
}

static bool control_string(const uint8_t *p, size_t len, bool last, struct unit *ret)
{
    for (size_t i = 2; i < len && i < UNIT_MAX; i++) {
        if (p[i] == BEL || (p[i] == '\\' && p[i - 1] == ESC)) {
            return give(ret, UNIT_ESCAPE, i + 1, p[1]);
        }
        if ((p[i] < 0x20 && p[i] != ESC) || (p[i - 1] == ESC && i > 2)) {
            return give(ret, UNIT_CONTROL, 1, ESC);
        }
    }
    return (last || len >= UNIT_MAX) && give(ret, UNIT_CONTROL, 1, ESC);
}

static bool single_shift(const uint8_t *p, size_t len, bool last, struct unit *ret)
{
    if (len == 2) {
        return last && give(ret, UNIT_CONTROL, 1, ESC);
    }
    return p[2] >= 0x20 && p[2] < DEL ? give(ret, UNIT_ESCAPE, 3, p[2])
                                      : give(ret, UNIT_CONTROL, 1, ESC);
}

/* ESC, intermediates, a final byte: "ESC 7", "ESC ( B". */
static bool short_escape(const uint8_t *p, size_t len, bool last, struct unit *ret)
{
    size_t i = 1;

    while (i < len && i < 8 && p[i] >= 0x20 && p[i] <= 0x2f) {
        i++;
    }
    if (i == len) {
        return last && give(ret, UNIT_CONTROL, 1, ESC);
    }
    return p[i] >= 0x30 && p[i] < DEL ? give(ret, UNIT_ESCAPE, i + 1, p[i])
                                      : give(ret, UNIT_CONTROL, 1, ESC);
}

static bool escape(const uint8_t *p, size_t len, bool last, bool typed, struct unit *ret)
{
    if (len == 1) {
        return last && give(ret, UNIT_CONTROL, 1, ESC);
    }
    switch (p[1]) {
    case '[':
        /* X10's mouse report is followed by three bytes of its own. */
        if (typed && len >= 6 && p[2] == 'M' && p[3] >= 0x20 && p[4] >= 0x20 && p[5] >= 0x20) {
            return give(ret, UNIT_ESCAPE, 6, 'M');
        }
        return csi(p, len, last, ret);
    case 'O':
        return single_shift(p, len, last, ret);
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
        return control_string(p, len, last, ret);
    default:
        return typed ? give(ret, UNIT_CONTROL, 1, ESC) : short_escape(p, len, last, ret);
    }
}

static bool next(const uint8_t *bytes, size_t len, bool last, bool typed, struct unit *ret)
{
    if (len == 0) {
        return false;
    }
    if (bytes[0] == ESC) {
        return escape(bytes, len, last, typed, ret);
    }
    if (bytes[0] == '\r' || bytes[0] == '\n') {
        return give(ret, UNIT_LINE, 1, bytes[0]);
    }
    if (bytes[0] < 0x20 || bytes[0] == DEL) {
        return give(ret, UNIT_CONTROL, 1, bytes[0]);
    }
    if (bytes[0] < 0x80) {
        return give(ret, UNIT_PRINT, 1, bytes[0]);
    }
    return character(bytes, len, last, ret);
}

bool unit_typed(const uint8_t *bytes, size_t len, bool last, struct unit *ret)
{
    bool whole = next(bytes, len, last, true, ret);

    if (whole && ret->kind == UNIT_ESCAPE && (bytes[1] == '[' || bytes[1] == 'O')) {
        (void)unit_is_key(bytes, ret->len, ret);
    }
    return whole;
}

bool unit_shown(const uint8_t *bytes, size_t len, bool last, struct unit *ret)
{
    return next(bytes, len, last, false, ret);
}
