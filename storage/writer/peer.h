/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the writer: who is at the other end (SO_PEERCRED, never a message), what came
 * in, what has to go out.  Receiving and sending never block.  Knows frames, nothing of sessions'
 * content.
 *
 * `in` begins with `events` bytes of whole, checked EVENT frames, which wait for the next commit;
 * what follows is a begun frame.  Other frames are taken out as they are met.
 */
#ifndef TTYTRAIL_WRITER_PEER_H
#define TTYTRAIL_WRITER_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/db/store.h"
#include "storage/wire/frame.h"

#define PEER_TURN_BYTES 65536 /* read from one connection in one turn (PITFALLS 23) */

struct wsession;
struct wuser;

enum peer_state {
    PEER_NEW,     /* nothing said yet: OPEN, RESUME or a control request is legal */
    PEER_LIVE,    /* a session: EVENT, PENDING, BYE, PONG */
    PEER_BYE,     /* said BYE: nothing more is legal */
    PEER_CONTROL, /* control requests only */
    PEER_GONE     /* closed by the other end, or by us */
};

/* A sealed segment on its way in, in pieces. */
struct peer_import {
    uint8_t session[16];
    size_t size; /* 0: none */
    struct store_segment segment;
    struct buf bytes;
};

struct peer {
    struct peer *next;
    int fd;
    enum peer_state state;
    bool control; /* came in through the control socket */
    pid_t pid;
    uid_t uid;
    uint64_t start; /* of process pid */
    struct wsession *session;
    struct wuser *user; /* whose limits count; NULL: none do */
    struct buf in, out;
    size_t events; /* bytes of ready EVENT frames at in's front */
    uint64_t events_seq, events_t_us;
    bool urgent; /* among them is one that somebody waits for */
    uint64_t ready_since_us;
    bool commit_first;
    uint64_t defer_us; /* how long events may wait that nobody waits for */
    bool ack_due, pending_due, bye_due, flags_due;
    uint64_t began_us, pinged_us, heard_us;
    bool last_is_ack;
    bool holding;     /* bulk that gathers for the next commit: not read meanwhile */
    int passed_fd;    /* came with a message: a terminal; -1: none */
    int out_fd;       /* goes with the first byte of `out`; -1: none */
    bool waiting;     /* its OPEN is not answered yet */
    bool naming;      /* its first frame lies there until its user's name is known */
    bool visited;     /* by limits_each */
    bool asked;       /* it said NESTED: once */
    uint32_t watched; /* epoll events asked for */
    struct peer_import import;
};

int peer_new(struct peer **ret, int fd, bool control, struct error *err);
void peer_free(struct peer *p);

/** peer_receive(p): Read at most PEER_TURN_BYTES.  0; -1 at the end of the connection (state GONE).
 */
int peer_receive(struct peer *p);
/** peer_next(p, ret, err): The next frame behind the ready events: 1, 0 none whole, -1 CORRUPT. */
int peer_next(struct peer *p, struct frame *ret, size_t *ret_used, struct error *err);
/** peer_keep(p, used): The frame just seen is an EVENT to be committed. peer_drop: it is dealt
 * with. */
void peer_keep(struct peer *p, size_t used);
void peer_drop(struct peer *p, size_t used);
/** peer_committed(p): The ready events are in the database: forget them. */
void peer_committed(struct peer *p);

/** peer_send(p, type, body, len): Queue one frame. peer_ack(p, seq): the latest one wins.
 * peer_refuse(p, kind, text): REFUSED. */
void peer_send(struct peer *p, uint8_t type, const void *body, size_t len);
void peer_ack(struct peer *p, uint64_t seq);
void peer_refuse(struct peer *p, enum err_kind kind, const char *text);
/** peer_take_passed(p): The descriptor that came along, the caller's from now on, or -1. */
int peer_take_passed(struct peer *p);
/** peer_flush(p): Send what goes; true when something is left. */
bool peer_flush(struct peer *p);

#endif
