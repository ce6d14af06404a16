/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens of checkable shape in a stream of terminal bytes, kept out of what is recorded: of
 * a token the telling prefix stays, and every further character becomes one asterisk, so that a
 * replayed screen keeps its layout.  A streaming filter without descriptors or a clock.  Between a
 * prefix and the shape's least length bytes are withheld, SHAPES_MAX at most; what turns out to be
 * no token comes as it was.  Escape sequences and, within a token, "\r" and line ends stay where
 * they are and break nothing.
 *
 * Invariants: every byte that goes in comes out once, in order, itself or as an asterisk, but for
 * what is withheld; the result does not depend on how the stream is cut, unless shapes_flush is
 * called; withheld bytes lie in memory that the owner gave, and are wiped when they leave it.
 */
#ifndef TTYTRAIL_RECORDER_SHAPES_H
#define TTYTRAIL_RECORDER_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHAPES_MAX 1024U

struct shapes_sink {
    void *user;
    /* May be recorded; borrowed for the call, a slice of the caller's bytes where nothing was
     * found. */
    void (*keep)(void *user, const uint8_t *bytes, size_t len);
    /* A token of this kind (docs/FORMAT.md, "Marks") begins in what is kept next. */
    void (*token)(void *user, const char *kind);
};

struct shapes_rule;

struct shapes {
    struct shapes_sink sink;
    uint8_t *held; /* SHAPES_MAX bytes, the owner's */
    size_t n_held;
    const struct shapes_rule *rule; /* being matched; NULL: none */
    unsigned members, part;         /* characters so far; of a JWT, which part */
    unsigned line;                  /* of a PEM: characters of its line so far */
    bool sure;                      /* it is a token: hide at once */
    bool blank;                     /* a blank came: a line's edge, if "\r" follows */
    bool upper, lower;              /* were among its characters */
    bool word;                      /* the newest character was of a word: no token begins here */
    bool named;                     /* near_key is so for a name, not for a key's id */
    unsigned near_key;              /* characters for which a secret key may follow */
    unsigned escape;                /* state within an escape sequence; 0: none */
    uint8_t last[40];               /* the newest characters of text */
    const uint8_t *bytes;           /* within a call: the caller's, handed on up to `start` */
    size_t start;
};

/** shapes_open(s, sink, held): ${held}: SHAPES_MAX bytes that stay the owner's. */
void shapes_open(struct shapes *s, const struct shapes_sink *sink, uint8_t *held);
/** shapes_put(s, bytes, len): The stream goes on. */
void shapes_put(struct shapes *s, const uint8_t *bytes, size_t len);
/** shapes_waiting(s): Whether bytes are withheld. */
bool shapes_waiting(const struct shapes *s);
/** shapes_flush(s): Wait no longer: what is withheld is judged as it stands, and comes. */
void shapes_flush(struct shapes *s);

#endif
