/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a database that no session accounts for.  Private to the verify_* files. */
#ifndef TTYTRAIL_SHIPPER_VERIFY_ROWS_H
#define TTYTRAIL_SHIPPER_VERIFY_ROWS_H

#include "shipper/verify.h"

/** verify_rows(v, path, err): A finding for each kind; -1 when the database cannot be read. */
int verify_rows(struct verify *v, const char *path, struct error *err);

#endif
