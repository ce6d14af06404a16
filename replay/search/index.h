/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search index: what was seen and typed in sessions that have ended, in blocks, with a trigram
 * index over them.  A file of its own, made off the commit path from what the evidence holds after
 * redaction, and rebuildable: whoever deletes it only waits longer once.  What was pruned leaves
 * it. One process writes, any number read.  Knows nothing of patterns.
 */
#ifndef TTYTRAIL_REPLAY_SEARCH_INDEX_H
#define TTYTRAIL_REPLAY_SEARCH_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "replay/seen.h"
#include "storage/db/reader.h"

struct index;

/** index_open(ret, path, err): Made if absent; made anew when it is damaged or of another version.
 */
int index_open(struct index **ret, const char *path, struct error *err);
void index_close(struct index *x);

struct index_progress {
    int64_t sessions, all; /* looked at so far; to look at */
    uint64_t text;         /* bytes of text that came in */
};
/** index_update(x, r, progress, user, err): Take in what has ended since, drop what was pruned or
 * is gone.  ${progress} may be NULL; non-zero stops early, with what there is.  RETRY while another
 * process does it. */
int index_update(struct index *x, struct reader *r,
                 int (*progress)(void *user, const struct index_progress *p), void *user,
                 struct error *err);
/** index_has(x, session, err): 1 when all of this session is in it, 0, -1. */
int index_has(struct index *x, const uint8_t session[CHAIN_ID], struct error *err);

struct index_block {
    int64_t id;
    uint8_t session[CHAIN_ID];
    const struct buf *lines; /* unpacked: replay/search/block.h; borrowed */
};
/** index_blocks(x, query_or_null, cb, user, err): Blocks that may match an FTS5 query, or all; the
 * newest first.  ${cb}'s non-zero result ends it and is returned. */
int index_blocks(struct index *x, const char *query_or_null,
                 int (*cb)(void *user, const struct index_block *b), void *user, struct error *err);
/** index_count(x, ret_blocks, err): All of them. */
int index_count(struct index *x, int64_t *ret_blocks, struct error *err);

#endif
