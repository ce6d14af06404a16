/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/keys.h"

static enum key plain(uint8_t c)
{
    switch (c) {
    case ' ':
        return KEY_PAUSE;
    case '.':
        return KEY_STEP;
    case '\r':
    case '\n':
        return KEY_SKIP;
    case '+':
    case '}':
    case '>':
        return KEY_FASTER;
    case '-':
    case '{':
    case '<':
        return KEY_SLOWER;
    case 0x08:
    case 0x7f:
        return KEY_NORMAL;
    case 0x1a:
        return KEY_SUSPEND;
    case 'q':
    case 'Q':
    case 0x03:
        return KEY_QUIT;
    default:
        return KEY_NONE;
    }
}

enum key keys_byte(struct keys *k, uint8_t c)
{
    if (c == 0x1b) {
        k->state = KEYS_ESCAPE;
        return KEY_NONE;
    }
    if (c < 0x20) { /* never part of a sequence: ^C always quits */
        k->state = KEYS_PLAIN;
        return plain(c);
    }
    switch (k->state) {
    case KEYS_ESCAPE:
        k->state = c == '[' ? KEYS_SEQUENCE : c == 'O' ? KEYS_SS3 : KEYS_PLAIN;
        return k->state == KEYS_PLAIN ? plain(c) : KEY_NONE;
    case KEYS_SEQUENCE:
        if (c >= 0x40) {
            k->state = KEYS_PLAIN;
        }
        return KEY_NONE;
    case KEYS_SS3:
        k->state = KEYS_PLAIN;
        return KEY_NONE;
    case KEYS_PLAIN:
    default:
        return plain(c);
    }
}
