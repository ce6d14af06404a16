/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments: events, put in order of time, become asciicast lines, become one gzip member.  Pure:
 * bytes in, bytes out; no database, no clock, no thread.  A segment is never larger than
 * SEGMENT_MAX_BYTES stored and SEGMENT_MAX_TEXT unpacked; readers refuse more before allocating.
 */
#ifndef TTYTRAIL_SEAL_SEGMENT_H
#define TTYTRAIL_SEAL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/seal/cast.h"
#include "storage/wire/facts.h"

#define SEGMENT_MAX_BYTES (64U * 1024 * 1024)
#define SEGMENT_MAX_TEXT  (256U * 1024 * 1024)

/* What the header line of segment 0 says. */
struct segment_header {
    const char *session_hex, *host, *epoch_hex, *user;
    int64_t uid;
    uint32_t cols, rows;
    int64_t started_us;        /* unix */
    const char *title;         /* NULL for none */
    const struct facts *facts; /* env_* become "env", the rest "access"; NULL for none */
    unsigned time_digits;      /* 3 ours, 6 imports */
};

/** segment_header_line(out, h, err): Append the JSON line (with its line feed). */
int segment_header_line(struct buf *out, const struct segment_header *h, struct error *err);

/** segment_lines(out, w, frames, len, below_t_us, ret_rest, err): Decode the EVENT frames of
 * ${frames}, sort them by (t, input before output, seq), append those with t < ${below_t_us} to
 * ${out} as lines; the others go to ${ret_rest} as frames, unchanged. */
int segment_lines(struct buf *out, struct cast_writer *w, const uint8_t *frames, size_t len,
                  uint64_t below_t_us, struct buf *ret_rest, struct error *err);

/** segment_pack(text, len, ret, err): One gzip member. */
int segment_pack(const uint8_t *text, size_t len, struct buf *ret, struct error *err);
/** segment_unpack(bytes, len, max_bytes, ret, err): All gzip members of ${bytes}, end to end;
 * CORRUPT when they are no gzip or end early, LIMIT above ${max_bytes}. */
int segment_unpack(const uint8_t *bytes, size_t len, size_t max_bytes, struct buf *ret,
                   struct error *err);

#endif
