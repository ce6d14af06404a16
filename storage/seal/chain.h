/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hashes that tie a session together: the chain over its sealed segments, and the running hash
 * over the tail's rows that are not sealed yet.  Pure functions of bytes.  Layout: docs/FORMAT.md,
 * "Chain".
 */
#ifndef TTYTRAIL_SEAL_CHAIN_H
#define TTYTRAIL_SEAL_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#define CHAIN_HASH 32
#define CHAIN_ID   16

/** chain_sha256(bytes, len, ret): Plain SHA-256. */
void chain_sha256(const void *bytes, size_t len, uint8_t ret[CHAIN_HASH]);
/** chain_start(host, epoch, session, ret): h[-1] of a session: the domain tag, the format's
 * version, the host's name, its epoch and the session's id. */
void chain_start(const char *host, const uint8_t epoch[CHAIN_ID], const uint8_t session[CHAIN_ID],
                 uint8_t ret[CHAIN_HASH]);
/** chain_extend(head, n, segment_sha256): ${head} becomes h[n] = SHA-256(h[n-1] || be64(n) ||
 * SHA-256 of segment n as stored). */
void chain_extend(uint8_t head[CHAIN_HASH], uint64_t n, const uint8_t segment_sha256[CHAIN_HASH]);
/** chain_tail(hash, frames, len): ${hash} becomes SHA-256(hash || frames). */
void chain_tail(uint8_t hash[CHAIN_HASH], const void *frames, size_t len);

#endif
