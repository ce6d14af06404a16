/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a configuration file, looked at before inih gets them: inih cuts long lines in two,
 * takes an indented line for more of the value above, drops what follows " ;", and says nothing of
 * sections without keys.  Here such a line is an error, or is written so that inih reads it as
 * people do.  Knows no keys.
 */
#ifndef TTYTRAIL_COMMON_CONF_LINES_H
#define TTYTRAIL_COMMON_CONF_LINES_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"

#define CONF_LINE_MAX 198U /* inih's buffer of 200 holds so much and its "\n" and NUL */

/** conf_lines(in, known, out, ret_line, err): Append to ${out} the lines of ${in}, one for one,
 * without blanks at both ends.  ${known} says whether there is a section of that name.  -1 with
 * *ret_line set (from 1): ${out} then holds the lines before that one. */
int conf_lines(const struct buf *in, bool (*known)(const char *section), struct buf *out,
               int *ret_line, struct error *err);

#endif
