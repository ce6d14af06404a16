/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of the tables below `tables/`: rows of JSON, one a line, in objects that query engines read
 * in place.  An object is one gzip member of at most TABLE_TEXT of text, lies under the day of the
 * run that wrote it, and is never written again: what changed is a new row (docs/FORMAT.md,
 * "Tables"). Knows nothing of what rows say.
 */
#ifndef TTYTRAIL_TRAIL_TABLE_H
#define TTYTRAIL_TRAIL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "shipper/depot.h"

#define TABLE_TEXT (64U * 1024 * 1024)

struct table;

/** table_open(ret, to, name, run_us, err): ${to} is borrowed; ${name}: [a-z_]{1,32}; ${run_us}:
 * when the run began (unix).  Nothing is stored before there are rows. */
int table_open(struct table **ret, struct depot *to, const char *name, int64_t run_us,
               struct error *err);
/** table_row(t, json, len, err): One row: an object on one line, without a line feed. */
int table_row(struct table *t, const char *json, size_t len, struct error *err);
/** table_end(t, ret_rows, ret_objects, err): Store what waits. */
int table_end(struct table *t, int64_t *ret_rows, int64_t *ret_objects, struct error *err);
void table_close(struct table *t);

#endif
