/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a session on a terminal is idle.  Pure: clocks are passed in, in microseconds of one clock;
 * knows nothing of terminals.  Idle is: nothing typed for the time given, and nothing shown either.
 * What is shown counts for IDLE_SHOWN_TIMES that time after the last key at most, so that a build
 * is let go on and a clock on the screen keeps no session awake for ever.
 */
#ifndef TTYTRAIL_RECORDER_IDLE_H
#define TTYTRAIL_RECORDER_IDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDLE_SHOWN_TIMES 8U

struct idle {
    uint64_t after_us; /* 0: never */
    uint64_t typed_us, shown_us;
    bool told; /* since the last key */
};

void idle_open(struct idle *i, uint64_t after_us, uint64_t now_us);
void idle_typed(struct idle *i, uint64_t now_us);
void idle_shown(struct idle *i, uint64_t now_us);
/** idle_deadline(i): When it is idle if nothing happens; UINT64_MAX for never. */
uint64_t idle_deadline(const struct idle *i);
/** idle_due(i, now): Whether it has become so: once until the next key. */
bool idle_due(struct idle *i, uint64_t now_us);
/** idle_opens(keys, len): Whether Enter is among them. */
bool idle_opens(const uint8_t *keys, size_t len);

#endif
