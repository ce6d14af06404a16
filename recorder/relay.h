/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay: one poll loop over the user's terminal, the pty, the streams that are no terminal, the
 * signals and the writer, from the child's exec until everything is handed on.  It borrows what
 * session.c opened and knows nothing of how it was opened.
 */
#ifndef TTYTRAIL_RECORDER_RELAY_H
#define TTYTRAIL_RECORDER_RELAY_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "recorder/link.h"
#include "recorder/signals.h"
#include "recorder/stream.h"
#include "recorder/tty.h"

struct relay {
    uint64_t watch_less_until_us; /* set by the loop */
    struct link *link;
    struct signals *signals;
    struct tty *tty;           /* NULL without a terminal */
    struct stream *streams[3]; /* NULL where there is none */
    pid_t child;
    bool name_left; /* we are the subreaper: tell what the session leaves running */
    /* the relay's own */
    bool reaped;
    int status;   /* of the child, as waitpid(2) gives it */
    int ended_by; /* a signal of ours that ended the session; 0 none */
    bool hung_up;
    uint64_t end_us; /* boot time at which an ended session is left, come what may */
};

/** relay_run(r, err): Until the session is over and committed.  -1: the recording could not go on.
 */
int relay_run(struct relay *r, struct error *err);

#endif
