/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/shapes.h"

#include <string.h>

#include "recorder/shapes_impl.h"

void shapes_open(struct shapes *s, const struct shapes_sink *sink)
{
    memset(s, 0, sizeof *s);
    s->sink = *sink;
    s->lex.col = LEX_UNKNOWN;
}

void shapes_width(struct shapes *s, unsigned cols)
{
    s->width = cols;
}

/* ---- escape sequences ---- */

/* An editor writes the last character of a row twice, for the terminal to know of the wrap. */
static bool doubled(const struct shapes *s, uint32_t col)
{
    const uint8_t *last = s->outer.last + SHAPES_LAST;

    return last[-1] == last[-2] && col != LEX_UNKNOWN && col > 1 && shapes_text_at_edge(s, col - 1);
}

/* The cursor went to a row below, from ${col}. */
static void went_down(struct shapes *s, uint32_t col)
{
    struct shapes_text *t = &s->outer;
    bool twice = doubled(s, col);
    struct shapes_end end = {.edge =
                                 t->gap == GAP_CR ? t->edge : shapes_text_at_edge(s, col) || twice,
                             .full = t->gap == GAP_CR ? t->full : shapes_text_full(s, col) || twice,
                             .erased = t->erased,
                             .col = s->lex.col};

    if (t->gap == GAP_BLANK || t->gap == GAP_BLANK_CR) {
        shapes_hold_end_all(s, t, ' ', false);
    }
    for (unsigned i = 0; i < t->n; i++) {
        t->match[i].doubled = t->match[i].doubled || twice;
    }
    shapes_text_cross(s, t, &end);
    shapes_hold_take(s, t, '\n', true);
    if (twice) {
        shapes_text_note(t, '\b'); /* a prefix may go on */
    }
    if (!end.edge || end.erased) {
        shapes_text_note(t, '\n');
    }
}

static void went_away(struct shapes *s, bool all)
{
    if (!s->outer.crossed || all) { /* else it is still on the way to the next row's text */
        shapes_hold_end_all(s, &s->outer, 0, all);
    }
    shapes_hold_take(s, &s->outer, '\n', true);
    s->outer.gap = GAP_NONE;
    shapes_text_note(&s->outer, '\n');
}

static void went_right(struct shapes *s)
{
    struct shapes_text *t = &s->outer;

    if (t->n == 0 || t->gap != GAP_NONE || t->erased || t->crossed) {
        went_away(s, false);
        return;
    }
    for (unsigned i = 0; i < t->n; i++) {
        t->match[i].over = !shapes_match_skip(&t->match[i], s->lex.repeat);
    }
    shapes_hold_end(s, t, 0);
    shapes_text_note(t, '\n');
}

static void repeat(struct shapes *s)
{
    for (unsigned i = 0; i < s->outer.n; i++) {
        shapes_match_repeat(&s->outer.match[i], s->lex.repeat);
    }
    shapes_text_look(s, &s->outer);
}

static void begin_string(struct shapes *s)
{
    shapes_hold_end_all(s, &s->inner, 0, true);
    memset(&s->inner, 0, sizeof s->inner);
}

static void of_string(struct shapes *s, size_t at)
{
    uint8_t c = s->bytes[at];
    int decoded = shapes_lex_clipboard(&s->lex, c, &c);

    if (decoded < 0) {
        shapes_hold_put(s, &s->inner, at, OF_ENCODED);
    } else {
        shapes_text_put(s, &s->inner, at, c, decoded > 0 ? OF_ENCODED : OF_INNER);
    }
}

static void in_escape(struct shapes *s, size_t at, enum shapes_lex_kind kind, uint32_t col)
{
    switch (kind) {
    case LEX_BEGIN:
        begin_string(s);
        break;
    case LEX_ERASE:
        s->outer.erased = true;
        break;
    case LEX_DOWN:
        went_down(s, col);
        break;
    case LEX_RIGHT:
        went_right(s);
        break;
    case LEX_AWAY:
    case LEX_EDGE:
        went_away(s, kind == LEX_EDGE);
        break;
    case LEX_REPEAT:
        repeat(s);
        break;
    default:
        break;
    }
    shapes_hold_put(s, NULL, at, OF_NONE);
}

static void one_byte(struct shapes *s, size_t at)
{
    bool in_string = shapes_lex_in_string(&s->lex);
    uint32_t col = s->lex.col;
    enum shapes_lex_kind kind = shapes_lex_step(&s->lex, s->bytes[at]);

    if (in_string && !shapes_lex_in_string(&s->lex)) {
        shapes_hold_end_all(s, &s->inner, 0, true);
    }
    if (kind == LEX_TEXT) {
        shapes_text_put(s, &s->outer, at, s->bytes[at], OF_OUTER);
        shapes_lex_column(&s->lex, s->bytes[at]);
    } else if (kind == LEX_STRING) {
        of_string(s, at);
    } else {
        in_escape(s, at, kind, col);
    }
    if (s->width == 0) {
        s->lex.row = 0; /* then nobody follows it elsewhere either */
        s->lex.col = LEX_UNKNOWN;
    }
}

/* ---- the stream ---- */

/* Whether a prefix or a name may end with byte ${i}. */
static bool eventful(const struct shapes *s, const uint8_t *p, size_t i)
{
    const uint8_t *last = s->outer.last + SHAPES_LAST;

    if (i >= 2) {
        return (shapes_rules_stop[p[i]] & (shapes_rules_before[p[i - 1]] | SHAPES_RULES_ALWAYS)) &&
               shapes_rules_fits(p[i - 2], p[i - 1], p[i]);
    }
    /* A blank and "\r" may count as nothing, depending on what follows. */
    return last[-1] == '\r' || (i == 1 && p[0] == '\r') ||
           shapes_rules_fits(i == 0 ? last[-2] : last[-1], i == 0 ? last[-1] : p[0], p[i]);
}

/* How many bytes begin nothing: at each that a prefix or a name may end with, the two before it
 * have to fit. */
static size_t uneventful(const struct shapes *s, const uint8_t *p, size_t len)
{
    size_t i = 0;

    if (s->outer.n + s->inner.n > 0 || s->outer.near_key > 0 || s->outer.near_pem > 0 ||
        !shapes_lex_ground(&s->lex)) {
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
        if (i == len || eventful(s, p, i)) {
            return i;
        }
        i++;
    }
}

static void follow_column(struct shapes *s, const uint8_t *p, size_t len)
{
    const uint8_t *row = memrchr(p, '\r', len);

    if (s->lex.row > 0 && memchr(p, '\n', len) != NULL) {
        s->lex.row = 0;
    }
    for (size_t i = row != NULL ? (size_t)(row - p) : 0; i < len; i++) {
        if (p[i] > ' ' && p[i] < 0x7f && s->lex.col < LEX_UNKNOWN / 2) {
            s->lex.col++;
        } else {
            shapes_lex_column(&s->lex, p[i]);
        }
    }
}

static void note_all(struct shapes *s, const uint8_t *p, size_t len)
{
    size_t n = len - 1 < SHAPES_LAST ? len - 1 : SHAPES_LAST;

    shapes_text_note(&s->outer, p[0]);
    memmove(s->outer.last, s->outer.last + n, SHAPES_LAST - n);
    memcpy(s->outer.last + SHAPES_LAST - n, p + len - n, n);
    if (s->width > 0) {
        follow_column(s, p, len);
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
        } else {
            one_byte(s, i++);
        }
    }
    shapes_hold_pass(s, len);
    s->bytes = NULL;
    shapes_hold_release(s, shapes_hold_undecided(s));
}

bool shapes_waiting(const struct shapes *s)
{
    return s->n_held > 0;
}

static void flush_text(struct shapes *s, struct shapes_text *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (!t->match[i].sure && shapes_match_whole(&t->match[i], 0)) {
            bool exact = t->match[i].rule->most != 0;

            shapes_hold_sure(s, t, i);
            if (exact) {
                shapes_hold_forget(t, 0);
            }
            return;
        }
    }
}

void shapes_flush(struct shapes *s)
{
    flush_text(s, &s->outer);
    flush_text(s, &s->inner);
    shapes_hold_release(s, s->n_held);
}
