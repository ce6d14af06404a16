/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The viewer's terminal: raw while a recording plays, as it was afterwards, whatever ends the
 * player. Signals come as a descriptor to poll; output never blocks.  Knows nothing of recordings.
 */
#ifndef TTYTRAIL_REPLAY_CONSOLE_H
#define TTYTRAIL_REPLAY_CONSOLE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "common/err.h"

struct console_config {
    bool keys;          /* listen to keys: raw mode */
    bool line_feeds;    /* the kernel makes CR LF of LF, as it was for what is shown */
    bool discard_input; /* at the end: a terminal may have answered into it */
};

struct console {
    int out_fd, key_fd, signal_fd; /* to poll; key_fd -1 without keys */
    bool terminal;                 /* out_fd is one */
    /* private */
    bool raw, own_out, discard_input, line_feeds, signals;
    struct termios saved;
    sigset_t mask;
};

/** console_open(c, config, err): Without a terminal on stdout, or none to read keys from, there are
 * no keys (stdin is used when it is a terminal, else the controlling terminal). */
int console_open(struct console *c, const struct console_config *config, struct error *err);
/** console_close(c): The terminal's modes and the signal mask as they were; signals that came since
 * are delivered.  Accepts a zeroed or half-opened ${c}. */
void console_close(struct console *c);
/** console_suspend(c, err): Stop, as ^Z does; returns when continued. */
int console_suspend(struct console *c, struct error *err);
/** console_signal(c): The signal that has arrived, 0 for none. */
int console_signal(struct console *c);
/** console_write(c, bytes, len): Write a piece; what write(2) returns, 0 when there is no room now.
 */
ssize_t console_write(struct console *c, const void *bytes, size_t len);
/** console_write_last(c, bytes, len, timeout_ms): All of it, waiting no longer than that for room.
 */
void console_write_last(struct console *c, const void *bytes, size_t len, int timeout_ms);

#endif
