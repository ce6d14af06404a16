/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checkpoint thread: moves the WAL into the database off the commit path (PITFALLS 19), on a
 * connection of its own.  It is told how large the WAL is; it decides what to do.
 */
#ifndef TTYTRAIL_WRITER_CHECKPOINT_H
#define TTYTRAIL_WRITER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct checkpoint;

/** checkpoint_start(ret, path, wal_max, err): ${wal_max} in bytes: above it the WAL is also
 * truncated. */
int checkpoint_start(struct checkpoint **ret, const char *path, int64_t wal_max, struct error *err);
void checkpoint_stop(struct checkpoint *c);
/** checkpoint_ask(c, wal_bytes, idle): Never blocks; asking while one is under way does nothing.
 * ${idle}: nobody is committing, so the WAL can be truncated at any size. */
void checkpoint_ask(struct checkpoint *c, int64_t wal_bytes, bool idle);
/** checkpoint_wants_turn(c): It waits for the write lock to truncate the WAL: the commit loop
 * should stand aside for a moment (CHECKPOINT_ASIDE_US at most), else it may never get it. */
bool checkpoint_wants_turn(struct checkpoint *c);
#define CHECKPOINT_ASIDE_US 20000

#endif
