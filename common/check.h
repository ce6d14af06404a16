/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ttytrail doctor` looks at: a table of checks, to which each room adds its own.  A check
 * says any number of things, each with what to do about it where something is to be done.  It
 * changes nothing but what its room's documentation says, and prints nothing itself.
 */
#ifndef TTYTRAIL_COMMON_CHECK_H
#define TTYTRAIL_COMMON_CHECK_H

#include <stdint.h>

struct conf;

enum check_result {
    CHECK_OK,
    CHECK_NOTE,    /* to know; nothing is to be done */
    CHECK_FINDING, /* something is to be done */
    CHECK_BLIND    /* it could not be looked at */
};

struct check_run { /* all borrowed */
    const struct conf *conf;
    const char *db; /* evidence.db, absolute */
    const char *to; /* URL that is shipped to; "" when there is none */
    int64_t now_us;
    const char *name; /* of what is looked at now; a check may change it as it goes on */
    void (*say)(void *user, const char *name, enum check_result result, const char *text,
                const char *advice);
    void *user;
};

struct check {
    const char *name;
    void (*run)(struct check_run *r);
};

/** check_say(r, result, advice, fmt, ...): ${advice} is NULL but for findings and the blind. */
void check_say(struct check_run *r, enum check_result result, const char *advice, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));
/** check_all(table, r): Every check of ${table}, which ends with a name of NULL. */
void check_all(const struct check *table, struct check_run *r);

#endif
