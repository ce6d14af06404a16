/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal's half of the relay: outer terminal <-> pty.  Keys go through redaction to the pty
 * and the writer; output goes to the writer, and once it is committed to the user.  Knows nothing
 * of processes or of pipes.  Used by relay.c alone, inside its poll loop: prepare, poll(2), handle.
 */
#ifndef TTYTRAIL_RECORDER_TTY_H
#define TTYTRAIL_RECORDER_TTY_H

#include <poll.h>
#include <stdbool.h>

#include "common/err.h"
#include "recorder/gate.h"
#include "recorder/idle.h"
#include "recorder/link.h"
#include "recorder/pty.h"
#include "recorder/redact.h"
#include "recorder/term.h"
#include "recorder/tokens.h"

enum { TTY_POLL_OUTER, TTY_POLL_MASTER, TTY_POLLS };

struct tty {
    struct term *term; /* borrowed */
    struct pty *pty;   /* borrowed */
    struct link *link; /* borrowed */
    struct gate gate;
    struct redact *redact;
    struct tokens typed, shown; /* what redaction lets go, on its way to the link */
    uint64_t out_seq;           /* of the newest output that redaction handed on; 0: none */
    long own_job;               /* process group of the session's first process */
    bool record_input;
    bool judges;     /* redaction is on */
    bool hung_up;    /* the outer terminal is gone */
    bool show_stuck; /* the terminal took less than it was given: wait for POLLOUT */
    bool keys_stuck; /* the pty did */
    bool no_keys;    /* end of file on the keyboard */
    struct idle idle;
    bool locked;     /* nothing is shown, keys open it */
    bool lock_apart; /* ... and that stands on the terminal's other screen */
    bool idle_ended; /* the owner has to end the session */
    uint64_t
        quiet_us; /* boot time before which the pty, which nobody has open, is not asked again */
    struct winsize size;
};

/** tty_open(t, term, pty, link, child, record_input, err): ${child}: the session's first process.
 */
int tty_open(struct tty *t, struct term *term, struct pty *pty, struct link *link, pid_t child,
             bool record_input, struct error *err);
void tty_close(struct tty *t);

/** tty_prepare(t, fds): Fill in TTY_POLLS entries. */
void tty_prepare(struct tty *t, struct pollfd *fds);
/** tty_handle(t, fds): One piece in each direction. */
void tty_handle(struct tty *t, const struct pollfd *fds);
/** tty_takes(t): Whether the terminal can be given something without asking poll(2) first. */
bool tty_takes(const struct tty *t);
/** tty_show(t): Give the terminal a piece of what is committed. */
void tty_show(struct tty *t);
/** tty_resized(t): SIGWINCH, or continued: pass the outer size on. */
void tty_resized(struct tty *t);
/** tty_deadline(t): Boot time at which tty_tick is due; UINT64_MAX for never. */
uint64_t tty_deadline(const struct tty *t);
void tty_tick(struct tty *t);

/** tty_drain(t, max_bytes, max_us): The child is gone: read what it left, and no more (PITFALLS
 * 10). */
void tty_drain(struct tty *t, size_t max_bytes, uint64_t max_us);
/** tty_show_rest(t, patience_ms): Show all that is committed, waiting for the terminal that long.
 */
void tty_show_rest(struct tty *t, int patience_ms);

#endif
