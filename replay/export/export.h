/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a session for other programs: the table of formats, and what all of them share.  Output
 * is streamed, memory stays flat.  Knows nothing of files' names or of the command line.
 */
#ifndef TTYTRAIL_REPLAY_EXPORT_EXPORT_H
#define TTYTRAIL_REPLAY_EXPORT_EXPORT_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "replay/kept.h"
#include "storage/db/reader.h"

struct export_request {
    struct reader *reader;
    const struct session_row *session;
    int fd;        /* where it is written to */
    int timing_fd; /* script: and its timing */
    char stream;   /* raw: the kind of event, 'o', 'i' or 'e' */
    /* Called once for each damaged part that had to be left out. */
    void (*gap)(void *user, const struct error *what);
    void *user;
    struct kept *kept; /* raw: what of the stream is there is counted in it; NULL: not asked */
};

struct export_format {
    const char *name;
    const char *summary;
    int (*run)(const struct export_request *req, struct error *err); /* NULL: not built yet */
};

/** export_format(name, err): The format called ${name}.  USAGE when there is none, or not yet. */
const struct export_format *export_format(const char *name, struct error *err);

/* A descriptor behind a buffer. */
struct export_out {
    int fd;
    struct buf pending;
};
void export_out_init(struct export_out *o, int fd);
void export_out_clear(struct export_out *o);
int export_out_write(struct export_out *o, const void *bytes, size_t len, struct error *err);
int export_out_flush(struct export_out *o, struct error *err);

#endif
