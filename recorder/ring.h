/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a session goes while there is no writer for it: two files of fixed size that take turns, in
 * a directory that only recorders and the writer can enter.  Invariants: both have their full size
 * from the start, so that no write fails for want of room; a write goes to the kernel's memory and
 * waits for no disk; a recorder that dies at any moment leaves whole events.
 * Layout: docs/FORMAT.md, "Ring".
 */
#ifndef TTYTRAIL_RECORDER_RING_H
#define TTYTRAIL_RECORDER_RING_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct ring;

struct ring_config {
    const char *dir;
    uint32_t kib;            /* of both files; taken into RING_KIB_LEAST and RING_KIB_MOST */
    const struct buf *facts; /* of the session's opening; copied */
    int64_t started_us;      /* unix: zero of the events' times */
};

/** ring_open(ret, config, err): Make both files; they are this process's until it closes them or
 * dies. */
int ring_open(struct ring **ret, const struct ring_config *config, struct error *err);
/** ring_put(r, kind, t_us, bytes, len, err): One event (several, above EVENT_MAX_BYTES). */
int ring_put(struct ring *r, char kind, uint64_t t_us, const void *bytes, size_t len,
             struct error *err);
/** ring_put_frames(r, frames, len, err): The EVENT frames among ${frames}, with new numbers. */
int ring_put_frames(struct ring *r, const uint8_t *frames, size_t len, struct error *err);
/** ring_close(r): Make it durable and let go: the writer may have it.  NULL does nothing. */
void ring_close(struct ring *r);

#endif
