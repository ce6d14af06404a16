/* SPDX-License-Identifier: Apache-2.0 */
/* Each session over all batches: every segment once, one chain from its start to its end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

/* A segment that a host says it could not send. */
struct absent {
    const struct withheld_segment *s;
    const struct verify_batch *by;
};

struct sessions {
    struct verify_store *vs;
    struct absent *absent; /* in order of session and number */
    size_t n_absent;
    struct verify_said **said; /* in order of session */
    size_t n_said;
};

static int cmp_place(const uint8_t a[CHAIN_ID], int64_t na, const uint8_t b[CHAIN_ID], int64_t nb)
{
    int c = memcmp(a, b, CHAIN_ID);

    return c != 0 ? c : (na > nb) - (na < nb);
}

static int by_segment(const void *a, const void *b)
{
    const struct verify_segment *x = a, *y = b;
    int c = cmp_place(x->session, x->number, y->session, y->number);

    /* Of several copies one that is there counts. */
    if (c == 0) {
        c = (x->verdict != VERIFY_COMPLETE) - (y->verdict != VERIFY_COMPLETE);
    }
    if (c == 0) {
        c = (x->batch->created_us > y->batch->created_us) -
            (x->batch->created_us < y->batch->created_us);
    }
    return c != 0 ? c : strcmp(x->batch->found->name, y->batch->found->name);
}

static int by_absent(const void *a, const void *b)
{
    const struct absent *x = a, *y = b;

    return cmp_place(x->s->session, x->s->number, y->s->session, y->s->number);
}

static int collect_absent(struct sessions *s, struct error *err)
{
    size_t cap = 0;

    for (size_t i = 0; i < s->vs->n_list; i++) {
        const struct verify_batch *b = s->vs->list[i];

        for (size_t k = 0; !b->dropped && b->withheld != NULL && k < b->withheld->n; k++) {
            void *at = s->absent;

            if (verify_grow(&at, &cap, s->n_absent, sizeof *s->absent, err) != 0) {
                return -1;
            }
            s->absent = at;
            s->absent[s->n_absent++] = (struct absent){&b->withheld->segments[k], b};
        }
    }
    if (s->n_absent > 0) {
        qsort(s->absent, s->n_absent, sizeof *s->absent, by_absent);
    }
    return 0;
}

/* ${anchor}: the epoch that who says so has to descend from; NULL: any. */
static const struct absent *find_absent(const struct sessions *s, const uint8_t id[CHAIN_ID],
                                        int64_t number, const uint8_t *anchor)
{
    size_t lo = 0, hi = s->n_absent;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (cmp_place(s->absent[mid].s->session, s->absent[mid].s->number, id, number) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < s->n_absent &&
           cmp_place(s->absent[lo].s->session, s->absent[lo].s->number, id, number) == 0;
         lo++) {
        if (anchor == NULL || verify_descends(s->absent[lo].by->key, anchor)) {
            return &s->absent[lo];
        }
    }
    return NULL;
}

/* ---- one session on its way through ---- */

struct trace {
    const struct sessions *all;
    const uint8_t *id, *anchor;
    struct verify_said said; /* of all epochs that may say it; borrowed */
    uint8_t head[CHAIN_HASH];
    int64_t next, bytes, count;
    bool final, broken; /* broken: the chain cannot be followed from here */
    const struct verify_segment *last;
    struct verify_line line; /* verdict, and where the first wrong thing is */
    char detail[256];
};

static bool weaker(enum verify_verdict now, enum verify_verdict than)
{
    return !verify_is_finding(now) || (now == VERIFY_WITHHELD && than != VERIFY_WITHHELD);
}

static void wrong(struct trace *t, enum verify_verdict verdict, int64_t number, const char *what)
{
    if (weaker(t->line.verdict, verdict)) {
        t->line.verdict = verdict;
        t->line.segment = number;
        t->line.has_segment = true;
        t->line.offset = 0;
        t->line.object = NULL;
        t->line.batch = 0;
        (void)snprintf(t->detail, sizeof t->detail, "segment %" PRId64 " %s", number, what);
    }
}

static void wrong_in(struct trace *t, enum verify_verdict verdict, const struct verify_segment *s,
                     const char *what)
{
    if (weaker(t->line.verdict, verdict)) {
        wrong(t, verdict, s->number, what);
        t->line.offset = s->offset;
        t->line.object = s->batch->found->name;
        t->line.batch = s->batch->seq;
    }
}

/* Up to ${number} something is missing: as far as a host says that it was withheld, the chain goes
 * on over it. */
static void over(struct trace *t, int64_t number, enum verify_verdict verdict, const char *what)
{
    const struct absent *a;

    while (t->next < number && (a = find_absent(t->all, t->id, t->next, t->anchor)) != NULL) {
        wrong(t, VERIFY_WITHHELD, t->next, "was withheld and has not come");
        chain_extend(t->head, (uint64_t)t->next, a->s->sha256);
        t->next++;
    }
    if (t->next < number) {
        wrong(t, verdict, t->next, what);
        t->broken = true;
        t->next = number;
    }
}

/* Twice in one epoch does not happen.  In two it is what a host sends again that lost its memory,
 * as long as it is the same. */
static void again(struct trace *t, const struct verify_segment *s)
{
    const struct verify_segment *l = t->last;
    bool same =
        memcmp(s->sha256, l->sha256, CHAIN_HASH) == 0 && memcmp(s->head, l->head, CHAIN_HASH) == 0;
    bool epochs = strcmp(s->batch->key->k.host, l->batch->key->k.host) != 0 ||
                  memcmp(s->batch->key->k.epoch, l->batch->key->k.epoch, CHAIN_ID) != 0;

    if (!same) {
        wrong_in(t, VERIFY_ALTERED, s, "is in two batches, with different bytes");
    } else if (!epochs) {
        wrong_in(t, VERIFY_REPEATED, s, "is in two batches");
    }
}

static void follow(struct trace *t, const struct verify_segment *s)
{
    if (t->last != NULL && s->number == t->last->number) {
        again(t, s);
        return;
    }
    over(t, s->number, VERIFY_GAP, "is missing");
    if (t->final) {
        wrong_in(t, VERIFY_ALTERED, s, "follows the final one");
    }
    if (s->verdict != VERIFY_COMPLETE) {
        wrong_in(t, s->verdict, s, "is not there as it was signed");
    }
    chain_extend(t->head, (uint64_t)s->number, s->sha256);
    if (!t->broken && memcmp(t->head, s->head, CHAIN_HASH) != 0) {
        wrong_in(t, VERIFY_ALTERED, s, "is not what the chain leads to");
    }
    memcpy(t->head, s->head, CHAIN_HASH);
    t->broken = false;
    t->next = s->number + 1;
    /* What is not there may claim any length. */
    t->bytes += s->verdict == VERIFY_COMPLETE ? s->length : 0;
    t->count++;
    t->final = s->final;
    t->last = s;
}

static void finish(struct trace *t)
{
    if (t->next < t->said.next && !t->final) {
        const struct verify_batch *b = t->said.next_from;
        bool before = !verify_is_finding(t->line.verdict);

        over(t, t->said.next, VERIFY_TRUNCATED, "was announced and is missing");
        if (before) {
            t->line.object = b->found->name;
            t->line.batch = b->seq;
        }
    }
    if (verify_is_finding(t->line.verdict)) {
        return;
    }
    t->line.verdict = !t->final ? VERIFY_OPEN : t->said.cut ? VERIFY_CUT : VERIFY_COMPLETE;
}

static void report(struct trace *t)
{
    char hex[2 * CHAIN_ID + 1];

    t->line.what = "session";
    t->line.id = io_hex(t->id, CHAIN_ID, hex);
    t->line.host = t->last == NULL ? NULL : t->last->batch->key->k.host;
    t->line.user = t->said.user == NULL ? "" : t->said.user;
    t->line.title = t->said.title == NULL ? "" : t->said.title;
    t->line.started_us = t->said.started_us;
    t->line.segments = t->count;
    t->line.bytes = t->bytes;
    t->line.detail = t->detail;
    verify_report(t->all->vs->v, &t->line);
}

static void merge(struct verify_said *to, const struct verify_said *s)
{
    const struct verify_said old = *to;

    if (s->host != NULL && (to->host == NULL || s->row_us > to->row_us ||
                            (s->row_us == to->row_us && strcmp(s->host, to->host) > 0))) {
        *to = *s;
        to->next = old.next;
        to->next_from = old.next_from;
    }
    if (s->next > old.next || (s->next == old.next && s->next > 0 &&
                               strcmp(s->next_from->found->name, old.next_from->found->name) < 0)) {
        to->next = s->next;
        to->next_from = s->next_from;
    }
}

/* What those say of a session whose it is. */
static void hear(struct trace *t)
{
    const struct sessions *all = t->all;
    size_t lo = 0, hi = all->n_said;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (memcmp(all->said[mid]->id, t->id, CHAIN_ID) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < all->n_said && memcmp(all->said[lo]->id, t->id, CHAIN_ID) == 0; lo++) {
        all->said[lo]->seen = true;
        if (t->anchor == NULL || verify_descends(all->said[lo]->by, t->anchor)) {
            merge(&t->said, all->said[lo]);
        }
    }
}

static size_t one_session(const struct sessions *all, size_t at)
{
    struct verify_store *vs = all->vs;
    const struct verify_segment *first = &vs->segments[at];
    struct trace t = {.all = all, .id = first->session, .anchor = verify_anchor(vs, first)};
    bool whole = vs->v->scope.since[0] == '\0';
    size_t i;

    hear(&t);
    if (t.said.host != NULL && (whole || first->number == 0)) {
        chain_start(t.said.host, first->epoch, first->session, t.head);
    } else {
        t.broken = true;
    }
    t.next = whole ? 0 : first->number; /* what was before the range is not looked at */
    for (i = at; i < vs->n_segments && memcmp(vs->segments[i].session, t.id, CHAIN_ID) == 0; i++) {
        follow(&t, &vs->segments[i]);
    }
    finish(&t);
    report(&t);
    return i;
}

/* ---- sessions of which there is nothing ---- */

static void lost_sessions(const struct sessions *all)
{
    for (size_t i = 0; i < all->n_said && all->vs->v->scope.since[0] == '\0'; i++) {
        struct trace t = {.all = all, .id = all->said[i]->id, .broken = true};

        if (all->said[i]->seen) {
            continue;
        }
        hear(&t);
        if (t.said.next > 0) {
            finish(&t);
            report(&t);
        }
    }
}

/* ---- what was withheld and has not come again ---- */

static bool came(const struct verify_store *vs, const struct withheld_segment *w)
{
    size_t lo = 0, hi = vs->n_segments;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct verify_segment *s = &vs->segments[mid];
        int c = cmp_place(s->session, s->number, w->session, w->number);

        if (c == 0) {
            return true;
        }
        lo = c < 0 ? mid + 1 : lo;
        hi = c < 0 ? hi : mid;
    }
    return false;
}

static int report_withheld(const struct sessions *all, struct error *err)
{
    for (size_t i = 0; i < all->vs->n_list && all->vs->v->scope.session == NULL; i++) {
        const struct verify_batch *b = all->vs->list[i];
        const struct verify_where where = {.what = "batch",
                                           .id = b->found->name,
                                           .host = b->key->k.host,
                                           .object = b->found->name,
                                           .batch = b->seq};
        size_t absent = 0;

        for (size_t k = 0; !b->dropped && b->withheld != NULL && k < b->withheld->n; k++) {
            absent += !came(all->vs, &b->withheld->segments[k]);
        }
        if (absent > 0 &&
            verify_finding(all->vs, &where, VERIFY_WITHHELD, err,
                           "%zu of batch %" PRId64 "'s %zu segments have not come again: %.300s",
                           absent, b->withheld->seq, b->withheld->n, b->withheld->reason) != 0) {
            return -1;
        }
    }
    return 0;
}

static void drop_segments(struct verify_store *vs)
{
    size_t kept = 0;

    for (size_t i = 0; i < vs->n_segments; i++) {
        if (!vs->segments[i].batch->dropped) {
            vs->segments[kept++] = vs->segments[i];
        }
    }
    vs->n_segments = kept;
    if (kept > 0) {
        qsort(vs->segments, kept, sizeof *vs->segments, by_segment);
    }
}

int verify_sessions(struct verify_store *vs, struct error *err)
{
    struct sessions s = {.vs = vs};
    int rc = collect_absent(&s, err);

    if (rc == 0) {
        s.said = verify_said_list(vs, &s.n_said, err);
        drop_segments(vs);
        rc = s.said == NULL ? -1 : verify_owners(vs, err);
    }
    if (rc == 0) {
        for (size_t i = 0; i < vs->n_segments;) {
            i = one_session(&s, i);
        }
        lost_sessions(&s);
        rc = report_withheld(&s, err);
    }
    free(s.absent);
    free(s.said);
    return rc;
}
