/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A userIdentity of CloudTrail as a person would name it: "alice@corp", "root", "okta/alice".
 * Pure; the shapes are those of AWS's page on the userIdentity element.  Nothing is made up: what
 * is not there is not said, and an identity that says nothing is "unknown".
 */
#ifndef TTYTRAIL_TRAIL_IDENTITY_H
#define TTYTRAIL_TRAIL_IDENTITY_H

#include <stddef.h>

#include "trail/event.h"

/** identity_name(w, ret, size): Who: sourceIdentity first, then what the type has.  Never "". */
void identity_name(const struct trail_identity *w, char *ret, size_t size);
/** identity_role(w, ret, size): The role it came through: "Admin", and of
 * AWSReservedSSO_Admin_0123456789abcdef also "Admin"; "" for other types. */
void identity_role(const struct trail_identity *w, char *ret, size_t size);

#endif
