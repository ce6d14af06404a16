/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ttytrail status` tells: a table of rows, to which each room adds its own.  A row looks at
 * one thing, changes nothing and prints nothing itself; it says how that is, as a monitoring plugin
 * does, with numbers that can be drawn.  Unlike check.h it never asks the network.
 */
#ifndef TTYTRAIL_COMMON_STATUS_H
#define TTYTRAIL_COMMON_STATUS_H

#include <stdint.h>

struct conf;

/* The monitoring plugins' codes. */
enum status_level { STATUS_OK, STATUS_WARNING, STATUS_CRITICAL, STATUS_UNKNOWN };

struct status_run { /* all borrowed */
    const struct conf *conf;
    const char *db; /* evidence.db, absolute */
    int64_t now_us;
    const char *name; /* of the row that is looked at now */
    void (*say)(void *user, const char *name, enum status_level level, const char *text);
    /* A number: its unit is "" (a count), "s" or "B"; warn and crit are -1 where there is none. */
    void (*value)(void *user, const char *label, const char *unit, int64_t value, int64_t warn,
                  int64_t crit);
    void *user;
};

struct status_row {
    const char *name;
    void (*run)(struct status_run *r);
};

/** status_say(r, level, fmt, ...): One line; a row may say several. */
void status_say(struct status_run *r, enum status_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** status_all(table, r): Every row of ${table}, which ends with a name of NULL. */
void status_all(const struct status_row *table, struct status_run *r);
/** status_s(n): "" for one, "s" for many: "%d segment%s". */
const char *status_s(int64_t n);
/** status_worse(a, b): The one that is told when both hold: critical, warning, unknown, ok. */
enum status_level status_worse(enum status_level a, enum status_level b);
/** status_against(value, warn, crit): The level of a number that should be small. */
enum status_level status_against(int64_t value, int64_t warn, int64_t crit);

#endif
