/* SPDX-License-Identifier: Apache-2.0 */
/* What recorder.c and whether.c share; no other file includes it. */
#ifndef TTYTRAIL_RECORDER_RECORDER_IMPL_H
#define TTYTRAIL_RECORDER_RECORDER_IMPL_H

#include "recorder/child.h"
#include "recorder/recorder.h"
#include "recorder/relay.h"
#include "recorder/without.h"

#define OPEN_TIMEOUT_MS 10000

/* Everything that one session holds; all of it is let go in close_all. */
struct recorder {
    const struct recorder_config *config;
    bool closed[3], is_tty[3]; /* descriptors 0 to 2 as we found them */
    int outer;                 /* which of them is the terminal; -1 */
    int ends[3];               /* our ends of the child's pipes */
    int theirs[3];             /* the child's, until it has them */
    struct limits limits;
    struct signals signals;
    struct term term;
    struct pty pty;
    int ahead; /* a connection to the writer that the client has not taken over yet; -1 */
    struct client *client;
    struct policy policy;
    const char *shell; /* the policy's, to be run instead; NULL: the command as it is */
    struct buf facts;  /* of the opening */
    struct without without;
    struct child child;
    struct link link;
    struct tty tty;
    struct stream streams[3];
    bool streaming[3];
    bool tty_open;
    bool fresh;  /* nobody else has the terminal open */
    bool lost;   /* there is no writer at the opening */
    bool nested; /* a session that is open records us already */
};

/** recorder_ask_nested(r, why): Whether somebody records us already: r->nested, or r->lost. Without
 * a terminal that needs a recorder above us, with nothing between that lets people in. */
void recorder_ask_nested(struct recorder *r, struct error *why);
/** recorder_apply_policy(r, err): What the policy says, whoever it came from, of what is run, and
 * how: 0: recorded; 1: in our place; -1. */
int recorder_apply_policy(struct recorder *r, struct error *err);

#endif
