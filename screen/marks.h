/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Combining characters, kept beside the cells: few cells have any.  A table of bounded size; cells
 * refer to its entries by number.  Used by screen/ alone.
 */
#ifndef TTYTRAIL_SCREEN_MARKS_H
#define TTYTRAIL_SCREEN_MARKS_H

#include "screen/screen.h"

#define MARKS_PER_CELL 5
#define MARKS_MAX      4096 /* cells that have some; beyond, they are dropped */

struct marks {
    uint32_t (*entry)[MARKS_PER_CELL];
    uint16_t used, size;
};

/** marks_add(m, config, chars): The number of a new entry with the code points ${chars}, which end
 * with 0 or at MARKS_PER_CELL; 0 when there is no room. */
uint16_t marks_add(struct marks *m, const struct screen_config *config, const uint32_t *chars);
/** marks_get(m, number, ret): How many. */
int marks_get(const struct marks *m, uint16_t number, uint32_t ret[MARKS_PER_CELL]);
bool marks_full(const struct marks *m);
/** marks_close(m, config): Forget all; cells must not refer to it any more. */
void marks_close(struct marks *m, const struct screen_config *config);

#endif
