/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that a terminal sends as sequences once a program has asked for it: "CSI code;modifiers u"
 * (the kitty keyboard protocol), "CSI 27;modifiers;code ~" (xterm's modifyOtherKeys), and "CSI
 * Vk;Sc;Uc;Kd;Cs;Rc _" (win32-input-mode); and the keypad's "ESC O p".  To the reader of a secret
 * they are its characters.
 */
#include "recorder/unit.h"

#define PARAMETERS 6U
#define SUBS       3U
#define CODE_MAX   0x10ffffU

#define SHIFT    1U
#define CTRL     4U
#define CHORDS   (2U | CTRL | 8U | 16U | 32U) /* alt, control, super, hyper, meta */
#define RELEASE  3U                           /* event: the key was let go */
#define KP_0     57399U                       /* kitty's numbers of the keypad's digits */
#define KP_9     57408U
#define KP_ENTER 57414U

struct parameters {
    uint32_t at[PARAMETERS][SUBS];
};

static void read_parameters(const uint8_t *p, const uint8_t *end, struct parameters *ret)
{
    unsigned n = 0, sub = 0;

    *ret = (struct parameters){0};
    for (; p < end && n < PARAMETERS; p++) {
        if (*p >= '0' && *p <= '9' && sub < SUBS && ret->at[n][sub] <= CODE_MAX) {
            ret->at[n][sub] = ret->at[n][sub] * 10 + (uint32_t)(*p - '0');
        } else if (*p == ':') {
            sub++;
        } else if (*p == ';') {
            n++;
            sub = 0;
        }
    }
}

static bool give(struct unit *ret, uint32_t ch)
{
    if (ch == 0 || ch > CODE_MAX || ch == 0x1b) {
        return false;
    }
    ret->kind = ch == '\r' || ch == '\n'  ? UNIT_LINE
                : ch < 0x20 || ch == 0x7f ? UNIT_CONTROL
                                          : UNIT_PRINT;
    ret->ch = ch;
    return true;
}

static bool pressed(struct unit *ret, uint32_t code, uint32_t modifiers)
{
    if (code >= KP_0 && code <= KP_9) {
        code = '0' + code - KP_0;
    }
    code = code == KP_ENTER ? '\r' : code;
    if (((modifiers > 0 ? modifiers - 1 : 0) & CHORDS) == CTRL && code >= '@' && code < 0x7f) {
        return give(ret, code & 0x1f);
    }
    return ((modifiers > 0 ? modifiers - 1 : 0) & CHORDS) == 0 &&
           !(code >= 0xe000 && code <= 0xf8ff) && give(ret, code);
}

/* The keypad in application mode: "ESC O p" to "ESC O y" and what stands around them (DEC's VT100
 * manual). */
static bool keypad(uint8_t final, struct unit *ret)
{
    if (final >= 'j' && final <= 'y') {
        return give(ret, (uint32_t) "*+,-./0123456789"[final - 'j']);
    }
    return final == 'M' && give(ret, '\r');
}

bool unit_is_key(const uint8_t *bytes, size_t len, struct unit *ret)
{
    struct parameters p;
    bool shift;

    if (len == 3 && bytes[1] == 'O') {
        return keypad(bytes[2], ret);
    }
    if (len < 4 || bytes[2] < '0' || bytes[2] > '9') {
        return false;
    }
    read_parameters(bytes + 2, bytes + len - 1, &p);
    switch (bytes[len - 1]) {
    case 'u':
        shift = p.at[1][0] > 0 && ((p.at[1][0] - 1) & SHIFT) != 0;
        return p.at[1][1] != RELEASE && pressed(ret,
                                                p.at[2][0] != 0            ? p.at[2][0]
                                                : shift && p.at[0][1] != 0 ? p.at[0][1]
                                                                           : p.at[0][0],
                                                p.at[1][0]);
    case '~':
        return p.at[0][0] == 27 && pressed(ret, p.at[2][0], p.at[1][0]);
    case '_':
        return p.at[3][0] != 0 && give(ret, p.at[2][0]);
    default:
        return false;
    }
}
