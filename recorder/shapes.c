/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/shapes.h"

#include <string.h>

#include "recorder/shapes_rules.h"

#define NEAR_KEY  512U
#define NAMED_KEY 64U
#define PEM_LINE  76U /* characters of a line at most (RFC 7468 section 2 says 64) */
#define PEM_SURE  16U
#define ESC       0x1b
#define LAST      SHAPES_LAST

enum { NO_ESCAPE, ESCAPED, CSI, STRING, STRING_ESC };

void shapes_open(struct shapes *s, const struct shapes_sink *sink, uint8_t *held)
{
    memset(s, 0, sizeof *s);
    s->sink = *sink;
    s->held = held;
}

/* ---- escape sequences: part of no text ---- */

static unsigned step(unsigned state, uint8_t c)
{
    switch (state) {
    case NO_ESCAPE:
        return c == ESC ? ESCAPED : NO_ESCAPE;
    case ESCAPED:
        return c == '[' ? CSI : c == ']' || c == 'P' || c == '_' || c == '^' ? STRING : NO_ESCAPE;
    case CSI:
        return c >= 0x40 && c <= 0x7e ? NO_ESCAPE : CSI;
    case STRING:
        return c == 0x07 ? NO_ESCAPE : c == ESC ? STRING_ESC : STRING;
    case STRING_ESC:
    default:
        return NO_ESCAPE;
    }
}

/* ---- handing on: bytes of the caller's as long slices, withheld ones from where they lie ---- */

static void pass_up_to(struct shapes *s, size_t at)
{
    if (at > s->start) {
        s->sink.keep(s->sink.user, s->bytes + s->start, at - s->start);
    }
    s->start = at;
}

static void let_go(struct shapes *s)
{
    if (s->n_held > 0) {
        s->sink.keep(s->sink.user, s->held, s->n_held);
        explicit_bzero(s->held, s->n_held);
        s->n_held = 0;
    }
}

/* The byte at ${at} is not handed on with its slice. */
static void withhold(struct shapes *s, size_t at)
{
    pass_up_to(s, at);
    s->held[s->n_held++] = s->bytes[at];
    s->start = at + 1;
}

static bool is_hidden(uint8_t c)
{
    return c > ' ' && c != '.' && c != 0x7f;
}

static void hide(struct shapes *s, size_t at)
{
    static const uint8_t star = '*';

    if (is_hidden(s->bytes[at])) {
        pass_up_to(s, at);
        s->sink.keep(s->sink.user, &star, 1);
        s->start = at + 1;
    }
}

static void hide_held(struct shapes *s)
{
    unsigned escape = NO_ESCAPE;

    for (size_t i = 0; i < s->n_held; i++) {
        unsigned was = escape;

        escape = step(escape, s->held[i]);
        if (was == NO_ESCAPE && escape == NO_ESCAPE && is_hidden(s->held[i])) {
            s->held[i] = '*';
        }
    }
}

/* ---- the end of a match ---- */

static void forget_match(struct shapes *s)
{
    s->rule = NULL;
    s->members = s->part = s->line = 0;
    s->sure = s->blank = s->upper = s->lower = false;
}

static void be_sure(struct shapes *s)
{
    s->sure = true;
    s->sink.token(s->sink.user, s->rule->kind);
    hide_held(s);
    let_go(s);
    if (s->rule->form == KEY_ID) {
        s->near_key = NEAR_KEY;
        s->named = false;
    }
}

/* Whether what was withheld is a token, now that ${next} follows (0: nothing does). */
static bool is_whole(const struct shapes *s, uint8_t next)
{
    const struct shapes_rule *rule = s->rule;

    if (s->members < rule->least || (rule->most != 0 && s->members > rule->most)) {
        return false;
    }
    switch (rule->form) {
    case KEY_ID:
        return !shapes_rules_word(next);
    case SECRET_KEY:
        /* Not what is hexadecimal, nor a long word. */
        return s->upper && s->lower && !shapes_rules_word(next);
    case JWT:
        return s->part == 2;
    case PLAIN:
    case PEM:
    default:
        return true;
    }
}

static void end_match(struct shapes *s, uint8_t next)
{
    if (!s->sure && is_whole(s, next)) {
        be_sure(s);
    }
    let_go(s);
    forget_match(s);
}

/* ---- one character of a match ---- */

static bool pem_goes_on(struct shapes *s, uint8_t c)
{
    if (c == '\r' || c == '\n') {
        s->line = 0;
        return true;
    }
    return s->members < s->rule->most && ++s->line <= PEM_LINE && c >= ' ' && c < 0x7f &&
           (c != '-' || s->line > 1);
}

static bool jwt_goes_on(struct shapes *s, uint8_t c)
{
    static const char second[] = "eyJ";

    if (c == '.' && s->part < 2 && s->members >= s->rule->least) {
        s->part++;
        s->members = 0;
        return true;
    }
    return shapes_rules_member(s->rule->members, c) &&
           (s->part != 1 || s->members >= 3 || c == (uint8_t)second[s->members]);
}

static bool goes_on(struct shapes *s, uint8_t c)
{
    switch (s->rule->form) {
    case PEM:
        return pem_goes_on(s, c);
    case JWT:
        return jwt_goes_on(s, c);
    case SECRET_KEY:
        if (s->rule == &shapes_secret_key && s->members == shapes_secret_key.most &&
            shapes_rules_member(BASE64, c)) {
            s->rule = &shapes_session_token;
        }
        return shapes_rules_member(BASE64, c);
    case PLAIN:
    case KEY_ID:
    default:
        return shapes_rules_member(s->rule->members, c);
    }
}

/* Enough to know: without an upper bound, so many characters are a token whatever follows. */
static bool is_enough(const struct shapes *s)
{
    switch (s->rule->form) {
    case PEM:
        return s->members >= PEM_SURE;
    case JWT:
        return s->part == 2 && s->members >= s->rule->least;
    case SECRET_KEY:
        return s->rule->most == 0 && s->members >= s->rule->least && s->upper && s->lower;
    case PLAIN:
    case KEY_ID:
    default:
        return s->rule->most == 0 && s->members >= s->rule->least;
    }
}

static void member(struct shapes *s, size_t at)
{
    uint8_t c = s->bytes[at];

    s->members += is_hidden(c);
    s->upper = s->upper || (c >= 'A' && c <= 'Z');
    s->lower = s->lower || (c >= 'a' && c <= 'z');
    if (s->sure) {
        hide(s, at);
    } else if (s->n_held == SHAPES_MAX) {
        end_match(s, c);
    } else {
        withhold(s, at);
        if (is_enough(s)) {
            be_sure(s);
        }
    }
}

/* ---- where one begins ---- */

static void note(struct shapes *s, uint8_t c)
{
    memmove(s->last, s->last + 1, LAST - 1);
    s->last[LAST - 1] = c;
}

/* A character that belongs to no match. */
static void plain(struct shapes *s, size_t at)
{
    uint8_t c = s->bytes[at];

    if (s->near_key > 0 && !s->word && shapes_rules_member(BASE64, c) && c != '=') {
        /* Perhaps the first of a key: it has to be withheld with the rest. */
        s->near_key--;
        s->rule = &shapes_secret_key;
        s->word = true;
        note(s, c);
        member(s, at);
        return;
    }
    s->near_key -= s->near_key > 0;
    s->word = shapes_rules_word(c);
    note(s, c);
    s->rule = shapes_rules_begins(s);
    if (s->rule == NULL && shapes_rules_named(s)) {
        s->near_key = NAMED_KEY;
        s->named = true;
    }
}

static void text(struct shapes *s, size_t at)
{
    uint8_t c = s->bytes[at];

    if (s->rule == NULL) {
        plain(s, at);
        return;
    }
    /* At the right edge a shell's line editor writes a blank and "\r" behind a character. */
    if (s->rule->form != PEM && ((c == ' ' && !s->blank) || (c == '\r' && s->blank))) {
        s->blank = c == ' ';
        member(s, at);
        return;
    }
    if (!s->blank && goes_on(s, c)) {
        s->word = true;
        note(s, c);
        member(s, at);
        return;
    }
    s->word = false;
    end_match(s, s->blank ? ' ' : c);
    plain(s, at);
}

/* ---- the stream ---- */

/* How many bytes begin nothing: at each that a prefix or a name may end with, the two before it
 * have to fit.  Where they are not at hand, what is known of them is. */
static size_t uneventful(const struct shapes *s, const uint8_t *p, size_t len)
{
    size_t i = 0;

    if (s->rule != NULL || s->escape != NO_ESCAPE || s->near_key > 0) {
        return 0;
    }
    for (;;) {
        while (i + 4 <= len && !(shapes_rules_stop[p[i]] | shapes_rules_stop[p[i + 1]] |
                                 shapes_rules_stop[p[i + 2]] | shapes_rules_stop[p[i + 3]])) {
            i += 4;
        }
        while (i < len && !shapes_rules_stop[p[i]]) {
            i++;
        }
        if (i == len || p[i] == ESC || i < 2 || shapes_rules_fits(p[i - 2], p[i - 1], p[i])) {
            return i;
        }
        i++;
    }
}

static void note_all(struct shapes *s, const uint8_t *p, size_t len)
{
    size_t n = len < LAST ? len : LAST;

    memmove(s->last, s->last + n, LAST - n);
    memcpy(s->last + LAST - n, p + len - n, n);
    s->word = shapes_rules_word(p[len - 1]);
}

static void in_escape(struct shapes *s, size_t at)
{
    s->escape = step(s->escape, s->bytes[at]);
    if (s->n_held == SHAPES_MAX) {
        end_match(s, 0);
    } else if (s->n_held > 0) {
        withhold(s, at);
    }
}

void shapes_put(struct shapes *s, const uint8_t *bytes, size_t len)
{
    s->bytes = bytes;
    s->start = 0;
    for (size_t i = 0; i < len;) {
        size_t n = uneventful(s, bytes + i, len - i);

        if (n > 0) {
            note_all(s, bytes + i, n);
            i += n;
        } else if (s->escape != NO_ESCAPE || bytes[i] == ESC) {
            in_escape(s, i++);
        } else {
            text(s, i++);
        }
    }
    pass_up_to(s, len);
    s->bytes = NULL;
}

bool shapes_waiting(const struct shapes *s)
{
    return s->n_held > 0;
}

void shapes_flush(struct shapes *s)
{
    s->start = 0;
    if (s->rule != NULL && !s->sure) {
        end_match(s, 0);
    }
}
