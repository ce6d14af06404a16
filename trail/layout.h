/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How CloudTrail names its log files:
 * [prefix/]AWSLogs/[o-ORG/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/
 * ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_RANDOM.json.gz.  Pure.
 */
#ifndef TTYTRAIL_TRAIL_LAYOUT_H
#define TTYTRAIL_TRAIL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct layout_place {
    char top[640]; /* "AWSLogs/o-org/": all before the account */
    char account[32], region[32];
};

/** layout_of(name, ret, ret_us): Whether it is named so; ${ret_us}: when it was delivered (its
 * minute), 0 when its name does not say. */
bool layout_of(const char *name, struct layout_place *ret, int64_t *ret_us);
/** layout_is_log(name): Whether it may be a log file by its end, and is no digest or insight. */
bool layout_is_log(const char *name);
/** layout_prefix(p, ret, size, err): "AWSLogs/111122223333/CloudTrail/eu-west-1/". */
int layout_prefix(const struct layout_place *p, char *ret, size_t size, struct error *err);
/** layout_start(p, us, ret, size, err): What sorts before all names of that place delivered at
 * ${us} or later, and behind those before. */
int layout_start(const struct layout_place *p, int64_t us, char *ret, size_t size,
                 struct error *err);
/** layout_skip(name, ret, size): Of a name that is none of those wanted: what sorts behind all
 * that lies in the same directory below the account, or the same directory at the top. */
void layout_skip(const char *name, char *ret, size_t size);
/** layout_in(list, word): Whether ${word} is one of ${list} ("a, b"); "" and "all" hold all. */
bool layout_in(const char *list, const char *word);

#endif
