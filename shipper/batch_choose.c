/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/batch_choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/state_life.h"
#include "storage/seal/segment.h"

#define SEGMENTS_MAX 2048           /* of one batch */
#define LINES_MAX    (1024U * 1024) /* what its sessions' rows may take in the manifest */
#define STUCK_MAX    65536          /* sessions of one run that are remembered as stuck */

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
    pack_clear(&c->pack);
    buf_clear(&c->session_lines);
}

int choice_grow(void **array, size_t *cap, size_t n, size_t size, struct error *err)
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

/* ---- sessions ---- */

static void complain(const struct batch_source *src, const uint8_t session[CHAIN_ID],
                     const char *why)
{
    char text[512], id[2 * CHAIN_ID + 1];

    (void)snprintf(text, sizeof text, "session %s is not shipped further: %s",
                   io_hex(session, CHAIN_ID, id), why);
    if (src->note != NULL) {
        src->note(src->user, text);
    }
}

int choice_stuck(const struct batch_source *src, const uint8_t session[CHAIN_ID], int64_t from,
                 const char *why, struct error *err)
{
    struct batch_walk *w = src->walk;
    void *list = w->stuck;
    int rc;

    if (w->n_stuck >= STUCK_MAX) {
        return err_set(err, ERR_CORRUPT, "more than %d sessions are damaged", STUCK_MAX);
    }
    rc = choice_grow(&list, &w->cap_stuck, w->n_stuck, sizeof *w->stuck, err);
    w->stuck = list;
    if (rc != 0) {
        return -1;
    }
    memcpy(w->stuck[w->n_stuck].id, session, CHAIN_ID);
    w->stuck[w->n_stuck++].from = from;
    complain(src, session, why);
    return 0;
}

static int64_t stuck_from(const struct batch_source *src, const uint8_t session[CHAIN_ID])
{
    const struct batch_walk *w = src->walk;

    for (size_t i = 0; i < w->n_stuck; i++) {
        if (memcmp(w->stuck[i].id, session, CHAIN_ID) == 0) {
            return w->stuck[i].from;
        }
    }
    return INT64_MAX;
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
    rc = choice_grow(&list, &c->sessions_cap, c->n_sessions, sizeof *c->sessions, err);
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
    s->stuck_from = stuck_from(src, s->row.id);
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

    if (choice_grow(&list, &cap, c->m.n_segments, sizeof *c->m.segments, err) != 0) {
        return -1;
    }
    c->m.segments = list;
    list = c->rows;
    if (choice_grow(&list, &c->rows_cap, c->m.n_segments, sizeof *c->rows, err) != 0) {
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
            if (memcmp(c->m.segments[i].session, m->session, CHAIN_ID) == 0 &&
                c->m.segments[i].number == g->number - 1) {
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
    if (pack_add(&c->pack, s->row.row, g->number, (size_t)g->size, g->sha256, err) != 0) {
        return -1;
    }
    c->rows[c->m.n_segments++] = s->row.row;
    if (g->number >= s->next) {
        s->next = g->number + 1;
        memcpy(s->head, g->head, CHAIN_HASH);
        s->raised = true;
    }
    s->taken = true;
    return 0;
}

/* What the manifest says of a session; then its texts are not needed any more. */
static int put_session_line(struct choice *c, const struct batch_source *src,
                            struct chosen_session *s, struct error *err)
{
    struct session_row rest;

    if (manifest_session_put(&c->session_lines, src->json, &s->row, err) != 0) {
        return -1;
    }
    c->m.n_sessions++;
    session_row_init(&rest);
    rest.row = s->row.row;
    memcpy(rest.id, s->row.id, CHAIN_ID);
    memcpy(rest.epoch, s->row.epoch, CHAIN_ID);
    session_row_clear(&s->row);
    s->row = rest;
    return 0;
}

static int halt(const struct batch_source *src, struct chosen_session *s, int64_t from,
                const char *why, struct error *err)
{
    s->stuck_from = from;
    return choice_stuck(src, s->row.id, from, why, err) != 0 ? -1 : 1;
}

/* 1 taken, or passed over. */
static int take(struct choice *c, const struct batch_source *src, const struct unshipped *u,
                struct error *err)
{
    struct chosen_session *s = NULL;
    struct segment_row g;
    int rc = load_session(c, src, u->session_row, &s, err);

    if (rc != 1) {
        return rc < 0 ? -1 : 1;
    }
    if (u->number >= s->stuck_from || (u->number < s->next && !c->any_withheld)) {
        return 1; /* in a batch already, which is on its way */
    }
    if (u->number < s->next) {
        uint8_t epoch[CHAIN_ID];
        int64_t seq;

        /* It was in one that is withheld: it may come again. */
        rc = state_find(src->state, s->row.id, u->number, epoch, &seq, err);
        if (rc != 0) {
            return rc;
        }
    }
    if (u->number > s->next) {
        return halt(src, s, u->number, "a segment is missing before the next one", err);
    }
    rc = reader_segment(src->evidence, u->session_row, u->number, &g, NULL, err);
    if (rc != 1) {
        return rc < 0 ? -1 : 1;
    }
    if (g.size <= 0 || g.size > SEGMENT_MAX_BYTES) {
        return halt(src, s, u->number, "a segment's size is none", err);
    }
    if (!s->taken && put_session_line(c, src, s, err) != 0) {
        return -1;
    }
    return add_segment(c, src, s, &g, (int64_t)c->pack.len, err) != 0 ? -1 : 1;
}

struct gathering {
    struct choice *c;
    const struct batch_source *src;
    struct error *err;
};

/* Until the batch is full. */
static int gather(void *user, const struct unshipped *u)
{
    struct gathering *g = user;
    struct choice *c = g->c;

    if (c->m.n_segments > 0 && c->pack.len + (size_t)u->size > g->src->pack_bytes) {
        return 1;
    }
    if (take(c, g->src, u, g->err) != 1) {
        return -1;
    }
    c->after = u->order;
    return c->m.n_segments >= SEGMENTS_MAX || c->session_lines.len >= LINES_MAX ? 1 : 0;
}

int choice_segments(struct choice *c, const struct batch_source *src, struct error *err)
{
    struct gathering g = {c, src, err};
    int rc = state_any_withheld(src->state, err);

    if (rc < 0) {
        return -1;
    }
    c->any_withheld = rc == 1;
    c->after = src->walk->after;
    return reader_unshipped_after(src->evidence, c->after, src->horizon, gather, &g, err) < 0 ? -1
                                                                                              : 0;
}
