/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for typed bytes: locked, left out of dumps, empty in forked children, wiped as soon as
 * bytes leave it.  A FIFO of fixed size whose content is always contiguous.  Invariants: no byte
 * outside [off, off+len) is other than zero; mlock may fail (PITFALLS 14), which is a flag and
 * nothing more.
 */
#ifndef TTYTRAIL_RECORDER_ARENA_H
#define TTYTRAIL_RECORDER_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ARENA_SIZE 16384U

struct arena {
    uint8_t *mem;
    size_t off, len;
    bool locked;
};

int arena_open(struct arena *a, struct error *err);
/** arena_close(a): Wipe and unmap; an unopened (zeroed) arena is accepted. */
void arena_close(struct arena *a);
/** arena_space(a, ret): Room at ${ret}; arena_filled says how much of it was used. */
size_t arena_space(struct arena *a, uint8_t **ret);
void arena_filled(struct arena *a, size_t n);
/** arena_drop(a, n): Wipe and forget the first ${n} bytes. */
void arena_drop(struct arena *a, size_t n);

#endif
