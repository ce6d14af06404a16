/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealing thread: turns a copy of a tail's frames into a segment's bytes.  It only computes:
 * the database is the commit loop's (PITFALLS 21).  Jobs are handed over whole and come back whole,
 * so nothing is shared but two queues.
 */
#ifndef TTYTRAIL_WRITER_SEALER_H
#define TTYTRAIL_WRITER_SEALER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/db/session.h"
#include "storage/db/store.h"

struct seal_job {
    struct seal_job *next;
    void *owner; /* the commit loop's; not looked at */
    /* the work */
    const struct session_row *info; /* borrowed; does not change while the job is away */
    int64_t number;
    uint64_t last_t_us, below_t_us; /* events from below_t_us on stay in the tail */
    bool final;
    struct tail_row *rows; /* owned: what the segment replaces */
    size_t n_rows;
    uint8_t base[CHAIN_HASH]; /* running hash after the last of them */
    struct buf frames;
    /* the result; rest: frames that are carried into the next segment */
    struct store_segment segment;
    struct buf packed, rest;
    int failed;
    struct error err;
};

struct seal_job *seal_job_new(void);
void seal_job_free(struct seal_job *job);

/** sealer_run(job): The computation itself, also usable without a thread. */
void sealer_run(struct seal_job *job);

struct sealer;

/** sealer_start(ret, done_fd, err): ${done_fd} is an eventfd that is bumped for each finished job.
 */
int sealer_start(struct sealer **ret, int done_fd, struct error *err);
/** sealer_stop(s): Finish what is queued, join, free; results not taken are freed.  NULL is
 * allowed. */
void sealer_stop(struct sealer *s);
/** sealer_put(s, job): Takes ${job}. */
void sealer_put(struct sealer *s, struct seal_job *job);
/** sealer_take(s): A finished job, or NULL. */
struct seal_job *sealer_take(struct sealer *s);

#endif
