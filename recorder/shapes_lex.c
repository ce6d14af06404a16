/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/shapes_lex.h"

#include <string.h>

#define BEL       0x07
#define CAN       0x18
#define SUB       0x1a
#define ESC       0x1b
#define CLIPBOARD 52U
#define NO_OSC    UINT32_MAX
#define PARAM_MAX 100000U

enum state { GROUND, ESCAPED, INTERMEDIATE, CSI, STRING, STRING_ESC };

/* Down by ${n} rows. */
static enum shapes_lex_kind down(struct shapes_lex *l, unsigned n)
{
    l->row += l->row > 0 && l->row < LEX_UNKNOWN / 2 ? n : 0;
    return LEX_DOWN;
}

static enum shapes_lex_kind go_to(struct shapes_lex *l, uint32_t row, uint32_t col)
{
    /* Rows in between are those that text ran over by itself. */
    bool below = l->row == 0 || row == 0 ||
                 (row > l->row && row <= l->row + 1 + (l->col == LEX_UNKNOWN ? 0 : l->col / 20));

    l->row = row;
    l->col = col;
    return below ? LEX_DOWN : LEX_AWAY;
}

static enum shapes_lex_kind away(struct shapes_lex *l)
{
    l->row = 0;
    l->col = LEX_UNKNOWN;
    return LEX_AWAY;
}

static enum shapes_lex_kind mode(const struct shapes_lex *l)
{
    bool screen = l->param[0] == 47 || l->param[0] == 1047 || l->param[0] == 1049;

    return l->private_ && screen ? LEX_EDGE : LEX_INSIDE;
}

static enum shapes_lex_kind csi_moves(struct shapes_lex *l, uint8_t final, unsigned n)
{
    switch (final) {
    case 'B':
    case 'e':
        return down(l, n);
    case 'E':
        l->col = 0;
        return down(l, n);
    case 'H':
    case 'f':
        return go_to(l, n, l->param[1] > 0 ? l->param[1] - 1 : 0);
    case 'd':
        return go_to(l, n, l->col);
    case 'G':
    case '`':
        l->col = n - 1;
        return LEX_AWAY;
    case 'C':
    case 'a':
        l->col += l->col < LEX_UNKNOWN / 2 ? n : 0;
        l->repeat = n;
        return LEX_RIGHT;
    case 'D':
        l->col -= l->col == LEX_UNKNOWN ? 0 : n < l->col ? n : l->col;
        return LEX_AWAY;
    default:
        return away(l);
    }
}

static enum shapes_lex_kind csi_end(struct shapes_lex *l, uint8_t final)
{
    l->state = GROUND;
    if (final == 'h' || final == 'l') {
        return mode(l);
    }
    if (l->private_ || l->other) {
        return LEX_INSIDE;
    }
    if (final == '~') {
        return LEX_EDGE;
    }
    if (final == 'K' || final == 'J') {
        return l->param[0] == 1 ? LEX_INSIDE : LEX_ERASE;
    }
    if (final == 'b') {
        l->repeat = l->param[0] > 0 ? l->param[0] : 1;
        return LEX_REPEAT;
    }
    if (memchr("ABCDEFGHIZ`adefu", final, 16) != NULL) {
        return csi_moves(l, final, l->param[0] > 0 ? l->param[0] : 1);
    }
    return LEX_INSIDE;
}

static enum shapes_lex_kind csi(struct shapes_lex *l, uint8_t c)
{
    if (c >= 0x40 && c <= 0x7e) {
        return csi_end(l, c);
    }
    if (c >= '0' && c <= '9' && l->n_params < 2) {
        unsigned *p = &l->param[l->n_params];

        *p = *p < PARAM_MAX ? *p * 10 + (c - '0') : *p;
    } else if (c == ';' || c == ':') {
        l->n_params += l->n_params < 2;
    } else if (c == '?') {
        l->private_ = true;
    } else {
        l->other = true;
    }
    return LEX_INSIDE;
}

static enum shapes_lex_kind begin_string(struct shapes_lex *l, uint8_t c)
{
    l->state = STRING;
    l->command = c == ']' ? 0 : NO_OSC;
    l->fields = l->bits = l->n_bits = 0;
    return LEX_BEGIN;
}

static enum shapes_lex_kind escaped(struct shapes_lex *l, uint8_t c)
{
    l->len = 0;
    switch (c) {
    case ESC:
        l->state = ESCAPED;
        return LEX_INSIDE;
    case '[':
        l->state = CSI;
        l->param[0] = l->param[1] = l->n_params = 0;
        l->private_ = l->other = false;
        return LEX_INSIDE;
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
        return begin_string(l, c);
    case 'E':
        l->state = GROUND;
        l->col = 0;
        return down(l, 1);
    case 'D':
        l->state = GROUND;
        return down(l, 1);
    case 'M':
    case 'c':
    case '8':
        l->state = GROUND;
        return away(l);
    default:
        l->state = c >= 0x20 && c <= 0x2f ? INTERMEDIATE : GROUND;
        return LEX_INSIDE;
    }
}

static enum shapes_lex_kind in_string(struct shapes_lex *l, uint8_t c)
{
    if (c == ESC) {
        l->state = STRING_ESC;
        return LEX_INSIDE;
    }
    if (c == BEL || c == CAN || c == SUB) {
        l->state = GROUND;
        return LEX_INSIDE;
    }
    return LEX_STRING;
}

enum shapes_lex_kind shapes_lex_step(struct shapes_lex *l, uint8_t c)
{
    if (l->state == STRING) {
        return in_string(l, c);
    }
    if (l->state == GROUND) {
        l->state = c == ESC ? ESCAPED : GROUND;
        return c == ESC ? LEX_INSIDE : LEX_TEXT;
    }
    if (c == CAN || c == SUB || ++l->len > LEX_MAX) {
        l->state = GROUND;
        return LEX_INSIDE;
    }
    if (c == ESC) {
        return escaped(l, c);
    }
    switch (l->state) {
    case CSI:
        return csi(l, c);
    case INTERMEDIATE:
        l->state = c >= 0x20 && c <= 0x2f ? INTERMEDIATE : GROUND;
        return LEX_INSIDE;
    case STRING_ESC: /* the string's end, whatever follows */
    case ESCAPED:
    default:
        return escaped(l, c);
    }
}

bool shapes_lex_in_string(const struct shapes_lex *l)
{
    return l->state == STRING || l->state == STRING_ESC;
}

bool shapes_lex_ground(const struct shapes_lex *l)
{
    return l->state == GROUND;
}

void shapes_lex_column(struct shapes_lex *l, uint8_t c)
{
    if (c == '\r') {
        l->col = 0;
    } else if (c == '\n') {
        l->row = 0;
    } else if (l->col == LEX_UNKNOWN) {
        return;
    } else if (c == '\b') {
        l->col -= l->col > 0;
    } else if (c == '\t') {
        l->col = l->col < LEX_UNKNOWN / 2 ? (l->col | 7U) + 1 : l->col;
    } else if (c >= 0x20 && c != 0x7f && (c & 0xc0) != 0x80) {
        l->col += l->col < LEX_UNKNOWN / 2;
    }
}

static int base64(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* "52;c;BASE64": the third field. */
int shapes_lex_clipboard(struct shapes_lex *l, uint8_t c, uint8_t *ret)
{
    int value;

    if (l->command == NO_OSC) {
        return 0;
    }
    if (l->command == CLIPBOARD && l->fields == 2) {
        value = base64(c);
        if (value < 0) {
            return -1;
        }
        l->bits = (l->bits << 6 | (uint32_t)value) & 0xffff;
        l->n_bits += 6;
        if (l->n_bits < 8) {
            return -1;
        }
        l->n_bits -= 8;
        *ret = (uint8_t)(l->bits >> l->n_bits);
        return 1;
    }
    if (c == ';') {
        l->fields += l->fields < 2;
    } else if (l->fields == 0) {
        l->command =
            c >= '0' && c <= '9' && l->command < 1000 ? l->command * 10 + (c - '0') : NO_OSC;
    }
    return 0;
}
