/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log files of a trail, from a bucket or a directory, into trail.db: which there are (accounts
 * and regions are found by looking), those not read yet, their records that may matter here.  Files
 * that cannot be read are named, counted and tried again in the next run; they stop nothing.
 * Objects are named as the depot names them (relative to its prefix).
 */
#ifndef TTYTRAIL_TRAIL_SOURCE_H
#define TTYTRAIL_TRAIL_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "shipper/depot.h"
#include "trail/store.h"

#define TRAIL_REREAD_US INT64_C(1200000000) /* 20 minutes: names carry minutes, not order */

struct trail_read_stats {
    uint64_t places;                         /* accounts times regions */
    uint64_t listed, known_files;            /* known: read in an earlier run */
    uint64_t read, failed;                   /* failed: named by warn */
    uint64_t stored_bytes, bytes;            /* as stored, and unpacked */
    uint64_t records, too_long, bad_records; /* too long, bad: left out */
    uint64_t kept, known_events;
};

/* All borrowed. */
struct trail_source {
    struct depot *depot;
    const char *accounts, *regions; /* "a, b"; NULL, "" and "all": all */
    int64_t from_us; /* delivered before: not looked for; 0: all.  A later cursor counts instead */
    const char *const *hosts; /* instance ids and addresses: calls that hold one of them are kept */
    size_t n_hosts;
    void (*warn)(void *user, const char *line);
    void (*progress)(void *user, const struct trail_read_stats *so_far); /* after each file */
    void *user;
};

/** trail_read(s, store, ret, err): What is new.  -1: the listing or the store failed; what was read
 * before stays. */
int trail_read(const struct trail_source *s, struct trail_store *store,
               struct trail_read_stats *ret, struct error *err);

#endif
