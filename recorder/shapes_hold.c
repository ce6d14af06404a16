/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "recorder/shapes_impl.h"

#define NEAR_KEY 512U
#define NEAR_PEM 8192U

/* ---- handing on: bytes of the caller's as long slices, withheld ones from where they lie ---- */

void shapes_hold_pass(struct shapes *s, size_t at)
{
    if (at > s->start) {
        s->sink.keep(s->sink.user, s->bytes + s->start, at - s->start);
    }
    s->start = at;
}

static void shift_matches(struct shapes_text *t, size_t n)
{
    for (unsigned i = 0; i < t->n; i++) {
        t->match[i].from -= t->match[i].from < n ? t->match[i].from : n;
    }
}

/* The oldest ${n} of the withheld bytes go. */
void shapes_hold_release(struct shapes *s, size_t n)
{
    if (n == 0) {
        return;
    }
    s->sink.keep(s->sink.user, s->held, n);
    memmove(s->held, s->held + n, s->n_held - n);
    memmove(s->of, s->of + n, s->n_held - n);
    explicit_bzero(s->held + s->n_held - n, n);
    s->n_held -= n;
    shift_matches(&s->outer, n);
    shift_matches(&s->inner, n);
}

static size_t undecided_of(const struct shapes_text *t, size_t from)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (!t->match[i].sure && t->match[i].from < from) {
            from = t->match[i].from;
        }
    }
    return from;
}

/* Where among the withheld bytes those begin that may yet be hidden. */
size_t shapes_hold_undecided(const struct shapes *s)
{
    return undecided_of(&s->inner, undecided_of(&s->outer, s->n_held));
}

static bool hides(const struct shapes_match *m, uint8_t c, uint8_t of)
{
    return of == OF_ENCODED ? c > ' ' && c < 0x7f : shapes_match_hides(m, c);
}

static void hide_held(struct shapes *s, const struct shapes_text *t, const struct shapes_match *m)
{
    for (size_t i = m->from; i < s->n_held; i++) {
        if (s->of[i] != OF_NONE && (s->of[i] == OF_OUTER) == (t == &s->outer) &&
            hides(m, s->held[i], s->of[i])) {
            s->held[i] = '*';
        }
    }
}

/* ---- a match ends ---- */

void shapes_hold_forget(struct shapes_text *t, unsigned i)
{
    memmove(&t->match[i], &t->match[i + 1], (t->n - i - 1) * sizeof t->match[0]);
    t->n--;
}

/* Match ${i} comes first, and the others go, but JWTs, whose parts look like other keys. */
static void put_first(struct shapes_text *t, unsigned i)
{
    struct shapes_match first = t->match[i];
    unsigned n = 1;

    for (unsigned k = 0; k < t->n && first.rule->form != JWT; k++) {
        if (k != i && t->match[k].rule->form == JWT) {
            struct shapes_match jwt = t->match[k];

            t->match[k] = t->match[n];
            t->match[n++] = jwt;
        }
    }
    t->match[0] = first;
    t->n = n;
}

void shapes_hold_sure(struct shapes *s, struct shapes_text *t, unsigned i)
{
    struct shapes_match *m = &t->match[0];
    size_t first;

    put_first(t, i);
    m->sure = true;
    first = shapes_hold_undecided(s);
    shapes_hold_release(s, first < m->from ? first : m->from);
    s->sink.token(s->sink.user, m->rule->kind);
    hide_held(s, t, m);
    if (m->rule->form == KEY_ID) {
        t->near_key = NEAR_KEY;
    } else if (m->rule->form == PEM_REST) {
        m->rule = &shapes_pem;
        m->run = m->members;
    }
}

static void end_one(struct shapes *s, struct shapes_text *t, unsigned i, uint8_t next)
{
    if (!t->match[i].sure && shapes_match_whole(&t->match[i], next)) {
        shapes_hold_sure(s, t, i);
        i = 0;
    }
    if (t->match[i].sure && t->match[i].rule->form == PEM &&
        t->match[i].members <= t->match[i].rule->most &&
        (next == 0 || shapes_match_spent(&t->match[i]))) {
        t->near_pem = NEAR_PEM;
    }
    shapes_hold_forget(t, i);
    if (s->outer.n + s->inner.n == 0) {
        shapes_hold_release(s, s->n_held);
    }
}

void shapes_hold_end(struct shapes *s, struct shapes_text *t, uint8_t next)
{
    for (unsigned i = 0; i < t->n;) {
        if (t->match[i].over) {
            end_one(s, t, i, next);
            i = 0;
        } else {
            i++;
        }
    }
}

void shapes_hold_end_all(struct shapes *s, struct shapes_text *t, uint8_t next, bool all)
{
    for (unsigned i = 0; i < t->n; i++) {
        t->match[i].over = all || t->match[i].rule->form != PEM;
    }
    shapes_hold_end(s, t, next);
}

/* No room: the oldest one has to be decided. */
static void make_room(struct shapes *s)
{
    while (s->n_held == SHAPES_MAX) {
        struct shapes_text *t = undecided_of(&s->outer, SHAPES_MAX) == 0 ? &s->outer : &s->inner;
        unsigned i = 0;

        if (shapes_hold_undecided(s) > 0) {
            shapes_hold_release(s, shapes_hold_undecided(s));
            return;
        }
        while (t->match[i].sure || t->match[i].from > 0) {
            i++;
        }
        if (t->match[i].rule->form == JWT && t->match[i].part > 0) {
            shapes_hold_sure(s, t, i);
        } else {
            end_one(s, t, i, 0);
        }
    }
}

/* ---- one byte ---- */

/* Of ${t} (NULL: of none), handed on with its slice while nothing is withheld. */
void shapes_hold_put(struct shapes *s, const struct shapes_text *t, size_t at, uint8_t of)
{
    if (s->outer.n + s->inner.n == 0) {
        return; /* then nothing is */
    }
    make_room(s);
    if (s->outer.n + s->inner.n == 0) {
        return;
    }
    shapes_hold_pass(s, at);
    s->start = at + 1;
    s->held[s->n_held] = s->bytes[at];
    s->of[s->n_held++] = of;
    if (t != NULL && t->n > 0 && t->match[0].sure && hides(&t->match[0], s->bytes[at], of)) {
        s->held[s->n_held - 1] = '*';
        s->of[s->n_held - 1] = OF_NONE;
    }
}

void shapes_hold_take(struct shapes *s, struct shapes_text *t, uint8_t c, bool pem_alone)
{
    for (unsigned i = 0; i < t->n; i++) {
        struct shapes_match *m = &t->match[i];

        m->cut = m->cut || (t == &s->outer && s->width > 0 && s->lex.col != LEX_UNKNOWN &&
                            s->lex.col % s->width == s->width - 1);
        m->over = (!pem_alone || m->rule->form == PEM) && !shapes_match_take(m, c);
    }
    shapes_hold_end(s, t, c);
}
