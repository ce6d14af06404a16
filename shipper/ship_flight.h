/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch on its way: hashed, frozen, its pack stored, then its manifest, then told.  What is
 * known of the object it is at, and what an answer means for it.  Private to the engine.
 *
 * Invariants: an attempt is in ship.db, durably, before its request leaves; the manifest is put
 * only after the pack was confirmed; what was confirmed is not put again.
 */
#ifndef TTYTRAIL_SHIPPER_SHIP_FLIGHT_H
#define TTYTRAIL_SHIPPER_SHIP_FLIGHT_H

#include "shipper/batch.h"
#include "shipper/hasher.h"
#include "shipper/ship_engine.h"

#define FLIGHT_TRIES    12  /* of one name, in one run, while the store asks to try again */
#define FLIGHT_TAMPERED 3   /* while what arrives is not what was sent */
#define FLIGHT_NAMES    100 /* in one run */

enum flight_stage {
    FLIGHT_HASHING,  /* with `choice`: not frozen yet; without: frozen in an earlier run */
    FLIGHT_PACK,     /* its pack is put */
    FLIGHT_MANIFEST, /* its manifest is put */
    FLIGHT_STORED,   /* done, when that is durable; the writer is to be told */
    FLIGHT_TOLD,     /* nothing is left to do */
    FLIGHT_ASIDE     /* cannot be sent; `err` says why */
};

struct flight {
    struct flight *next;
    struct ship_engine *engine;
    enum flight_stage stage;
    struct state_batch b; /* its line only while the manifest is put */
    struct choice *choice;
    struct pack pack;
    struct pack_sums sums;
    struct hash_job job;
    struct pack_stream stream;
    bool counted;    /* its segments are among what is done */
    bool store_said; /* it is aside because of the store's answer */
    struct error err;
    /* the object it is at */
    char name[MANIFEST_OBJECT_NAME], as[MANIFEST_OBJECT_NAME + 16];
    uint8_t line_sha256[CHAIN_HASH];
    int64_t attempt, suffix, tries_of_name;
    unsigned tries, tampered, names;
    int64_t not_before_us;
    bool away, answered, fresh;
    struct depot_answer answer;
};

/** flight_of(f, b): ${f} is of ${b}, which it takes, and at the beginning of its objects. */
void flight_of(struct flight *f, struct state_batch *b);
void flight_free(struct flight *f);
/** flight_object(f, stage): Which object is next; nothing is known of it yet. */
void flight_object(struct flight *f, enum flight_stage stage);

/** flight_ready(f, now_us): Whether a request could leave. */
bool flight_ready(const struct flight *f, int64_t now_us);
/** flight_note(f, now_us, err): Write the attempt down (within the caller's transaction): 1; 0 when
 * the object was confirmed before, and ${f} stands at what comes after it; -1. */
int flight_note(struct flight *f, int64_t now_us, struct error *err);
/** flight_send(f): Once that is durable: the request leaves. */
void flight_send(struct flight *f);
/** flight_size(f): Bytes of the object it is at. */
int64_t flight_size(const struct flight *f);
/** flight_answer(f, now_us, err): What came back: written down, and ${f} at what follows.  -1 only
 * for what is wrong here, or when the whole run must end. */
int flight_answer(struct flight *f, int64_t now_us, struct error *err);

/* ship_fill.c: what goes into flight. */
/** ship_fill(e, freeze, err): Fill what is free. */
int ship_fill(struct ship_engine *e, bool freeze, struct error *err);
/** ship_fill_hashed(e, err): Freeze what is hashed; what was frozen before may go on. */
int ship_fill_hashed(struct ship_engine *e, struct error *err);
void ship_fill_remove(struct ship_engine *e, struct flight *f);

#endif
