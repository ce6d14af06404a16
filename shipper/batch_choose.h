/* SPDX-License-Identifier: Apache-2.0 */
/* The choosing half of shipper/batch: what goes into the next batch, and what it says of sessions.
 * Private to batch.c and batch_choose.c. */
#ifndef TTYTRAIL_SHIPPER_BATCH_CHOOSE_H
#define TTYTRAIL_SHIPPER_BATCH_CHOOSE_H

#include "shipper/batch.h"

struct chosen_session {
    struct session_row row;
    int64_t next;             /* number of its next segment for this or a later batch */
    uint8_t head[CHAIN_HASH]; /* the chain before that one; set from the first segment taken */
    bool taken, stuck;
};

struct choice {
    struct manifest m; /* segments and open filled here, the rest by batch.c */
    int64_t *rows;     /* of m.segments' sessions */
    size_t rows_cap;
    struct chosen_session *sessions;
    size_t n_sessions, sessions_cap;
    struct buf session_lines;
};

void choice_init(struct choice *c);
void choice_clear(struct choice *c);
/** choice_segments(c, src, pack, err): Fill c->m.segments and ${pack}. */
int choice_segments(struct choice *c, const struct batch_source *src, struct buf *pack,
                    struct error *err);
/** choice_open(c, src, err): Fill c->m.open: every session that is open now. */
int choice_open(struct choice *c, const struct batch_source *src, struct error *err);

#endif
