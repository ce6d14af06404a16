/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the database as asciicast text, part by part: each sealed segment, then what is not
 * sealed yet, written as the next segment would be.  All parts end to end are the session's .cast.
 * One part is in memory at a time, and no transaction is open between two calls.  Knows nothing of
 * playing.
 *
 * A segment that cannot be read, or whose stored bytes are not those the database promised, is an
 * error naming session and segment; the next call goes on behind it.
 */
#ifndef TTYTRAIL_REPLAY_PARTS_H
#define TTYTRAIL_REPLAY_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/db/reader.h"

struct parts;

struct part {
    const uint8_t *text; /* borrowed until the next call */
    size_t len;
    bool tail; /* not sealed */
};

/** parts_open(ret, r, session_row, err): ${r} is borrowed until parts_close. */
int parts_open(struct parts **ret, struct reader *r, int64_t session_row, struct error *err);
void parts_close(struct parts *p);
/** parts_session(p): The session as it was when last looked at; borrowed. */
const struct session_row *parts_session(const struct parts *p);
/** parts_next(p, ret, err): 1 and *ret; 0 at the end; -1 a part is damaged (call again for the one
 * after it; the database itself being unreadable ends the walk: 0 comes next). */
int parts_next(struct parts *p, struct part *ret, struct error *err);
/** parts_last_us(p): Time of the last line of what was read so far. */
uint64_t parts_last_us(const struct parts *p);
/** parts_header(p, out, err): Append the header line made from the session's row: for a session of
 * which nothing is sealed, or whose segment 0 is damaged. */
int parts_header(const struct parts *p, struct buf *out, struct error *err);

#endif
