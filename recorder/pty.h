/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pseudo-terminal pair.  Knows nothing of processes or relaying.  Invariants: both descriptors
 * are CLOEXEC, the master is non-blocking, the slave is not (it is the child's).
 */
#ifndef TTYTRAIL_RECORDER_PTY_H
#define TTYTRAIL_RECORDER_PTY_H

#include <sys/ioctl.h>
#include <termios.h>

#include "common/err.h"

struct pty {
    int master, slave; /* -1 when closed */
};

/** pty_open(ret, termios_or_null, size_or_null, err): A new pair that looks like the outer
 * terminal. */
int pty_open(struct pty *ret, const struct termios *termios_or_null,
             const struct winsize *size_or_null, struct error *err);
/** pty_close_slave, pty_close(p): Close what is open of it; closed twice does nothing. */
void pty_close_slave(struct pty *p);
void pty_close(struct pty *p);

#endif
