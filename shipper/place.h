/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory that is shipped to can be away (not mounted, moved), and then must not be made anew:
 * what was stored there would count as stored in an empty one.  Of buckets nothing is asked here:
 * nobody makes a bucket by putting something into it.  Reads, and prints nothing.
 */
#ifndef TTYTRAIL_SHIPPER_PLACE_H
#define TTYTRAIL_SHIPPER_PLACE_H

#include "shipper/state.h"

/** place_dir(where): The path of a directory, in ${where}; NULL for a bucket. */
const char *place_dir(const char *where);
/** place_there(s_or_null, where, err): 0 when ${where} (as ship_place spells it) can be shipped to:
 * a bucket; a directory that this host shipped to and that has its keys' directory; one that is
 * new, in a directory that exists.  DENIED, with what to do, otherwise. */
int place_there(struct state *s_or_null, const char *where, struct error *err);

#endif
