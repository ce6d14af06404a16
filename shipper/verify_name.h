/* SPDX-License-Identifier: Apache-2.0 */
/* Names of objects, taken apart: what a listing tells without reading anything.  Pure. */
#ifndef TTYTRAIL_SHIPPER_VERIFY_NAME_H
#define TTYTRAIL_SHIPPER_VERIFY_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verify_kind { VERIFY_KEYS, VERIFY_BATCHES, VERIFY_PACKS };

struct verify_name {
    enum verify_kind kind;
    char day[11]; /* "" of a key */
    char host[129];
    int64_t seq; /* 0 of a key */
    size_t base; /* length without a final ".r<digits>" */
};

/** verify_base(name): Length of ${name} without a final ".r<digits>". */
size_t verify_base(const char *name);
/** verify_name_parse(name, ret): Whether it is spelled as docs/FORMAT.md has it; ${ret} has day and
 * host of what lies in the right place with a wrong name, too. */
bool verify_name_parse(const char *name, struct verify_name *ret);
/** verify_day_valid(text): Whether it is "YYYY-MM-DD", spelled so. */
bool verify_day_valid(const char *text);

#endif
