/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's Ed25519 key: made at the first start, kept in one file of mode 0600 together with what
 * it is bound to, and used to sign one-line JSON documents.  Knows nothing of what they say.  The
 * private part never leaves this module, nor the memory of OpenSSL.  Layout: docs/FORMAT.md, "Key".
 */
#ifndef TTYTRAIL_SHIPPER_KEY_H
#define TTYTRAIL_SHIPPER_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define KEY_PUBLIC    32
#define KEY_SIGNATURE 64
#define KEY_EPOCH     16

struct key_binding {
    uint8_t epoch[KEY_EPOCH];
    int64_t number; /* of the epoch's keys, from 1 */
    int64_t created_us;
    char machine[65];  /* machine id it was made on; "" when unknown */
    char instance[33]; /* EC2 instance; "" when it was none */
};

struct key;

/** key_generate(ret, binding, err): A new key from the kernel's randomness. */
int key_generate(struct key **ret, const struct key_binding *binding, struct error *err);
/** key_load(ret, path, err): SYSTEM with code ENOENT when there is none, DENIED when others than
 * its owner may read the file, CORRUPT when it is no key of ours. */
int key_load(struct key **ret, const char *path, struct error *err);
/** key_save(k, path, err): Write (or replace) the file, mode 0600, atomically. */
int key_save(const struct key *k, const char *path, struct error *err);
/** key_free(k): NULL does nothing. */
void key_free(struct key *k);

const struct key_binding *key_binding(const struct key *k);
const uint8_t *key_public(const struct key *k);

/** key_sign(k, domain, bytes, len, ret, err): Sign ${domain} (a C string, without its NUL) followed
 * by
 * ${bytes}. */
int key_sign(const struct key *k, const char *domain, const void *bytes, size_t len,
             uint8_t ret[KEY_SIGNATURE], struct error *err);
/** key_check(public, domain, bytes, len, signature): Whether the signature holds. */
bool key_check(const uint8_t public_key[KEY_PUBLIC], const char *domain, const void *bytes,
               size_t len, const uint8_t signature[KEY_SIGNATURE]);

/** key_seal_line(k, domain, line, err): ${line} is a JSON object without its closing brace: append
 * its last member "sig", the brace and a line feed.  Signed are the bytes before the comma of
 * "sig". */
int key_seal_line(const struct key *k, const char *domain, struct buf *line, struct error *err);
/** key_split_line(line, len, ret_signed_len, ret_signature): Where the signed bytes of a sealed
 * line end, and its signature.  False when the line does not end exactly as key_seal_line ends it.
 */
bool key_split_line(const uint8_t *line, size_t len, size_t *ret_signed_len,
                    uint8_t ret_signature[KEY_SIGNATURE]);

#endif
