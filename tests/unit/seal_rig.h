/* SPDX-License-Identifier: Apache-2.0 */
/* A session with its store: stage, commit, seal, and read everything back. */
#ifndef TTYTRAIL_TESTS_UNIT_SEAL_RIG_H
#define TTYTRAIL_TESTS_UNIT_SEAL_RIG_H

#include "tests/unit/evidence.h"

#include "storage/db/reader.h"
#include "storage/writer/session.h"

struct rig {
    struct evidence *e;
    struct wsession *s;
    size_t cache_left;
    struct buf o, i; /* what was recorded */
    uint64_t seq;
};

static inline void rig_start(struct rig *g, struct evidence *e, size_t cache)
{
    struct error err;

    memset(g, 0, sizeof *g);
    g->e = e;
    g->cache_left = cache;
    buf_init(&g->o, 1U << 24);
    buf_init(&g->i, 1U << 24);
    MUST(wsession_new(&g->s, cache > 0 ? &g->cache_left : NULL, &err));
    evidence_row(&g->s->info, 1, 2, "t");
    memcpy(g->s->hash, g->s->info.tail_base, CHAIN_HASH);
    evidence_insert(e, &g->s->info);
}

static inline void rig_end(struct rig *g)
{
    wsession_free(g->s);
    buf_clear(&g->o);
    buf_clear(&g->i);
}

/* Stage one event as a tail row, and remember its bytes. */
static inline void stage(struct rig *g, uint64_t t_us, char kind, const char *text)
{
    struct buf frame;
    struct error err;

    buf_init(&frame, 1U << 20);
    evidence_frame(&frame, ++g->seq, t_us, kind, text);
    MUST(wsession_stage(g->s, g->e->store, buf_data(&frame), frame.len, g->seq, t_us, &err));
    if (kind == 'o' || kind == 'i') {
        MUST(buf_puts(kind == 'o' ? &g->o : &g->i, text, &err));
    }
    buf_clear(&frame);
}

static inline void put(struct rig *g, uint64_t t_us, char kind, const char *text)
{
    struct error err;

    MUST(store_begin(g->e->store, &err));
    stage(g, t_us, kind, text);
    MUST(store_commit(g->e->store, &err));
    wsession_committed(g->s);
}

static inline struct seal_job *take_job(struct rig *g, size_t segment_bytes)
{
    struct seal_job *job = NULL;
    struct error err;

    MUST(wsession_job(g->s, g->e->store, segment_bytes, &job, &err));
    assert_true(g->s->sealing);
    assert_false(wsession_wants_seal(g->s, 1));
    return job;
}

static inline void finish_job(struct rig *g, struct seal_job *job)
{
    struct error err;

    assert_int_equal(job->failed, 0);
    MUST(store_begin(g->e->store, &err));
    if (wsession_job_empty(job)) {
        wsession_unsealed(g->s);
    } else {
        MUST(wsession_stage_sealed(g->s, g->e->store, job, 5, &err));
    }
    MUST(store_commit(g->e->store, &err));
    if (!wsession_job_empty(job)) {
        wsession_sealed(g->s, job);
    }
    wsession_committed(g->s);
    seal_job_free(job);
}

static inline void seal(struct rig *g, size_t segment_bytes)
{
    struct seal_job *job = take_job(g, segment_bytes);

    sealer_run(job);
    finish_job(g, job);
}

static inline void close_session(struct rig *g, enum session_state state)
{
    struct error err;

    MUST(store_begin(g->e->store, &err));
    MUST(wsession_stage_close(g->s, g->e->store, state, 99, &err));
    MUST(store_commit(g->e->store, &err));
    wsession_committed(g->s);
}

/* ---- reading back ---- */

struct told {
    struct buf text, o, i, m;
    struct session_row row;
};

static inline void take_lines(struct told *told)
{
    struct cast_reader *r = NULL;
    struct cast_line line;
    struct error err;
    uint64_t last = 0;
    int rc, n = 0;

    MUST(cast_reader_new(&r, 1U << 20, &err));
    MUST(cast_reader_feed(r, buf_data(&told->text), told->text.len, &err));
    err_clear(&err);
    while ((rc = cast_reader_next(r, true, &line, &err)) == 1) {
        assert_int_equal(line.header, n++ == 0);
        if (line.header) {
            continue;
        }
        assert_true(line.t_us >= last);
        last = line.t_us;
        if (line.kind == 'o' || line.kind == 'i' || line.kind == 'm') {
            struct buf *to = line.kind == 'o' ? &told->o : line.kind == 'i' ? &told->i : &told->m;

            MUST(buf_append(to, line.bytes, line.len, &err));
        }
    }
    assert_int_equal(rc, 0);
    cast_reader_free(r);
}

/* All segments, unpacked; the chain and the tail's hashes must hold. */
static inline void read_back(struct rig *g, struct told *told)
{
    struct reader *r = NULL;
    struct segment_row seg;
    struct buf bytes, tail;
    uint8_t head[CHAIN_HASH], sha[CHAIN_HASH];
    struct error err;
    bool ok = false;

    buf_init(&bytes, SEGMENT_MAX_BYTES);
    buf_init(&tail, SEGMENT_MAX_BYTES);
    buf_init(&told->text, SEGMENT_MAX_TEXT);
    buf_init(&told->o, SEGMENT_MAX_TEXT);
    buf_init(&told->i, SEGMENT_MAX_TEXT);
    buf_init(&told->m, SEGMENT_MAX_TEXT);
    session_row_init(&told->row);
    MUST(reader_open(&r, g->e->db, &err));
    assert_int_equal(reader_snapshot(r, g->s->info.row, &told->row, &tail, &ok, &err), 1);
    assert_true(ok);
    chain_start(told->row.host, told->row.epoch, told->row.id, head);
    for (int64_t n = 0; n < told->row.segments; n++) {
        buf_reset(&bytes);
        assert_int_equal(reader_segment(r, told->row.row, n, &seg, &bytes, &err), 1);
        chain_sha256(buf_data(&bytes), bytes.len, sha);
        assert_memory_equal(sha, seg.sha256, CHAIN_HASH);
        chain_extend(head, (uint64_t)n, sha);
        assert_memory_equal(head, seg.head, CHAIN_HASH);
        assert_int_equal(seg.final, told->row.final && n == told->row.segments - 1);
        MUST(segment_unpack(buf_data(&bytes), bytes.len, SEGMENT_MAX_TEXT, &told->text, &err));
    }
    assert_memory_equal(head, told->row.head, CHAIN_HASH);
    reader_close(r);
    take_lines(told);
    buf_clear(&bytes);
    buf_clear(&tail);
}

static inline void told_clear(struct told *told)
{
    buf_clear(&told->text);
    buf_clear(&told->o);
    buf_clear(&told->i);
    buf_clear(&told->m);
    session_row_clear(&told->row);
}

static inline void same(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(buf_data(a), buf_data(b), b->len);
}

/* Finished: everything that was recorded stands in the segments, and the sums are right. */
static inline void expect_all(struct rig *g)
{
    struct told told;

    read_back(g, &told);
    assert_true(told.row.final);
    assert_int_equal(g->s->n_tails, 0);
    assert_int_equal(g->s->tail_bytes, 0);
    same(&told.o, &g->o);
    same(&told.i, &g->i);
    assert_int_equal(told.row.bytes_in, g->i.len);
    assert_int_equal(told.row.bytes_out, g->o.len);
    told_clear(&told);
}

#endif
