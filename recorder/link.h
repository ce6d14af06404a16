/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder's road to its writer: events get their time and number here, are sent when it is
 * worth a system call, and a lost writer is reconnected or becomes what the policy says: the
 * session ends, waits, or goes on away from the writer, into a ring or without a recording.  Knows
 * nothing of terminals.  Invariants: times of output (o, e) strictly increase; while `link_blocks`,
 * nobody may give the child anything to do; once `link_tick` has said -1 the session has to end.
 * Of a session that the policy does not record nothing but its exit is passed on, and no loss holds
 * it up.
 */
#ifndef TTYTRAIL_RECORDER_LINK_H
#define TTYTRAIL_RECORDER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "recorder/ring.h"
#include "storage/wire/client.h"
#include "storage/wire/policy.h"

#define LINK_UNACKED_MAX (128U * 1024) /* stop reading the pty above it (PITFALLS 12) */

/* What a session that has to do without its writer may use. */
struct link_means {
    const char *ring_dir;    /* where rings are made; NULL: nowhere */
    const struct buf *facts; /* of the session's opening */
    bool insider;            /* root or break_glass: let in where others are not */
    bool root;               /* and without a recording, if there is no other way */
    /* One line for the user, without its end; NULL for nobody.  False: not now. */
    bool (*tell)(void *user, const char *line);
    void *tell_user;
};

enum link_way { LINK_END, LINK_WAIT, LINK_RING, LINK_UNRECORDED };

struct link {
    struct client *client;
    struct policy policy;
    uint64_t zero_us; /* boot time at the session's start */
    uint64_t last_out_us;
    uint64_t sent_seq; /* highest number given to the socket */
    size_t unsent;     /* bytes queued since then */
    uint64_t hold_us;  /* boot time at which queued input is sent at the latest; 0: none waits */
    uint64_t stall_us; /* boot time since when nothing of what was sent is acknowledged; 0: it is */
    uint64_t stall_acked;
    bool stalled;       /* the loss was a stall: that is the reason to name */
    uint64_t anchor_us; /* boot time of the next wall-clock anchor */
    int64_t ahead_us;   /* wall time minus boot time, at the last anchor */
    uint64_t lost_us,
        retry_us; /* boot time since when the writer is gone (0: it is there), next try */
    unsigned backoff_ms;
    bool away;       /* going on without the writer: into the ring if there is one */
    bool full;       /* that was for the writer's full disk; else it is lost */
    bool opened;     /* the writer has the session; else it is to be opened when it is back */
    bool told;       /* the user knows that the writer is lost */
    bool broken;     /* an event could not even be queued */
    bool refused;    /* the writer does not know the session any more: no use to retry */
    uint64_t gap_us; /* session time at which it went away */
    char why[128];   /* the last loss, for people */
    char line[120];  /* what the user is still to be told */
    struct link_means means;
    struct ring *ring;
};

/** link_begin(l, client): The session is open; its time begins. ${client} stays the caller's. */
void link_begin(struct link *l, struct client *client, const struct policy *policy,
                const struct link_means *means);
/** link_way(policy, means, full): What the policy says of a session without a writer; ${full}:
 * whose disk is full. */
enum link_way link_way(const struct policy *policy, const struct link_means *means, bool full);
/** link_begin_away(l, client, policy, means, way, full, why, err): As link_begin, without a writer:
 * ${way} is LINK_RING or LINK_UNRECORDED.  -1 when no ring can be made. */
int link_begin_away(struct link *l, struct client *client, const struct policy *policy,
                    const struct link_means *means, enum link_way way, bool full, const char *why,
                    struct error *err);
/** link_close(l): Let go of the ring. */
void link_close(struct link *l);
/** link_now(l): Microseconds since the session's start. */
uint64_t link_now(const struct link *l);

/** link_output(l, kind, t_us, bytes, len): Queue output of kind o or e; returns the number to wait
 * for before it is shown: 0 when it may be shown at once (commit = batch, or away from the writer).
 */
uint64_t link_output(struct link *l, char kind, uint64_t t_us, const void *bytes, size_t len);
/** link_event(l, kind, t_us, bytes, len): Queue anything else. */
void link_event(struct link *l, char kind, uint64_t t_us, const void *bytes, size_t len);
void link_text(struct link *l, char kind, uint64_t t_us, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/** link_pending(l, t_us, at_once): The watermark; ${at_once}: the keys it speaks of go next, else
 * with whatever is sent next. */
void link_pending(struct link *l, uint64_t t_us, bool at_once);

/** link_send(l): Send what is queued, unless waiting for the answer to what is on its way is as
 * good. */
void link_send(struct link *l);
/** link_send_soon(l): As link_send, but input may wait a moment for the echo that it causes. */
void link_send_soon(struct link *l);
/** link_receive(l): Take in acknowledgements; notices a lost writer. */
void link_receive(struct link *l);
/** link_poll_events(l): For client_fd, in poll(2). */
short link_poll_events(const struct link *l);

/** link_acked(l): The number up to which output may be shown. */
uint64_t link_acked(const struct link *l);
/** link_congested(l): Stop reading the child's output. */
bool link_congested(const struct link *l);
/** link_blocks(l): Stop reading the keyboard and stdin. */
bool link_blocks(const struct link *l);

/** link_waits(l): What is due at any moment after a few interactive bytes: the echo of a key that
 * was just typed, the acknowledgement of what was just sent, or neither. */
enum link_wait { LINK_WAITS_NOT, LINK_WAITS_ECHO, LINK_WAITS_ACK };
enum link_wait link_waits(const struct link *l);

/** link_tick(l, err): Whatever is due: anchors, waiting input, reconnection.  -1: the writer is
 * lost and the policy says `end`. */
int link_tick(struct link *l, struct error *err);
/** link_deadline(l): Boot time at which link_tick is due; UINT64_MAX for never. */
uint64_t link_deadline(const struct link *l);

/** link_finish(l, patience_ms, err): Nothing will follow; returns when all is committed. */
int link_finish(struct link *l, unsigned patience_ms, struct error *err);

#endif
