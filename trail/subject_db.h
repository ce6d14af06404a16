/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subjects out of a host's database: its connections with the sessions that hang on them, and
 * sessions that no connection explains.  What a fact is called stands in docs/FORMAT.md, "Witness".
 * Reads only; judges nothing but whether a signed key block holds.
 */
#ifndef TTYTRAIL_TRAIL_SUBJECT_DB_H
#define TTYTRAIL_TRAIL_SUBJECT_DB_H

#include "common/err.h"
#include "storage/db/reader.h"
#include "trail/subject.h"

struct subject_config {
    int64_t since_us; /* those that were open then or began later; 0: all */
    /* What the host knows of itself, where the facts do not say it; "" for unknown. */
    char host[256], instance[64], account[16], region[32], private_ip[64];
};

/** subject_db_each(r, c, cb, user, err): ${cb} with each subject, oldest first, connections before
 * sessions; borrowed.  Non-zero ends the walk and is returned. */
int subject_db_each(struct reader *r, const struct subject_config *c,
                    int (*cb)(void *user, const struct subject *s), void *user, struct error *err);

/** subject_of_session(s, c, ret): The subject that the session ${s} is of, or is itself, by its own
 * facts alone. */
void subject_of_session(const struct session_row *s, const struct subject_config *c,
                        struct subject *ret);

#endif
