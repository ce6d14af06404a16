/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event: one thing that happened in a session.  Kinds are asciicast v2's 'o' output, 'i' input,
 * 'r' resize ("COLSxROWS"), 'm' mark, and ours: 'e' stderr of a session without a terminal, 'x'
 * exit
 * ("exit 7", "signal 15").  ('b', exact bytes, exists only in the stored form.)  Bytes are raw.
 * A pure codec: knows nothing of sockets, sessions' state or storage.  Layout: docs/FORMAT.md,
 * "Frame".
 */
#ifndef TTYTRAIL_WIRE_EVENT_H
#define TTYTRAIL_WIRE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define EVENT_MAX_BYTES 65536U /* of one event; longer runs are several events */
#define EVENT_HEADER    16U    /* seq and t, in a frame's body before the bytes */

struct event {
    uint64_t seq;  /* from 1, in order of emission */
    uint64_t t_us; /* microseconds of CLOCK_BOOTTIME since the session's start */
    char kind;
    const uint8_t *bytes; /* borrowed */
    size_t len;
};

/** event_put(out, ev, err): Append ${ev} to ${out} as one EVENT frame.  LIMIT above
 * EVENT_MAX_BYTES. */
int event_put(struct buf *out, const struct event *ev, struct error *err);

/** event_next(bytes, len, ret, ret_used, err): Decode the EVENT frame at ${bytes}, as tails hold
 * them: 1 and *ret (borrowing) and *ret_used; 0 at the end (len 0); -1 CORRUPT (also for a part of
 * one). */
int event_next(const uint8_t *bytes, size_t len, struct event *ret, size_t *ret_used,
               struct error *err);

/** event_kind_valid(kind): Whether a recorder may send it. */
int event_kind_valid(char kind);

#endif
