/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/sanitize_rules.h"

#include <string.h>

/* DEC private modes that change what is seen.  Not: key modes, mouse and paste reports (the
 * viewer's own keys would turn into something else), 3 (resizes), 2 (leaves ANSI), 2026 (freezes
 * the screen). */
static const unsigned shown_modes[] = {5, 6, 7, 12, 25, 47, 1047, 1048, 1049};

#define MAX_DIGITS 5 /* of a parameter: `CSI 99999999 b` would keep a terminal busy */

bool sanitize_control(uint8_t c)
{
    return c >= 0x07 && c <= 0x0f; /* BEL BS HT LF VT FF CR SO SI */
}

static int pass(const uint8_t *seq, size_t len, struct buf *out, struct error *err)
{
    if (buf_putc(out, '\x1b', err) != 0) {
        return -1;
    }
    return buf_append(out, seq, len, err);
}

static int drop(struct sanitize *s)
{
    s->dropped++;
    return 0;
}

/* RIS also forgets the viewer's scrollback and settings: a soft reset and an erased screen look
 * alike. */
static int full_reset(struct sanitize *s, struct buf *out, struct error *err)
{
    const char *leave = s->alternate == 0      ? ""
                        : s->alternate == 1049 ? "\x1b[?1049l"
                        : s->alternate == 1047 ? "\x1b[?1047l"
                                               : "\x1b[?47l";

    s->alternate = 0;
    s->region = false;
    if (buf_puts(out, leave, err) != 0) {
        return -1;
    }
    return buf_puts(out, "\x1b[!p\x1b[H\x1b[2J", err);
}

int sanitize_escape(struct sanitize *s, const uint8_t *seq, size_t len, struct buf *out,
                    struct error *err)
{
    uint8_t final = seq[len - 1];

    if (len == 1) {
        if (final == 'c') {
            return full_reset(s, out, err);
        }
        /* save, restore, index, next line, tab stop, reverse index */
        return strchr("78DEHM", final) != NULL ? pass(seq, len, out, err) : drop(s);
    }
    if (len == 2 && strchr("()*+", seq[0]) != NULL && strchr("0AB", final) != NULL) {
        return pass(seq, len, out, err); /* line drawing, UK, ASCII */
    }
    if (len == 2 && seq[0] == '#' && strchr("34568", final) != NULL) {
        return pass(seq, len, out, err); /* line sizes, DECALN */
    }
    return drop(s); /* ESC % among them: outside UTF-8, bytes would turn into C1 controls */
}

/* Parameters are digits with ; or : between them, none of them absurdly long. */
static bool plain_parameters(const uint8_t *p, size_t len, unsigned *ret_separators)
{
    unsigned digits = 0;

    *ret_separators = 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == ';' || p[i] == ':') {
            (*ret_separators)++;
            digits = 0;
        } else if (p[i] < '0' || p[i] > '9' || ++digits > MAX_DIGITS) {
            return false;
        }
    }
    return true;
}

static bool is_shown_mode(unsigned mode)
{
    for (size_t i = 0; i < sizeof shown_modes / sizeof shown_modes[0]; i++) {
        if (shown_modes[i] == mode) {
            return true;
        }
    }
    return false;
}

static void note_mode(struct sanitize *s, unsigned mode, bool set)
{
    if (mode == 47 || mode == 1047 || mode == 1049) {
        s->alternate = set ? mode : 0;
    } else if (mode == 6 && set) {
        s->region = true;
    }
}

/* CSI ? ... h or l: each mode that may pass, in a sequence of its own. */
static int private_modes(struct sanitize *s, const uint8_t *p, size_t len, uint8_t final,
                         struct buf *out, struct error *err)
{
    unsigned mode = 0;

    for (size_t i = 0; i <= len; i++) {
        if (i < len && p[i] != ';') {
            mode = mode * 10 + (unsigned)(p[i] - '0'); /* five digits at most */
            continue;
        }
        if (!is_shown_mode(mode)) {
            s->dropped++;
        } else {
            note_mode(s, mode, final == 'h');
            if (buf_printf(out, err, "\x1b[?%u%c", mode, final) != 0) {
                return -1;
            }
        }
        mode = 0;
    }
    return 0;
}

/* Without prefix and intermediates. */
static bool shown_plain(struct sanitize *s, const uint8_t *p, size_t len, unsigned separators,
                        uint8_t final)
{
    switch (final) {
    case 'J': /* not 3 J, which takes the viewer's scrollback */
        return len == 0 || (len == 1 && p[0] <= '2');
    case 'h':
    case 'l': /* insert mode; not 2, which locks the keyboard */
        return len == 1 && p[0] == '4';
    case 'T': /* with five parameters: mouse tracking */
        return separators == 0;
    case 'r':
        s->region = true;
        return true;
    default:
        return strchr("@ABCDEFGHIKLMPSXZ`abdefgmsu", final) != NULL;
    }
}

int sanitize_csi(struct sanitize *s, const uint8_t *seq, size_t len, struct buf *out,
                 struct error *err)
{
    const uint8_t *p = seq + 1;
    uint8_t final = seq[len - 1];
    size_t n = len - 2;
    uint8_t prefix = 0, between = 0;
    unsigned separators;

    if (n > 0 && p[0] >= 0x3c && p[0] <= 0x3f) {
        prefix = *p++;
        n--;
    }
    if (n > 0 && p[n - 1] >= 0x20 && p[n - 1] < 0x30) {
        between = p[--n];
    }
    if (!plain_parameters(p, n, &separators)) {
        return drop(s);
    }
    if (prefix == '?' && between == 0) {
        if ((final == 'h' || final == 'l') && memchr(p, ':', n) == NULL) {
            return private_modes(s, p, n, final, out, err);
        }
        return final == 'J' || final == 'K' ? pass(seq, len, out, err) : drop(s);
    }
    if (prefix == 0 && between == ' ' && final == 'q') {
        s->cursor_style = true;
        return pass(seq, len, out, err);
    }
    if (prefix == 0 && between == '!' && final == 'p' && n == 0) {
        s->region = false;
        return pass(seq, len, out, err); /* soft reset */
    }
    if (prefix == 0 && between == 0 && shown_plain(s, p, n, separators, final)) {
        return pass(seq, len, out, err);
    }
    return drop(s);
}
