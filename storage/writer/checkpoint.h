/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checkpoint thread: moves the WAL into the database off the commit path (PITFALLS 19), on a
 * connection of its own.  It is told how large the WAL is; it decides what to do.
 */
#ifndef TTYTRAIL_WRITER_CHECKPOINT_H
#define TTYTRAIL_WRITER_CHECKPOINT_H

#include <stdint.h>

#include "common/err.h"

struct checkpoint;

/** checkpoint_start(ret, path, wal_max, err): ${wal_max} in bytes: above it the WAL is also truncated. */
int checkpoint_start(struct checkpoint **ret, const char *path, int64_t wal_max,
                     struct error *err);
void checkpoint_stop(struct checkpoint *c);
/** checkpoint_ask(c, wal_bytes): Never blocks; asking while one is under way does nothing. */
void checkpoint_ask(struct checkpoint *c, int64_t wal_bytes);

#endif
