/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outer terminal: the user's.  Raw while the session runs, as it was on every way out, a fatal
 * signal's included.  Knows nothing of ptys.  Invariants: raw mode comes and goes with TCSANOW
 * (anything else throws typed-ahead keys away or waits for output, PITFALLS 11); the description we
 * were given is never made non-blocking, since it is shared with the outer shell: we open one of
 * our own where we may.
 */
#ifndef TTYTRAIL_RECORDER_TERM_H
#define TTYTRAIL_RECORDER_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

#include "common/err.h"
#include "recorder/secrets.h"

#define TERM_EARLY 16384U /* keys that are kept from before the session */

struct term {
    int fd;           /* for reading and writing; -1: no terminal */
    bool nonblocking; /* fd is a description of our own */
    bool raw;
    bool held;      /* keys come one by one and without their echo, the rest is as it was */
    bool replaced;  /* fd's description is that of descriptors 0 to 2 as well */
    bool exclusive; /* TIOCEXCL was set by us */
    struct termios saved;
    struct winsize size;
    struct secrets secrets;
    uint8_t *early; /* TERM_EARLY bytes of secrets; NULL: none */
    size_t early_at, early_len;
};

/** term_open(ret, fd, err): Look at the terminal ${fd} (borrowed) and open it anew. */
int term_open(struct term *ret, int fd, struct error *err);
/** term_exclusive(t): Nobody else may open it from now on (login mode only, PITFALLS 1). */
void term_exclusive(struct term *t);
/** term_hold(t), term_let_go(t): Keys that are there can be read with term_early, whatever the line
 * was; and back. */
void term_hold(struct term *t);
void term_let_go(struct term *t);
/** term_early(t): Keep what was typed ahead for term_read; false when there is more than that. */
bool term_early(struct term *t);
/** term_replace(t, fd): Go on with ${fd}, the same terminal after its hang-up (taken over). */
void term_replace(struct term *t, int fd);
/** term_read(t, to, max): As read(2); keys of before the session first. */
ssize_t term_read(struct term *t, void *to, size_t max);
/** term_raw(t, err): Enter raw mode; also after having been stopped and continued. */
int term_raw(struct term *t, struct error *err);
/** term_continued(): Whether SIGCONT came since the last call: modes and size may have changed. */
bool term_continued(void);
/** term_resized(t): Read the size again; true when it changed. */
bool term_resized(struct term *t);
/** term_close(t): Leave raw mode and close; closed twice does nothing. */
void term_close(struct term *t);

#endif
