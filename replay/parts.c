/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "storage/seal/segment.h"

/* A tail is a segment not yet cut; held input may make it several times as large. */
#define TAIL_MAX SEGMENT_MAX_BYTES

#define MISSING_MAX 64

struct parts {
    struct reader *reader;
    struct session_row session;
    int64_t next;       /* segment */
    int missing;        /* segments in a row that are not there */
    uint64_t last_t_us; /* of the last segment read */
    bool ended;
    struct buf stored, text;
};

int parts_open(struct parts **ret, struct reader *r, int64_t session_row, struct error *err)
{
    struct parts *p = calloc(1, sizeof *p);
    int found;

    if (p == NULL) {
        return err_sys(err, "read a session");
    }
    p->reader = r;
    session_row_init(&p->session);
    buf_init(&p->stored, SEGMENT_MAX_BYTES);
    buf_init(&p->text, SEGMENT_MAX_TEXT);
    found = reader_session(r, session_row, &p->session, err);
    if (found != 1) {
        parts_close(p);
        return found < 0 ? -1 : err_set(err, ERR_USAGE, "the session is gone");
    }
    *ret = p;
    return 0;
}

void parts_close(struct parts *p)
{
    if (p == NULL) {
        return;
    }
    session_row_clear(&p->session);
    buf_clear(&p->stored);
    buf_clear(&p->text);
    free(p);
}

const struct session_row *parts_session(const struct parts *p)
{
    return &p->session;
}

uint64_t parts_last_us(const struct parts *p)
{
    return p->last_t_us;
}

int parts_header(const struct parts *p, struct buf *out, struct error *err)
{
    const struct session_row *s = &p->session;
    char id[2 * CHAIN_ID + 1], epoch[2 * CHAIN_ID + 1];
    struct facts facts;
    struct error ignored;
    bool have_facts = facts_parse(buf_data(&s->facts), s->facts.len, &facts, &ignored) == 0;
    struct segment_header h = {
        .session_hex = io_hex(s->id, CHAIN_ID, id),
        .host = s->host,
        .epoch_hex = io_hex(s->epoch, CHAIN_ID, epoch),
        .user = s->user,
        .uid = s->uid,
        .cols = (uint32_t)s->cols,
        .rows = (uint32_t)s->rows,
        .started_us = s->started_us,
        .title = s->title[0] == '\0' ? NULL : s->title,
        .facts = have_facts ? &facts : NULL,
        .time_digits = strcmp(s->kind, "import") == 0 ? 6 : 3,
    };

    return segment_header_line(out, &h, err);
}

static int check_and_unpack(struct parts *p, const struct segment_row *row, struct error *err)
{
    uint8_t sha256[CHAIN_HASH];

    if (strcmp(row->codec, "gzip") != 0) {
        return err_set(err, ERR_CORRUPT, "codec '%s' is not known", row->codec);
    }
    chain_sha256(buf_data(&p->stored), p->stored.len, sha256);
    if (memcmp(sha256, row->sha256, CHAIN_HASH) != 0) {
        return err_set(err, ERR_CORRUPT, "its bytes are not those that were sealed (SHA-256)");
    }
    return segment_unpack(buf_data(&p->stored), p->stored.len, SEGMENT_MAX_TEXT, &p->text, err);
}

static int next_segment(struct parts *p, struct part *ret, struct error *err)
{
    char id[2 * CHAIN_ID + 1];
    struct segment_row row;
    int64_t number = p->next++;
    int found;

    buf_reset(&p->stored);
    buf_reset(&p->text);
    found = reader_segment(p->reader, p->session.row, number, &row, &p->stored, err);
    p->missing = found == 0 ? p->missing + 1 : 0;
    if (found == 0) {
        /* A row that claims more segments than there can be must not be believed for ever. */
        p->next = p->missing < MISSING_MAX ? p->next : p->session.segments;
        (void)err_set(err, ERR_CORRUPT, "it is missing");
    } else if (found == 1) {
        found = check_and_unpack(p, &row, err) == 0 ? 1 : -1;
    }
    if (found != 1) {
        return err_wrap(err, "session %s, segment %lld", io_hex(p->session.id, CHAIN_ID, id),
                        (long long)number);
    }
    p->last_t_us = row.last_t_us > 0 ? (uint64_t)row.last_t_us : 0;
    *ret = (struct part){.text = buf_data(&p->text), .len = p->text.len};
    return 1;
}

/* The tail as lines. */
static int tail_text(struct parts *p, const struct session_row *s, struct error *err)
{
    struct cast_writer writer;
    struct buf rest;
    int result = -1;

    cast_writer_init(&writer, s->last_t_us);
    buf_init(&rest, TAIL_MAX);
    buf_reset(&p->text);
    if ((s->segments == 0 && parts_header(p, &p->text, err) != 0) ||
        segment_lines(&p->text, &writer, buf_data(&p->stored), p->stored.len, UINT64_MAX, &rest,
                      err) != 0 ||
        cast_flush(&writer, &p->text, err) != 0) {
        goto out;
    }
    result = 0;
out:
    buf_clear(&rest);
    cast_writer_clear(&writer);
    return result;
}

static int next_tail(struct parts *p, struct part *ret, struct error *err)
{
    char id[2 * CHAIN_ID + 1];
    struct session_row now;
    bool hash_ok = true;
    int found, result = -1;

    session_row_init(&now);
    buf_reset(&p->stored);
    found = reader_snapshot(p->reader, p->session.row, &now, &p->stored, &hash_ok, err);
    if (found != 1) {
        p->ended = true;
        result = found < 0 ? -1 : 0;
        goto out;
    }
    session_row_clear(&p->session);
    p->session = now;
    session_row_init(&now);
    if (p->session.segments > p->next) { /* sealed since we looked: read it as a segment */
        result = next_segment(p, ret, err);
        goto out;
    }
    p->ended = true;
    if (!hash_ok) {
        (void)err_set(err, ERR_CORRUPT, "session %s, not yet sealed part: hash does not match",
                      io_hex(p->session.id, CHAIN_ID, id));
        goto out;
    }
    if (tail_text(p, &p->session, err) != 0) {
        (void)err_wrap(err, "session %s, not yet sealed part", io_hex(p->session.id, CHAIN_ID, id));
        goto out;
    }
    *ret = (struct part){.text = buf_data(&p->text), .len = p->text.len, .tail = true};
    result = p->text.len > 0 ? 1 : 0;
out:
    session_row_clear(&now);
    return result;
}

int parts_next(struct parts *p, struct part *ret, struct error *err)
{
    if (p->ended) {
        return 0;
    }
    return p->next < p->session.segments ? next_segment(p, ret, err) : next_tail(p, ret, err);
}
