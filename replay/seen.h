/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen and typed in a session, as lines of text: the one home of it, for the text export
 * and for searching.  Lines hold no control characters and no line's end.
 *
 * SEEN_OUTPUT lines are the text export: each line that left the main screen, in order, then what
 * stands there at the end; empty ones too.  SEEN_SCREEN: rows of full-screen programs, as they
 * stood when nothing more came for a moment, each text once for a while.  SEEN_INPUT: what was
 * typed, up to each Enter.  Knows nothing of patterns or files.
 */
#ifndef TTYTRAIL_REPLAY_SEEN_H
#define TTYTRAIL_REPLAY_SEEN_H

#include "common/buf.h"
#include "common/err.h"
#include "replay/timeline.h"

enum seen_kind { SEEN_OUTPUT, SEEN_SCREEN, SEEN_INPUT };

struct seen_line {
    enum seen_kind kind;
    uint64_t t_us;    /* when it was written last, since the session's start */
    const char *text; /* UTF-8, borrowed; no NUL behind it */
    size_t len;
};

struct seen_config {
    bool screens, input;                                   /* besides SEEN_OUTPUT */
    int (*line)(void *user, const struct seen_line *line); /* non-zero ends the walk */
    void (*gap)(void *user, const struct error *what);     /* a damaged part; NULL: not told */
    void *user;
};

/** seen_walk(t, c, err): The whole of ${t}, from where it stands: 0; c->line's result; -1. */
int seen_walk(struct timeline *t, const struct seen_config *c, struct error *err);

#endif
