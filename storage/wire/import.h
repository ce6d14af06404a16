/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing sessions back: what a command says to a writer of a session that was recorded elsewhere,
 * and of its segments as they were sealed.  Values only; who says it has checked it against what
 * was signed, and the writer checks hash, number and chain once more.  Layout: docs/FORMAT.md,
 * "Messages".
 */
#ifndef TTYTRAIL_WIRE_IMPORT_H
#define TTYTRAIL_WIRE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/wire/control.h"

#define IMPORT_PIECE 57344U

struct import_session { /* borrowed; texts are never NULL */
    const uint8_t *id, *epoch;
    const char *host, *user, *kind, *title, *tty, *command, *state, *exit, *flags;
    int64_t uid, cols, rows, began_us, ended_us;
    const struct buf *facts; /* the session's own, as they came */
};

struct import_segment {
    int64_t number, text_size, events, first_t_us, last_t_us, sealed_us;
    int64_t bytes_out, bytes_in, redactions;
    bool final;
    const uint8_t *sha256, *head; /* 32 each */
    const void *bytes;
    size_t len;
};

/** control_import_session(c, s, ret_segments, ret_imported, err): Make it, or bring an imported one
 * up to date.  *ret_segments: how many segments of it are there; *ret_imported: 0 when it was
 * recorded there, and nothing was done.  USAGE when another session has its id. */
int control_import_session(struct control *c, const struct import_session *s, int64_t *ret_segments,
                           int64_t *ret_imported, struct error *err);
/** control_import_segment(c, session, g, err): The next segment of an imported session; committed
 * when this returns 0. */
int control_import_segment(struct control *c, const uint8_t session[16],
                           const struct import_segment *g, struct error *err);

#endif
