/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asciicast v2 lines: writing them from events, and reading them back exactly (one of the two
 * places where JSON is read by hand: fuzzed, see docs/DESIGN.md section 3).  Times of written lines
 * never step back; bytes that are no UTF-8 stand readable in their line and exactly in a 'b' line
 * after it; a character is never split over lines of one kind.  Knows nothing of compression,
 * chains or storage.
 */
#ifndef TTYTRAIL_SEAL_CAST_H
#define TTYTRAIL_SEAL_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "storage/wire/event.h"

struct cast_writer {
    uint64_t last_t_us; /* times written never go below this */
    struct {
        uint8_t bytes[4];
        uint8_t len;
        uint64_t seq, t_us;
    } partial[3];                                    /* unfinished characters of o, i, e */
    struct buf joined;                               /* scratch */
    uint64_t lines, bytes_out, bytes_in, redactions; /* of what was written */
};

/** cast_writer_init(w, last_t_us): ${last_t_us} is the last line's time of the segment before, or
 * 0. */
void cast_writer_init(struct cast_writer *w, uint64_t last_t_us);
void cast_writer_clear(struct cast_writer *w);

/** cast_event(w, out, ev, err): Append ${ev} as one or two lines.  A trailing part of a character
 * waits in ${w} for the next event of its kind. */
int cast_event(struct cast_writer *w, struct buf *out, const struct event *ev, struct error *err);
/** cast_flush(w, out, err): Write what still waits, as the invalid bytes they are: at a session's
 * end. */
int cast_flush(struct cast_writer *w, struct buf *out, struct error *err);
/** cast_carry(w, out, err): Append what still waits to ${out} as EVENT frames, to be carried into
 * the next segment. */
int cast_carry(struct cast_writer *w, struct buf *out, struct error *err);

/* A line of any asciicast v2 (or v1/v3-free) file, decoded.  Borrowed from the reader. */
struct cast_line {
    bool header; /* then json is the header object and the rest is unset */
    const char *json;
    size_t json_len;
    uint64_t t_us;
    char kind;            /* first byte of the code; codes of other lengths give '?' */
    const uint8_t *bytes; /* exact: a 'b' line has been folded into its predecessor */
    size_t len;
};

struct cast_reader;

/** cast_reader_new(ret, max_line, err): Lines above ${max_line} bytes are LIMIT. */
int cast_reader_new(struct cast_reader **ret, size_t max_line, struct error *err);
void cast_reader_free(struct cast_reader *r);
/** cast_reader_feed(r, bytes, len, err): Give it more of the text. */
int cast_reader_feed(struct cast_reader *r, const void *bytes, size_t len, struct error *err);
/** cast_reader_next(r, at_end, ret, err): 1 and *ret; 0 when more text is needed (or, with
 * ${at_end}, when there is none); -1 CORRUPT naming the line's number.  Since a 'b' line may
 * follow, a line is handed out only when the next one is there or ${at_end} is true. */
int cast_reader_next(struct cast_reader *r, bool at_end, struct cast_line *ret, struct error *err);

#endif
