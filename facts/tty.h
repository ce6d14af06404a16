/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal that somebody passed: who has it open, and taking it away from all of them.  Needs
 * root's SYS_ADMIN, DAC_OVERRIDE, SYS_PTRACE and DAC_READ_SEARCH; knows nothing of sockets.
 */
#ifndef TTYTRAIL_FACTS_TTY_H
#define TTYTRAIL_FACTS_TTY_H

#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

/** tty_hang_up(fd, owner, err): TIOCVHANGUP on the pseudo-terminal's slave ${fd}, which has to
 * belong to ${owner}; a fresh descriptor of it, exclusive, or -1.  Every older one answers EIO. */
int tty_hang_up(int fd, uid_t owner, struct error *err);
/** tty_holders(fd, ret, err): "pid:start" of each process that has it open, blanks between. */
int tty_holders(int fd, struct buf *ret, struct error *err);

#endif
