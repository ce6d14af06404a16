/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a log file as they are stored (gzip, or plain JSON) to what they say, by pieces and
 * with its hash.  Memory does not grow with the file; a bomb ends at the ceiling.
 */
#ifndef TTYTRAIL_TRAIL_UNPACK_H
#define TTYTRAIL_TRAIL_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define UNPACK_MAX (UINT64_C(2) << 30) /* bytes of one file, unpacked */

struct unpack;
typedef int unpack_fn(void *user, const void *bytes, size_t len, struct error *err);

/** unpack_open(ret, err): For any number of files, one after the other. */
int unpack_open(struct unpack **ret, struct error *err);
void unpack_close(struct unpack *u);
/** unpack_begin(u, cb, user): A file begins; ${cb}'s non-zero result ends it and is returned. */
void unpack_begin(struct unpack *u, unpack_fn *cb, void *user);
/** unpack_feed(u, bytes, len, err): CORRUPT for what is neither, LIMIT above UNPACK_MAX. */
int unpack_feed(struct unpack *u, const void *bytes, size_t len, struct error *err);
/** unpack_whole(u, bytes, len, err): All of a file at once, which is faster where it is small. */
int unpack_whole(struct unpack *u, const void *bytes, size_t len, struct error *err);
/** unpack_end(u, ret_bytes, ret_sha256, err): CORRUPT when it is cut off. */
int unpack_end(struct unpack *u, uint64_t *ret_bytes, uint8_t ret_sha256[32], struct error *err);

#endif
