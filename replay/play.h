/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Playing a timeline on the terminal of the caller, at the pace at which it happened.  One loop
 * over keys, signals, the terminal's room for output and a pipe that may hold more; it waits for
 * absolute times and never sleeps.  The terminal is left in good order whatever ends it.  What is
 * shown is filtered (replay/sanitize.h) unless told otherwise.
 */
#ifndef TTYTRAIL_REPLAY_PLAY_H
#define TTYTRAIL_REPLAY_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "replay/kept.h"
#include "replay/timeline.h"

struct play_config {
    double speed;           /* 1: as it happened */
    uint64_t idle_limit_us; /* no wait is longer; 0: as long as they were */
    bool keys;              /* listen to keys, where there is a terminal */
    bool raw;               /* everything passes, hostile or not */
    /* A damaged part was passed over; called where stdout is no terminal (there it shows in place).
     */
    void (*gap)(void *user, const struct error *what);
    void *user;
};

struct play_result {
    int signal;       /* that ended it (SIGPIPE: nobody reads any more), 0 for none */
    unsigned gaps;    /* damaged parts passed over */
    uint64_t dropped; /* sequences the filter did not let through */
    bool ended;       /* by the recording's own end: kept tells of all of it */
    struct kept kept;
};

/** play_run(t, config, ret, err): Until the end, a quitting key or a signal. */
int play_run(struct timeline *t, const struct play_config *config, struct play_result *ret,
             struct error *err);

#endif
