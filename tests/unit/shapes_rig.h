/* SPDX-License-Identifier: Apache-2.0 */
/* A stream through the filter, whole or cut, and what comes out of it. */
#ifndef TTYTRAIL_TESTS_SHAPES_RIG_H
#define TTYTRAIL_TESTS_SHAPES_RIG_H

#include "check.h"
#include "recorder/shapes.h"

#define OUT   131072
#define WIDTH 40

struct out {
    char text[OUT];
    size_t len;
    char kinds[512];
};

static void on_keep(void *user, const uint8_t *bytes, size_t len)
{
    struct out *o = user;

    assert_true(len > 0 && o->len + len < OUT);
    memcpy(o->text + o->len, bytes, len);
    o->len += len;
}

static void on_token(void *user, const char *kind)
{
    struct out *o = user;
    size_t n = strlen(o->kinds);

    (void)snprintf(o->kinds + n, sizeof o->kinds - n, "%s%s", n > 0 ? " " : "", kind);
}

/* ${cut}: the first piece's length, or a seed for random pieces. */
static void run(const char *text, size_t len, size_t cut, uint64_t seed, struct out *o)
{
    struct shapes_sink sink = {o, on_keep, on_token};
    struct shapes s;
    size_t at = 0;

    memset(o, 0, sizeof *o);
    shapes_open(&s, &sink);
    shapes_width(&s, WIDTH);
    while (at < len) {
        size_t n = at == 0 && cut > 0 ? cut : len - at;

        if (seed != 0) {
            n = 1 + check_random(&seed) % 9;
            n = n < len - at ? n : len - at;
        }
        shapes_put(&s, (const uint8_t *)text + at, n);
        at += n;
    }
    shapes_flush(&s);
    assert_false(shapes_waiting(&s));
    o->text[o->len] = '\0';
    for (size_t i = 0; i < sizeof s.held; i++) {
        assert_int_equal(s.held[i], 0);
    }
}

#define S16  "ABCDEFGHIJKLMNOP"
#define S20  "abcdefghij0123456789"
#define S36  "abcdefghijklmnopqrstuvwxyz0123456789"
#define S40  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define T16  "****************"
#define T20  "********************"
#define T36  T16 T20
#define T40  T20 T20
#define ESC_ "\033"

struct row {
    const char *what, *in, *out, *kinds;
};

static bool is_row(const struct row *r, const struct out *o)
{
    return strcmp(o->text, r->out) == 0 && strcmp(o->kinds, r->kinds) == 0;
}

/* All of them are tried, cut in two anywhere and in small pieces, before one fails. */
static void check_rows(const struct row *rows, size_t n)
{
    struct out *o = malloc(sizeof *o);
    unsigned wrong = 0;

    assert_non_null(o);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(rows[i].in);
        bool right = true;

        for (size_t cut = 0; cut < len && right; cut++) {
            run(rows[i].in, len, cut, 0, o);
            right = is_row(&rows[i], o);
        }
        for (uint64_t seed = 1; seed < 40 && right; seed++) {
            run(rows[i].in, len, 0, seed, o);
            right = is_row(&rows[i], o);
        }
        if (!right) {
            wrong++;
            print_error("%s: %s\n[%s] not\n[%s]\n", rows[i].what, o->kinds, o->text, rows[i].out);
        }
    }
    free(o);
    assert_int_equal(wrong, 0);
}

#endif
