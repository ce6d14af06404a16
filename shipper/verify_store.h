/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying a store: the parts of it, between the verify_* files alone. */
#ifndef TTYTRAIL_SHIPPER_VERIFY_STORE_H
#define TTYTRAIL_SHIPPER_VERIFY_STORE_H

#include "common/json.h"
#include "shipper/depot.h"
#include "shipper/keyobject.h"
#include "shipper/manifest.h"
#include "shipper/verify.h"

/* An object, or one version of it. */
struct found {
    char *name, *version;
    uint64_t size;
    bool delete_marker;
    bool used; /* a key, a manifest or a signed pack; what is not, is an orphan */
};

struct found_list {
    struct found *at; /* in order of name */
    size_t n, cap;
};

struct checked_manifest {
    struct manifest m;
    uint8_t sha256[CHAIN_HASH]; /* of the line */
};

/* One segment, as one signed manifest has it. */
struct checked_segment {
    struct manifest_segment s;
    size_t manifest;
    enum verify_verdict verdict; /* COMPLETE: its bytes are there */
};

struct verify_store {
    struct verify *v;
    struct depot *store;
    struct json *json;
    struct found_list keys, batches, packs;
    struct keyobject *hosts_keys;
    size_t n_keys;
    struct checked_manifest *manifests; /* in order of host, epoch, seq */
    size_t n_manifests;
    struct checked_segment *segments;
    size_t n_segments, segments_cap;
};

/** verify_base(name): Length of ${name} without a final ".r<digits>". */
size_t verify_base(const char *name);
/** verify_get_or_say(vs, what, f, max_bytes, ret, err): As verify_get, but an object that cannot be
 * read, which anybody who may put objects can lay there, is a finding and no reason to stop: 1. */
int verify_get_or_say(struct verify_store *vs, const char *what, const struct found *f,
                      size_t max_bytes, struct buf *ret, struct error *err);
/** verify_get(vs, f, max, ret, err): One version of an object, tried again while that may help. */
int verify_get(struct verify_store *vs, const struct found *f, size_t max_bytes, struct buf *ret,
               struct error *err);
/** verify_versions(vs, list): A finding for every name that has more versions than one. */
void verify_versions(struct verify_store *vs, const struct found_list *list);
/** verify_grow(array, cap, n, size, err): Room for one more element. */
int verify_grow(void **array, size_t *cap, size_t n, size_t size, struct error *err);
/** verify_finding(vs, what, id, verdict, fmt, ...): Report what there is to say of one thing. */
void verify_finding(struct verify_store *vs, const char *what, const char *id,
                    enum verify_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Each fills its part of ${vs}, and reports. */
int verify_keys(struct verify_store *vs, struct error *err);
int verify_manifests(struct verify_store *vs, struct error *err);
int verify_hosts(struct verify_store *vs, struct error *err);
int verify_sessions(struct verify_store *vs, struct error *err);

#endif
