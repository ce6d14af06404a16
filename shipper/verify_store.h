/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying a store: the parts of it, between the verify_* files and import.c alone.  Three steps:
 * what there is (one listing), each object by itself (key objects, then manifests with their packs;
 * by several threads), then everything together (hosts, sessions; by one).  What is kept grows with
 * what is really there, by less than the manifests' own bytes, and never with a number that stands
 * in one.
 */
#ifndef TTYTRAIL_SHIPPER_VERIFY_STORE_H
#define TTYTRAIL_SHIPPER_VERIFY_STORE_H

#include <pthread.h>

#include "common/json.h"
#include "shipper/depot.h"
#include "shipper/keyobject.h"
#include "shipper/manifest.h"
#include "shipper/verify.h"
#include "shipper/verify_name.h"

/* Numbers of segments and what is counted stay below it: nothing overflows. */
#define VERIFY_NUMBER_MAX INT64_C(1000000000000)

/* An object, or one version of it. */
struct found {
    char *name;
    char *version; /* NULL: the store keeps none */
    uint64_t size;
    int64_t modified_us; /* unix, by the store's clock */
    size_t base;         /* of the name, without .rN */
    bool delete_marker;
    bool used;    /* a key, a manifest or a signed pack that counts */
    bool same;    /* the bytes of one that counts, once more */
    bool other;   /* a pack's name, and not the signed bytes */
    bool doubted; /* a finding says what is wrong with it */
};

struct found_list {
    struct found *at; /* in order of name, the oldest version first */
    size_t n, cap;
};

enum verify_trust { TRUST_UNKNOWN, TRUST_TOFU, TRUST_PINNED };

struct verify_key {
    struct keyobject k;
    int64_t modified_us;
    struct found *found;
    const struct verify_key *before; /* that vouches for it; NULL: nobody does */
    enum verify_trust trust;
    struct verify_key *first;          /* of its epoch */
    bool refused, shipped;             /* shipped: of a first one; the epoch has a batch here */
    const struct verify_batch *newest; /* of a root: of all that descends from it on its host */
};

enum verify_batch_kind { KIND_BATCH, KIND_HEARTBEAT, KIND_BOOT, KIND_STOP, KIND_WITHHELD };

struct withheld_segment {
    uint8_t session[CHAIN_ID], sha256[CHAIN_HASH];
    int64_t number;
};

/* What a manifest says of the frozen one that will not come. */
struct verify_withheld {
    int64_t seq;
    uint8_t sha256[CHAIN_HASH], composition[CHAIN_HASH], head[CHAIN_HASH];
    char *reason;
    struct withheld_segment *segments;
    size_t n;
};

/* A manifest that is believed. */
struct verify_batch {
    const struct verify_key *key; /* host and epoch, too */
    struct found *found;
    int64_t seq, created_us, skew_us, heartbeat_h, pack_size;
    enum verify_batch_kind kind;
    uint8_t boot_id[CHAIN_ID];
    uint8_t previous_head[CHAIN_HASH], head[CHAIN_HASH], line_sha256[CHAIN_HASH];
    struct verify_withheld *withheld;
    struct found *pack; /* the signed one; NULL: there is none */
    enum verify_verdict pack_verdict;
    bool dropped; /* a copy, or withheld: its segments do not count */
};

/* One segment, as one signed manifest has it. */
struct verify_segment {
    uint8_t session[CHAIN_ID], epoch[CHAIN_ID]; /* epoch: the session's birth epoch */
    uint8_t sha256[CHAIN_HASH], head[CHAIN_HASH];
    int64_t number, offset, length;
    const struct verify_batch *batch;
    enum verify_verdict verdict; /* COMPLETE: its bytes are there */
    bool final;
};

/* What manifests of one epoch say of one session: its newest row, and how far it is at least. */
struct verify_said {
    uint8_t id[CHAIN_ID];
    const struct verify_key *by; /* the epoch's first key */
    int64_t row_us, started_us;  /* row_us: of the manifest that had the row; 0: none had */
    char *host, *user, *title;
    bool cut, seen; /* seen: a segment of it is somewhere */
    int64_t next;
    const struct verify_batch *next_from;
};

struct verify_found_line; /* a finding that waits for its turn; verify_finding.c */

struct verify_store {
    struct verify *v;
    const char *url;
    const struct conf *conf;
    bool bucket; /* its clock is not in the hands of whoever copied the objects */
    struct depot *store;
    struct found_list keys, batches, packs;
    struct verify_key *hosts_keys; /* accepted; in order of host, epoch, number */
    size_t n_keys, keys_cap;
    const struct verify_key **by_public; /* the same, in order of public key */
    struct verify_key **by_epoch;        /* the first ones, in order of epoch: no two of one */
    size_t n_epochs;

    pthread_mutex_t lock; /* what follows, flags of found and v->sum while threads run */
    struct verify_batch **list;
    size_t n_list, list_cap;
    void *lines; /* tsearch: the same, by hash of line */
    struct verify_segment *segments;
    size_t n_segments, segments_cap;
    void *said; /* tsearch: struct verify_said */
    size_t n_said;
    struct verify_found_line *findings;
    size_t n_findings, findings_cap;
    uint64_t bytes; /* of packs that were read */

    pthread_mutex_t large; /* only one large document is in memory at a time */
};

/* What one thread has to itself. */
struct verify_worker {
    struct verify_store *vs;
    struct depot *store;
    struct json *json;
    struct buf line, part;
};

/* Where a finding is; NULL and 0 where it does not apply. */
struct verify_where {
    const char *what, *id; /* as in struct verify_line */
    const char *host, *object;
    int64_t batch, segment, offset;
    bool has_segment;
};

/** verify_grow(array, cap, n, size, err): Room for one more element. */
int verify_grow(void **array, size_t *cap, size_t n, size_t size, struct error *err);
/** verify_finding(vs, where, verdict, fmt, ...): Something to say of one thing; it is passed on in
 * order at the end.  Takes the lock.  -1 without memory. */
int verify_finding(struct verify_store *vs, const struct verify_where *where,
                   enum verify_verdict verdict, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/** verify_findings_report(vs): Pass on all that waits. */
void verify_findings_report(struct verify_store *vs);
void verify_findings_clear(struct verify_store *vs);
/** verify_findings_cut(vs, n): Forget all but the first ${n}. */
void verify_findings_cut(struct verify_store *vs, size_t n);

/** verify_list(vs, err): Fill the three lists, within the scope; what has a name that no program of
 * ours gives is a finding. */
int verify_list(struct verify_store *vs, struct error *err);
void verify_list_clear(struct found_list *l);
/** verify_list_all(vs, ret, err): All batches whatever the scope is; no findings. */
int verify_list_all(struct verify_store *vs, struct found_list *ret, struct error *err);
/** verify_left(vs, err): At the end: other bytes than the signed ones beside them, in copies and in
 * versions, are findings; what nothing needs is counted and named. */
int verify_left(struct verify_store *vs, struct error *err);
/** verify_list_find(l, name): The first object whose name is not below ${name}. */
size_t verify_list_find(const struct found_list *l, const char *name);
/** verify_mark(vs, flag): Set a flag of a struct found.  Takes the lock. */
void verify_mark(struct verify_store *vs, bool *flag);

/** verify_fetch(w, f, max_bytes, err): The object into w->line: 0; 1 when it cannot be read, which
 * anybody who may put objects can bring about, and is a finding; -1.  Tried again while that helps.
 */
int verify_fetch(struct verify_worker *w, const struct verify_where *where, const struct found *f,
                 size_t max_bytes, struct error *err);
/** verify_fetch_part(w, f, offset, len, err): A part of it into w->part: 0, 1 (no finding yet), -1.
 */
int verify_fetch_part(struct verify_worker *w, const struct found *f, uint64_t offset, size_t len,
                      struct error *err);

/** verify_pin_cmp(a, b): The order of struct verify_pins. */
int verify_pin_cmp(const void *a, const void *b);
/** verify_key_find(vs, public_key): Where in by_public the first of that public key is, or would
 * be. */
size_t verify_key_find(const struct verify_store *vs, const uint8_t public_key[KEY_PUBLIC]);

/** verify_lineage(vs, err): Refuse keys of epochs that another host has; fill first and by_epoch.
 */
int verify_lineage(struct verify_store *vs, struct error *err);
/** verify_lineage_check(vs, err): Epochs that later ones name and that are not here. */
int verify_lineage_check(struct verify_store *vs, struct error *err);
/** verify_before(vs, err): With a first day: what comes before the range has to have a name. */
int verify_before(struct verify_store *vs, struct error *err);
bool verify_epoch_known(const struct verify_store *vs, const uint8_t epoch[KEY_EPOCH]);
/** verify_descends(k, epoch): Whether ${k} is of that epoch, or of one whose first key its keys
 * vouch for. */
bool verify_descends(const struct verify_key *k, const uint8_t epoch[KEY_EPOCH]);
/** verify_root(k): The first key of the oldest epoch of the same host that vouches for ${k}. */
struct verify_key *verify_root(const struct verify_key *k);
/** verify_anchor(vs, s): The epoch that everything of the session of ${s} has to descend from. */
const uint8_t *verify_anchor(const struct verify_store *vs, const struct verify_segment *s);
/** verify_owners(vs, err): Of vs->segments, in order, those go that their session's host did not
 * sign; each is a finding, if it is no copy. */
int verify_owners(struct verify_store *vs, struct error *err);

/** verify_worker_open(w, vs, err), verify_worker_close(w): For who works alone. */
int verify_worker_open(struct verify_worker *w, struct verify_store *vs, struct error *err);
void verify_worker_close(struct verify_worker *w);

typedef int verify_step(struct verify_worker *w, size_t i, struct error *err);
/** verify_pool(vs, doing, n, step, err): ${step} for each of 0 to n-1, by v->jobs threads; the
 * first error ends it. */
int verify_pool(struct verify_store *vs, const char *doing, size_t n, verify_step *step,
                struct error *err);

/** verify_pack(w, b, m, ret, err): One verdict for each of m's segments into ${ret}, b->pack and
 * b->pack_verdict. */
int verify_pack(struct verify_worker *w, struct verify_batch *b, const struct manifest *m,
                enum verify_verdict *ret, struct error *err);
/** verify_said_note(vs, b, m, err): Keep what ${m} says of sessions.  Takes the lock. */
int verify_said_note(struct verify_store *vs, const struct verify_batch *b,
                     const struct manifest *m, struct error *err);
/** verify_said_list(vs, ret_n, err): All of them in order of id; the caller frees the array.  NULL
 * without memory. */
struct verify_said **verify_said_list(struct verify_store *vs, size_t *ret_n, struct error *err);
void verify_said_clear(struct verify_store *vs);
/** verify_in_scope(vs, id): Whether this session is asked for. */
bool verify_in_scope(const struct verify_store *vs, const uint8_t id[CHAIN_ID]);
void verify_batch_free(struct verify_batch *b);

/* One epoch of one host: its manifests, in order of number; copies stand together. */
struct verify_epoch {
    struct verify_store *vs;
    struct verify_batch **at;
    size_t n;
    /* filled by verify_epoch_check */
    int64_t next_seq, batches, withheld, bytes;
    const struct verify_batch *last; /* that counts */
    enum verify_verdict verdict;     /* the first finding's */
    int64_t findings, first_bad;     /* first_bad: the batch of the first */
};
/** verify_epoch_check(e, err): Follow the chain and report what is wrong; batches that do not count
 * are marked as dropped. */
int verify_epoch_check(struct verify_epoch *e, struct error *err);

/** verify_scope_batches(vs, ret_absent, err): After verify_list: no manifest within the scope is a
 * finding, which says what there is.  Days on which nothing was between others: the scope grows to
 * its neighbours.  CORRUPT when the store is empty.  *ret_absent: there is nothing to look at. */
int verify_scope_batches(struct verify_store *vs, bool *ret_absent, struct error *err);
/** verify_scope_session(vs, ret_absent, err): The same of the session, at the end. */
int verify_scope_session(struct verify_store *vs, bool *ret_absent, struct error *err);

/* Each fills its part of ${vs}, and reports. */
int verify_keys(struct verify_store *vs, struct error *err);
int verify_manifests(struct verify_store *vs, struct error *err);
int verify_hosts(struct verify_store *vs, struct error *err);
int verify_sessions(struct verify_store *vs, struct error *err);

#endif
