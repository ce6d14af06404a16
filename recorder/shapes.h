/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens of checkable shape in a stream of terminal bytes, kept out of what is recorded: of
 * a token the telling prefix stays, and every further character becomes one asterisk, so that a
 * replayed screen keeps its layout.  A streaming filter without descriptors or a clock.  Between a
 * prefix and the shape's least length bytes are withheld, SHAPES_MAX at most; what turns out to be
 * no token comes as it was.  Escape sequences stay as they are and are part of no token; a row that
 * ends within one (a line editor's, a pager's or a terminal multiplexer's) does not end it.  What
 * control strings hold (titles, links, the clipboard's base64) is a text of its own.
 *
 * Invariants: every byte that goes in comes out once, in order, itself or as an asterisk, but for
 * what is withheld; the result does not depend on how the stream is cut, unless shapes_flush is
 * called; withheld bytes lie within the struct, whose memory is the owner's, and are wiped when
 * they leave it.
 */
#ifndef TTYTRAIL_RECORDER_SHAPES_H
#define TTYTRAIL_RECORDER_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/shapes_lex.h"
#include "recorder/shapes_match.h"

#define SHAPES_MAX 1024U

struct shapes_sink {
    void *user;
    /* May be recorded; borrowed for the call, a slice of the caller's bytes where nothing was
     * found. */
    void (*keep)(void *user, const uint8_t *bytes, size_t len);
    /* A token of this kind (docs/FORMAT.md, "Marks") begins in what is kept next. */
    void (*token)(void *user, const char *kind);
};

struct shapes {
    struct shapes_sink sink;
    struct shapes_lex lex;
    struct shapes_text outer, inner; /* inner: within a control string */
    unsigned width;                  /* of the terminal; 0: not known */
    uint8_t held[SHAPES_MAX];
    uint8_t of[SHAPES_MAX]; /* of which text a withheld byte is; 0: of none */
    size_t n_held;
    const uint8_t *bytes; /* within a call: the caller's, handed on up to `start` */
    size_t start;
};

/** shapes_open(s, sink): ${s} lies in memory that may hold secrets. */
void shapes_open(struct shapes *s, const struct shapes_sink *sink);
/** shapes_width(s, cols): Where rows end; 0: not known. */
void shapes_width(struct shapes *s, unsigned cols);
/** shapes_put(s, bytes, len): The stream goes on. */
void shapes_put(struct shapes *s, const uint8_t *bytes, size_t len);
/** shapes_waiting(s): Whether bytes are withheld. */
bool shapes_waiting(const struct shapes *s);
/** shapes_flush(s): Wait no longer: what is withheld comes, hidden if it is a token as it stands.
 * What follows may still make it one, and is hidden then. */
void shapes_flush(struct shapes *s);

#endif
