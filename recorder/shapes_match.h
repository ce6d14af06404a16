/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One text, and the tokens that may be running in it: which character goes on with one, when there
 * is enough of it to be sure, what a row's end is to it.  Used by shapes.c alone, which holds the
 * bytes.  Invariant: at most SHAPES_AT_ONCE run at a time; nothing begins while one is sure.
 */
#ifndef TTYTRAIL_RECORDER_SHAPES_MATCH_H
#define TTYTRAIL_RECORDER_SHAPES_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHAPES_LAST    64U
#define SHAPES_AT_ONCE 8U

struct shapes_rule;

struct shapes_match {
    const struct shapes_rule *rule;
    size_t from;            /* where among the withheld bytes it begins to be hidden */
    unsigned members, part; /* characters so far; of a JWT, which part; of the literal, how much */
    unsigned literal;
    unsigned run, stray, dashes; /* of a PEM: base64 in a row, characters since, "-" in a row */
    uint32_t col;                /* where it began */
    bool sure;                   /* it is a token: hide at once */
    bool over;                   /* the newest character does not go on with it */
    bool upper, lower, digit;    /* were among its characters */
    bool object;                 /* of a JWT: its second part is JSON */
    bool padded;                 /* "=" came */
    bool doubled;                /* a character may have come twice, at the edge */
    bool cut;                    /* it reached the edge: what is missing may not be shown */
    bool on_line, gap;           /* of a PEM: characters on this line, and a blank behind them */
};

/* What a row's end or a control between two characters is. */
enum shapes_gap { GAP_NONE, GAP_BLANK, GAP_CR, GAP_BLANK_CR };

struct shapes_text {
    uint8_t last[SHAPES_LAST]; /* the newest characters */
    struct shapes_match match[SHAPES_AT_ONCE];
    unsigned n;        /* of them */
    unsigned near_key; /* characters for which a secret key may follow */
    unsigned near_pem; /* ... the rest of a private key */
    enum shapes_gap gap;
    bool edge;    /* the newest character stood at the right edge, before "\r" */
    bool full;    /* ... or one before it */
    bool erased;  /* behind it the row was erased: it ends there */
    bool crossed; /* a row ended, and nothing came since */
};

struct shapes_end {
    bool newline; /* "\n"; else a movement to a row below */
    bool edge, erased;
    bool full;    /* at the edge, or but a sign that the row goes on */
    uint32_t col; /* where the cursor went */
};

/** shapes_match_take(m, c): Whether ${c} goes on with ${m}. */
bool shapes_match_take(struct shapes_match *m, uint8_t c);
/** shapes_match_repeat(m, n): ... the newest character, ${n} times again. */
void shapes_match_repeat(struct shapes_match *m, unsigned n);
/** shapes_match_skip(m, n): ${n} characters stand on the screen already; false: nobody knows. */
bool shapes_match_skip(struct shapes_match *m, unsigned n);
/** shapes_match_erase(m): The newest character was taken back; false when nothing is left. */
bool shapes_match_erase(struct shapes_match *m);
/** shapes_match_enough(m): It is a token whatever follows. */
bool shapes_match_enough(const struct shapes_match *m);
/** shapes_match_whole(m, next): It is one, now that ${next} follows (0: nothing does). */
bool shapes_match_whole(const struct shapes_match *m, uint8_t next);
/** shapes_match_crosses(m, end): Whether it goes on over a row's end. */
bool shapes_match_crosses(const struct shapes_match *m, const struct shapes_end *end);
/** shapes_match_hides(m, c): Whether ${c} becomes an asterisk. */
bool shapes_match_hides(const struct shapes_match *m, uint8_t c);
/** shapes_match_spent(m): A private key that is longer than one may be, or has been over for long.
 */
bool shapes_match_spent(const struct shapes_match *m);

/** shapes_text_note(t, c): ${c} is the newest character. */
void shapes_text_note(struct shapes_text *t, uint8_t c);
/** shapes_text_sure(t): Whether a token is sure. */
bool shapes_text_sure(const struct shapes_text *t);

#endif
