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
    int64_t stuck_from;       /* INT64_MAX: it is not */
    bool taken;
    bool raised; /* next and head are of a segment taken here */
};

struct choice {
    struct manifest m;     /* segments and open filled here, the rest by batch.c */
    struct pack pack;      /* the same segments, to be read */
    struct pack_sums sums; /* of the pack, before it is frozen */
    int64_t after;         /* order of the last candidate that was looked at */
    int64_t *rows;         /* of m.segments' sessions */
    size_t rows_cap;
    struct chosen_session *sessions;
    size_t n_sessions, sessions_cap;
    bool any_withheld; /* segments below a session's next may be free again */
    struct buf session_lines;
};

/* Of the walk: a session of which nothing goes out from this number on. */
struct stuck_session {
    uint8_t id[CHAIN_ID];
    int64_t from;
};

/* Of the walk: a session that was open as the run began. */
struct open_session {
    int64_t row, shipped;
    uint8_t id[CHAIN_ID], epoch[CHAIN_ID], start[CHAIN_HASH]; /* start: its chain before all */
};

/** choice_grow(array, cap, n, size, err): Room for one more element of ${size} behind ${n}. */
int choice_grow(void **array, size_t *cap, size_t n, size_t size, struct error *err);
void choice_init(struct choice *c);
void choice_clear(struct choice *c);
/** choice_segments(c, src, err): Fill c->m.segments, c->pack and c->session_lines, from what the
 * database says of segments: their bytes are not read. */
int choice_segments(struct choice *c, const struct batch_source *src, struct error *err);
/** choice_stuck(src, session, from, why, err): Nothing more of this session from segment ${from}
 * on, in this run. */
int choice_stuck(const struct batch_source *src, const uint8_t session[CHAIN_ID], int64_t from,
                 const char *why, struct error *err);
/** choice_open(c, src, err): Fill c->m.open: every session that is open now, or as the walk began.
 */
int choice_open(struct choice *c, const struct batch_source *src, struct error *err);

#endif
