/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text that was printed lately, to look whether what was typed was seen: a ring of characters
 * in the order of their printing, '\n' where the cursor went to another row.  Pure.
 */
#ifndef TTYTRAIL_RECORDER_HISTORY_H
#define TTYTRAIL_RECORDER_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/secrets.h"

#define HISTORY_SIZE 8192U
#define HISTORY_GRAM 4U /* characters in a row that count as seen */

struct history {
    uint32_t *ring; /* allocated at the first addition; without memory nothing was seen */
    uint64_t end;   /* characters added so far: positions count from the beginning */
};

void history_add(struct history *h, struct secrets *secrets, uint32_t ch);
void history_free(struct history *h, struct secrets *secrets);

/* A summary of the grams between two positions, for many questions in a row. */
struct history_grams {
    uint64_t from, to;
    uint64_t bits[256];
};

/** history_summarise(h, from, to, ret): Of what was added at or behind position ${from} and before
 * ${to}. */
void history_summarise(const struct history *h, uint64_t from, uint64_t to,
                       struct history_grams *ret);
/** history_has(h, grams, gram): Whether these characters stand there in a row. */
bool history_has(const struct history *h, const struct history_grams *grams,
                 const uint32_t gram[HISTORY_GRAM]);

#endif
