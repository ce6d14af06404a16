/* SPDX-License-Identifier: Apache-2.0 */
/* What is left when all that is signed was looked at: other bytes beside the signed ones, and what
 * nothing needs. */
#include <stdio.h>
#include <string.h>

#include "shipper/verify_store.h"

/* One name: its versions stand together. */
struct name {
    const struct found *at;
    size_t n, gone, others; /* deletions, and what has not the signed bytes */
    const struct found *other;
};

static struct name name_at(const struct verify_store *vs, const struct found_list *l, size_t at)
{
    struct name ret = {.at = &l->at[at]};
    bool packs = l == &vs->packs;

    for (; at + ret.n < l->n && strcmp(ret.at->name, l->at[at + ret.n].name) == 0; ret.n++) {
        const struct found *f = &l->at[at + ret.n];
        /* Of one session only its own packs were looked at. */
        bool looked_at = !packs || vs->v->scope.session == NULL || f->other;

        if (f->delete_marker) {
            ret.gone++;
        } else if (!f->used && !f->same && looked_at) {
            ret.others++;
            ret.other = f;
        }
    }
    return ret;
}

/* Versions with equal bytes are what a host sent again; any other is somebody's work. */
static int check_versions(struct verify_store *vs, const struct name *n, struct error *err)
{
    const struct verify_where where = {.what = "object", .id = n->at->name, .object = n->at->name};

    if (n->gone > 0) {
        return verify_finding(vs, &where, VERIFY_VERSIONS, err,
                              "%zu versions, %zu of them deletions", n->n, n->gone);
    }
    if (n->n == 1 || n->others == 0) {
        return 0;
    }
    return verify_finding(vs, &where, VERIFY_VERSIONS, err,
                          "%zu versions, %zu of them not the signed bytes: version %.100s", n->n,
                          n->others, n->other->version == NULL ? "?" : n->other->version);
}

/* Under the name of a signed pack, which was stored once more because of it. */
static int check_copy(struct verify_store *vs, const struct name *n, const struct found *good,
                      struct error *err)
{
    const struct verify_where where = {.what = "object", .id = n->at->name, .object = n->at->name};

    if (n->n > 1 || !n->at->other || good == NULL) {
        return 0;
    }
    return verify_finding(vs, &where, VERIFY_VERSIONS, err,
                          "not the bytes that were signed; those are in %.300s", good->name);
}

/* The manifest of a pack, by its name; NULL: there is none. */
static const struct found *manifest_of(const struct verify_store *vs, const struct found *pack)
{
    static const char from[] = "packs/", to[] = "batches/", ends[] = ".cast.gz";
    const struct found_list *l = &vs->batches;
    char name[DEPOT_NAME_MAX + 16];
    const struct found *ret = NULL;
    int len = snprintf(name, sizeof name, "%s%.*s.json", to,
                       (int)(pack->base - (sizeof from - 1) - (sizeof ends - 1)),
                       pack->name + sizeof from - 1);

    for (size_t i = verify_list_find(l, name);
         i < l->n && strncmp(l->at[i].name, name, (size_t)len) == 0; i++) {
        if (!l->at[i].delete_marker && (ret == NULL || l->at[i].used)) {
            ret = &l->at[i];
        }
    }
    return ret;
}

/* Why nothing needs ${f}; NULL when something does, or a finding tells of it. */
static const char *why_orphan(const struct verify_store *vs, const struct found_list *l,
                              const struct found *f, bool used)
{
    const struct found *manifest;

    if (f->used || f->delete_marker || f->doubted || (f->other && used)) {
        return NULL;
    }
    if (l != &vs->packs) {
        return f->same             ? "the same bytes once more"
               : l == &vs->batches ? "it was withheld, and had come all the same"
                                   : NULL;
    }
    if (f->same && used) {
        return "the signed bytes once more";
    }
    manifest = manifest_of(vs, f);
    return manifest == NULL                      ? "no manifest tells of this pack"
           : manifest->used || manifest->doubted ? NULL
                                                 : "its batch was withheld";
}

static int check_orphan(struct verify_store *vs, const struct found *f, const char *why,
                        struct error *err)
{
    const struct verify_where where = {.what = "object", .id = f->name, .object = f->name};

    vs->v->sum.orphans++;
    return f->version == NULL ? verify_finding(vs, &where, VERIFY_ORPHAN, err, "%s", why)
                              : verify_finding(vs, &where, VERIFY_ORPHAN, err,
                                               "%s (version %.100s)", why, f->version);
}

static int one_name(struct verify_store *vs, const struct found_list *l, const struct name *n,
                    const struct found *good, struct error *err)
{
    if (check_versions(vs, n, err) != 0 || check_copy(vs, n, good, err) != 0) {
        return -1;
    }
    for (size_t i = 0; vs->v->scope.session == NULL && i < n->n; i++) {
        const char *why = why_orphan(vs, l, &n->at[i], good != NULL);

        if (why != NULL && check_orphan(vs, &n->at[i], why, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Copies of one object stand together: nothing but a ".rN" is between them. */
static size_t copies(const struct found_list *l, size_t at, const struct found **ret_good)
{
    size_t to = at, base = l->at[at].base;

    *ret_good = NULL;
    for (; to < l->n && strncmp(l->at[to].name, l->at[at].name, base) == 0; to++) {
        *ret_good = l->at[to].used ? &l->at[to] : *ret_good;
    }
    return to;
}

int verify_left(struct verify_store *vs, struct error *err)
{
    const struct found_list *lists[] = {&vs->keys, &vs->batches, &vs->packs};

    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        for (size_t i = 0; i < lists[k]->n;) {
            const struct found *good = NULL;

            for (size_t to = copies(lists[k], i, &good); i < to;) {
                const struct name n = name_at(vs, lists[k], i);

                if (one_name(vs, lists[k], &n, good, err) != 0) {
                    return -1;
                }
                i += n.n;
            }
        }
    }
    return 0;
}
