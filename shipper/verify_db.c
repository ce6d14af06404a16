/* SPDX-License-Identifier: Apache-2.0 */
/* A database: every hash and every chain again, and every segment unpacked and read. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify.h"
#include "shipper/verify_cast.h"
#include "shipper/verify_header.h"
#include "shipper/verify_rows.h"
#include "storage/db/reader.h"
#include "storage/seal/segment.h"
#include "storage/wire/event.h"

#define TAIL_MAX (512U * 1024 * 1024)

/* One session on its way through. */
struct check {
    struct reader *reader;
    struct json *json;
    struct session_row row;
    uint8_t head[CHAIN_HASH];
    int64_t done, bytes; /* segments checked so far */
    int64_t pruned;      /* of them: their bytes were removed here */
    bool final, tail_ok;
    struct buf frames, stored, text;
    struct verify_cast cast;
    enum verify_verdict verdict;
    char detail[512];
};

/* The first thing that is wrong is what is told. */
static int wrong(struct check *c, enum verify_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(struct check *c, enum verify_verdict verdict, const char *fmt, ...)
{
    va_list ap;

    if (!verify_is_finding(c->verdict)) {
        c->verdict = verdict;
        va_start(ap, fmt);
        (void)vsnprintf(c->detail, sizeof c->detail, fmt, ap);
        va_end(ap);
    }
    return 1;
}

/* Only from the front, and only what was shipped: anything else was not done by pruning. */
static int check_pruned(struct check *c, int64_t n, const struct segment_row *g)
{
    if (n != c->pruned || n >= c->row.shipped) {
        return wrong(c, VERIFY_ALTERED,
                     "segment %" PRId64 ": its bytes are gone, and not by pruning", n);
    }
    c->pruned++;
    chain_extend(c->head, (uint64_t)n, g->sha256);
    if (memcmp(c->head, g->head, CHAIN_HASH) != 0) {
        return wrong(c, VERIFY_ALTERED, "segment %" PRId64 ": the chain does not lead to it", n);
    }
    c->final = g->final;
    return 0;
}

/* 0 it holds, 1 it does not (told), -1 it could not be read. */
static int check_segment(struct check *c, int64_t n, struct error *err)
{
    struct error bad = {.kind = ERR_NONE};
    struct segment_row g;
    uint8_t sha[CHAIN_HASH];
    int rc;

    buf_reset(&c->stored);
    buf_reset(&c->text);
    rc = reader_segment(c->reader, c->row.row, n, &g, &c->stored, err);
    if (rc < 0) {
        return err->kind == ERR_SYSTEM && err->code == ENODATA ? check_pruned(c, n, &g) : -1;
    }
    if (rc == 0) {
        return wrong(c, VERIFY_GAP, "segment %" PRId64 " is missing", n);
    }
    chain_sha256(buf_data(&c->stored), c->stored.len, sha);
    if (memcmp(sha, g.sha256, CHAIN_HASH) != 0) {
        return wrong(c, VERIFY_ALTERED, "segment %" PRId64 ": its bytes do not have its hash", n);
    }
    chain_extend(c->head, (uint64_t)n, sha);
    if (memcmp(c->head, g.head, CHAIN_HASH) != 0) {
        return wrong(c, VERIFY_ALTERED, "segment %" PRId64 ": the chain does not lead to it", n);
    }
    if (c->final) {
        return wrong(c, VERIFY_ALTERED, "segment %" PRId64 " follows the final one", n);
    }
    c->final = g.final;
    c->bytes += g.size;
    if (strcmp(g.codec, "gzip") != 0) {
        return wrong(c, VERIFY_ALTERED, "segment %" PRId64 ": codec %s is not known", n, g.codec);
    }
    c->cast.fresh = n > 0 && n == c->pruned; /* its header went with what was pruned */
    if (segment_unpack(buf_data(&c->stored), c->stored.len, SEGMENT_MAX_TEXT, &c->text, &bad) !=
            0 ||
        verify_cast_feed(&c->cast, buf_data(&c->text), c->text.len, false, &bad) != 0) {
        return wrong(c, VERIFY_ALTERED, "segment %" PRId64 ": %s", n, bad.text);
    }
    return 0;
}

static int check_tail(struct check *c)
{
    const uint8_t *p = buf_data(&c->frames);
    size_t left = c->frames.len, used = 0;
    struct error bad = {.kind = ERR_NONE};
    struct event ev;
    int rc;

    if (!c->tail_ok) {
        return wrong(c, VERIFY_ALTERED, "the tail does not have its running hash");
    }
    while ((rc = event_next(p, left, &ev, &used, &bad)) == 1) {
        p += used;
        left -= used;
    }
    return rc < 0 ? wrong(c, VERIFY_ALTERED, "the tail: %s", bad.text) : 0;
}

/* The chain binds the header line, the row is but a copy of it that is quicker to read. */
static int check_header(struct check *c)
{
    struct error bad = {.kind = ERR_NONE};
    const char *member = "";
    int rc;

    if (!c->cast.header && c->pruned > 0) {
        return 0;
    }
    if (!c->cast.header) {
        return c->done == 0 ? 0 : wrong(c, VERIFY_ALTERED, "segment 0 has no header line");
    }
    rc = verify_header(c->json, &c->cast.header_json, &c->row, &member, &bad);
    return rc < 0 ? wrong(c, VERIFY_ALTERED, "its header line: %s", bad.text)
           : rc == 0
               ? 0
               : wrong(c, VERIFY_ALTERED, "its row and its sealed header differ in %s", member);
}

/* What the row claims, against what was found. */
static int check_end(struct check *c)
{
    struct error bad = {.kind = ERR_NONE};
    const struct session_row *r = &c->row;

    if (memcmp(c->head, r->head, CHAIN_HASH) != 0) {
        return wrong(c, VERIFY_ALTERED, "the chain does not end where the session says");
    }
    if (c->final != r->final) {
        return wrong(c, VERIFY_TRUNCATED, "the final segment is missing");
    }
    if (c->done > c->pruned && verify_cast_feed(&c->cast, NULL, 0, true, &bad) != 0) {
        return wrong(c, VERIFY_ALTERED, "%s", bad.text);
    }
    if (check_header(c) != 0 || check_tail(c) != 0) {
        return 1;
    }
    if (c->final && c->frames.len > 0) {
        return wrong(c, VERIFY_ALTERED, "there is a tail after the final segment");
    }
    if (r->state == SESSION_OPEN) {
        c->verdict = session_row_dead(r) ? VERIFY_CUT : VERIFY_OPEN;
    } else {
        c->verdict = r->state == SESSION_CUT ? VERIFY_CUT : VERIFY_COMPLETE;
        if (!c->final) {
            (void)snprintf(c->detail, sizeof c->detail, "its end is not sealed yet");
        }
    }
    if (c->pruned > 0 && c->detail[0] == '\0') {
        (void)snprintf(c->detail, sizeof c->detail,
                       "%" PRId64 " of %" PRId64 " segments were pruned here", c->pruned, c->done);
    }
    return 0;
}

/* The writer may go on meanwhile: row and tail come from one moment, and the segments below them
 * are there by then.  -1 when it cannot be read. */
static int check_session(struct check *c, int64_t row, struct error *err)
{
    int rc = reader_snapshot(c->reader, row, &c->row, &c->frames, &c->tail_ok, err);

    if (rc != 1) {
        return rc;
    }
    chain_start(c->row.host, c->row.epoch, c->row.id, c->head);
    for (; c->done < c->row.segments; c->done++) {
        rc = check_segment(c, c->done, err);
        if (rc < 0) {
            return -1;
        }
        if (rc > 0) {
            return 1;
        }
    }
    (void)check_end(c);
    return 1;
}

static void report_session(struct verify *v, const struct check *c)
{
    char id[2 * CHAIN_ID + 1];
    const struct verify_line l = {.what = "session",
                                  .id = io_hex(c->row.id, CHAIN_ID, id),
                                  .verdict = c->verdict,
                                  .user = c->row.user,
                                  .title = c->row.title,
                                  .started_us = c->row.started_us,
                                  .segments = c->done,
                                  .bytes = c->bytes,
                                  .detail = c->detail};

    verify_report(v, &l);
}

struct walk {
    struct verify *v;
    struct reader *r;
    struct json *json;
    struct error *err;
};

static int verify_row(struct walk *w, int64_t row)
{
    struct check c = {.reader = w->r, .json = w->json};
    int rc;

    session_row_init(&c.row);
    buf_init(&c.frames, TAIL_MAX);
    buf_init(&c.stored, SEGMENT_MAX_BYTES);
    buf_init(&c.text, SEGMENT_MAX_TEXT);
    rc = verify_cast_open(&c.cast, w->err);
    if (rc == 0) {
        rc = check_session(&c, row, w->err);
    }
    if (rc == 1) {
        report_session(w->v, &c);
    }
    verify_cast_close(&c.cast);
    buf_clear(&c.text);
    buf_clear(&c.stored);
    buf_clear(&c.frames);
    session_row_clear(&c.row);
    return rc < 0 ? -1 : 0;
}

static int each_session(void *user, const struct session_row *s)
{
    struct walk *w = user;

    return verify_row(w, s->row);
}

static int one_session(struct walk *w, const char *spec)
{
    struct session_row s;
    int rc;

    session_row_init(&s);
    rc = reader_find(w->r, spec, &s, w->err);
    if (rc == 0) {
        rc = verify_row(w, s.row);
    }
    session_row_clear(&s);
    return rc;
}

static int check_file(struct walk *w, const char *path)
{
    struct error bad = {.kind = ERR_NONE};
    struct verify_line l = {.what = "database", .id = path, .verdict = VERIFY_ALTERED};

    if (reader_check(w->r, &bad) == 0) {
        return 0;
    }
    if (bad.kind != ERR_CORRUPT) {
        *w->err = bad;
        return -1;
    }
    l.detail = bad.text;
    verify_report(w->v, &l);
    return 0;
}

int verify_db(struct verify *v, const char *path, const char *session_or_null, struct error *err)
{
    struct walk w = {v, NULL, NULL, err};
    int rc;

    if (reader_open(&w.r, path, err) != 0) {
        return -1;
    }
    if (json_open(&w.json, err) != 0) {
        rc = -1;
    } else if (session_or_null != NULL) {
        rc = one_session(&w, session_or_null);
    } else {
        rc = check_file(&w, path);
        if (rc == 0) {
            rc = verify_rows(v, path, err);
        }
        if (rc == 0) {
            rc = reader_sessions(w.r, each_session, &w, err);
        }
    }
    json_close(w.json);
    reader_close(w.r);
    return rc;
}
