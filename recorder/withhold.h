/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output that was shown and is not recorded yet: mask characters, whose number is the length of a
 * secret, and the echo of a line that was typed ahead; and where on the screen the masks stand,
 * where only masks are.  Bytes lie in locked memory.  Knows nothing of rules.
 */
#ifndef TTYTRAIL_RECORDER_WITHHOLD_H
#define TTYTRAIL_RECORDER_WITHHOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/secrets.h"

#define WITHHOLD_MAX 16384U

enum withhold_what { WITHHOLD_NOTHING, WITHHOLD_MASKS, WITHHOLD_AHEAD };

struct withhold {
    enum withhold_what what;
    uint32_t run; /* the keys that decide about it */
    uint8_t *bytes;
    size_t len;
    bool has_newline;
    bool frame; /* among it are frames that changed nothing but masks, if anything */
    bool stale; /* ... and other output was recorded since: they would be drawn over it */

    /* Cells that hold masks, or did: [row, col) to (end_row, end_col) as text flows. */
    bool span;
    bool decided;      /* ... of a secret */
    uint32_t span_run; /* ... whose keys they stand for */
    int64_t row, end_row;
    int col, end_col;
    uint32_t last;  /* what was printed in a key's place */
    unsigned alike; /* ... so many times in a row */
};

/** withhold_is_mask(ch): A character that programs print in the place of a secret's. */
bool withhold_is_mask(uint32_t ch);
/** withhold_counts(w, ch): ${ch} was printed in a key's place: whether it is a mask, for what it is
 * or since it comes again and again. */
bool withhold_counts(struct withhold *w, uint32_t ch);
/** withhold_put(w, secrets, bytes, len): Add; false when there is no room. */
bool withhold_put(struct withhold *w, struct secrets *secrets, const uint8_t *bytes, size_t len);
/** withhold_forget(w): Wipe the bytes; the span stays. */
void withhold_forget(struct withhold *w);
/** withhold_close(w, secrets): Wipe and free. */
void withhold_close(struct withhold *w, struct secrets *secrets);

/** withhold_extend(w, row, col, width, cols): A mask stands there, on a screen of ${cols}. */
void withhold_extend(struct withhold *w, int64_t row, int col, int width, int cols);
/** withhold_within(w, row, col): Whether the place is of the span, or the one behind its end. */
bool withhold_within(const struct withhold *w, int64_t row, int col);

#endif
