/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder's signals, as a descriptor: CHLD WINCH HUP TERM INT QUIT USR1 and no other (blocked
 * TTIN, TTOU or TSTP break job control, PITFALLS 9).  What the caller ignored stays ignored
 * (nohup). Invariants: signals_close puts back the caller's mask and dispositions.
 */
#ifndef TTYTRAIL_RECORDER_SIGNALS_H
#define TTYTRAIL_RECORDER_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "common/err.h"

struct signals {
    int fd;             /* signalfd(2), non-blocking */
    sigset_t mask;      /* the caller's */
    sigset_t wait_mask; /* for ppoll(2): lets SIGCONT in, which is shut out elsewhere */
    struct sigaction chld, pipe, xfsz;
};

int signals_open(struct signals *s, struct error *err);
void signals_close(struct signals *s);
/** signals_next(s): The next signal that came, 0 when none. */
int signals_next(const struct signals *s);
/** signals_ends(sig): Whether it is one that ends a session. */
bool signals_ends(int sig);

#endif
