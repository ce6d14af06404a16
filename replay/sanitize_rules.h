/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list behind replay/sanitize.h: which complete escape sequences draw, and what they leave
 * behind. Everything that is not on it is dropped.  Private to the filter.
 */
#ifndef TTYTRAIL_REPLAY_SANITIZE_RULES_H
#define TTYTRAIL_REPLAY_SANITIZE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "replay/sanitize.h"

/** sanitize_control(c): Whether the C0 control ${c} may pass. */
bool sanitize_control(uint8_t c);
/** sanitize_escape(s, seq, len, out, err): ${seq} is a complete sequence after its ESC
 * (intermediates and the final byte; never CSI or a string): append it, its harmless equivalent, or
 * nothing. */
int sanitize_escape(struct sanitize *s, const uint8_t *seq, size_t len, struct buf *out,
                    struct error *err);
/** sanitize_csi(s, seq, len, out, err): The same for a control sequence; ${seq} begins with '['. */
int sanitize_csi(struct sanitize *s, const uint8_t *seq, size_t len, struct buf *out,
                 struct error *err);

#endif
