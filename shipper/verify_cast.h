/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a session as asciicast lines: well formed, a header first, times that never step
 * back. Private to the verify_* files. */
#ifndef TTYTRAIL_SHIPPER_VERIFY_CAST_H
#define TTYTRAIL_SHIPPER_VERIFY_CAST_H

#include "common/buf.h"
#include "common/err.h"
#include "storage/seal/cast.h"

#define VERIFY_LINE_MAX (4U * 1024 * 1024)

struct verify_cast {
    struct cast_reader *reader;
    int64_t lines, events;
    uint64_t last_t_us;
    bool header, ended;     /* ended: an exit line was seen */
    bool many;              /* set by the caller: a further header begins a further session */
    bool fresh;             /* set by the caller: the next line is a gzip member's first */
    int64_t parts;          /* that go on with a session whose header is elsewhere: fresh ones */
    int64_t sessions, ends; /* headers, and sessions with an exit line */
    struct buf header_json; /* of the first header, at most 1 MiB */
};

int verify_cast_open(struct verify_cast *c, struct error *err);
void verify_cast_close(struct verify_cast *c);
/** verify_cast_feed(c, bytes, len, at_end, err): CORRUPT says what is wrong with the text. */
int verify_cast_feed(struct verify_cast *c, const void *bytes, size_t len, bool at_end,
                     struct error *err);

#endif
