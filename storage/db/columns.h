/* SPDX-License-Identifier: Apache-2.0 */
/* The session table's columns in the one order in which reader and store read them; internal to db.
 */
#ifndef TTYTRAIL_DB_COLUMNS_H
#define TTYTRAIL_DB_COLUMNS_H

#include <sqlite3.h>

#include "common/err.h"
#include "storage/db/connection.h"
#include "storage/db/session.h"

#define COLUMNS_SESSION                                                                            \
    "row, id, epoch, kind, host, user, uid, title, tty, command, cols, rows, began_us, "           \
    "ended_us, state, exit, flags, segments, final, shipped, events, bytes_out, bytes_in, "        \
    "redactions, head, tail_base, last_t_us, writer_boot, writer_pid, writer_began, "              \
    "recorder_boot, recorder_pid, recorder_began, facts, last_seq, carry, carry_hash"
#define COLUMNS_LAST_SEQ 34

/** columns_session(st, ret, err): The current row of ${st} into ${ret} (initialised; cleared
 * first). CORRUPT when a blob has the wrong length. */
int columns_session(sqlite3_stmt *st, struct session_row *ret, struct error *err);

#define COLUMNS_CONNECTION                                                                         \
    "row, id, boot, monitor_pid, monitor_began, facts, opened_us, closed_us, class, sessions"

/** columns_connection(st, ret, err): As columns_session. */
int columns_connection(sqlite3_stmt *st, struct connection_row *ret, struct error *err);

#endif
