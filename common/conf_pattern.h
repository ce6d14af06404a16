/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern of the configuration: a POSIX extended regular expression, looked at when it is read,
 * since the recorder compiles it at the beginning of every session and has nobody to complain to.
 * More is refused than regcomp(3) refuses: what would cost every login time or memory without
 * bound, and what matches everywhere.  Knows no keys.
 */
#ifndef TTYTRAIL_COMMON_CONF_PATTERN_H
#define TTYTRAIL_COMMON_CONF_PATTERN_H

#include "common/err.h"

#define CONF_PATTERN_MAX    1024U  /* bytes of a pattern and its NUL */
#define CONF_PATTERN_ATOMS  20000U /* characters when every {repeat} is written out */
#define CONF_PATTERN_GROUPS 32U    /* within one another */

/** conf_pattern_check(pattern, err): USAGE with what is wrong: longer than CONF_PATTERN_MAX; not a
 * regular expression; \1 to \9, which POSIX has not and whose search takes time without bound;
 * two repeats in a row; larger than CONF_PATTERN_ATOMS, or deeper than CONF_PATTERN_GROUPS; found
 * in the empty text, as with nothing behind a '|'. */
int conf_pattern_check(const char *pattern, struct error *err);
/** conf_pattern_join(old, more, ret, err): ${old} or ${more}, checked, as one pattern in ${ret},
 * which is the caller's to free; ${old} is "" or a pattern that was checked. */
int conf_pattern_join(const char *old, const char *more, char **ret, struct error *err);

#endif
