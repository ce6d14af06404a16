/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a stream without a terminal is kept: `keep` bytes at both ends of each burst (which ends
 * after a second without bytes), with count and SHA-256 of what was elided's whole burst and of the
 * whole stream.  Pure: time is a parameter, what is kept comes out through a callback.  Knows
 * nothing of pipes.
 */
#ifndef TTYTRAIL_RECORDER_BURST_H
#define TTYTRAIL_RECORDER_BURST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define BURST_GAP_US        1000000U
#define BURST_HASH          32U
#define BURST_INPUT_MINIMUM 4096U /* a hash of less could be guessed backwards (PITFALLS 35) */

struct burst_sink {
    void *user;
    void (*keep)(void *user, uint64_t t_us, const uint8_t *bytes, size_t len);
    /* A burst of ${bytes} lost its middle. */
    void (*elided)(void *user, uint64_t t_us, uint64_t bytes, uint64_t kept,
                   const uint8_t hash[BURST_HASH]);
};

struct burst;

/** burst_new(ret, keep, sink, err): ${keep} 0 keeps nothing but the count and hash. */
int burst_new(struct burst **ret, size_t keep, const struct burst_sink *sink, struct error *err);
void burst_free(struct burst *b);
/** burst_add(b, t_us, bytes, len): Returns how many of the first bytes were handed on at once; the
 * rest may be elided or come later. */
size_t burst_add(struct burst *b, uint64_t t_us, const uint8_t *bytes, size_t len);
/** burst_tick(b, now_us): End the burst if it is over.  Call at burst_deadline(b). */
void burst_tick(struct burst *b, uint64_t now_us);
uint64_t burst_deadline(const struct burst *b); /* UINT64_MAX for never */
/** burst_end(b, ret_bytes, ret_hash): The stream is over: end the burst, and tell the whole's. */
void burst_end(struct burst *b, uint64_t *ret_bytes, uint8_t ret_hash[BURST_HASH]);

#endif
