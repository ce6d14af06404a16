/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/shapes_match.h"

#include <string.h>

#include "recorder/shapes_lex.h"
#include "recorder/shapes_rules.h"

#define PEM_RUN    24U  /* characters of base64 that are a key's */
#define PEM_SHORT  8U   /* ... if its end follows */
#define PEM_STRAY  160U /* characters without such a run: it was over */
#define PEM_BEFORE 512U /* ... before the first */
#define JWT_LONG   256U /* of a second part: one like it is no accident */
#define DASHES     5U
#define SKIP_MAX   3U  /* characters that an editor need not draw again, for they stand there */
#define CUT_MIN    8U  /* characters of a token that is cut off at the edge */
#define CUT_KEY    16U /* ... of one without a prefix */

bool shapes_match_hides(const struct shapes_match *m, uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '.' && !(m->rule->form == PEM && c == '-');
}

/* ---- a private key in PEM ---- */

/* Lines' ends and their escapes do not interrupt base64; words with blanks between do. */
static void pem_run(struct shapes_match *m, uint8_t c)
{
    if (c == '\r' || c == '\n') {
        m->on_line = m->gap = false;
    } else if (c == ' ' || c == '\t') {
        m->gap = m->on_line;
    } else if (shapes_rules_member(BASE64, c)) {
        m->run = m->gap || (m->padded && c != '=') ? 1 : m->run + 1;
        m->gap = false;
        m->padded = c == '=';
        m->on_line = true;
    } else if (c > ' ' && c < 0x7f && memchr("\\\"',.-", c, 6) == NULL) {
        m->run = 0;
        m->on_line = true;
    }
}

static bool pem_take(struct shapes_match *m, uint8_t c)
{
    if (c == '-' && m->members == 0 && m->part < DASHES - 1) {
        m->part++; /* of its first line */
        return true;
    }
    m->dashes = c == '-' ? m->dashes + 1 : 0;
    if (m->dashes == DASHES) {
        return false;
    }
    pem_run(m, c);
    if (m->run >= PEM_RUN) {
        m->stray = 0;
    } else {
        m->stray += c > ' ' && c < 0x7f;
    }
    m->members += c > ' ' && c < 0x7f;
    return !shapes_match_spent(m);
}

bool shapes_match_spent(const struct shapes_match *m)
{
    return m->rule->form == PEM && m->dashes < DASHES &&
           (m->members > m->rule->most || m->stray > (m->sure ? PEM_STRAY : PEM_BEFORE));
}

/* ---- the others ---- */

static void count(struct shapes_match *m, uint8_t c)
{
    m->members += c != '.';
    m->upper = m->upper || (c >= 'A' && c <= 'Z');
    m->lower = m->lower || (c >= 'a' && c <= 'z');
    m->digit = m->digit || (c >= '0' && c <= '9');
}

static bool jwt_take(struct shapes_match *m, uint8_t c)
{
    static const char second[] = "eyJ";

    if (c == '.') {
        bool empty = m->part == 1 && m->members == 0; /* of a JWE with a key agreed upon */

        if (m->part == 4 || (!empty && m->members < m->rule->least)) {
            return false;
        }
        m->object = m->part == 1 ? m->object && !empty : m->object;
        m->part++;
        m->members = 0;
        return true;
    }
    if (!shapes_rules_member(BASE64URL, c)) {
        return false;
    }
    if (m->part == 1 && m->members < 3) {
        m->object = (m->members == 0 || m->object) && c == (uint8_t)second[m->members];
    }
    count(m, c);
    return true;
}

static bool base64_take(struct shapes_match *m, uint8_t c)
{
    if (!shapes_rules_member(BASE64, c) || (m->padded && c != '=')) {
        return false;
    }
    m->padded = c == '=';
    if (m->rule == &shapes_secret_key && m->members == shapes_secret_key.most + m->doubled) {
        m->rule = &shapes_session_token;
    }
    count(m, c);
    return true;
}

bool shapes_match_take(struct shapes_match *m, uint8_t c)
{
    const char *literal = m->rule->literal;

    if (literal != NULL && literal[m->literal] != '\0') {
        return c == (uint8_t)literal[m->literal++];
    }
    switch (m->rule->form) {
    case PEM:
        return pem_take(m, c);
    case JWT:
        return jwt_take(m, c);
    case SECRET_KEY:
    case PEM_REST:
        return base64_take(m, c);
    case PLAIN:
    case MIXED:
    case KEY_ID:
    default:
        if (!shapes_rules_member(m->rule->members, c)) {
            return false;
        }
        count(m, c);
        return true;
    }
}

void shapes_match_repeat(struct shapes_match *m, unsigned n)
{
    n = n < 1024 ? n : 1024;
    m->members += n;
    m->run += m->rule->form == PEM && m->run > 0 ? n : 0;
}

bool shapes_match_skip(struct shapes_match *m, unsigned n)
{
    if (m->rule->form == SECRET_KEY || m->rule->form == PEM_REST || n > SKIP_MAX ||
        m->members == 0) {
        return m->rule->form == PEM;
    }
    shapes_match_repeat(m, n);
    return true;
}

bool shapes_match_erase(struct shapes_match *m)
{
    if (m->rule->form == PEM) {
        m->run -= m->run > 0;
        m->dashes = 0;
        return true;
    }
    if (m->members == 0) {
        return false;
    }
    m->members--;
    return true;
}

/* ---- what it is ---- */

static unsigned without_double(const struct shapes_match *m)
{
    return m->members - (m->doubled && m->members > m->rule->most);
}

static bool fits(const struct shapes_match *m)
{
    return m->members >= m->rule->least &&
           (m->rule->most == 0 || without_double(m) <= m->rule->most);
}

static bool mixed(const struct shapes_match *m)
{
    return m->upper && m->lower && m->digit;
}

bool shapes_match_enough(const struct shapes_match *m)
{
    switch (m->rule->form) {
    case PEM:
        return m->run >= PEM_RUN;
    case JWT:
        return (m->members >= m->rule->least && ((m->part == 2 && m->object) || m->part == 4)) ||
               (m->part == 1 && m->object && m->members >= JWT_LONG);
    case SECRET_KEY:
        return m->rule->most == 0 && fits(m) && m->upper && m->lower;
    case MIXED:
    case PEM_REST:
        return m->rule->most == 0 && fits(m) && mixed(m);
    case PLAIN:
    case KEY_ID:
    default:
        return m->rule->most == 0 && fits(m);
    }
}

static bool whole_if_cut(const struct shapes_match *m)
{
    switch (m->rule->form) {
    case PLAIN:
    case KEY_ID:
        return m->members >= CUT_MIN;
    case MIXED:
        return m->members >= CUT_MIN && mixed(m);
    case SECRET_KEY:
        return m->members >= CUT_KEY && m->members <= m->rule->least && mixed(m);
    case JWT:
        return m->part > 1 || (m->part == 1 && m->object && m->members >= CUT_MIN);
    default:
        return false;
    }
}

bool shapes_match_whole(const struct shapes_match *m, uint8_t next)
{
    if (m->cut && whole_if_cut(m)) {
        return true;
    }
    switch (m->rule->form) {
    case KEY_ID:
        return fits(m) && !shapes_rules_word(next);
    case SECRET_KEY:
        /* Not what is hexadecimal, nor a long word. */
        return fits(m) && m->upper && m->lower && !m->padded && !shapes_rules_word(next);
    case PEM:
        return m->dashes == DASHES && m->run >= PEM_SHORT;
    case MIXED:
        return fits(m) && mixed(m) && (m->rule->most == 0 || !shapes_rules_word(next));
    case PLAIN:
        return fits(m) && (m->rule->most == 0 || !shapes_rules_word(next));
    case JWT:
    case PEM_REST:
    default:
        return shapes_match_enough(m);
    }
}

bool shapes_match_crosses(const struct shapes_match *m, const struct shapes_end *end)
{
    bool named = m->rule->form == SECRET_KEY || m->rule->form == PEM_REST, whole;
    /* Within a window that does not begin at the terminal's left edge nobody knows the right one.
     */
    bool window = !end->newline && end->col > 0 &&
                  (end->col == LEX_UNKNOWN || m->col == LEX_UNKNOWN || end->col <= m->col);

    if (m->rule->form == PEM) {
        return true;
    }
    whole = m->sure || fits(m);
    if ((end->erased && whole) || m->members + m->part == 0) {
        return false;
    }
    if (m->rule->most != 0 && whole && m->rule->form != SECRET_KEY) {
        return false;
    }
    if (end->edge || window) {
        return true;
    }
    return !whole && m->rule->form != PEM_REST && (!named || m->members < shapes_secret_key.least);
}

/* ---- the newest characters ---- */

static void shift(uint8_t *last, size_t n)
{
    memmove(last + n, last, SHAPES_LAST - n);
    memset(last, 0, n);
}

/* A blank and "\r" before a character are how a line editor goes over the right edge. */
void shapes_text_note(struct shapes_text *t, uint8_t c)
{
    uint8_t *last = t->last, before = last[SHAPES_LAST - 1];

    if (c == '\b' || c == 0x7f) {
        shift(last, 1);
        return;
    }
    if (before == '\r' && last[SHAPES_LAST - 2] == ' ' && c != '\r' && c != '\n') {
        shift(last, 2);
    }
    memmove(last, last + 1, SHAPES_LAST - 1);
    last[SHAPES_LAST - 1] = c;
}

bool shapes_text_sure(const struct shapes_text *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (t->match[i].sure) {
            return true;
        }
    }
    return false;
}
