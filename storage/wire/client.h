/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder's end of the writer's socket.  It numbers events, keeps every byte that is not yet
 * acknowledged, sends without ever blocking, and after a lost connection resends from where the
 * writer says it stopped.  It knows nothing of terminals, of time or of policy: its owner polls its
 * descriptor, calls it, and decides what a lost writer means.
 *
 * Invariants: events leave in order of seq; nothing is forgotten before it is acknowledged; the
 * outbox never exceeds CLIENT_OUTBOX_MAX (the owner stops reading far below, PITFALLS 12).
 */
#ifndef TTYTRAIL_WIRE_CLIENT_H
#define TTYTRAIL_WIRE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/wire/policy.h"

#define CLIENT_OUTBOX_MAX (4U * 1024 * 1024)
#define CLIENT_NO_PENDING UINT64_MAX

struct client;

/* How to reach a writer; called at the start and at every reconnection.  Returns a connected stream
 * socket (owned by the client from then on), or -1 with err set.  Must not block for long. */
typedef int client_connect_fn(void *user, struct error *err);

/** client_connect_path(path, err): A client_connect_fn's work for a socket in the file system. */
int client_connect_path(const char *path, struct error *err);

int client_new(struct client **ret, client_connect_fn *connect, void *user, struct error *err);
/** client_free(c): Close and forget; what was not acknowledged is lost.  NULL does nothing. */
void client_free(struct client *c);

/** client_open(c, facts, timeout_ms, ret_policy, err): Connect and begin a session with ${facts}
 * (made by facts_put; borrowed); waits for the writer's answer.  DENIED or LIMIT when it refused,
 * RETRY or SYSTEM when there is none. */
int client_open(struct client *c, const struct buf *facts, int timeout_ms,
                struct policy *ret_policy, struct error *err);
/** client_open_start, client_open_finish: The same in two halves, so that a recorder can prepare
 * its child while a private writer starts. */
int client_open_start(struct client *c, const struct buf *facts, struct error *err);
int client_open_finish(struct client *c, int timeout_ms, struct policy *ret_policy,
                       struct error *err);
/** client_open_ready(c, timeout_ms, ret_policy, err): Between the two: wait until a private writer
 * has found its database usable (or the session is open).  What can go wrong after that is a full
 * disk. */
int client_open_ready(struct client *c, int timeout_ms, struct policy *ret_policy,
                      struct error *err);
/** client_pass(c, fd): Pass the descriptor of the outer tty (borrowed; -1: none any more) with each
 * opening. */
void client_pass(struct client *c, int fd);
/** client_take_fresh(c): The descriptor that came back for it, the caller's from then on, or -1.
 * Also after an opening that failed: the older one is dead. */
int client_take_fresh(struct client *c);
/** client_session(c): The 16 bytes of the session's id. */
const uint8_t *client_session(const struct client *c);
/** client_started_us(c): The session's start, unix microseconds, as the writer noted it. */
int64_t client_started_us(const struct client *c);

/** client_event(c, kind, t_us, bytes, len, ret_seq, err): Queue one event (several, above
 * EVENT_MAX_BYTES: *ret_seq, NULL allowed, is the last one's).  Nothing is sent yet.  Steps of
 * ${t_us} backwards are allowed (held input).  LIMIT when the outbox is full. */
int client_event(struct client *c, char kind, uint64_t t_us, const void *bytes, size_t len,
                 uint64_t *ret_seq, struct error *err);
/** client_pending(c, t_us): Queue the watermark: the earliest undecided key, or CLIENT_NO_PENDING.
 */
int client_pending(struct client *c, uint64_t t_us, struct error *err);

/** client_flush(c): Send what can be sent without blocking.  A lost connection shows in
 * client_lost. */
void client_flush(struct client *c);
/** client_receive(c, err): Take in what the writer sent (acknowledgements, pings), without
 * blocking. Returns 0; -1 only when the writer refused (REFUSED) or spoke nonsense. */
int client_receive(struct client *c, struct error *err);

int client_fd(const struct client *c);           /* -1 while lost */
bool client_wants_write(const struct client *c); /* poll for POLLOUT as well */
bool client_lost(const struct client *c);
uint64_t client_acked(const struct client *c);    /* highest committed seq */
uint64_t client_last_seq(const struct client *c); /* highest queued seq */
size_t client_unacked_bytes(const struct client *c);
/** client_unacked(c, ret_len): The frames that are not acknowledged (EVENT, and PENDING among
 * them); borrowed until the next call. */
const uint8_t *client_unacked(const struct client *c, size_t *ret_len);
/** client_full(c): The writer's disk is full, by its last word on this connection or, refused, at
 * the opening. */
bool client_full(const struct client *c);
/** client_full_policy(c, ret): An opening was refused for that, and the policy came with it. */
bool client_full_policy(const struct client *c, struct policy *ret);

/** client_reconnect(c, timeout_ms, err): One attempt; on success the session is resumed and
 * everything not acknowledged is queued again.  DENIED means the writer knows no such session: no
 * use to retry. */
int client_reconnect(struct client *c, int timeout_ms, struct error *err);

/** client_nested(c, tty, timeout_ms, ret_yes, ret_policy, err): Before client_open: connect and ask
 * whether a session that is open records this process already; ${tty}: the terminal on its
 * descriptor 0, -1 for none.  The connection is kept for client_open. */
int client_nested(struct client *c, int tty, int timeout_ms, bool *ret_yes,
                  struct policy *ret_policy, struct error *err);
/** client_inner(c, master): Tell the writer, on this connection and on later ones, of the session's
 * own pty; ${master} is borrowed. */
void client_inner(struct client *c, int master);
/** client_took_in(c): The process of a nested shell that the writer tells of, once; 0 for none. */
uint32_t client_took_in(struct client *c);

/** client_drop(c): Hang up on a writer that is there but commits nothing; to be reconnected, or
 * given up. */
void client_drop(struct client *c);

/** client_finish(c, timeout_ms, err): Say that no event will follow, send all, wait until the
 * writer has committed all.  RETRY when the connection was lost meanwhile (reconnect and call
 * again). */
int client_finish(struct client *c, int timeout_ms, struct error *err);

#endif
