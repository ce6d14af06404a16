/* SPDX-License-Identifier: Apache-2.0 */
/* What `ship --dry-run` says of the road to the store. */
#ifndef TTYTRAIL_CLI_ROAD_REPORT_H
#define TTYTRAIL_CLI_ROAD_REPORT_H

#include <stdbool.h>

#include "common/conf.h"

/** road_report(conf, to, json): Which road packets to ${to} take and how that is known, on standard
 * output; nothing is sent.  With ${json} one object. */
void road_report(const struct conf *conf, const char *to, bool json);

#endif
