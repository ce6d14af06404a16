/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk through what was shipped and stands signed and chained in a store: the newest row of each
 * session, and the lines of those that are asked for.  Reads as verify does, whose findings are
 * told; what cannot be proved is left out, and said.  For who needs few sessions of very many: only
 * manifests are read, and the segments asked for.  Writes and prints nothing.
 */
#ifndef TTYTRAIL_SHIPPER_SHIPPED_H
#define TTYTRAIL_SHIPPER_SHIPPED_H

#include "shipper/verify.h"
#include "storage/db/session.h"
#include "storage/seal/cast.h"

struct shipped_config {
    const char *url;
    const struct conf *conf;
    struct verify_scope scope;
    const struct verify_pins *pins; /* NULL: trust on first use */
    unsigned jobs;
    /* Of each session, in no order; 1: its lines too, 0: not, -1 ends the walk.  ${row} is
     * borrowed. */
    int (*session)(void *user, const struct session_row *row, struct error *err);
    /* Of those, in order; the header too.  -1 ends the walk. */
    int (*line)(void *user, const struct session_row *row, const struct cast_line *line,
                struct error *err);
    void (*note)(void *user, const char *text); /* a finding, or why something was left out */
    void (*progress)(void *user, const struct verify_progress *p);
    void *user;
};

struct shipped_result {
    int64_t sessions, hosts, findings, left_out;
};

/** shipped_walk(c, ret, err): -1 when the store cannot be read on, or a callback said so. */
int shipped_walk(const struct shipped_config *c, struct shipped_result *ret, struct error *err);

#endif
