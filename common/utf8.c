/* SPDX-License-Identifier: Apache-2.0 */
#include "common/utf8.h"

#include <string.h>

int utf8_length(const uint8_t *p, size_t len)
{
    uint8_t lo = 0x80, hi = 0xbf;
    int need;

    if (len == 0) {
        return -1;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }
    need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    /* The second byte's range rules out overlong forms, surrogates and what is above U+10FFFF. */
    switch (p[0]) {
    case 0xe0:
        lo = 0xa0;
        break;
    case 0xed:
        hi = 0x9f;
        break;
    case 0xf0:
        lo = 0x90;
        break;
    case 0xf4:
        hi = 0x8f;
        break;
    default:
        break;
    }
    for (int i = 1; i < need; i++) {
        if ((size_t)i >= len) {
            return -1;
        }
        if (p[i] < lo || p[i] > hi) {
            return 0;
        }
        lo = 0x80;
        hi = 0xbf;
    }
    return need;
}

#define ONES  0x0101010101010101ULL
#define HIGHS 0x8080808080808080ULL

/* True when one of the eight bytes is below 0x20, above 0x7e, '"' or '\\' (a false alarm is allowed
 * only in the direction of "true"; the byte loop decides). */
static int word_has_special(uint64_t w)
{
    uint64_t ctl = (w - ONES * 0x20) & ~w;
    uint64_t quote = w ^ (ONES * '"');
    uint64_t back = w ^ (ONES * '\\');
    uint64_t del = w ^ (ONES * 0x7f);

    quote = (quote - ONES) & ~quote;
    back = (back - ONES) & ~back;
    del = (del - ONES) & ~del;
    return ((w | ctl | quote | back | del) & HIGHS) != 0;
}

size_t utf8_plain(const uint8_t *p, size_t len)
{
    size_t i = 0;

    while (len - i >= 8) {
        uint64_t w;

        memcpy(&w, p + i, 8);
        if (word_has_special(w)) {
            break;
        }
        i += 8;
    }
    while (i < len && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
        i++;
    }
    return i;
}

size_t utf8_copy_plain(const uint8_t *p, size_t len, uint8_t **at)
{
    uint8_t *to = *at;
    size_t i = 0;

    while (len - i >= 8) {
        uint64_t w;

        memcpy(&w, p + i, 8);
        memcpy(to + i, &w, 8);
        if (word_has_special(w)) {
            break;
        }
        i += 8;
    }
    while (i < len && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
        to[i] = p[i];
        i++;
    }
    *at = to + i;
    return i;
}

size_t utf8_printable(const uint8_t *p, size_t len)
{
    int n = utf8_length(p, len);

    if (n <= 0 || p[0] < 0x20 || p[0] == 0x7f) {
        return 0;
    }
    if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0) {
        return 0;
    }
    if (n == 3 && p[0] == 0xe2) {
        /* U+200E U+200F, U+2028 to U+202E, U+2066 to U+2069 reorder or break the reader's line. */
        if (p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae))) {
            return 0;
        }
        if (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) {
            return 0;
        }
    }
    return (size_t)n;
}

size_t utf8_partial_tail(const uint8_t *p, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        uint8_t c = p[len - back];

        if (c >= 0xc2 && c <= 0xf4) {
            return utf8_length(p + len - back, back) == -1 ? back : 0;
        }
        if (c < 0x80 || c > 0xbf) {
            return 0;
        }
    }
    return 0;
}

size_t utf8_put(uint32_t ch, uint8_t *to)
{
    if (ch < 0x80) {
        to[0] = (uint8_t)ch;
        return 1;
    }
    if (ch < 0x800) {
        to[0] = (uint8_t)(0xc0 | ch >> 6);
        to[1] = (uint8_t)(0x80 | (ch & 0x3f));
        return 2;
    }
    ch = ch <= 0x10ffff ? ch : 0xfffd;
    if (ch < 0x10000) {
        to[0] = (uint8_t)(0xe0 | ch >> 12);
        to[1] = (uint8_t)(0x80 | (ch >> 6 & 0x3f));
        to[2] = (uint8_t)(0x80 | (ch & 0x3f));
        return 3;
    }
    to[0] = (uint8_t)(0xf0 | ch >> 18);
    to[1] = (uint8_t)(0x80 | (ch >> 12 & 0x3f));
    to[2] = (uint8_t)(0x80 | (ch >> 6 & 0x3f));
    to[3] = (uint8_t)(0x80 | (ch & 0x3f));
    return 4;
}
