/* SPDX-License-Identifier: Apache-2.0 */
/* Each host, epoch by epoch; hosts that fell silent, and hosts that never came. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

#define HOUR_US   INT64_C(3600000000)
#define HOURS_MAX 1000000

/* Of copies the one that was stored first comes first. */
static int by_place(const void *a, const void *b)
{
    const struct verify_batch *x = *(struct verify_batch *const *)a;
    const struct verify_batch *y = *(struct verify_batch *const *)b;
    int c = strcmp(x->key->k.host, y->key->k.host);

    c = c != 0 ? c : memcmp(x->key->k.epoch, y->key->k.epoch, CHAIN_ID);
    c = c != 0 ? c : (x->seq > y->seq) - (x->seq < y->seq);
    c = c != 0 ? c
               : (x->found->modified_us > y->found->modified_us) -
                     (x->found->modified_us < y->found->modified_us);
    return c != 0 ? c : strcmp(x->found->name, y->found->name);
}

static bool same_host(const struct verify_batch *a, const struct verify_batch *b)
{
    return strcmp(a->key->k.host, b->key->k.host) == 0;
}

static bool same_epoch(const struct verify_batch *a, const struct verify_batch *b)
{
    return same_host(a, b) && memcmp(a->key->k.epoch, b->key->k.epoch, CHAIN_ID) == 0;
}

static const char *trust_word(enum verify_trust t)
{
    return t == TRUST_PINNED ? "pinned" : t == TRUST_TOFU ? "tofu" : "unknown";
}

static void report_epoch(const struct verify_epoch *e)
{
    const struct verify_key *k = e->last != NULL ? e->last->key : e->at[0]->key;
    char epoch[2 * CHAIN_ID + 1], public_key[2 * KEY_PUBLIC + 1], detail[512], bad[96] = "";
    const struct verify_line line = {.what = "host",
                                     .id = k->k.host,
                                     .host = k->k.host,
                                     .verdict = e->verdict,
                                     .trust = trust_word(k->trust),
                                     .key = public_key,
                                     .bytes = e->bytes,
                                     .detail = detail};

    (void)io_hex(k->k.public_key, KEY_PUBLIC, public_key);
    if (e->findings > 0) {
        (void)snprintf(bad, sizeof bad,
                       "%" PRId64 " finding%s, the first (%s) at batch %" PRId64 "; ", e->findings,
                       e->findings == 1 ? "" : "s", verify_word(e->verdict), e->first_bad);
    }
    (void)snprintf(
        detail, sizeof detail,
        "%sepoch %s, %" PRId64 " batch%s up to %" PRId64 ", %" PRId64 " withheld, key %" PRId64
        " %s%s: %s",
        bad, io_hex(k->k.epoch, CHAIN_ID, epoch), e->batches, e->batches == 1 ? "" : "es",
        e->next_seq - 1, e->withheld, k->k.number, trust_word(k->trust),
        k->k.number == 1 && k->before == NULL ? ", no key vouches for it" : "", public_key);
    e->vs->v->sum.batches += e->batches;
    verify_report(e->vs->v, &line);
}

/* A host whose newest manifest is no "stop" promised another one. */
static int check_alive(struct verify_store *vs, const struct verify_batch *newest,
                       struct error *err)
{
    const struct verify_where where = {.what = "batch",
                                       .id = newest->found->name,
                                       .host = newest->key->k.host,
                                       .object = newest->found->name,
                                       .batch = newest->seq};
    int64_t hours = newest->heartbeat_h > HOURS_MAX ? 0 : newest->heartbeat_h;

    if (vs->v->at_us == 0 || newest->kind == KIND_STOP || hours <= 0 ||
        vs->v->at_us - newest->found->modified_us <= 2 * hours * HOUR_US) {
        return 0;
    }
    return verify_finding(vs, &where, VERIFY_SILENT, err,
                          "nothing of this host since, for %" PRId64 " h, where one each %" PRId64
                          " h was promised",
                          (vs->v->at_us - newest->found->modified_us) / HOUR_US, hours);
}

/* What no key before it vouches for says nothing of the others: each line of keys has to go on, or
 * to have stopped.  With pins all that counts is vouched for. */
static void note_newest(struct verify_store *vs, struct verify_key *host,
                        const struct verify_batch *last)
{
    struct verify_key *root = vs->v->pins != NULL ? host : verify_root(last->key);

    if (root->newest == NULL || last->found->modified_us > root->newest->found->modified_us) {
        root->newest = last;
    }
}

static int one_host(struct verify_store *vs, size_t from, size_t to, struct error *err)
{
    struct verify_key *first = vs->list[from]->key->first;

    for (size_t i = from; i < to;) {
        struct verify_epoch e = {.vs = vs, .at = &vs->list[i]};

        while (i + e.n < to && same_epoch(e.at[0], e.at[e.n])) {
            e.n++;
        }
        if (verify_epoch_check(&e, err) != 0) {
            return -1;
        }
        report_epoch(&e);
        e.at[0]->key->first->shipped = true;
        if (e.last != NULL) {
            note_newest(vs, first, e.last);
        }
        i += e.n;
    }
    for (size_t i = from; i < to; i++) {
        struct verify_key *root = vs->v->pins != NULL ? first : verify_root(vs->list[i]->key);
        const struct verify_batch *newest = root->newest;

        root->newest = NULL;
        if (newest != NULL && check_alive(vs, newest, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- who has to be there ---- */

static bool has_batch(const struct verify_store *vs, const char *host)
{
    size_t lo = 0, hi = vs->n_list;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(vs->list[mid]->key->k.host, host);

        if (c == 0) {
            return true;
        }
        lo = c < 0 ? mid + 1 : lo;
        hi = c < 0 ? hi : mid;
    }
    return false;
}

static bool has_key(const struct verify_store *vs, const char *host)
{
    size_t lo = 0, hi = vs->n_keys;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(vs->hosts_keys[mid].k.host, host);

        if (c == 0) {
            return true;
        }
        lo = c < 0 ? mid + 1 : lo;
        hi = c < 0 ? hi : mid;
    }
    return false;
}

static int check_expected(struct verify_store *vs, struct error *err)
{
    const struct verify_names *names = vs->v->hosts;

    for (size_t i = 0; names != NULL && i < names->n; i++) {
        const char *host = names->at[i];
        const struct verify_where where = {.what = "host", .id = host, .host = host};
        bool key;

        if ((vs->v->scope.host != NULL && strcmp(vs->v->scope.host, host) != 0) ||
            has_batch(vs, host)) {
            continue;
        }
        key = has_key(vs, host);
        if (verify_finding(vs, &where, VERIFY_GAP, err,
                           key ? "it has a key here, and no manifest that counts in this time"
                               : "it never shipped") != 0) {
            return -1;
        }
    }
    return 0;
}

int verify_hosts(struct verify_store *vs, struct error *err)
{
    if (vs->n_list > 0) {
        qsort(vs->list, vs->n_list, sizeof(void *), by_place);
    }
    for (size_t i = 0; i < vs->n_list;) {
        size_t to = i + 1;

        while (to < vs->n_list && same_host(vs->list[i], vs->list[to])) {
            to++;
        }
        if (one_host(vs, i, to, err) != 0) {
            return -1;
        }
        i = to;
    }
    if (vs->v->scope.since[0] != '\0' && verify_before(vs, err) != 0) {
        return -1;
    }
    return verify_lineage_check(vs, err) != 0 ? -1 : check_expected(vs, err);
}
