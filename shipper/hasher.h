/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that hashes packs, with a reader of its own, so that the loop that sends never waits for
 * SHA-256.  Jobs are handed over whole and come back whole: nothing else is shared.
 */
#ifndef TTYTRAIL_SHIPPER_HASHER_H
#define TTYTRAIL_SHIPPER_HASHER_H

#include "shipper/pack.h"

struct hash_job {
    struct hash_job *next;
    void *owner;             /* not looked at */
    const struct pack *pack; /* unchanged while the job is away */
    struct pack_sums sums;   /* with_md5 is set before */
    size_t bad;              /* as pack_hash has it */
    int rc;
    struct error err;
};

struct hasher;
/** hasher_open(ret, db, err): Start the thread on the evidence ${db}. */
int hasher_open(struct hasher **ret, const char *db, struct error *err);
/** hasher_close(h): Waits for the job it is at; jobs that were not taken are not touched any more.
 * NULL does nothing. */
void hasher_close(struct hasher *h);
/** hasher_fd(h): Readable when a job is done. */
int hasher_fd(const struct hasher *h);
void hasher_put(struct hasher *h, struct hash_job *job);
/** hasher_take(h): A job that is done, in the order they came; NULL. */
struct hash_job *hasher_take(struct hasher *h);

#endif
