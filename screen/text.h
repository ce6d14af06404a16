/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A screen's rows as text, for people and for searching: as seen, without colours.
 */
#ifndef TTYTRAIL_SCREEN_TEXT_H
#define TTYTRAIL_SCREEN_TEXT_H

#include "common/buf.h"
#include "screen/screen.h"

/** screen_text(s, row, out, err): Append ${row} as UTF-8, without a line's end and blanks at its
 * end; never a control character.  LIMIT when ${out} is full. */
int screen_text(const struct screen *s, int row, struct buf *out, struct error *err);

#endif
