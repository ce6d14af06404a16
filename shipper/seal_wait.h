/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing before shipping: the tails of the writer we talk to, and what just ended under another
 * one. */
#ifndef TTYTRAIL_SHIPPER_SEAL_WAIT_H
#define TTYTRAIL_SHIPPER_SEAL_WAIT_H

#include "storage/db/reader.h"
#include "storage/wire/control.h"

/** seal_wait(control, evidence, ret_horizon, err): Have the writer seal what it holds, and wait (5
 * s at most) until sessions that ended within the last minute are sealed to their end.
 * *ret_horizon: below it everything is durable. */
int seal_wait(struct control *control, struct reader *evidence, int64_t *ret_horizon,
              struct error *err);

#endif
