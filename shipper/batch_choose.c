/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/batch_choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"

#define CANDIDATES_MAX 8192
#define SEGMENTS_MAX   4096                /* of one batch */
#define ROWS_MAX       (16U * 1024 * 1024) /* what its sessions' rows may take, roughly */

void choice_init(struct choice *c)
{
    memset(c, 0, sizeof *c);
    buf_init(&c->session_lines, MANIFEST_MAX);
}

void choice_clear(struct choice *c)
{
    for (size_t i = 0; i < c->n_sessions; i++) {
        session_row_clear(&c->sessions[i].row);
    }
    free(c->sessions);
    free(c->rows);
    manifest_clear(&c->m);
    buf_clear(&c->session_lines);
}

static int grow(void **array, size_t *cap, size_t n, size_t size, struct error *err)
{
    size_t more = *cap == 0 ? 64 : *cap * 2;
    void *p;

    if (n < *cap) {
        return 0;
    }
    p = realloc(*array, more * size);
    if (p == NULL) {
        return err_sys(err, "allocate");
    }
    *array = p;
    *cap = more;
    return 0;
}

/* ---- candidates: collected first, so that the walk holds nothing while segments are read ---- */

struct candidates {
    struct unshipped *list;
    size_t n, cap;
    struct error *err;
};

static int collect(void *user, const struct unshipped *u)
{
    struct candidates *c = user;
    void *list = c->list;
    int rc = grow(&list, &c->cap, c->n, sizeof *c->list, c->err);

    c->list = list;
    if (rc != 0) {
        return -1;
    }
    c->list[c->n++] = *u;
    return c->n < CANDIDATES_MAX ? 0 : 1;
}

/* ---- sessions ---- */

static void complain(const struct batch_source *src, struct chosen_session *s, const char *why)
{
    char text[512], id[2 * CHAIN_ID + 1];

    s->stuck = true;
    (void)snprintf(text, sizeof text, "session %s is not shipped further: %s",
                   io_hex(s->row.id, CHAIN_ID, id), why);
    if (src->note != NULL) {
        src->note(src->user, text);
    }
}

static int load_session(struct choice *c, const struct batch_source *src, int64_t row,
                        struct chosen_session **ret, struct error *err)
{
    struct chosen_session *s;
    void *list = c->sessions;
    int rc;

    for (size_t i = c->n_sessions; i-- > 0;) {
        if (c->sessions[i].row.row == row) {
            *ret = &c->sessions[i];
            return 1;
        }
    }
    rc = grow(&list, &c->sessions_cap, c->n_sessions, sizeof *c->sessions, err);
    c->sessions = list;
    if (rc != 0) {
        return -1;
    }
    s = &c->sessions[c->n_sessions];
    memset(s, 0, sizeof *s);
    session_row_init(&s->row);
    rc = reader_session(src->evidence, row, &s->row, err);
    if (rc != 1) {
        session_row_clear(&s->row);
        return rc;
    }
    c->n_sessions++;
    if (state_next(src->state, s->row.id, &s->next, err) != 0) {
        return -1;
    }
    if (s->row.shipped > s->next) {
        s->next = s->row.shipped;
    }
    *ret = s;
    return 1;
}

/* ---- segments ---- */

static int add_segment(struct choice *c, const struct batch_source *src, struct chosen_session *s,
                       const struct segment_row *g, int64_t offset, struct error *err)
{
    struct manifest_segment *m;
    void *list = c->m.segments;
    size_t cap = c->rows_cap;

    if (grow(&list, &cap, c->m.n_segments, sizeof *c->m.segments, err) != 0) {
        return -1;
    }
    c->m.segments = list;
    list = c->rows;
    if (grow(&list, &c->rows_cap, c->m.n_segments, sizeof *c->rows, err) != 0) {
        return -1;
    }
    c->rows = list;
    m = &c->m.segments[c->m.n_segments];
    memset(m, 0, sizeof *m);
    memcpy(m->session, s->row.id, CHAIN_ID);
    memcpy(m->epoch, s->row.epoch, CHAIN_ID);
    m->number = g->number;
    m->offset = offset;
    m->length = g->size;
    memcpy(m->sha256, g->sha256, CHAIN_HASH);
    memcpy(m->head, g->head, CHAIN_HASH);
    m->final = g->final;
    (void)snprintf(m->codec, sizeof m->codec, "%s", g->codec);
    if (g->number > 0) {
        const struct manifest_segment *last = NULL;

        for (size_t i = c->m.n_segments; i-- > 0 && last == NULL && s->taken;) {
            if (memcmp(c->m.segments[i].session, m->session, CHAIN_ID) == 0) {
                last = &c->m.segments[i];
            }
        }
        /* In this very batch: batch.c knows its number. */
        if (last != NULL) {
            m->previous_seq = -1;
        } else if (state_find(src->state, m->session, g->number - 1, m->previous_epoch,
                              &m->previous_seq, err) < 0) {
            return -1;
        }
    }
    c->rows[c->m.n_segments++] = s->row.row;
    s->next = g->number + 1;
    memcpy(s->head, g->head, CHAIN_HASH);
    s->taken = true;
    return 0;
}

/* 1 taken, or passed over. */
static int take(struct choice *c, const struct batch_source *src, const struct unshipped *u,
                struct buf *pack, struct error *err)
{
    uint8_t sha[CHAIN_HASH];
    struct chosen_session *s = NULL;
    struct segment_row g;
    size_t before = pack->len;
    int rc = load_session(c, src, u->session_row, &s, err);

    if (rc != 1) {
        return rc < 0 ? -1 : 1;
    }
    if (s->stuck || u->number < s->next) {
        return 1; /* in a batch already, which is on its way */
    }
    if (u->number > s->next) {
        complain(src, s, "a segment is missing before the next one");
        return 1;
    }
    rc = reader_segment(src->evidence, u->session_row, u->number, &g, pack, err);
    if (rc != 1) {
        return rc < 0 ? -1 : 1;
    }
    chain_sha256(buf_data(pack) + before, pack->len - before, sha);
    if ((int64_t)(pack->len - before) != g.size || g.size == 0 ||
        memcmp(sha, g.sha256, CHAIN_HASH) != 0) {
        pack->len = before;
        complain(src, s, "a segment's bytes are not what was sealed");
        return 1;
    }
    return add_segment(c, src, s, &g, (int64_t)before, err) != 0 ? -1 : 1;
}

static int put_session_lines(struct choice *c, const struct batch_source *src, struct error *err)
{
    for (size_t i = 0; i < c->n_sessions; i++) {
        if (c->sessions[i].taken) {
            if (manifest_session_put(&c->session_lines, src->json, &c->sessions[i].row, err) != 0) {
                return -1;
            }
            c->m.n_sessions++;
        }
    }
    return 0;
}

int choice_segments(struct choice *c, const struct batch_source *src, struct buf *pack,
                    struct error *err)
{
    struct candidates list = {.err = err};
    int rc = reader_unshipped(src->evidence, src->horizon, collect, &list, err) < 0 ? -1 : 1;
    size_t rows = 0;

    for (size_t i = 0; rc == 1 && i < list.n; i++) {
        size_t had = c->n_sessions;

        if (c->m.n_segments > 0 && pack->len + (size_t)list.list[i].size > src->pack_bytes) {
            break;
        }
        rc = take(c, src, &list.list[i], pack, err);
        if (c->n_sessions > had) {
            rows += 1024 + c->sessions[had].row.facts.len;
        }
        if (c->m.n_segments >= SEGMENTS_MAX || rows > ROWS_MAX) {
            break;
        }
    }
    free(list.list);
    return rc == 1 ? put_session_lines(c, src, err) : -1;
}

/* ---- open sessions ---- */

struct open_walk {
    struct choice *c;
    const struct batch_source *src;
    size_t cap;
    struct error *err;
};

/* Where a session's chain stands as far as batches go: only what is durable may be promised here.
 */
static int open_head(const struct open_walk *w, const struct session_row *s,
                     struct manifest_open *o)
{
    struct segment_row g;

    for (size_t i = 0; i < w->c->n_sessions; i++) {
        const struct chosen_session *t = &w->c->sessions[i];

        if (t->row.row == s->row && t->taken) {
            o->next = t->next;
            memcpy(o->head, t->head, CHAIN_HASH);
            return 0;
        }
    }
    if (state_next(w->src->state, s->id, &o->next, w->err) != 0) {
        return -1;
    }
    if (s->shipped > o->next) {
        o->next = s->shipped;
    }
    if (o->next == 0) {
        chain_start(s->host, s->epoch, s->id, o->head);
        return 0;
    }
    if (reader_segment(w->src->evidence, s->row, o->next - 1, &g, NULL, w->err) != 1) {
        return -1;
    }
    memcpy(o->head, g.head, CHAIN_HASH);
    return 0;
}

static int open_one(void *user, const struct session_row *s)
{
    struct open_walk *w = user;
    struct manifest *m = &w->c->m;
    struct manifest_open o = {.next = 0};
    void *list = m->open;

    if (s->state != SESSION_OPEN || m->n_open >= MANIFEST_SEGMENTS_MAX) {
        return 0;
    }
    memcpy(o.session, s->id, CHAIN_ID);
    memcpy(o.epoch, s->epoch, CHAIN_ID);
    err_clear(w->err);
    if (open_head(w, s, &o) != 0) {
        return w->err->kind == ERR_NONE ? 0 : -1;
    }
    if (grow(&list, &w->cap, m->n_open, sizeof *m->open, w->err) != 0) {
        return -1;
    }
    m->open = list;
    m->open[m->n_open++] = o;
    return 0;
}

int choice_open(struct choice *c, const struct batch_source *src, struct error *err)
{
    struct open_walk w = {c, src, 0, err};

    return reader_sessions(src->evidence, open_one, &w, err);
}
