/* SPDX-License-Identifier: Apache-2.0 */
/* What commands share that look at the evidence database, or keep it with the writer: where it is,
 * which writer is asked, the configuration, and the messages about it. */
#ifndef TTYTRAIL_CLI_EVIDENCE_H
#define TTYTRAIL_CLI_EVIDENCE_H

#include "cli/cmd.h"
#include "storage/db/reader.h"

/** evidence_open(common, ret, err): The database that ${common} names.  When that is the default
 * one and there is none: SYSTEM with code ENOENT and "nothing has been recorded yet". */
int evidence_open(const struct cmd_common *common, struct reader **ret, struct error *err);
/* Where a command that keeps the database works. */
struct evidence_place {
    struct conf conf;
    char db[4096];              /* absolute */
    const char *socket_or_null; /* of the installed writer; NULL: a private one is started */
};
/** evidence_place(common, socket_or_null, ret, err): The configuration and the database that
 * ${common} names; ${socket_or_null} (borrowed) as --socket, else the installed writer's where the
 * database is the installed one. */
int evidence_place(const struct cmd_common *common, const char *socket_or_null,
                   struct evidence_place *ret, struct error *err);
/** evidence_place_without(common, ret, err): The same with every setting at its default, for who
 * goes on where the configuration cannot be read. */
int evidence_place_without(const struct cmd_common *common, struct evidence_place *ret,
                           struct error *err);
/** evidence_be_owner(p, err): Root who works on the installed database becomes, for good, the user
 * that its shipper's state belongs to: what root left there that user could not go on with. */
int evidence_be_owner(const struct evidence_place *p, struct error *err);
void evidence_place_clear(struct evidence_place *p);

/** evidence_config_check(common, err): For commands that no setting concerns: -1 when --config
 * names a file that is not there (SYSTEM) or has a mistake (USAGE). */
int evidence_config_check(const struct cmd_common *common, struct error *err);
/** evidence_is_database(path): Whether the file at ${path} is an SQLite database. */
bool evidence_is_database(const char *path);

#endif
