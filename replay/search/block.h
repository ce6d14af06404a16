/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of seen lines as the index keeps it: their kinds, times and text, packed together.  Pure.
 * Layout before packing (deflate, raw): u32 lines, u32 bytes of heads, heads, text; a head is the
 * kind and the time's difference to the line before as a varint (zigzag), text is the lines with a
 * line feed behind each.
 */
#ifndef TTYTRAIL_REPLAY_SEARCH_BLOCK_H
#define TTYTRAIL_REPLAY_SEARCH_BLOCK_H

#include "common/buf.h"
#include "common/err.h"
#include "replay/seen.h"

#define BLOCK_TEXT 32768U /* a block is full from here on; one line more fits */

struct block {
    struct buf heads, text;
    uint32_t lines;
    uint64_t last_us;
};

void block_init(struct block *b);
void block_clear(struct block *b);
void block_reset(struct block *b);
int block_add(struct block *b, const struct seen_line *line, struct error *err);
/** block_pack(b, ret, err): Append the packed bytes. */
int block_pack(const struct block *b, struct buf *ret, struct error *err);

typedef int block_line_fn(void *user, const struct seen_line *line);
/** block_text(packed, len, ret, err): Unpack into ${ret}, which block_lines and block_body read;
 * CORRUPT. */
int block_unpack(const void *packed, size_t len, struct buf *ret, struct error *err);
/** block_body(b, ret_len, err): The text of an unpacked block; NULL CORRUPT. */
const char *block_body(const struct buf *b, size_t *ret_len, struct error *err);
/** block_lines(b, cb, user, err): ${cb} with each line, in order; its non-zero result ends it. */
int block_lines(const struct buf *b, block_line_fn *cb, void *user, struct error *err);

#endif
