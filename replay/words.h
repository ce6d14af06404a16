/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of an expression: the command line's own, or one quoted argument split at its blanks.
 * Knows nothing of what the words mean.
 */
#ifndef TTYTRAIL_REPLAY_WORDS_H
#define TTYTRAIL_REPLAY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct word {
    char *text;
    bool quoted; /* it stood in quotes: a value, never an operator */
};

struct words {
    struct word *word;
    size_t count, cap;
};

void words_init(struct words *w);
void words_clear(struct words *w);
/** words_take(w, argc, argv, max_bytes, err): Copy ${argv}; a single argument with a blank in it is
 * split:
 * '...' and "..." keep blanks, ( ) ! stand alone.  USAGE for an open quote or above ${max_bytes}.
 */
int words_take(struct words *w, int argc, char *const *argv, size_t max_bytes, struct error *err);

#endif
