/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring's half: what a recorder leaves in a file while it has no writer, or while the writer's
 * disk is full.  A header with the facts of the opening, then EVENT frames as on the wire, then
 * zeros or the end of the file.  A pure codec: knows nothing of files, nor of who wrote them, which
 * may have been anybody.  Layout: docs/FORMAT.md, "Ring".
 */
#ifndef TTYTRAIL_WIRE_RING_H
#define TTYTRAIL_WIRE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/wire/facts.h"
#include "storage/wire/frame.h"

#define RING_DIR        "/var/lib/ttytrail/ring"
#define RING_HEADER     48U
#define RING_END        FRAME_HEADER /* bytes of zeros behind the last frame */
#define RING_KIB_LEAST  512U
#define RING_KIB_MOST   65536U
#define RING_HALF_BYTES (RING_KIB_MOST * 512U) /* of one half, at most */
#define RING_T_MAX      ((uint64_t)1 << 53)

struct ring_half {
    uint64_t turn;      /* 0, 1, 2, ...: half turn % 2 was begun then */
    uint64_t first_seq; /* of the first event that was put here */
    int64_t started_us; /* unix: when the session of these events began */
    struct facts facts;
    const uint8_t *frames; /* borrowed: whole EVENT frames, seqs without a gap from first_seq on */
    size_t len;
    uint64_t last_seq, last_t_us; /* last_seq: first_seq - 1 without events; last_t_us: highest */
};

/** ring_put_header(out, half, err): Append the header and the facts of ${half}. */
int ring_put_header(struct buf *out, const struct ring_half *half, struct error *err);
/** ring_read(bytes, len, ret, err): *ret borrows from ${bytes}.  CORRUPT when the header is none;
 * the events end where something else than the next one stands. */
int ring_read(const uint8_t *bytes, size_t len, struct ring_half *ret, struct error *err);

#endif
