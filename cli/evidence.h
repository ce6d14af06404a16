/* SPDX-License-Identifier: Apache-2.0 */
/* What list, export and play share: opening the evidence database, and the messages about it. */
#ifndef TTYTRAIL_CLI_EVIDENCE_H
#define TTYTRAIL_CLI_EVIDENCE_H

#include "cli/cmd.h"
#include "storage/db/reader.h"

/** evidence_open(common, ret, err): The database that ${common} names.  When that is the default
 * one and there is none: SYSTEM with code ENOENT and "nothing has been recorded yet". */
int evidence_open(const struct cmd_common *common, struct reader **ret, struct error *err);
/** evidence_is_database(path): Whether the file at ${path} is an SQLite database. */
bool evidence_is_database(const char *path);

#endif
