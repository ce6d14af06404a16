/* SPDX-License-Identifier: Apache-2.0 */
/* The shipper's rows of `ttytrail status`. */
#ifndef TTYTRAIL_SHIPPER_STATUS_H
#define TTYTRAIL_SHIPPER_STATUS_H

#include <stdbool.h>

#include "common/status.h"

/* Ends with a name of NULL. */
extern const struct status_row shipper_status[];

/* For the table alone. */
bool status_any_waits(const struct status_run *r);
void status_backlog(struct status_run *r);
void status_shipped(struct status_run *r);
void status_batches(struct status_run *r);
void status_clock(struct status_run *r);
void status_epoch(struct status_run *r);
void status_withheld(struct status_run *r);
void status_alarms(struct status_run *r);
void status_disk(struct status_run *r);
void status_sessions(struct status_run *r);

#endif
