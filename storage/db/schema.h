/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of evidence.db: numbered migrations, PRAGMA user_version, application_id.  The one
 * place where its tables are written down in code; docs/FORMAT.md, "Schema", explains them.
 */
#ifndef TTYTRAIL_DB_SCHEMA_H
#define TTYTRAIL_DB_SCHEMA_H

#include <sqlite3.h>

#include "common/err.h"

#define SCHEMA_APPLICATION_ID 0x74747974 /* "ttyt" */
#define SCHEMA_VERSION        2

/** schema_error(db, err, what): SQLite's last error as ours: BUSY and LOCKED are RETRY, CORRUPT and
 * NOTADB are CORRUPT, FULL is LIMIT, READONLY and CANTOPEN keep errno's meaning; returns -1. */
int schema_error(sqlite3 *db, struct error *err, const char *what);
/** schema_exec(db, sql, err): Run statements that return nothing. */
int schema_exec(sqlite3 *db, const char *sql, struct error *err);
/** schema_check(db, err): CORRUPT unless it is an evidence database of a version we know. */
int schema_check(sqlite3 *db, struct error *err);
/** schema_is_new(db, err): 1 when nothing is in it yet, 0 when it is one of ours, -1 as
 * schema_check: to be asked before anything is changed. */
int schema_is_new(sqlite3 *db, struct error *err);
/** schema_migrate(db, err): Make a new database, or bring an older one to SCHEMA_VERSION. */
int schema_migrate(sqlite3 *db, struct error *err);

#endif
