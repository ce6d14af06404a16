/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the output of a session without a terminal is there: the recorder keeps both ends of
 * a burst and says in marks how long it was (docs/FORMAT.md).  Counts events as they come by.
 */
#ifndef TTYTRAIL_REPLAY_KEPT_H
#define TTYTRAIL_REPLAY_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replay/timeline.h"

struct kept {
    uint64_t bursts;  /* that lost their middle */
    uint64_t here;    /* bytes in events */
    uint64_t missing; /* bytes of those middles */
    uint64_t streams; /* bytes that the streams had in all, as far as they have ended */
};

/** kept_count(k, ev, kinds): Count ${ev}: bytes of the streams in ${kinds} ("o", "oe"), and marks
 * about them. */
void kept_count(struct kept *k, const struct timeline_event *ev, const char *kinds);
/** kept_text(k, ret, size): What to tell people, in one line; false when everything is there. */
bool kept_text(const struct kept *k, char *ret, size_t size);

#endif
