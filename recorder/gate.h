/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output on its way to the user: bytes wait in a ring until the event that records them is
 * committed. Pure: knows nothing of descriptors or of the writer.  Invariants: bytes leave in the
 * order they came; none leaves before its event's number was acknowledged (docs/DESIGN.md, promise
 * 1); nothing is allocated after gate_init.
 */
#ifndef TTYTRAIL_RECORDER_GATE_H
#define TTYTRAIL_RECORDER_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define GATE_LIMIT                                                                                 \
    (128U * 1024) /* above this many waiting bytes the owner stops reading (PITFALLS 12) */
#define GATE_SPARE (72U * 1024)  /* room beyond it for what is drained at the end */
#define GATE_SIZE  (256U * 1024) /* a power of two, at least GATE_LIMIT + GATE_SPARE */
#define GATE_MARKS 1024U

struct gate {
    uint8_t *mem;
    uint64_t in, allowed, out; /* byte positions since the beginning: out <= allowed <= in */
    struct {
        uint64_t seq, end;
    } mark[GATE_MARKS];
    unsigned first, count;
};

int gate_init(struct gate *g, struct error *err);
void gate_clear(struct gate *g);

/** gate_space(g, ret): Contiguous room at ${ret}, to read into; may be 0. */
size_t gate_space(const struct gate *g, uint8_t **ret);
/** gate_filled(g, n, seq): ${n} bytes were put there, recorded by event ${seq}; 0: they may go at
 * once. */
void gate_filled(struct gate *g, size_t n, uint64_t seq);
/** gate_ack(g, seq): Everything up to event ${seq} is committed. */
void gate_ack(struct gate *g, uint64_t seq);
/** gate_next(g, ret): Bytes that may be shown now; 0 when none. */
size_t gate_next(const struct gate *g, const uint8_t **ret);
void gate_shown(struct gate *g, size_t n);
/** gate_waiting(g): Bytes not yet shown. */
size_t gate_waiting(const struct gate *g);
/** gate_full(g): The owner should stop reading. */
bool gate_full(const struct gate *g);

#endif
