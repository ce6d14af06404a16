/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream of a session (or of a part of it) without a terminal: our descriptor <-> the child's
 * pipe, 8 bits wide, closed on one side when the other is.  Output's kept part waits for its
 * commit, bulk in between is counted and hashed (docs/DESIGN.md, promise 1); stdin is counted, and
 * kept only if the policy says so (PITFALLS 35).  Used by relay.c alone, inside its poll loop.
 * Invariants: a write never blocks longer than the kernel takes for PIPE_BUF bytes it said there is
 * room for; descriptors 0 to 2, which others share, are never made non-blocking.
 */
#ifndef TTYTRAIL_RECORDER_STREAM_H
#define TTYTRAIL_RECORDER_STREAM_H

#include <poll.h>
#include <stdbool.h>

#include "common/err.h"
#include "recorder/burst.h"
#include "recorder/gate.h"
#include "recorder/link.h"
#include "recorder/tokens.h"

enum { STREAM_POLL_FROM, STREAM_POLL_TO, STREAM_POLLS };

struct stream {
    struct link *link; /* borrowed */
    int from, to;      /* owned; -1 once closed */
    char kind;         /* 'i' from us to the child, 'o' and 'e' from the child to us */
    bool stored;       /* content is kept, not only counted */
    bool to_socket;    /* then a write may be told not to wait */
    bool ended;        /* its totals have been told */
    struct gate gate;
    struct burst *burst;
    struct tokens tokens;
};

/** stream_open(s, kind, from, to, link, err): Takes both descriptors, also on failure. */
int stream_open(struct stream *s, char kind, int from, int to, struct link *link,
                struct error *err);
/** stream_close(s): Close and free; a zeroed one with from and to -1 is accepted. */
void stream_close(struct stream *s);

/** stream_prepare(s, fds): Fill in STREAM_POLLS entries. */
void stream_prepare(struct stream *s, struct pollfd *fds);
/** stream_handle(s, fds): One piece at each end. */
void stream_handle(struct stream *s, const struct pollfd *fds);
/** stream_done(s): Nothing will pass any more. */
bool stream_done(const struct stream *s);
uint64_t stream_deadline(const struct stream *s); /* boot time; UINT64_MAX for never */
void stream_tick(struct stream *s);
/** stream_end(s): No more reading: end the burst and tell the totals. */
void stream_end(struct stream *s);
/** stream_write_rest(s, patience_ms): Hand on all that is committed, waiting that long. */
void stream_write_rest(struct stream *s, int patience_ms);

#endif
