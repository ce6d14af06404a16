/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/sanitize.h"

#include <string.h>

#include "common/utf8.h"
#include "replay/sanitize_rules.h"

#define ESC 0x1b
#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a

void sanitize_init(struct sanitize *s)
{
    memset(s, 0, sizeof *s);
}

static void hold(struct sanitize *s, uint8_t c)
{
    s->held[s->held_len++] = c;
}

static void enter(struct sanitize *s, enum sanitize_state state)
{
    s->state = state;
    s->held_len = 0;
    s->held[0] = 0;
    s->string_len = 0;
}

/* A character may be cut anywhere: its bytes wait in held, in the ground state only. */
static int ground_byte(struct sanitize *s, uint8_t c, struct buf *out, struct error *err)
{
    int n;

    hold(s, c);
    while (s->held_len > 0) {
        n = utf8_length(s->held, s->held_len);
        if (n < 0) {
            return 0; /* may still become a character */
        }
        if (n == 0) {
            n = 1; /* never one: shown as the replacement character, the rest is looked at again */
            if (buf_append(out, "\xef\xbf\xbd", 3, err) != 0) {
                return -1;
            }
        } else if (n == 2 && s->held[0] == 0xc2 && s->held[1] < 0xa0) {
            s->dropped++; /* a C1 control, encoded */
        } else if (buf_append(out, s->held, (size_t)n, err) != 0) {
            return -1;
        }
        s->held_len -= (size_t)n;
        memmove(s->held, s->held + n, s->held_len);
    }
    return 0;
}

/* What waits can not go on with ${c}, an ASCII byte: it was no character. */
static int ground_flush(struct sanitize *s, struct buf *out, struct error *err)
{
    for (; s->held_len > 0; s->held_len--) {
        if (buf_append(out, "\xef\xbf\xbd", 3, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int control(struct sanitize *s, uint8_t c, struct buf *out, struct error *err)
{
    if (!sanitize_control(c)) {
        s->dropped++;
        return 0;
    }
    return buf_append(out, &c, 1, err);
}

static int ground(struct sanitize *s, uint8_t c, struct buf *out, struct error *err)
{
    if (c >= 0x80) {
        return ground_byte(s, c, out, err);
    }
    if (ground_flush(s, out, err) != 0) {
        return -1;
    }
    if (c == ESC) {
        enter(s, SANITIZE_ESCAPE);
        return 0;
    }
    return c < 0x20 || c == 0x7f ? control(s, c, out, err) : buf_append(out, &c, 1, err);
}

/* Everything that begins with ESC and is no CSI. */
static int escape(struct sanitize *s, uint8_t c, struct buf *out, struct error *err)
{
    if (s->held_len == 0 && c == '[') {
        enter(s, SANITIZE_CSI);
        hold(s, c);
        return 0;
    }
    if (s->held_len == 0 && strchr("]PX^_", c) != NULL) {
        enter(s, SANITIZE_STRING);
        s->dropped++;
        return 0;
    }
    if (s->held_len < SANITIZE_MAX_SEQUENCE) {
        hold(s, c); /* too many intermediates fit no rule, whether or not all are kept */
    }
    if (c < 0x30) {
        return 0;
    }
    size_t len = s->held_len;
    s->state = SANITIZE_GROUND;
    s->held_len = 0;
    return sanitize_escape(s, s->held, len, out, err);
}

static int csi(struct sanitize *s, uint8_t c, struct buf *out, struct error *err)
{
    if (s->held_len < SANITIZE_MAX_SEQUENCE) {
        hold(s, c);
    } else {
        s->state = SANITIZE_CSI_TOO_LONG;
    }
    if (c < 0x40) {
        return 0;
    }
    bool whole = s->state == SANITIZE_CSI;
    size_t len = s->held_len;
    s->state = SANITIZE_GROUND;
    s->held_len = 0;
    if (!whole) {
        s->dropped++;
        return 0;
    }
    return sanitize_csi(s, s->held, len, out, err);
}

/* Where terminals disagree about a string's end, the earliest counts: rather show too much than let
 * a recording hide what its own terminal showed.  ESC is seen to by the caller. */
static void string(struct sanitize *s, uint8_t c)
{
    bool c1_terminator = c == 0x9c && s->held[0] == 0xc2;

    s->held[0] = c;
    if (c == BEL || c1_terminator || ++s->string_len >= SANITIZE_MAX_STRING) {
        enter(s, SANITIZE_GROUND);
    }
}

static int byte(struct sanitize *s, uint8_t c, struct buf *out, struct error *err)
{
    if (s->state == SANITIZE_GROUND) {
        return ground(s, c, out, err);
    }
    if (c == ESC) { /* ends whatever stood open; of a string's ST, "\" is dropped as a rule */
        enter(s, SANITIZE_ESCAPE);
        return 0;
    }
    if (c == CAN || c == SUB) {
        s->dropped++;
        enter(s, SANITIZE_GROUND);
        return 0;
    }
    if (s->state == SANITIZE_STRING) {
        string(s, c);
        return 0;
    }
    if (c < 0x20 || c == 0x7f) { /* terminals carry out controls inside a sequence */
        return control(s, c, out, err);
    }
    if (c >= 0x80) { /* no terminal goes on with a sequence here; the character is shown */
        s->dropped++;
        enter(s, SANITIZE_GROUND);
        return ground(s, c, out, err);
    }
    return s->state == SANITIZE_ESCAPE ? escape(s, c, out, err) : csi(s, c, out, err);
}

int sanitize_feed(struct sanitize *s, const uint8_t *bytes, size_t len, struct buf *out,
                  struct error *err)
{
    size_t at = 0;

    while (at < len) {
        if (s->state == SANITIZE_GROUND && s->held_len == 0) {
            size_t plain = at;

            while (plain < len && bytes[plain] >= 0x20 && bytes[plain] < 0x7f) {
                plain++;
            }
            if (plain > at && buf_append(out, bytes + at, plain - at, err) != 0) {
                return -1;
            }
            at = plain;
            if (at == len) {
                break;
            }
        }
        if (byte(s, bytes[at++], out, err) != 0) {
            return -1;
        }
    }
    return 0;
}
