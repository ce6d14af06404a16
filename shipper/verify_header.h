/* SPDX-License-Identifier: Apache-2.0 */
/* A session's sealed header line against its row.  Private to the verify_* files. */
#ifndef TTYTRAIL_SHIPPER_VERIFY_HEADER_H
#define TTYTRAIL_SHIPPER_VERIFY_HEADER_H

#include "common/json.h"
#include "storage/db/session.h"

/** verify_header(json, header, row, ret_member, err): 0 they say the same; 1 they differ in
 * *ret_member (static); -1. */
int verify_header(struct json *json, const struct buf *header, const struct session_row *row,
                  const char **ret_member, struct error *err);

#endif
