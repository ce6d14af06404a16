/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command's end of the control socket: one request, one answer.  Where no writer is installed,
 * the command starts a private one on its database (storage/wire/spawn.h) and talks to it the same
 * way.
 */
#ifndef TTYTRAIL_WIRE_CONTROL_H
#define TTYTRAIL_WIRE_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct control;

/** control_open(ret, socket_or_null, db, err): Connect to ${socket_or_null}; with NULL start a
 * private writer on ${db}. */
int control_open(struct control **ret, const char *socket_or_null, const char *db,
                 struct error *err);
void control_close(struct control *c);

/** Each waits for the writer's answer; DENIED when it refuses. */
int control_shipped(struct control *c, const uint8_t session[16], uint32_t segments,
                    struct error *err);
struct control_told { /* segments of a session that are stored, from its first on */
    uint8_t session[16];
    uint32_t segments;
};
/** control_shipped_many(c, list, n, err): The same for many, a few hundred in one transaction of
 * the writer. */
int control_shipped_many(struct control *c, const struct control_told *list, size_t n,
                         struct error *err);
/** control_seal_now(c, session_or_null, ret_horizon, err): Seal the tail of that session, or of all
 * that this writer holds, as far as it is decided; make everything committed durable; *ret_horizon
 * (NULL allowed) is for reader_unshipped. */
int control_seal_now(struct control *c, const uint8_t *session_or_null, int64_t *ret_horizon,
                     struct error *err);
#define CONTROL_VERDICT_MAX 49152U
/** control_verdict(c, json, len, err): A verdict (docs/FORMAT.md, "Verdicts"), at most
 * CONTROL_VERDICT_MAX bytes, into the host's journal. */
int control_verdict(struct control *c, const char *json, size_t len, struct error *err);
/** control_epoch(c, reason, err): The writer notes a new epoch, with the reason, in meta. */
int control_epoch(struct control *c, const char *reason, struct error *err);

/** control_prune(c, session, below, most, ret_segments, ret_bytes, err): Remove the bytes of at
 * most
 * ${most} of the session's segments below ${below}, lowest first, and of none that is not marked as
 * shipped: how many that were.  Nothing of an imported session. */
int control_prune(struct control *c, const uint8_t session[16], uint32_t below, uint32_t most,
                  int64_t *ret_segments, int64_t *ret_bytes, struct error *err);
/** control_give_back(c, pages, ret_left, err): Give at most ${pages} free pages of the database
 * back to the file system; *ret_left: how many are free still. */
int control_give_back(struct control *c, uint32_t pages, int64_t *ret_left, struct error *err);

#endif
