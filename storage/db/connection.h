/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: one PAM session that the witness told of, on which recorded sessions hang, none or
 * many.  Who it was is known from its monitor: sshd's, or su's own process.
 */
#ifndef TTYTRAIL_DB_CONNECTION_H
#define TTYTRAIL_DB_CONNECTION_H

#include <stdint.h>

#include "common/buf.h"
#include "storage/seal/chain.h"

struct connection_row {
    int64_t row;
    uint8_t id[CHAIN_ID];
    char boot[33];
    int64_t monitor_pid, monitor_start;
    int64_t opened_us, closed_us; /* unix; closed 0 while open */
    char class[24];   /* "" not known yet, shell, exec, subsystem (of its first session), else
                       * forward-only, unrecorded, none */
    int64_t sessions; /* recorded ones */
    struct buf facts; /* docs/FORMAT.md, "Witness" */
};

void connection_row_init(struct connection_row *c);
void connection_row_clear(struct connection_row *c);

#endif
