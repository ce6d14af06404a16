/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests: one line of JSON per batch, signed, which makes the batch exist.  Writing and reading,
 * the chain of heads over a host's batches, and the names of its objects.  Pure: no store, no
 * database, no clock.  Layouts and the exact bytes that are hashed: docs/FORMAT.md, "Manifest".
 */
#ifndef TTYTRAIL_SHIPPER_MANIFEST_H
#define TTYTRAIL_SHIPPER_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "shipper/key.h"
#include "storage/db/session.h"
#include "storage/seal/chain.h"

#define MANIFEST_DOMAIN       "ttytrail manifest 1\n"
#define MANIFEST_HOST         129
#define MANIFEST_MAX          (64U * 1024 * 1024)
#define MANIFEST_SEGMENTS_MAX 65536U
#define MANIFEST_BATCH_NAME   (12 + 1 + 16 + 1 + 64 + 1)
#define MANIFEST_OBJECT_NAME  384

struct manifest_segment {
    uint8_t session[CHAIN_ID], epoch[CHAIN_ID]; /* epoch: the session's birth epoch */
    int64_t number, offset, length;             /* offset, length: in the pack */
    uint8_t sha256[CHAIN_HASH], head[CHAIN_HASH];
    bool final;
    char codec[16];
    int64_t
        previous_seq; /* the batch that holds the session's segment before; 0: none, or unknown */
    uint8_t previous_epoch[CHAIN_ID];
};

struct manifest_open {
    uint8_t session[CHAIN_ID], epoch[CHAIN_ID];
    int64_t next;             /* number of its first segment that is in no batch so far */
    uint8_t head[CHAIN_HASH]; /* its chain before that one */
};

struct manifest_session { /* of a row in "sessions": what verify needs of it */
    uint8_t id[CHAIN_ID], epoch[CHAIN_ID];
    char host[256], user[256], title[256], state[8];
    int64_t started_us;
};

#define MANIFEST_REASON 513

struct manifest_withheld { /* a frozen batch that will not come */
    int64_t seq;
    uint8_t sha256[CHAIN_HASH]; /* of its line */
    uint8_t composition[CHAIN_HASH], head[CHAIN_HASH];
    char reason[MANIFEST_REASON];
    struct manifest_segment *segments; /* owned; session, epoch, number and sha256 alone are set */
    size_t n_segments;
};

struct manifest {
    char kind[16]; /* "batch", "heartbeat", "boot", "stop", "withheld" */
    char host[MANIFEST_HOST], host_id[256];
    uint8_t epoch[CHAIN_ID];
    int64_t seq, created_us, key_number;
    uint8_t public_key[KEY_PUBLIC];
    char boot_id[33];
    int64_t heartbeat_h; /* promised: 0 nothing */
    bool skew_known;
    int64_t skew_us;           /* the store's clock minus ours */
    char previous_boot_id[33]; /* of kind "boot": this and began_us */
    int64_t began_us;
    struct manifest_withheld withheld; /* of kind "withheld"; seq 0 for others */
    uint8_t previous_head[CHAIN_HASH], head[CHAIN_HASH];
    uint8_t pack_sha256[CHAIN_HASH]; /* of nothing, without a pack */
    int64_t pack_size;
    struct manifest_segment *segments; /* owned, as the arrays below */
    size_t n_segments;
    struct manifest_session *sessions;
    size_t n_sessions;
    struct manifest_open *open;
    size_t n_open;
};

/** manifest_clear(m): Free the arrays; accepts a zeroed one. */
void manifest_clear(struct manifest *m);

/** manifest_genesis(host, epoch, ret): The head before an epoch's first batch. */
void manifest_genesis(const char *host, const uint8_t epoch[CHAIN_ID], uint8_t ret[CHAIN_HASH]);
/** manifest_head(m, ret, err): What ${m}'s head has to be after its previous_head. */
int manifest_head(const struct manifest *m, uint8_t ret[CHAIN_HASH], struct error *err);

/** manifest_composition(m, ret, err): SHA-256 of what the head is made over. */
int manifest_composition(const struct manifest *m, uint8_t ret[CHAIN_HASH], struct error *err);

/** manifest_batch_name(m, ret): <seq in 12 digits>-<time>-<hex of the pack's hash>. */
void manifest_batch_name(const struct manifest *m, char ret[MANIFEST_BATCH_NAME]);
/** manifest_pack_name, manifest_name: Names of the batch's two objects, relative to the prefix. */
void manifest_pack_name(const struct manifest *m, char ret[MANIFEST_OBJECT_NAME]);
void manifest_name(const struct manifest *m, char ret[MANIFEST_OBJECT_NAME]);

/** manifest_session_put(out, j, s, err): Append the object that "sessions" holds for ${s}, with a
 * comma before it when ${out} is not empty. */
int manifest_session_put(struct buf *out, struct json *j, const struct session_row *s,
                         struct error *err);
/** manifest_write(out, m, sessions, key, err): Append the signed line. ${sessions}: what
 * manifest_session_put made (m->sessions is not looked at, m->n_sessions is their count). */
int manifest_write(struct buf *out, const struct manifest *m, const struct buf *sessions,
                   const struct key *key, struct error *err);

/** manifest_read(j, line, len, ret, err): Parse, strictly; CORRUPT says what is wrong.  Checks no
 * signature: manifest_signed does.  ${ret} is cleared by the caller, also after an error. */
int manifest_read(struct json *j, const uint8_t *line, size_t len, struct manifest *ret,
                  struct error *err);
/** manifest_signed(line, len, public_key): 1 the signature holds, 0 it does not, -1 there is none.
 */
int manifest_signed(const uint8_t *line, size_t len, const uint8_t public_key[KEY_PUBLIC]);

#endif
