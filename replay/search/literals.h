/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What any text has to hold in which an extended regular expression is found, as a query of FTS5's
 * trigram index with detail=none, which knows no phrases: the AND of the trigrams of its literals,
 * one such for each alternative.  May ask for less than it could, never for more.  Pure.
 */
#ifndef TTYTRAIL_REPLAY_SEARCH_LITERALS_H
#define TTYTRAIL_REPLAY_SEARCH_LITERALS_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

/** literals_query(pattern, fixed, ret, err): Append the query to ${ret}: 1; 0 when nothing of three
 * characters has to be there, so that everything has to be looked at; -1.  ${fixed}: ${pattern} is
 * no expression but a text. */
int literals_query(const char *pattern, bool fixed, struct buf *ret, struct error *err);

#endif
