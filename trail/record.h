/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of one record of CloudTrail to a struct trail_event: the shapes that AWS documents and
 * those it writes.  Knows nothing of files and hosts: whether a call that opened nothing is of
 * interest (TRAIL_CALL) is its caller's to say; here it is TRAIL_NOISE.
 */
#ifndef TTYTRAIL_TRAIL_RECORD_H
#define TTYTRAIL_TRAIL_RECORD_H

#include <stddef.h>

#include "common/err.h"
#include "common/json.h"
#include "trail/event.h"

#define RECORD_MAX (1024U * 1024) /* bytes of a record's text */

/** record_read(j, text, len, ret, err): CORRUPT for what is no JSON object, or where a member that
 * decides is longer than AWS has it.  A record without eventID gets one made of its own hash
 * ("text-..."); a time that is absent or unreadable is 0. */
int record_read(struct json *j, const char *text, size_t len, struct trail_event *ret,
                struct error *err);

/** record_kind_word(kind): "push", "start", "noise". */
const char *record_kind_word(enum trail_kind kind);

#endif
