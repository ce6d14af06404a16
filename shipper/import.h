/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shipped sessions back into a database: reads a store as verify does (whose findings are told),
 * and hands what is signed, there and chained to the database's writer, segment by segment, as it
 * was sealed.  What cannot be proved is left out, and said.  Again it brings only what is new.
 * Prints nothing.
 */
#ifndef TTYTRAIL_SHIPPER_IMPORT_H
#define TTYTRAIL_SHIPPER_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/err.h"
#include "shipper/verify.h"

struct import_config {
    const char *url; /* of the store */
    const char *db, *socket_or_null;
    const struct conf *conf;
    struct verify_scope scope;
    const struct verify_pins *pins; /* NULL: trust on first use */
    unsigned jobs;
    bool dry_run;
    /* A finding of verify, or why something was left out; one line for people. */
    void (*note)(void *user, const char *text);
    /* A session of which something came: its id in hex. */
    void (*session)(void *user, const char *id, const char *host, const char *sessions_user,
                    int64_t segments, int64_t bytes);
    void *user;
};

struct import_result {
    int64_t sessions, segments, bytes; /* that came (or would) */
    int64_t known;                     /* sessions of which nothing new was there */
    int64_t left_out;                  /* sessions that could not be brought whole */
    int64_t findings;                  /* of verify */
};

/** import_run(c, ret, err): -1 when it could not be finished; what ${ret} counts is in the database
 * also then.  May be killed at any moment and run again. */
int import_run(const struct import_config *c, struct import_result *ret, struct error *err);

#endif
