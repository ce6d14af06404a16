/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs: each belongs to one host, and descends from another one when that one's key signed its
 * first key.  What is named as the one before has to be there. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

#define DEPTH_MAX 256 /* epochs that are followed back; a host has a few */

static int by_epoch(const void *a, const void *b)
{
    const struct verify_key *x = *(struct verify_key *const *)a;
    const struct verify_key *y = *(struct verify_key *const *)b;
    int c = memcmp(x->k.epoch, y->k.epoch, KEY_EPOCH);

    c = c != 0 ? c : (y->trust == TRUST_PINNED) - (x->trust == TRUST_PINNED);
    c = c != 0 ? c : (x->modified_us > y->modified_us) - (x->modified_us < y->modified_us);
    return c != 0 ? c : strcmp(x->found->name, y->found->name);
}

/* Of several hosts that claim an epoch the one that was there first has it. */
static int refuse_taken(struct verify_store *vs, struct error *err)
{
    for (size_t i = 1; i < vs->n_epochs; i++) {
        const struct verify_key *before = vs->by_epoch[i - 1];
        struct verify_key *k = vs->by_epoch[i];
        const struct verify_where where = {
            .what = "object", .id = k->found->name, .object = k->found->name, .host = k->k.host};

        if (memcmp(before->k.epoch, k->k.epoch, KEY_EPOCH) != 0) {
            continue;
        }
        k->refused = true;
        k->found->used = false;
        if (verify_finding(vs, &where, VERIFY_ALTERED, err, "its epoch is that of another host") !=
            0) {
            return -1;
        }
    }
    return 0;
}

static int list_epochs(struct verify_store *vs, struct error *err)
{
    free(vs->by_epoch);
    vs->n_epochs = 0;
    vs->by_epoch = calloc(vs->n_keys + 1, sizeof *vs->by_epoch);
    if (vs->by_epoch == NULL) {
        return err_sys(err, "allocate");
    }
    for (size_t i = 0; i < vs->n_keys; i++) {
        struct verify_key *k = &vs->hosts_keys[i];

        k->first = k->k.number == 1 || i == 0 ? k : vs->hosts_keys[i - 1].first;
        if (k->first == k) {
            vs->by_epoch[vs->n_epochs++] = k;
        }
    }
    if (vs->n_epochs > 0) {
        qsort(vs->by_epoch, vs->n_epochs, sizeof(void *), by_epoch);
    }
    return 0;
}

int verify_lineage(struct verify_store *vs, struct error *err)
{
    size_t kept = 0;

    if (list_epochs(vs, err) != 0 || refuse_taken(vs, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < vs->n_keys; i++) {
        vs->hosts_keys[i].refused = vs->hosts_keys[i].first->refused;
    }
    for (size_t i = 0; i < vs->n_keys; i++) {
        if (!vs->hosts_keys[i].refused) {
            vs->hosts_keys[kept++] = vs->hosts_keys[i];
        }
    }
    vs->n_keys = kept;
    return list_epochs(vs, err);
}

bool verify_epoch_known(const struct verify_store *vs, const uint8_t epoch[KEY_EPOCH])
{
    size_t lo = 0, hi = vs->n_epochs;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = memcmp(vs->by_epoch[mid]->k.epoch, epoch, KEY_EPOCH);

        if (c == 0) {
            return true;
        }
        lo = c < 0 ? mid + 1 : lo;
        hi = c < 0 ? hi : mid;
    }
    return false;
}

bool verify_descends(const struct verify_key *k, const uint8_t epoch[KEY_EPOCH])
{
    for (size_t i = 0; k != NULL && i < DEPTH_MAX; i++) {
        if (memcmp(k->k.epoch, epoch, KEY_EPOCH) == 0) {
            return true;
        }
        k = k->first->before;
    }
    return false;
}

struct verify_key *verify_root(const struct verify_key *k)
{
    struct verify_key *at = k->first;

    for (size_t i = 0; i < DEPTH_MAX && at->before != NULL &&
                       strcmp(at->before->k.host, at->k.host) == 0 && at->before->first != at;
         i++) {
        at = at->before->first;
    }
    return at;
}

int verify_lineage_check(struct verify_store *vs, struct error *err)
{
    const struct verify_scope *s = &vs->v->scope;
    bool all = s->since[0] == '\0' && s->until[0] == '\0';

    for (size_t i = 0; i < vs->n_epochs; i++) {
        const struct verify_key *k = vs->by_epoch[i], *b = k->before;
        const struct verify_where where = {
            .what = "object", .id = k->found->name, .object = k->found->name, .host = k->k.host};
        char hex[2 * KEY_EPOCH + 1];
        int rc = 0;

        if (!k->k.chained || (s->host != NULL && strcmp(s->host, k->k.host) != 0)) {
            continue;
        }
        if (b == NULL) {
            rc = verify_finding(
                vs, &where, VERIFY_GAP, err,
                "the key that it follows is missing: number %" PRId64 " of epoch %s",
                k->k.previous_number,
                k->k.previous_known ? io_hex(k->k.previous_epoch, KEY_EPOCH, hex) : "unknown");
        } else if (all && !b->first->shipped && b->trust != TRUST_UNKNOWN &&
                   (s->host == NULL || strcmp(s->host, b->k.host) == 0)) {
            rc = verify_finding(vs, &where, VERIFY_GAP, err,
                                "it follows epoch %s, of which no batch is here",
                                io_hex(b->k.epoch, KEY_EPOCH, hex));
        }
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}
