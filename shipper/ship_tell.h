/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the writer how much of each session of a batch is stored, so that it may be pruned. */
#ifndef TTYTRAIL_SHIPPER_SHIP_TELL_H
#define TTYTRAIL_SHIPPER_SHIP_TELL_H

#include "shipper/state.h"
#include "storage/wire/control.h"

/** ship_tell(state, control, b, err): Once per session of ${b}, then ${b} is told.  Of sessions
 * that are gone the writer knows nothing, and says nothing. */
int ship_tell(struct state *state, struct control *control, const struct state_batch *b,
              struct error *err);

#endif
