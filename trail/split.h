/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of JSON in pieces of any size, its records out, one after the other, as they stand in
 * it: the elements of `Records` of a log file, or of an array, or objects one after the other (a
 * bare record, JSON lines).  Strings, escapes and depth are all it knows of JSON: what it hands out
 * may still be none.  Memory: the longest record that lies across pieces, at most SPLIT_MAX.
 */
#ifndef TTYTRAIL_TRAIL_SPLIT_H
#define TTYTRAIL_TRAIL_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "trail/needles.h"

#define SPLIT_MAX (1024U * 1024) /* bytes of a record; longer ones are left out and counted */

/** ${text} is borrowed; non-zero ends it and is returned. */
typedef int split_fn(void *user, const char *text, size_t len);

struct split {
    const struct needles *wanted; /* NULL: all */
    split_fn *cb;
    void *user;
    struct buf kept;                   /* the beginning of a record that the last piece ended in */
    uint64_t depth, records, too_long; /* records: all that were seen */
    uint64_t base;                     /* depth at which a record opens */
    bool in_string, escaped;           /* where the last piece ended */
    bool in_record, skipping;          /* skipping: this one is too long */
    bool begun, in_list;               /* in_list: within `Records` */
};

/** split_begin(s, wanted, cb, user): ${wanted} (borrowed; NULL: all): only records that hold one of
 * these are handed out. */
void split_begin(struct split *s, const struct needles *wanted, split_fn *cb, void *user);
/** split_feed(s, bytes, len, err): CORRUPT when it cannot be JSON. */
int split_feed(struct split *s, const void *bytes, size_t len, struct error *err);
/** split_end(s, err): CORRUPT when the stream ended within a record, or held nothing. Frees. */
int split_end(struct split *s, struct error *err);

#endif
