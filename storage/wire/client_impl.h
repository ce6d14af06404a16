/* SPDX-License-Identifier: Apache-2.0 */
/* What client.c, client_open.c and client_nested.c share; no other file includes it. */
#ifndef TTYTRAIL_WIRE_CLIENT_IMPL_H
#define TTYTRAIL_WIRE_CLIENT_IMPL_H

#include "storage/wire/client.h"
#include "storage/wire/frame.h"

enum client_state { CLIENT_NEW, CLIENT_OPENING, CLIENT_LIVE, CLIENT_LOST };

/*
 * The outbox holds every EVENT frame that is not acknowledged, in order of seq, and the PENDING
 * frames between them (a mark must not be overtaken by the word that nothing is pending any more);
 * `sent` says how much of it this connection has taken.  Everything else (open, resume, bye, pong)
 * goes through `small`, which is sent before the unsent part of the outbox, at a frame's boundary.
 */
struct client {
    client_connect_fn *connect;
    void *user;
    int fd;
    int pass_fd;  /* goes with every OPEN; -1 */
    int fresh_fd; /* came for it; -1 */
    bool passes;  /* `small` begins with an OPEN that pass_fd has to go with */
    enum client_state state;
    struct buf outbox, small, inbox;
    size_t sent;       /* bytes of outbox given to this connection */
    size_t frame_left; /* of them, how many bytes of a begun frame are still missing */
    uint64_t last_seq, acked;
    uint64_t pending_us; /* the watermark as of the outbox's front */
    bool bye, goodbye, ready;
    bool asked, nested;    /* NESTED was answered; with yes */
    int inner;             /* borrowed: the pty's master; -1 */
    bool inner_due;        /* this connection has not been told of it */
    uint32_t nested_pid;   /* of the last NESTED_IN that nobody has asked for */
    bool full, has_policy; /* the writer said FULL, and sent a policy with it */
    struct policy policy;
    uint8_t session[16];
    int64_t started_us;
};

/** client_lose(c): The connection is gone; what was not acknowledged stays. */
void client_lose(struct client *c);
/** client_take(c, policy, err): As client_receive, and an OPENED's policy goes to ${policy}. */
int client_take(struct client *c, struct policy *policy, struct error *err);
/** client_wait(c, done, timeout_ms, policy, err): Flush and receive until ${done}. */
int client_wait(struct client *c, bool (*done)(const struct client *c), int timeout_ms,
                struct policy *policy, struct error *err);
/** client_nested_frame(c, f, policy, err): NESTING and NESTED_IN: 1, 0 another frame, -1. */
int client_nested_frame(struct client *c, const struct frame *f, struct policy *policy,
                        struct error *err);
/** client_send_inner(c): INNER, at a frame's boundary; false: not now. */
bool client_send_inner(struct client *c);
/** client_put_pending(to, t_us, err): One PENDING frame. */
int client_put_pending(struct buf *to, uint64_t t_us, struct error *err);

#endif
