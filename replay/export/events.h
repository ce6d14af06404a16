/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A format that is written event by event: the walk through the session, its damages and its end
 * are here, what an event looks like is the format's.  A damaged part is told (export_request's
 * gap) and shown to the format as a mark.  Memory stays flat.
 */
#ifndef TTYTRAIL_REPLAY_EXPORT_EVENTS_H
#define TTYTRAIL_REPLAY_EXPORT_EVENTS_H

#include "replay/export/export.h"
#include "replay/timeline.h"

struct events {
    const struct export_request *req;
    const struct timeline_head *head;
    struct export_out out;
    struct buf line; /* scratch of the format */
    void *state;     /* zeroed, struct events_format's size */
    struct error *err;
};

struct events_format {
    size_t state;
    size_t line_max;                /* ceiling of struct events' line */
    int (*begin)(struct events *e); /* NULL: nothing */
    int (*event)(struct events *e, const struct timeline_event *ev);
    int (*end)(struct events *e);    /* NULL: nothing */
    void (*clear)(struct events *e); /* NULL: nothing; also after a failed begin */
};

/** events_run(f, req, err): The whole session. */
int events_run(const struct events_format *f, const struct export_request *req, struct error *err);
/** events_line(e): Write the scratch line out and empty it. */
int events_line(struct events *e);
/** events_terminal(e, ret, size): TERM as the session had it; "" when unknown.  Returns ${ret}. */
char *events_terminal(const struct events *e, char *ret, size_t size);
/** events_size(ev, ret_cols, ret_rows): What a resize says; false when it says none. */
bool events_size(const struct timeline_event *ev, unsigned *ret_cols, unsigned *ret_rows);
/** events_status(ev, ret): The exit status that an 'x' tells, as a shell has it; -1 for none. */
int events_status(const struct timeline_event *ev);

#endif
