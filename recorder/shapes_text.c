/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "recorder/shapes_impl.h"

#define NAMED_KEY 64U

/* ---- where one begins ---- */

static unsigned least_likely(const struct shapes_text *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (t->match[i].rule->form == SECRET_KEY) {
            return i;
        }
    }
    return 0;
}

static struct shapes_match *begin(struct shapes *s, struct shapes_text *t,
                                  const struct shapes_rule *rule)
{
    struct shapes_match *m;

    if (t->n == SHAPES_AT_ONCE) {
        shapes_hold_forget(t, least_likely(t));
    }
    m = &t->match[t->n++];
    memset(m, 0, sizeof *m);
    m->rule = rule;
    m->from = s->n_held;
    m->col = t == &s->outer ? s->lex.col : LEX_UNKNOWN;
    t->erased = t->crossed = false;
    return m;
}

static bool runs(const struct shapes_text *t, enum form form)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (t->match[i].rule->form == form) {
            return true;
        }
    }
    return false;
}

/* Perhaps the first of a key: it has to be withheld with the rest. */
static void begin_word(struct shapes *s, struct shapes_text *t, uint8_t c)
{
    if ((t->near_key == 0 && t->near_pem == 0) || shapes_text_sure(t) || c == '=' ||
        !shapes_rules_member(BASE64, c) || !shapes_rules_at_word(t)) {
        return;
    }
    if (t->near_key > 0) {
        (void)shapes_match_take(begin(s, t, &shapes_secret_key), c);
    }
    if (t->near_pem > 0 && !runs(t, PEM_REST)) {
        (void)shapes_match_take(begin(s, t, &shapes_pem_rest), c);
    }
}

static void begin_behind(struct shapes *s, struct shapes_text *t, uint8_t c)
{
    const struct shapes_rule *rule = NULL;

    shapes_text_note(t, c);
    t->near_key -= t->near_key > 0;
    t->near_pem -= t->near_pem > 0;
    if (!shapes_rules_stop[c] || shapes_text_sure(t)) {
        return;
    }
    while ((rule = shapes_rules_next(t, rule)) != NULL) {
        (void)begin(s, t, rule);
    }
    if (t->near_key < NAMED_KEY && shapes_rules_named(t)) {
        t->near_key = NAMED_KEY;
    }
}

void shapes_text_look(struct shapes *s, struct shapes_text *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        struct shapes_match *m = &t->match[i];

        if (m->literal > 0 && m->members == 0) {
            m->from = s->n_held;
        }
        if (!m->sure && shapes_match_enough(m)) {
            shapes_hold_sure(s, t, i);
            return;
        }
    }
}

static void character(struct shapes *s, struct shapes_text *t, size_t at, uint8_t c, uint8_t of)
{
    t->erased = t->crossed = false;
    shapes_hold_take(s, t, c, false);
    begin_word(s, t, c);
    shapes_hold_put(s, t, at, of);
    shapes_text_look(s, t);
    begin_behind(s, t, c);
}

/* ---- rows' ends, and what else may stand within a token ---- */

bool shapes_text_at_edge(const struct shapes *s, uint32_t col)
{
    return s->width > 0 && col != LEX_UNKNOWN && col > 0 && col % s->width == 0;
}

bool shapes_text_full(const struct shapes *s, uint32_t col)
{
    return shapes_text_at_edge(s, col) ||
           (col != LEX_UNKNOWN && col > 1 && shapes_text_at_edge(s, col + 1));
}

void shapes_text_cross(struct shapes *s, struct shapes_text *t, const struct shapes_end *end)
{
    for (unsigned i = 0; i < t->n; i++) {
        t->match[i].over = !shapes_match_crosses(&t->match[i], end);
        t->match[i].cut = t->match[i].cut || (end->full && !end->erased);
    }
    shapes_hold_end(s, t, 0);
    for (unsigned i = 0; i < t->n; i++) {
        struct shapes_match *m = &t->match[i];

        if (!m->sure && m->rule->form == SECRET_KEY && m->members == m->rule->most &&
            shapes_match_whole(m, 0)) {
            shapes_hold_sure(s, t, i);
            break;
        }
    }
    t->gap = GAP_NONE;
    t->erased = false;
    t->crossed = true;
}

/* A control, or a blank, that may stand within a token. */
static void between(struct shapes *s, struct shapes_text *t, size_t at, uint8_t c, uint8_t of)
{
    shapes_hold_take(s, t, c, true);
    shapes_hold_put(s, t, at, of);
    begin_behind(s, t, c);
}

static void erase(struct shapes *s, struct shapes_text *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        t->match[i].over = !shapes_match_erase(&t->match[i]);
    }
    shapes_hold_end(s, t, 0);
}

enum step { STEP_CHARACTER, STEP_BETWEEN, STEP_NEWLINE, STEP_BREAK, STEP_CONTROL, STEP_ERASE };

/* At the right edge a line editor writes a blank and "\r", a pager a blank and "\b". */
static enum step blank_or_control(struct shapes *s, struct shapes_text *t, uint8_t c)
{
    enum shapes_gap gap = t->gap;

    switch (c) {
    case ' ':
        t->gap = GAP_BLANK;
        return gap == GAP_NONE ? STEP_BETWEEN : STEP_BREAK;
    case '\b':
        t->gap = gap == GAP_BLANK ? GAP_NONE : gap;
        return gap == GAP_BLANK ? STEP_BETWEEN : gap == GAP_NONE ? STEP_ERASE : STEP_BREAK;
    case 0x7f:
        return gap == GAP_NONE ? STEP_ERASE : STEP_BREAK;
    case '\r':
        if (t->crossed && gap == GAP_NONE) {
            return STEP_BETWEEN;
        }
        t->full = gap == GAP_NONE ? shapes_text_full(s, s->lex.col) : t->full;
        t->edge = gap == GAP_NONE ? shapes_text_at_edge(s, s->lex.col) : t->edge;
        t->gap = gap == GAP_NONE ? GAP_CR : gap == GAP_BLANK ? GAP_BLANK_CR : gap;
        return STEP_BETWEEN;
    case '\n':
        return gap == GAP_NONE || gap == GAP_CR ? STEP_NEWLINE : STEP_BREAK;
    case 0x00:
    case 0x07:
    case 0x0e:
    case 0x0f:
        return STEP_BETWEEN;
    default:
        return gap == GAP_NONE ? STEP_CONTROL : STEP_BREAK;
    }
}

static enum step step_of(struct shapes *s, struct shapes_text *t, uint8_t c)
{
    if (t->n == 0) {
        t->gap = GAP_NONE;
        return STEP_CHARACTER;
    }
    if (c <= ' ' || c == 0x7f) {
        return blank_or_control(s, t, c);
    }
    if (t->gap == GAP_BLANK_CR) {
        t->gap = GAP_NONE;
    }
    return t->gap == GAP_NONE ? STEP_CHARACTER : STEP_BREAK;
}

void shapes_text_put(struct shapes *s, struct shapes_text *t, size_t at, uint8_t c, uint8_t of)
{
    enum step step = step_of(s, t, c);
    struct shapes_end end = {.newline = true, .erased = t->erased, .col = LEX_UNKNOWN};

    if (step == STEP_BREAK) {
        shapes_hold_end_all(s, t, ' ', false);
        t->gap = GAP_NONE;
        step = step_of(s, t, c);
    }
    switch (step) {
    case STEP_NEWLINE:
        end.edge = t->gap == GAP_CR ? t->edge : shapes_text_at_edge(s, s->lex.col);
        end.full = t->gap == GAP_CR ? t->full : shapes_text_full(s, s->lex.col);
        shapes_text_cross(s, t, &end);
        between(s, t, at, c, of);
        break;
    case STEP_CONTROL:
        shapes_hold_end_all(s, t, ' ', false);
        between(s, t, at, c, of);
        break;
    case STEP_ERASE:
        erase(s, t);
        between(s, t, at, c, of);
        break;
    case STEP_BETWEEN:
        between(s, t, at, c, of);
        break;
    default:
        character(s, t, at, c, of);
        break;
    }
}
