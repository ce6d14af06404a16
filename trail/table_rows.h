/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of tables/ say (docs/FORMAT.md, "Tables"; sql/ names the same columns): one JSON
 * object on one line, every column in each, names without upper case or colons.  Pure.
 */
#ifndef TTYTRAIL_TRAIL_TABLE_ROWS_H
#define TTYTRAIL_TRAIL_TABLE_ROWS_H

#include "common/buf.h"
#include "common/err.h"
#include "storage/db/session.h"
#include "trail/store.h"
#include "trail/subject.h"

/** Each appends one row to ${out}, without a line feed. */
int rows_verdict(struct buf *out, const struct subject *s, const struct verdict *v,
                 struct error *err);
/** rows_session(out, row, subject, err): ${subject}: of the connection it hangs on, or its own. */
int rows_session(struct buf *out, const struct session_row *row, const uint8_t subject[16],
                 struct error *err);

struct access_told {
    const struct trail_stored *access;
    const uint8_t *subject; /* that it opened; NULL: none is known */
    const char *unrecorded; /* "", "sure" or "unsure": it left no recording */
    const char *note;       /* what it is instead, in words; "" */
    const char *principal;  /* as a person would name it */
};
int rows_access(struct buf *out, const struct access_told *a, struct error *err);

#endif
