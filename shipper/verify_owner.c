/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a session is: the epoch's that it was born in, and of those that descend from it.  Whoever
 * may write below a path of his own can name any session there: it counts for nothing. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

/* All that is said of one session: entries of vs->segments. */
struct group {
    struct verify_store *vs;
    struct verify_segment *at;
    size_t n;
    bool has_owner;                            /* false: none of them may say whose it is */
    uint8_t birth[CHAIN_ID], anchor[CHAIN_ID]; /* anchor: the epoch that all have to descend from */
};

/* By the store's clock, which nobody sets that writes into a bucket. */
static bool earlier(const struct verify_batch *a, const struct verify_batch *b)
{
    if (a->found->modified_us != b->found->modified_us) {
        return a->found->modified_us < b->found->modified_us;
    }
    if (a->created_us != b->created_us) {
        return a->created_us < b->created_us;
    }
    return strcmp(a->found->name, b->found->name) < 0;
}

const uint8_t *verify_anchor(const struct verify_store *vs, const struct verify_segment *s)
{
    return verify_epoch_known(vs, s->epoch) ? s->epoch : s->batch->key->k.epoch;
}

/* An epoch that never shipped has no key: then the first batch says whose it is. */
static void find_owner(struct group *g)
{
    const struct verify_segment *orphan = NULL, *owner = NULL;

    for (size_t i = 0; i < g->n; i++) {
        const struct verify_segment *s = &g->at[i];

        if (!verify_epoch_known(g->vs, s->epoch)) {
            orphan = orphan == NULL || earlier(s->batch, orphan->batch) ? s : orphan;
        } else if (verify_descends(s->batch->key, s->epoch) &&
                   (owner == NULL || earlier(s->batch, owner->batch))) {
            owner = s;
        }
    }
    owner = owner != NULL ? owner : orphan;
    g->has_owner = owner != NULL;
    if (owner != NULL) {
        memcpy(g->birth, owner->epoch, CHAIN_ID);
        memcpy(g->anchor, verify_anchor(g->vs, owner), CHAIN_ID);
    }
}

static bool owned(const struct group *g, const struct verify_segment *s)
{
    return g->has_owner && memcmp(s->epoch, g->birth, CHAIN_ID) == 0 &&
           verify_descends(s->batch->key, g->anchor);
}

static int report(struct group *g, const struct verify_segment *s, struct error *err)
{
    char hex[2 * CHAIN_ID + 1];
    const struct verify_where where = {.what = "batch",
                                       .id = s->batch->found->name,
                                       .host = s->batch->key->k.host,
                                       .object = s->batch->found->name,
                                       .batch = s->batch->seq,
                                       .segment = s->number,
                                       .has_segment = true};

    return verify_finding(g->vs, &where, VERIFY_ALTERED, err,
                          "segment %" PRId64 " of session %s is signed by another host: no key "
                          "of the session's own vouches for it",
                          s->number, io_hex(s->session, CHAIN_ID, hex));
}

/* Segments of one number: those that are owned to *${kept}.  A copy of what the host itself has is
 * what a clone of its disk sends again. */
static int one_number(struct group *g, size_t from, size_t to, size_t *kept,
                      const struct verify_batch **told, struct error *err)
{
    struct verify_segment own;
    bool any = false;

    for (size_t i = from; i < to && !any; i++) {
        any = owned(g, &g->at[i]);
        own = g->at[i];
    }
    for (size_t i = from; i < to; i++) {
        const struct verify_segment s = g->at[i];

        if (owned(g, &s)) {
            g->at[(*kept)++] = s;
        } else if (s.batch != *told && !(any && memcmp(s.sha256, own.sha256, CHAIN_HASH) == 0 &&
                                         memcmp(s.head, own.head, CHAIN_HASH) == 0)) {
            *told = s.batch; /* once for each batch, as long as one follows the other */
            if (report(g, &s, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int one_session(struct group *g, size_t *kept, struct error *err)
{
    const struct verify_batch *told = NULL;

    find_owner(g);
    for (size_t i = 0; i < g->n;) {
        size_t to = i + 1;

        while (to < g->n && g->at[to].number == g->at[i].number) {
            to++;
        }
        if (one_number(g, i, to, kept, &told, err) != 0) {
            return -1;
        }
        i = to;
    }
    return 0;
}

int verify_owners(struct verify_store *vs, struct error *err)
{
    size_t total = 0;

    for (size_t i = 0, n; i < vs->n_segments; i += n) {
        struct group g = {.vs = vs, .at = &vs->segments[i]};
        size_t kept = 0;

        for (n = 1; i + n < vs->n_segments &&
                    memcmp(vs->segments[i + n].session, g.at->session, CHAIN_ID) == 0;
             n++) {
        }
        g.n = n;
        if (one_session(&g, &kept, err) != 0) {
            return -1;
        }
        memmove(&vs->segments[total], &vs->segments[i], kept * sizeof *vs->segments);
        total += kept;
    }
    vs->n_segments = total;
    return 0;
}
