/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as people write them, besides those of common/clock.h: now, today, yesterday, monday, "last
 * friday", 10:30, "yesterday 22:15", "2 hours ago", "last week", 90m, -2d.  Words are English,
 * their case does not matter; days are local ones.  Pure: what time it is now is a parameter.
 */
#ifndef TTYTRAIL_REPLAY_DATES_H
#define TTYTRAIL_REPLAY_DATES_H

#include <stdint.h>

#include "common/err.h"

/** dates_span(text, now_us, ret_from, ret_to, err): From the first to the last microsecond of what
 * is named (unix): of a day, minute or second the whole, of what lies so long ago the moment alone.
 * USAGE says what can be written. */
int dates_span(const char *text, int64_t now_us, int64_t *ret_from, int64_t *ret_to,
               struct error *err);
/** dates_length(text, ret_us, err): A length: 90 (seconds), 90s, 10m, 2h, 1d, 3w, "2 hours". */
int dates_length(const char *text, int64_t *ret_us, struct error *err);

#endif
