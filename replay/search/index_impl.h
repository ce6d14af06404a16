/* SPDX-License-Identifier: Apache-2.0 */
/* What index.c (taking in) and index_read.c share; no other file includes it. */
#ifndef TTYTRAIL_REPLAY_SEARCH_INDEX_IMPL_H
#define TTYTRAIL_REPLAY_SEARCH_INDEX_IMPL_H

#include <sqlite3.h>

#include "replay/search/block.h"
#include "replay/search/index.h"

struct index {
    sqlite3 *db;
    char *path;
    struct block block;
    struct buf packed, unpacked;
};

/** index_fail(x, err): What SQLite says, as an error of the right kind. */
int index_fail(const struct index *x, struct error *err);
int index_prepare(struct index *x, sqlite3_stmt **ret, const char *sql, struct error *err);
/** index_step(x, st, err): 1 a row, 0 the end. */
int index_step(struct index *x, sqlite3_stmt *st, struct error *err);

#endif
