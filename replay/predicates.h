/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked of a session, one row a predicate: a name, a value, yes or no.  Names are
 * sudoreplay's where it has one.  Knows nothing of how predicates are combined (replay/expression).
 */
#ifndef TTYTRAIL_REPLAY_PREDICATES_H
#define TTYTRAIL_REPLAY_PREDICATES_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "storage/db/session.h"

struct predicate_value {
    char *text;     /* owned */
    regex_t *regex; /* owned */
    int64_t time_us, number;
};
void predicate_value_clear(struct predicate_value *v);

struct predicate {
    const char *name;
    int (*parse)(const char *word, struct predicate_value *v, struct error *err);
    bool (*match)(const struct predicate_value *v, const struct session_row *s);
    size_t least; /* letters that shorten it */
};
extern const struct predicate predicates[]; /* ends with a name of NULL */
/* Their names, for messages. */
#define PREDICATE_NAMES                                                                            \
    "user, host, tty, title, command, cwd, way, ip, key, from, to, exit, duration, state, flag, "  \
    "redactions, id"

#endif
