/* SPDX-License-Identifier: Apache-2.0 */
/* The shipper's part of `ttytrail doctor`, and the road that `ship --dry-run` tells of. */
#ifndef TTYTRAIL_SHIPPER_CHECKS_H
#define TTYTRAIL_SHIPPER_CHECKS_H

#include "aws/road.h"
#include "common/check.h"
#include "common/conf.h"

/* Ends with a name of NULL.  The one that stores an object (shipper/probe.h) is "probe". */
extern const struct check shipper_checks[];

/** checks_road(conf, to, say, user, err): The road to ${to}, without sending anything: what kind it
 * is, or ROAD_LOCAL for a directory.  -1 when it cannot be told where ${to} is. */
int checks_road(const struct conf *conf, const char *to, road_say *say, void *user,
                struct error *err);

/* For the table alone. */
void checks_host_name(struct check_run *r);
void checks_credentials(struct check_run *r);
void checks_place(struct check_run *r);
void checks_shipping(struct check_run *r);
void checks_status(struct check_run *r);
void checks_metadata(struct check_run *r);

#endif
