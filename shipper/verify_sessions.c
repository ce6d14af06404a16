/* SPDX-License-Identifier: Apache-2.0 */
/* Each session over all batches: every segment once, one chain from its start to its end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

/* What a manifest said of a session: its row, or how far it was ("open"). */
struct saying {
    const uint8_t *id;
    const struct manifest_session *row; /* NULL for an open one */
    int64_t created_us, next;
};

struct sayings {
    struct saying *at;
    size_t n, cap;
};

static int by_id(const void *a, const void *b)
{
    const struct saying *x = a, *y = b;
    int c = memcmp(x->id, y->id, CHAIN_ID);

    return c != 0 ? c : (x->created_us > y->created_us) - (x->created_us < y->created_us);
}

static int say(struct sayings *s, const struct saying *one, struct error *err)
{
    void *at = s->at;

    if (verify_grow(&at, &s->cap, s->n, sizeof *one, err) != 0) {
        return -1;
    }
    s->at = at;
    s->at[s->n++] = *one;
    return 0;
}

static int collect(struct verify_store *vs, struct sayings *s, struct error *err)
{
    for (size_t i = 0; i < vs->n_manifests; i++) {
        const struct manifest *m = &vs->manifests[i].m;

        for (size_t k = 0; k < m->n_sessions; k++) {
            struct saying one = {m->sessions[k].id, &m->sessions[k], m->created_us, 0};

            if (say(s, &one, err) != 0) {
                return -1;
            }
        }
        for (size_t k = 0; k < m->n_open; k++) {
            struct saying one = {m->open[k].session, NULL, m->created_us, m->open[k].next};

            if (say(s, &one, err) != 0) {
                return -1;
            }
        }
    }
    if (s->n > 0) {
        qsort(s->at, s->n, sizeof *s->at, by_id);
    }
    return 0;
}

/* All that was said of ${id}: the newest row, and how many segments there have to be. */
static void look_up(const struct sayings *s, const uint8_t *id,
                    const struct manifest_session **ret_row, int64_t *ret_next)
{
    size_t lo = 0, hi = s->n;

    *ret_row = NULL;
    *ret_next = 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (memcmp(s->at[mid].id, id, CHAIN_ID) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < s->n && memcmp(s->at[lo].id, id, CHAIN_ID) == 0; lo++) {
        *ret_row = s->at[lo].row != NULL ? s->at[lo].row : *ret_row;
        *ret_next = s->at[lo].next > *ret_next ? s->at[lo].next : *ret_next;
    }
}

static int by_segment(const void *a, const void *b)
{
    const struct checked_segment *x = a, *y = b;
    int c = memcmp(x->s.session, y->s.session, CHAIN_ID);

    if (c == 0) {
        c = (x->s.number > y->s.number) - (x->s.number < y->s.number);
    }
    return c != 0 ? c : (x->manifest > y->manifest) - (x->manifest < y->manifest);
}

/* One session on its way through. */
struct trace {
    struct verify_store *vs;
    const struct manifest_session *row;
    uint8_t head[CHAIN_HASH];
    int64_t next, bytes;
    bool final, broken; /* broken: the chain cannot be followed from here */
    const struct checked_segment *last;
    enum verify_verdict verdict;
    char detail[256];
};

static void wrong(struct trace *t, enum verify_verdict verdict, const char *what, int64_t number)
{
    if (!verify_is_finding(t->verdict)) {
        t->verdict = verdict;
        (void)snprintf(t->detail, sizeof t->detail, "segment %" PRId64 " %s", number, what);
    }
}

static void check_previous(struct trace *t, const struct checked_segment *c)
{
    const struct manifest *before;

    if (t->last == NULL || c->s.previous_seq == 0) {
        return;
    }
    before = &t->vs->manifests[t->last->manifest].m;
    if (before->seq != c->s.previous_seq ||
        memcmp(before->epoch, c->s.previous_epoch, CHAIN_ID) != 0) {
        wrong(t, VERIFY_ALTERED, "names another batch for the one before it", c->s.number);
    }
}

static void follow(struct trace *t, const struct checked_segment *c)
{
    const struct manifest_segment *s = &c->s;

    if (t->last != NULL && s->number == t->last->s.number) {
        bool same = memcmp(s->sha256, t->last->s.sha256, CHAIN_HASH) == 0;

        wrong(t, same ? VERIFY_REPEATED : VERIFY_ALTERED, "stands in two batches", s->number);
        return;
    }
    if (s->number != t->next) {
        wrong(t, VERIFY_GAP, "is missing", t->next);
        t->broken = true;
    } else {
        check_previous(t, c);
    }
    if (t->final) {
        wrong(t, VERIFY_ALTERED, "follows the final one", s->number);
    }
    if (c->verdict != VERIFY_COMPLETE) {
        wrong(t, c->verdict, "is not there as it was signed", s->number);
    }
    chain_extend(t->head, (uint64_t)s->number, s->sha256);
    if (!t->broken && memcmp(t->head, s->head, CHAIN_HASH) != 0) {
        wrong(t, VERIFY_ALTERED, "is not what the chain leads to", s->number);
    }
    memcpy(t->head, s->head, CHAIN_HASH);
    t->broken = false;
    t->next = s->number + 1;
    t->bytes += s->length;
    t->final = s->final;
    t->last = c;
}

static void finish(struct trace *t, int64_t promised)
{
    if (t->next < promised) {
        wrong(t, VERIFY_TRUNCATED, "was announced and is missing", t->next);
    }
    if (verify_is_finding(t->verdict)) {
        return;
    }
    if (t->final) {
        t->verdict = t->row != NULL && strcmp(t->row->state, session_state_name(SESSION_CUT)) == 0
                         ? VERIFY_CUT
                         : VERIFY_COMPLETE;
    } else {
        t->verdict = VERIFY_OPEN;
    }
}

static void report(struct trace *t, const uint8_t *id)
{
    char hex[2 * CHAIN_ID + 1];
    const struct verify_line l = {.what = "session",
                                  .id = io_hex(id, CHAIN_ID, hex),
                                  .verdict = t->verdict,
                                  .user = t->row == NULL ? "" : t->row->user,
                                  .title = t->row == NULL ? "" : t->row->title,
                                  .started_us = t->row == NULL ? 0 : t->row->started_us,
                                  .segments = t->next,
                                  .bytes = t->bytes,
                                  .detail = t->detail};

    verify_report(t->vs->v, &l);
}

static size_t one_session(struct verify_store *vs, const struct sayings *s, size_t at)
{
    const struct checked_segment *first = &vs->segments[at];
    struct trace t = {.vs = vs};
    int64_t promised = 0;
    size_t i;

    look_up(s, first->s.session, &t.row, &promised);
    chain_start(t.row == NULL ? "" : t.row->host, first->s.epoch, first->s.session, t.head);
    t.broken = t.row == NULL;
    for (i = at; i < vs->n_segments; i++) {
        if (memcmp(vs->segments[i].s.session, first->s.session, CHAIN_ID) != 0) {
            break;
        }
        follow(&t, &vs->segments[i]);
    }
    finish(&t, promised);
    report(&t, first->s.session);
    return i;
}

/* Sessions that were announced with segments of which there is none. */
static void lost_sessions(struct verify_store *vs, const struct sayings *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct trace t = {.vs = vs};
        const uint8_t *id = s->at[i].id;
        struct checked_segment *here = NULL;
        int64_t promised = 0;
        size_t lo = 0, hi = vs->n_segments;

        if (i > 0 && memcmp(s->at[i - 1].id, id, CHAIN_ID) == 0) {
            continue;
        }
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            int c = memcmp(vs->segments[mid].s.session, id, CHAIN_ID);

            if (c == 0) {
                here = &vs->segments[mid];
                break;
            }
            lo = c < 0 ? mid + 1 : lo;
            hi = c < 0 ? hi : mid;
        }
        look_up(s, id, &t.row, &promised);
        if (here == NULL && promised > 0) {
            finish(&t, promised);
            report(&t, id);
        }
    }
}

int verify_sessions(struct verify_store *vs, struct error *err)
{
    struct sayings s = {.at = NULL};

    if (collect(vs, &s, err) != 0) {
        free(s.at);
        return -1;
    }
    if (vs->n_segments > 0) {
        qsort(vs->segments, vs->n_segments, sizeof *vs->segments, by_segment);
    }
    for (size_t i = 0; i < vs->n_segments;) {
        i = one_session(vs, &s, i);
    }
    lost_sessions(vs, &s);
    free(s.at);
    return 0;
}
