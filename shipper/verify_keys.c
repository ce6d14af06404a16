/* SPDX-License-Identifier: Apache-2.0 */
/* Key objects: which keys there are, who vouches for each, and how far it is trusted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

#define PASSES_MAX 64 /* of handing trust on from epoch to epoch */

static struct verify_where where_of(const struct found *f, const struct verify_name *n)
{
    return (struct verify_where){
        .what = "object", .id = f->name, .object = f->name, .host = n->host};
}

static int keep(struct verify_worker *w, const struct verify_key *k, struct error *err)
{
    struct verify_store *vs = w->vs;
    int rc;

    (void)pthread_mutex_lock(&vs->lock);
    {
        void *at = vs->hosts_keys;

        rc = verify_grow(&at, &vs->keys_cap, vs->n_keys, sizeof *k, err);
        vs->hosts_keys = at;
    }
    if (rc == 0) {
        vs->hosts_keys[vs->n_keys++] = *k;
    }
    (void)pthread_mutex_unlock(&vs->lock);
    return rc;
}

static int one_key(struct verify_worker *w, size_t i, struct error *err)
{
    struct found *f = &w->vs->keys.at[i];
    struct verify_key k = {.found = f, .modified_us = f->modified_us};
    struct error bad = {.kind = ERR_NONE};
    char expected[KEYOBJECT_HOST + 128];
    struct verify_name name;
    struct verify_where where;
    int rc;

    (void)verify_name_parse(f->name, &name);
    where = where_of(f, &name);
    if (f->delete_marker) {
        return 0;
    }
    if (f->size > KEYOBJECT_MAX) {
        return verify_finding(w->vs, &where, VERIFY_UNSIGNED, err, "too large for a key object");
    }
    rc = verify_fetch(w, &where, f, KEYOBJECT_MAX, err);
    if (rc != 0) {
        return rc < 0 ? -1 : 0;
    }
    if (keyobject_read(w->json, buf_data(&w->line), w->line.len, &k.k, &bad) != 0) {
        return verify_finding(w->vs, &where, VERIFY_UNSIGNED, err, "%s", bad.text);
    }
    keyobject_name(k.k.host, k.k.epoch, k.k.number, expected, sizeof expected);
    if (strlen(expected) != f->base || strncmp(expected, f->name, f->base) != 0) {
        return verify_finding(w->vs, &where, VERIFY_ALTERED, err, "the key of %.128s stands here",
                              k.k.host);
    }
    return keep(w, &k, err);
}

/* ---- all of them together ---- */

static int same_number(const struct verify_key *x, const struct verify_key *y)
{
    int c = strcmp(x->k.host, y->k.host);

    c = c != 0 ? c : memcmp(x->k.epoch, y->k.epoch, KEY_EPOCH);
    return c != 0 ? c : (x->k.number > y->k.number) - (x->k.number < y->k.number);
}

/* The store's clock says which of two was there first. */
static int by_number(const void *a, const void *b)
{
    const struct verify_key *x = a, *y = b;
    int c = same_number(x, y);

    c = c != 0 ? c : (x->modified_us > y->modified_us) - (x->modified_us < y->modified_us);
    return c != 0 ? c : strcmp(x->found->name, y->found->name);
}

static int by_public_key(const void *a, const void *b)
{
    const struct verify_key *x = *(struct verify_key *const *)a;
    const struct verify_key *y = *(struct verify_key *const *)b;
    int c = memcmp(x->k.public_key, y->k.public_key, KEY_PUBLIC);

    return c != 0 ? c : by_number(x, y);
}

static bool pinned(const struct verify_store *vs, const struct verify_key *k)
{
    const struct verify_pins *p = vs->v->pins;
    struct verify_pin pin;

    memset(&pin, 0, sizeof pin);
    memcpy(pin.host, k->k.host, strlen(k->k.host));
    memcpy(pin.epoch, k->k.epoch, KEY_EPOCH);
    memcpy(pin.key, k->k.public_key, KEY_PUBLIC);
    return p != NULL && p->n > 0 && bsearch(&pin, p->at, p->n, sizeof pin, verify_pin_cmp) != NULL;
}

static int refuse(struct verify_store *vs, const struct verify_key *k, struct error *err,
                  const char *why)
{
    const struct verify_where where = {
        .what = "object", .id = k->found->name, .object = k->found->name, .host = k->k.host};

    return verify_finding(vs, &where, VERIFY_ALTERED, err, "%s", why);
}

/* Why ${k} is no key of its host: NULL when it is one.  ${before}: the accepted one before it in
 * order, of whatever host. */
static const char *misfit(const struct verify_key *k, const struct verify_key *before)
{
    if (k->k.chained && !k->k.previous_ok) {
        return "not signed by the key that it follows";
    }
    if (k->k.number == 1) {
        return k->k.from_seq == 1 ? NULL : "an epoch's first key signs from batch 1 on";
    }
    if (before == NULL || strcmp(before->k.host, k->k.host) != 0 ||
        memcmp(before->k.epoch, k->k.epoch, KEY_EPOCH) != 0 ||
        before->k.number != k->k.number - 1) {
        return "the key before it is not here";
    }
    if (!k->k.chained || memcmp(k->k.previous_key, before->k.public_key, KEY_PUBLIC) != 0) {
        return "not signed by the key before it";
    }
    return k->k.from_seq > before->k.from_seq
               ? NULL
               : "it signs from no later batch on than the one before";
}

/* Of several under one number: the pinned one, else the first that was there. */
static size_t choose(const struct verify_store *vs, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (pinned(vs, &vs->hosts_keys[i])) {
            return i;
        }
    }
    return from;
}

static int accept_number(struct verify_store *vs, size_t from, size_t to, size_t *kept,
                         struct error *err)
{
    size_t chosen = choose(vs, from, to);
    const struct verify_key k = vs->hosts_keys[chosen];
    const char *why = misfit(&k, *kept > 0 ? &vs->hosts_keys[*kept - 1] : NULL);

    for (size_t i = from; i < to; i++) {
        bool same = memcmp(vs->hosts_keys[i].k.public_key, k.k.public_key, KEY_PUBLIC) == 0;

        if (!same &&
            refuse(vs, &vs->hosts_keys[i], err, "another key under a number that is taken") != 0) {
            return -1;
        }
        vs->hosts_keys[i].found->same =
            same && why == NULL && vs->hosts_keys[i].found->size == k.found->size;
    }
    if (why != NULL) {
        return refuse(vs, &k, err, why);
    }
    k.found->used = true;
    vs->hosts_keys[*kept] = k;
    vs->hosts_keys[(*kept)++].trust = pinned(vs, &k) ? TRUST_PINNED : TRUST_UNKNOWN;
    return 0;
}

static int accept(struct verify_store *vs, struct error *err)
{
    size_t kept = 0, n = vs->n_keys;

    if (n > 0) {
        qsort(vs->hosts_keys, n, sizeof *vs->hosts_keys, by_number);
    }
    for (size_t i = 0; i < n;) {
        size_t to = i + 1;

        while (to < n && same_number(&vs->hosts_keys[i], &vs->hosts_keys[to]) == 0) {
            to++;
        }
        if (accept_number(vs, i, to, &kept, err) != 0) {
            return -1;
        }
        i = to;
    }
    vs->n_keys = kept;
    return 0;
}

static int sort_by_public(struct verify_store *vs, struct error *err)
{
    vs->by_public = calloc(vs->n_keys + 1, sizeof *vs->by_public);
    if (vs->by_public == NULL) {
        return err_sys(err, "allocate");
    }
    for (size_t i = 0; i < vs->n_keys; i++) {
        vs->by_public[i] = &vs->hosts_keys[i];
    }
    if (vs->n_keys > 0) {
        qsort(vs->by_public, vs->n_keys, sizeof(void *), by_public_key);
    }
    return 0;
}

size_t verify_key_find(const struct verify_store *vs, const uint8_t public_key[KEY_PUBLIC])
{
    size_t lo = 0, hi = vs->n_keys;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (memcmp(vs->by_public[mid]->k.public_key, public_key, KEY_PUBLIC) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* A pinned key vouches for the one that follows it, also in a later epoch of the same host. */
static void hand_trust_on(struct verify_store *vs)
{
    bool more = vs->v->pins != NULL;

    for (size_t i = 0; i < vs->n_keys; i++) {
        struct verify_key *k = &vs->hosts_keys[i];
        size_t at = k->k.chained ? verify_key_find(vs, k->k.previous_key) : vs->n_keys;

        k->before = at < vs->n_keys && memcmp(vs->by_public[at]->k.public_key, k->k.previous_key,
                                              KEY_PUBLIC) == 0
                        ? vs->by_public[at]
                        : NULL;
        k->trust = vs->v->pins == NULL ? TRUST_TOFU : pinned(vs, k) ? TRUST_PINNED : TRUST_UNKNOWN;
    }
    for (size_t pass = 0; more && pass < PASSES_MAX; pass++) {
        more = false;
        for (size_t i = 0; i < vs->n_keys; i++) {
            struct verify_key *k = &vs->hosts_keys[i];

            if (k->trust == TRUST_UNKNOWN && k->before != NULL &&
                k->before->trust == TRUST_PINNED && strcmp(k->before->k.host, k->k.host) == 0) {
                k->trust = TRUST_PINNED;
                more = true;
            }
        }
    }
}

/* With the line that would pin it. */
static int report_unknown(struct verify_store *vs, struct error *err)
{
    for (size_t i = 0; i < vs->n_keys; i++) {
        const struct verify_key *k = &vs->hosts_keys[i];
        const char *only = vs->v->scope.host;
        const struct verify_where where = {
            .what = "object", .id = k->found->name, .object = k->found->name, .host = k->k.host};
        char epoch[2 * KEY_EPOCH + 1], public_key[2 * KEY_PUBLIC + 1];

        if (k->trust == TRUST_UNKNOWN && (only == NULL || strcmp(only, k->k.host) == 0) &&
            verify_finding(vs, &where, VERIFY_UNKNOWN_KEY, err, "not pinned: %s %s %s", k->k.host,
                           io_hex(k->k.epoch, KEY_EPOCH, epoch),
                           io_hex(k->k.public_key, KEY_PUBLIC, public_key)) != 0) {
            return -1;
        }
    }
    return 0;
}

int verify_keys(struct verify_store *vs, struct error *err)
{
    if (verify_pool(vs, "keys", vs->keys.n, one_key, err) != 0 || accept(vs, err) != 0 ||
        verify_lineage(vs, err) != 0 || sort_by_public(vs, err) != 0) {
        return -1;
    }
    hand_trust_on(vs);
    return report_unknown(vs, err);
}
