/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host's correlation, from end to end: read what is new of the trail, join every connection and
 * session that may still change, write the verdicts that did; then the other direction, accesses
 * that left no recording.  Prints nothing.  One run at a time for one trail.db.
 */
#ifndef TTYTRAIL_TRAIL_CORRELATE_H
#define TTYTRAIL_TRAIL_CORRELATE_H

#include "common/conf.h"
#include "storage/db/reader.h"
#include "storage/wire/control.h"
#include "trail/source.h"
#include "trail/subject.h"
#include "trail/verdict.h"

enum access_left { ACCESS_UNRECORDED, ACCESS_UNUSED, ACCESS_FORWARD };

struct correlate_config {
    const struct conf *conf;
    const char *db;            /* path; trail.db lies beside ship.db */
    const char *trail_or_null; /* URL; NULL: conf's, and with neither what was read before */
    struct reader *reader;
    struct control *control; /* the installed writer's; NULL: verdicts stay in trail.db */
    const char *instance;    /* of this host; "" for unknown */
    const char *address;     /* its private one; "" */
    int64_t now_us;
    void (*verdict)(void *user, const struct subject *s, const struct verdict *v, bool changed);
    /* An access of this host that no subject took. */
    void (*left)(void *user, const struct trail_stored *e, enum access_left what);
    void (*warn)(void *user, const char *text);
    void (*progress)(void *user, const struct trail_read_stats *so_far);
    void *user;
};

struct correlate_stats {
    struct trail_read_stats read;
    int64_t subjects, changed, grades[VERDICT_EXACT + 1];
    int64_t unrecorded, unused, forwards;
};

/** correlate_run(c, ret, err): -1 when the trail or the database cannot be read on; what was
 * written before stays. */
int correlate_run(const struct correlate_config *c, struct correlate_stats *ret, struct error *err);

/** correlate_store_path(db, ret, size, err): Where trail.db of that database lies. */
int correlate_store_path(const char *db, char *ret, size_t size, struct error *err);

#endif
