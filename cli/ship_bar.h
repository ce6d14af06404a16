/* SPDX-License-Identifier: Apache-2.0 */
/* How far `ttytrail ship` is, as one line of a terminal that is drawn over itself. */
#ifndef TTYTRAIL_CLI_SHIP_BAR_H
#define TTYTRAIL_CLI_SHIP_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/ship.h"

struct ship_bar {
    bool on;    /* standard error is a terminal that can */
    bool drawn; /* a line of ours stands there */
    uint64_t began_us, drawn_us;
};

/** ship_bar_line(p, elapsed_us, ret, size): The line, without control characters; at most 79
 * columns. */
void ship_bar_line(const struct ship_progress *p, uint64_t elapsed_us, char *ret, size_t size);
/** ship_bar_begin(b, wanted): On only where ${wanted} and standard error is such a terminal. */
void ship_bar_begin(struct ship_bar *b, bool wanted);
/** ship_bar_draw(b, p): Ten times a second at most. */
void ship_bar_draw(struct ship_bar *b, const struct ship_progress *p);
/** ship_bar_clear(b): Before anything else is written, and at the end. */
void ship_bar_clear(struct ship_bar *b);

#endif
