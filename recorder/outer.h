/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login's terminal, taken from whoever else has it open: its descriptor goes out with the
 * opening, it is hung up for us, and we go on with the fresh one (PITFALLS 1).  Only for the leader
 * of the session whose terminal it is: a hang-up under somebody else's feet (su, sudo) would end
 * him.  Knows nothing of who does it.
 */
#ifndef TTYTRAIL_RECORDER_OUTER_H
#define TTYTRAIL_RECORDER_OUTER_H

#include <stdbool.h>

#include "recorder/term.h"
#include "storage/wire/client.h"

/** outer_offer(t, c): Before the opening.  What is typed ahead is kept, since the hang-up throws
 * it away; where keys keep coming, nothing is offered. */
void outer_offer(struct term *t, struct client *c);
/** outer_wait(t, c, timeout_ms): Until there is something of ${c} to read, keep what is typed. */
void outer_wait(struct term *t, const struct client *c, int timeout_ms);
/** outer_take(t, c, is_tty): After the opening.  With a fresh descriptor ${t}, and those of 0 to 2
 * that were this terminal, are it; returns whether one came. */
bool outer_take(struct term *t, struct client *c, const bool is_tty[3]);

#endif
