/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which EC2 instance this is, and what AWS signed about it.  Asked of the hardware first (DMI, no
 * network); hosts that are none lose no time.  Knows nothing of keys or epochs.
 */
#ifndef TTYTRAIL_SHIPPER_IDENTITY_INSTANCE_H
#define TTYTRAIL_SHIPPER_IDENTITY_INSTANCE_H

#include <stddef.h>

#include "common/buf.h"

#define INSTANCE_ID 33

/** instance_id(ret): "i-..."; "" when it is no EC2 instance. */
void instance_id(char ret[INSTANCE_ID]);
/** instance_id_valid(text): "i-" and 8 to 17 hex digits. */
int instance_id_valid(const char *text);
/** instance_describe(document, rsa2048): The instance identity document and its PKCS #7 signature
 * (without line breaks), appended: 1; 0 when IMDS gives none, and nothing is appended.  Source:
 * "Instance identity documents", EC2 user guide. */
int instance_describe(struct buf *document, struct buf *rsa2048);

#endif
