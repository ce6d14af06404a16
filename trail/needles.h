/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a text holds any of a set of words, whatever their number: bytes are compared as they
 * are.  A search by shifts (Wu and Manber, "A fast algorithm for multi-pattern searching", 1994)
 * over pairs of bytes; the longer the shortest word, the faster.
 */
#ifndef TTYTRAIL_TRAIL_NEEDLES_H
#define TTYTRAIL_TRAIL_NEEDLES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define NEEDLES_SHORTEST 4U

struct needles;

/** needles_make(ret, words, n, err): Copies of ${words}; USAGE for one shorter than
 * NEEDLES_SHORTEST.  A set of none finds nothing. */
int needles_make(struct needles **ret, const char *const *words, size_t n, struct error *err);
void needles_free(struct needles *n);
bool needles_any(const struct needles *n, const char *text, size_t len);

#endif
