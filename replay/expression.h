/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The predicate language of `list`: which sessions are meant.  As sudoreplay has it: predicates
 * with one value each, `and or not ! ( )`, two predicates side by side mean `and`, names may be
 * shortened while they stay unambiguous.  Pure: words in, a verdict on a session row out; knows
 * nothing of databases, of what the time is now, or of printing.  At most EXPRESSION_MAX_NODES
 * parts, EXPRESSION_MAX_DEPTH deep.
 */
#ifndef TTYTRAIL_REPLAY_EXPRESSION_H
#define TTYTRAIL_REPLAY_EXPRESSION_H

#include <stdbool.h>

#include "common/err.h"
#include "storage/db/session.h"

#define EXPRESSION_MAX_NODES 512
#define EXPRESSION_MAX_DEPTH 64
#define EXPRESSION_MAX_TEXT  65536U /* of one argument that is split into words */

struct expression;

/** expression_parse(ret, argc, argv, err): Make an expression of the words ${argv} (borrowed during
 * the call); a single word with blanks in it is split at them first, '...' and "..." keep blanks,
 * and ( ) ! need no blanks there.  No word at all matches every session.  USAGE names the word and
 * its place. */
int expression_parse(struct expression **ret, int argc, char *const *argv, struct error *err);
/** expression_match(e, s): Whether ${s} is meant. */
bool expression_match(const struct expression *e, const struct session_row *s);
/** expression_free(e): NULL does nothing. */
void expression_free(struct expression *e);

#endif
