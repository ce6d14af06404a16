/* SPDX-License-Identifier: Apache-2.0 */
/* What reader.c and reader_session.c share; no other file includes it. */
#ifndef TTYTRAIL_DB_READER_IMPL_H
#define TTYTRAIL_DB_READER_IMPL_H

#include <sqlite3.h>

#include "storage/db/reader.h"

enum reader_statement {
    RD_META,
    RD_SEGMENT,
    RD_TAIL,
    RD_UNSHIPPED,
    RD_SESSION,
    RD_SESSIONS,
    RD_UNFINISHED,
    RD_LAST,
    RD_TITLE,
    RD_PREFIX,
    RD_PRUNABLE,
    RD_STORED,
    RD_CONNECTION,
    RD_CONNECTION_UNRECORDED,
    READER_STATEMENTS
};

struct reader {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *st[READER_STATEMENTS];
};

sqlite3_stmt *reader_statement(struct reader *r, enum reader_statement which, const char *sql,
                               struct error *err);

#endif
