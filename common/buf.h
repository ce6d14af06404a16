/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable run of bytes with a ceiling given at birth.  Invariants: data[off .. off+len) is the
 * content; len <= max; growing past max is ERR_LIMIT, never truncation.  Consuming from the front
 * is O(1).  Not for secrets (those live in the recorder's locked arena): growth may leave copies
 * behind.
 */
#ifndef TTYTRAIL_COMMON_BUF_H
#define TTYTRAIL_COMMON_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct buf {
    uint8_t *mem;
    size_t off, len, cap, max;
};

/** buf_init(b, max_bytes): Make ${b} empty with the ceiling ${max_bytes}; allocates nothing. */
void buf_init(struct buf *b, size_t max_bytes);
/** buf_clear(b): Free the memory of ${b}; it is empty afterwards and may be used again. */
void buf_clear(struct buf *b);
/** buf_reset(b): Forget the content, keep the memory. */
void buf_reset(struct buf *b);
/** buf_data(b): The first byte of the content; borrowed until the next call that grows ${b}. */
uint8_t *buf_data(const struct buf *b);

/** buf_reserve(b, extra, ret, err): Make room for ${extra} bytes after the content and point ${ret}
 * at it; buf_commit tells how many were written.  LIMIT above the ceiling, SYSTEM without memory.
 */
int buf_reserve(struct buf *b, size_t extra, uint8_t **ret, struct error *err);
/** buf_commit(b, n): ${n} of the reserved bytes now belong to the content. */
void buf_commit(struct buf *b, size_t n);

int buf_append(struct buf *b, const void *bytes, size_t len, struct error *err);
int buf_puts(struct buf *b, const char *text, struct error *err);
int buf_putc(struct buf *b, char c, struct error *err);
int buf_printf(struct buf *b, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** buf_consume(b, n): Drop the first ${n} bytes (at most the length). */
void buf_consume(struct buf *b, size_t n);
/** buf_text(b, err): The content as a C string (a NUL is kept behind it); NULL without memory. */
const char *buf_text(struct buf *b, struct error *err);

#endif
