/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a command that goes on: a round, a pause, until SIGTERM or SIGINT. */
#ifndef TTYTRAIL_CLI_FOLLOW_H
#define TTYTRAIL_CLI_FOLLOW_H

#include <stdint.h>

#include "common/err.h"

#define FOLLOW_END_S 10 /* what a round may still take after the signal */

/** follow_rounds(every_s, round, user, err): Call ${round} now and then ${every_s} seconds after
 * each round's beginning (never sooner than a tenth of that after its end).  Returns 0 at once when
 * a signal comes between rounds.  A round that one interrupts goes on for at most FOLLOW_END_S;
 * then the process leaves with 0: rounds have to stand being killed. */
int follow_rounds(int64_t every_s, void (*round)(void *user), void *user, struct error *err);

#endif
