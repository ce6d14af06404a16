/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command's end of the control socket: one request, one answer.  Where no writer is installed,
 * the command starts a private one on its database (storage/wire/spawn.h) and talks to it the same
 * way.
 */
#ifndef TTYTRAIL_WIRE_CONTROL_H
#define TTYTRAIL_WIRE_CONTROL_H

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
/** control_seal_now(c, session_or_null, ret_horizon, err): Seal the tail of that session, or of all
 * that this writer holds, as far as it is decided; make everything committed durable; *ret_horizon
 * (NULL allowed) is for reader_unshipped. */
int control_seal_now(struct control *c, const uint8_t *session_or_null, int64_t *ret_horizon,
                     struct error *err);
/** control_epoch(c, reason, err): The writer notes a new epoch, with the reason, in meta. */
int control_epoch(struct control *c, const char *reason, struct error *err);

#endif
