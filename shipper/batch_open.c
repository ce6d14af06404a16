/* SPDX-License-Identifier: Apache-2.0 */
/* What a batch says of the sessions that are open: next number and head of each. */
#include <string.h>

#include "shipper/batch_choose.h"

struct open_walk {
    struct batch_walk *walk;
    struct error *err;
};

static int open_one(void *user, const struct session_row *s)
{
    struct open_walk *w = user;
    void *list = w->walk->open;
    struct open_session *o;

    if (s->state != SESSION_OPEN || session_row_imported(s) ||
        w->walk->n_open >= MANIFEST_SEGMENTS_MAX) {
        return 0;
    }
    if (choice_grow(&list, &w->walk->cap_open, w->walk->n_open, sizeof *w->walk->open, w->err) !=
        0) {
        return -1;
    }
    w->walk->open = list;
    o = &w->walk->open[w->walk->n_open++];
    o->row = s->row;
    o->shipped = s->shipped;
    memcpy(o->id, s->id, CHAIN_ID);
    memcpy(o->epoch, s->epoch, CHAIN_ID);
    chain_start(s->host, s->epoch, s->id, o->start);
    return 0;
}

/* Where a session's chain stands as far as batches go: only what is durable may be promised here.
 * 1, 0 the evidence has not what is needed, -1. */
static int open_head(const struct choice *c, const struct batch_source *src,
                     const struct open_session *s, struct manifest_open *o, struct error *err)
{
    struct segment_row g;
    int rc;

    for (size_t i = 0; i < c->n_sessions; i++) {
        const struct chosen_session *t = &c->sessions[i];

        if (t->row.row == s->row && t->raised) {
            o->next = t->next;
            memcpy(o->head, t->head, CHAIN_HASH);
            return 1;
        }
    }
    if (state_next(src->state, s->id, &o->next, err) != 0) {
        return -1;
    }
    if (s->shipped > o->next) {
        o->next = s->shipped;
    }
    if (o->next == 0) {
        memcpy(o->head, s->start, CHAIN_HASH);
        return 1;
    }
    rc = reader_segment(src->evidence, s->row, o->next - 1, &g, NULL, err);
    if (rc == 1) {
        memcpy(o->head, g.head, CHAIN_HASH);
    }
    return rc;
}

static int fill(struct choice *c, const struct batch_source *src, const struct batch_walk *w,
                struct error *err)
{
    size_t cap = 0;

    for (size_t i = 0; i < w->n_open; i++) {
        const struct open_session *s = &w->open[i];
        struct manifest_open o = {.next = 0};
        void *list = c->m.open;
        int rc = open_head(c, src, s, &o, err);

        if (rc < 0) {
            return -1;
        }
        if (rc == 0) {
            continue;
        }
        if (choice_grow(&list, &cap, c->m.n_open, sizeof *c->m.open, err) != 0) {
            return -1;
        }
        c->m.open = list;
        memcpy(o.session, s->id, CHAIN_ID);
        memcpy(o.epoch, s->epoch, CHAIN_ID);
        c->m.open[c->m.n_open++] = o;
    }
    return 0;
}

/* Nothing above the run's horizon goes out in it, so what was open as it began is open for all of
 * its batches. */
int choice_open(struct choice *c, const struct batch_source *src, struct error *err)
{
    struct batch_walk own = {.after = 0}, *walk = src->walk == NULL ? &own : src->walk;
    struct open_walk w = {walk, err};
    int rc = 0;

    if (!walk->open_known) {
        walk->n_open = 0;
        rc = reader_unfinished(src->evidence, open_one, &w, err);
        walk->open_known = rc == 0;
    }
    if (rc == 0 && walk->n_open > 0) {
        rc = reader_begin(src->evidence, err);
        if (rc == 0) {
            rc = fill(c, src, walk, err);
            reader_end(src->evidence);
        }
    }
    batch_walk_clear(&own);
    return rc;
}
