/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session as one line: of a table for people, fitted to a width, or of JSON for programs. Nothing
 * a session contains reaches the line raw: controls are escaped.  Knows nothing of databases or
 * terminals; what time it is now is a parameter (open sessions last until now).
 */
#ifndef TTYTRAIL_REPLAY_LISTING_H
#define TTYTRAIL_REPLAY_LISTING_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "storage/db/session.h"

#define LISTING_MIN_ID 8U
/* A ceiling that fits every line: all facts and their copies in the row, each byte escaped. */
#define LISTING_LINE 1048576U

struct listing {
    size_t id_digits;   /* so many tell all sessions apart */
    size_t user_width;  /* of the column */
    size_t flags_width; /* ... */
    size_t width;       /* of the table; 0: nothing is cut */
    int64_t now_us;
    struct json *json;
};

/** listing_id_digits(ids, count): How many hex digits (from LISTING_MIN_ID) tell the ids apart;
 * sorts
 * ${ids}. */
size_t listing_id_digits(uint8_t (*ids)[CHAIN_ID], size_t count);
/** listing_head(l, out, err): The columns' names. */
int listing_head(const struct listing *l, struct buf *out, struct error *err);
int listing_row(const struct listing *l, struct buf *out, const struct session_row *s,
                struct error *err);
/** listing_json(l, out, s, err): One object on one line, with the session's facts. */
int listing_json(const struct listing *l, struct buf *out, const struct session_row *s,
                 struct error *err);
/** listing_csv_head(out, err), listing_csv(l, out, s, err): As lines of CSV (RFC 4180); no cell is
 * a formula. */
int listing_csv_head(struct buf *out, struct error *err);
int listing_csv(const struct listing *l, struct buf *out, const struct session_row *s,
                struct error *err);
/** listing_flags(s, ret, size): The flags as the table has them; their width. */
size_t listing_flags(const struct session_row *s, char *ret, size_t size);
/** listing_width(text, len): Columns of ${text}, one a character. */
size_t listing_width(const char *text, size_t len);

#endif
