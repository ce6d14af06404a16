/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pack as a list of segments of the evidence, end to end: its bytes are read one segment at a
 * time, or a few small ones, and are never in memory as a whole.  Reading changes nothing here, so
 * one thread may hash a pack while nobody else touches it.  Knows nothing of batches or stores.
 */
#ifndef TTYTRAIL_SHIPPER_PACK_H
#define TTYTRAIL_SHIPPER_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/source.h"
#include "storage/db/reader.h"

struct pack_part {
    int64_t session_row, number;
    size_t offset, length;
    uint8_t sha256[CHAIN_HASH]; /* zeros: not known */
};

struct pack {
    struct pack_part *parts;
    size_t n, cap, len;
    size_t largest; /* of its parts */
};

/** pack_clear(p): Accepts a zeroed one, which is an empty pack. */
void pack_clear(struct pack *p);
/** pack_add(p, session_row, number, length, sha256_or_null, err): One more segment at the end. */
int pack_add(struct pack *p, int64_t session_row, int64_t number, size_t length,
             const uint8_t *sha256_or_null, struct error *err);

struct pack_sums {
    uint8_t sha256[CHAIN_HASH], md5[16];
    bool with_md5; /* asked for; cleared where there is none */
};
/** pack_hash(p, evidence, sums, bytes_or_null, ret_bad, err): Read all of it and fill ${sums}; the
 * bytes are appended to ${bytes_or_null}.  CORRUPT with the index of the first segment that is gone
 * or not what its hash says. */
int pack_hash(const struct pack *p, struct reader *evidence, struct pack_sums *sums,
              struct buf *bytes_or_null, size_t *ret_bad, struct error *err);

/* Its bytes as they are sent. */
struct pack_stream {
    struct source source;
    const struct pack *pack;
    struct reader *evidence;
    struct buf window; /* whole segments, as many as go in; a larger one alone */
    size_t offset, at; /* where that begins, and the segment behind it; pack->n: none */
};
/** pack_stream_bytes(p): Most of ${p} that is in memory while it is read. */
size_t pack_stream_bytes(const struct pack *p);
/** pack_stream_open(st, p, evidence): Both are borrowed. */
void pack_stream_open(struct pack_stream *st, const struct pack *p, struct reader *evidence);
/** pack_stream_close(st): Accepts a zeroed one. */
void pack_stream_close(struct pack_stream *st);

#endif
