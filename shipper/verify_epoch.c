/* SPDX-License-Identifier: Apache-2.0 */
/* One epoch's chain: numbers without a gap, heads that follow each other, over what was withheld;
 * times that follow each other and the store's clock; packs. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verify_store.h"

#define HOUR_US   INT64_C(3600000000)
#define SLACK_US  (HOUR_US / 6)       /* clocks are set */
#define SKEW_MAX  (1000000 * HOUR_US) /* a larger one is none */
#define HOURS_MAX 1000000

/* What goes through the batches of an epoch. */
struct walk {
    struct verify_epoch *e;
    struct verify_batch **withheld; /* that say so, in order of the number that they close */
    size_t n_withheld, at;
    uint8_t head[CHAIN_HASH];
    bool head_known;
};

static struct verify_where where_of(struct walk *w, const struct verify_batch *b,
                                    enum verify_verdict verdict)
{
    if (w->e->findings++ == 0) {
        w->e->verdict = verdict;
        w->e->first_bad = b->seq;
    }
    return (struct verify_where){.what = "batch",
                                 .id = b->found->name,
                                 .host = b->key->k.host,
                                 .object = b->found->name,
                                 .batch = b->seq};
}

/* A finding about batch ${b}. */
#define SAY(w, b, verdict, err, ...)                                                               \
    verify_finding((w)->e->vs, &(struct verify_where[]){where_of((w), (b), (verdict))}[0],         \
                   (verdict), (err), __VA_ARGS__)

/* Copies with equal bytes count once; different bytes under one number do not happen by themselves.
 */
static int drop_copies(struct walk *w, struct error *err)
{
    const struct verify_batch *first = NULL;

    for (size_t i = 0; i < w->e->n; i++) {
        struct verify_batch *b = w->e->at[i];

        if (first == NULL || b->seq != first->seq) {
            first = b;
            continue;
        }
        b->dropped = true;
        if (memcmp(b->line_sha256, first->line_sha256, CHAIN_HASH) == 0) {
            b->found->used = false;
            b->found->same = true;
        } else if (SAY(w, b, VERIFY_ALTERED, err, "two manifests under number %" PRId64, b->seq) !=
                   0) {
            return -1;
        }
    }
    return 0;
}

static int by_withheld(const void *a, const void *b)
{
    const struct verify_batch *x = *(struct verify_batch *const *)a;
    const struct verify_batch *y = *(struct verify_batch *const *)b;

    if (x->withheld->seq != y->withheld->seq) {
        return x->withheld->seq > y->withheld->seq ? 1 : -1;
    }
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static int collect_withheld(struct walk *w, struct error *err)
{
    size_t kept = 0;

    w->withheld = calloc(w->e->n + 1, sizeof(void *));
    if (w->withheld == NULL) {
        return err_sys(err, "allocate");
    }
    for (size_t i = 0; i < w->e->n; i++) {
        struct verify_batch *b = w->e->at[i];

        if (b->dropped || b->withheld == NULL) {
            continue;
        }
        if (b->withheld->seq < b->seq) {
            w->withheld[w->n_withheld++] = b;
        } else if (SAY(w, b, VERIFY_ALTERED, err, "it withholds a number that is not before it") !=
                   0) {
            return -1;
        }
    }
    if (w->n_withheld > 0) {
        qsort(w->withheld, w->n_withheld, sizeof(void *), by_withheld);
    }
    for (size_t i = 0; i < w->n_withheld; i++) {
        struct verify_batch *b = w->withheld[i];

        if (kept == 0 || w->withheld[kept - 1]->withheld->seq != b->withheld->seq) {
            w->withheld[kept++] = b;
        } else if (SAY(w, b, VERIFY_ALTERED, err, "batch %" PRId64 " was withheld before",
                       b->withheld->seq) != 0) {
            return -1;
        }
    }
    w->n_withheld = kept;
    return 0;
}

static int missing(struct walk *w, const struct verify_batch *before, int64_t seq,
                   struct error *err)
{
    int64_t from = w->e->next_seq;

    if (seq <= from) {
        return 0;
    }
    w->head_known = false;
    w->e->next_seq = seq;
    return SAY(w, before, VERIFY_GAP, err, "%" PRId64 " before it missing: %" PRId64 " to %" PRId64,
               seq - from, from, seq - 1);
}

/* The chain goes on over numbers that were closed: only those that manifests name are looked at,
 * however far away ${b} is. */
static int over_withheld(struct walk *w, const struct verify_batch *b, struct error *err)
{
    for (; w->at < w->n_withheld && w->withheld[w->at]->withheld->seq < b->seq; w->at++) {
        const struct verify_batch *by = w->withheld[w->at];
        const struct verify_withheld *h = by->withheld;
        uint8_t both[2 * CHAIN_HASH], head[CHAIN_HASH];

        if (h->seq < w->e->next_seq) {
            continue;
        }
        if (missing(w, by, h->seq, err) != 0) {
            return -1;
        }
        memcpy(both, w->head, CHAIN_HASH);
        memcpy(both + CHAIN_HASH, h->composition, CHAIN_HASH);
        chain_sha256(both, sizeof both, head);
        if (w->head_known && memcmp(head, h->head, CHAIN_HASH) != 0 &&
            SAY(w, by, VERIFY_ALTERED, err, "what it withholds does not follow the batch before") !=
                0) {
            return -1;
        }
        memcpy(w->head, h->head, CHAIN_HASH);
        w->head_known = true;
        w->e->next_seq = h->seq + 1;
        w->e->withheld++;
    }
    return missing(w, b, b->seq, err);
}

/* It was withheld, and had arrived all the same: it is what was frozen, and does not count. */
static int is_withheld(struct walk *w, struct verify_batch *b, struct error *err)
{
    const struct verify_withheld *h;

    while (w->at < w->n_withheld && w->withheld[w->at]->withheld->seq < b->seq) {
        w->at++;
    }
    h = w->at < w->n_withheld ? w->withheld[w->at]->withheld : NULL;
    if (h == NULL || h->seq != b->seq) {
        return 0;
    }
    b->dropped = true;
    b->found->used = false;
    if (b->pack != NULL) {
        b->pack->used = false;
    }
    w->e->withheld++;
    if (memcmp(h->sha256, b->line_sha256, CHAIN_HASH) != 0) {
        return SAY(w, b, VERIFY_ALTERED, err, "it is not what was withheld under its number");
    }
    return 0;
}

/* ---- times ---- */

static int64_t hours(const struct verify_batch *b)
{
    return b->heartbeat_h < 0 || b->heartbeat_h > HOURS_MAX ? 0 : b->heartbeat_h;
}

/* The store's clock is the only one that a host cannot set. */
static int check_clock(struct walk *w, const struct verify_batch *b, struct error *err)
{
    int64_t skew = b->skew_us > -SKEW_MAX && b->skew_us < SKEW_MAX ? b->skew_us : 0;
    int64_t stored = b->found->modified_us, late = w->e->vs->v->late_us;

    if (stored <= 0) {
        return 0;
    }
    if (b->created_us + skew - SLACK_US > stored) {
        return SAY(w, b, VERIFY_BACK_DATED, err, "stored %" PRId64 " s before it says it was made",
                   (b->created_us + skew - stored) / 1000000);
    }
    if (late > 0 && b->created_us + late < stored) {
        return SAY(w, b, VERIFY_BACK_DATED, err, "stored %" PRId64 " h after it says it was made",
                   (stored - b->created_us) / HOUR_US);
    }
    return 0;
}

static int check_times(struct walk *w, const struct verify_batch *b, struct error *err)
{
    const struct verify_batch *last = w->e->last;

    if (check_clock(w, b, err) != 0) {
        return -1;
    }
    if (last == NULL) {
        return 0;
    }
    if (b->created_us + SLACK_US < last->created_us) {
        return SAY(w, b, VERIFY_BACK_DATED, err,
                   "it says it was made %" PRId64 " s before the batch before it",
                   (last->created_us - b->created_us) / 1000000);
    }
    if (w->e->vs->v->at_us != 0 && last->seq + 1 == b->seq && last->kind != KIND_STOP &&
        b->kind != KIND_BOOT && hours(last) > 0 &&
        b->created_us - last->created_us > 2 * hours(last) * HOUR_US) {
        return SAY(w, b, VERIFY_SILENT, err,
                   "nothing for %" PRId64 " h before it, where one each %" PRId64 " h was promised",
                   (b->created_us - last->created_us) / HOUR_US, hours(last));
    }
    return 0;
}

/* ---- one by one ---- */

static int check_pack(struct walk *w, const struct verify_batch *b, struct error *err)
{
    switch (b->pack_verdict) {
    case VERIFY_COMPLETE:
        return 0;
    case VERIFY_GAP:
        return SAY(w, b, VERIFY_GAP, err, "its pack is missing");
    case VERIFY_TRUNCATED:
        return SAY(w, b, VERIFY_TRUNCATED, err, "its pack is shorter than it was");
    default:
        return SAY(w, b, VERIFY_ALTERED, err, "its pack's bytes are not what was signed");
    }
}

static int check_link(struct walk *w, struct verify_batch *b, struct error *err)
{
    if (over_withheld(w, b, err) != 0 || is_withheld(w, b, err) != 0) {
        return -1;
    }
    if (w->head_known && memcmp(w->head, b->previous_head, CHAIN_HASH) != 0 &&
        SAY(w, b, VERIFY_ALTERED, err, "it does not follow the batch before it") != 0) {
        return -1;
    }
    memcpy(w->head, b->head, CHAIN_HASH);
    w->head_known = true;
    w->e->next_seq = b->seq + 1;
    return 0;
}

static int walk(struct walk *w, struct error *err)
{
    struct verify_epoch *e = w->e;

    for (size_t i = 0; i < e->n; i++) {
        struct verify_batch *b = e->at[i];

        if (b->dropped) {
            continue;
        }
        if (check_link(w, b, err) != 0 || check_times(w, b, err) != 0) {
            return -1;
        }
        e->last = b;
        if (b->dropped) {
            continue;
        }
        if (check_pack(w, b, err) != 0) {
            return -1;
        }
        e->batches++;
        e->bytes += b->pack != NULL ? b->pack_size : 0;
    }
    return 0;
}

int verify_epoch_check(struct verify_epoch *e, struct error *err)
{
    struct walk w = {.e = e};
    int rc;

    e->next_seq = 1;
    manifest_genesis(e->at[0]->key->k.host, e->at[0]->key->k.epoch, w.head);
    w.head_known = true;
    if (e->vs->v->scope.since[0] != '\0') {
        e->next_seq = e->at[0]->seq; /* what was before is not looked at */
        w.head_known = e->next_seq == 1;
    }
    rc = drop_copies(&w, err);
    if (rc == 0) {
        rc = collect_withheld(&w, err);
    }
    if (rc == 0) {
        rc = walk(&w, err);
    }
    free(w.withheld);
    return rc;
}
