/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in a session, event by event in order of time, wherever it is kept: in the database
 * or in a file of asciicast v2 lines (anybody's; plain, or gzip of any number of members).  Bytes
 * are exact. Memory is one segment, or one piece of a file.  Knows nothing of terminals or of pace.
 *
 * Damage is an error that names the place; the caller may go on calling and gets what comes after
 * it.
 */
#ifndef TTYTRAIL_REPLAY_TIMELINE_H
#define TTYTRAIL_REPLAY_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "storage/db/reader.h"

struct timeline;

struct timeline_head {
    uint32_t cols, rows; /* 0 when not known */
    int64_t started_us;  /* unix; 0 when not known */
    const char *title;   /* never NULL */
    bool no_terminal;    /* streams of a session without one: lines end with LF alone */
};

struct timeline_event {
    uint64_t t_us;        /* since the session's start; never steps back within a whole recording */
    char kind;            /* o i r m e x; '?' for what others write */
    const uint8_t *bytes; /* borrowed until the next call */
    size_t len;
};

#define TIMELINE_WAIT 2

/** timeline_open_session(ret, r, s, err): The session ${s} of ${r}; ${r} is borrowed until
 * timeline_close. */
int timeline_open_session(struct timeline **ret, struct reader *r, const struct session_row *s,
                          struct error *err);
/** timeline_open_file(ret, path, err): A file, "-" for standard input; reads its header, waiting
 * for it. CORRUPT when it does not begin with one, USAGE for a version of asciicast that is not
 * read yet. */
int timeline_open_file(struct timeline **ret, const char *path, struct error *err);
void timeline_close(struct timeline *t);
const struct timeline_head *timeline_head(const struct timeline *t);

/** timeline_next(t, ret, err): 1 and *ret; 0 at the end; TIMELINE_WAIT when a pipe holds nothing
 * for now (poll timeline_fd); -1 for damage. */
int timeline_next(struct timeline *t, struct timeline_event *ret, struct error *err);
/** timeline_fd(t): The descriptor behind TIMELINE_WAIT; -1 when that never comes. */
int timeline_fd(const struct timeline *t);

#endif
