/* SPDX-License-Identifier: Apache-2.0 */
/* With a first day: the batch before each epoch's first one in the range is somewhere, by its name
 * alone.  Without that nobody would see the range's beginning go. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verify_store.h"

struct edge {
    const struct verify_batch *first;
    const char *host;
    int64_t before; /* the number that has to be there */
    bool here;
};

static int by_place(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    int c = strcmp(x->host, y->host);

    return c != 0 ? c : (x->before > y->before) - (x->before < y->before);
}

static size_t find_edges(const struct verify_store *vs, struct edge *at)
{
    const struct verify_key *last = NULL;
    size_t n = 0;

    for (size_t i = 0; i < vs->n_list; i++) {
        const struct verify_batch *b = vs->list[i];

        if (b->key->first != last && b->seq > 1) {
            at[n++] = (struct edge){b, b->key->k.host, b->seq - 1, false};
        }
        last = b->key->first;
        /* What was withheld never came. */
        for (size_t k = n; b->withheld != NULL && k > 0 && at[k - 1].first->key->first == last;
             k--) {
            at[k - 1].here |= b->withheld->seq == at[k - 1].before;
        }
    }
    if (n > 0) {
        qsort(at, n, sizeof *at, by_place);
    }
    return n;
}

static void mark(struct edge *at, size_t n, const struct verify_name *name)
{
    const struct edge key = {NULL, name->host, name->seq, false};
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (by_place(&at[mid], &key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < n && by_place(&at[lo], &key) == 0; lo++) {
        at[lo].here = true;
    }
}

static int report(struct verify_store *vs, const struct edge *e, struct error *err)
{
    const struct verify_where where = {.what = "batch",
                                       .id = e->first->found->name,
                                       .host = e->host,
                                       .object = e->first->found->name,
                                       .batch = e->first->seq};

    return verify_finding(vs, &where, VERIFY_GAP, err,
                          "the batch before it, %" PRId64 ", is neither in these days nor before",
                          e->before);
}

int verify_before(struct verify_store *vs, struct error *err)
{
    struct edge *at = calloc(vs->n_list + 1, sizeof *at);
    struct found_list all = {.n = 0};
    size_t n;
    int rc = 0;

    if (at == NULL) {
        return err_sys(err, "allocate");
    }
    n = find_edges(vs, at);
    if (n > 0) {
        rc = verify_list_all(vs, &all, err);
    }
    for (size_t i = 0; rc == 0 && i < all.n; i++) {
        struct verify_name name;

        if (!all.at[i].delete_marker && verify_name_parse(all.at[i].name, &name)) {
            mark(at, n, &name);
        }
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = at[i].here ? 0 : report(vs, &at[i], err);
    }
    verify_list_clear(&all);
    free(at);
    return rc;
}
