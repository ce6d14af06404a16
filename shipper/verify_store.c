/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/verify_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/deliver.h"
#include "shipper/probe.h"

#define TRIES 8

size_t verify_base(const char *name)
{
    size_t n = strlen(name), at = n;

    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') {
        at--;
    }
    return at < n && at >= 3 && name[at - 1] == 'r' && name[at - 2] == '.' ? at - 2 : n;
}

int verify_grow(void **array, size_t *cap, size_t n, size_t size, struct error *err)
{
    size_t more = *cap == 0 ? 64 : *cap * 2;
    void *p;

    if (n < *cap) {
        return 0;
    }
    p = realloc(*array, more * size);
    if (p == NULL) {
        return err_sys(err, "allocate");
    }
    *array = p;
    *cap = more;
    return 0;
}

void verify_finding(struct verify_store *vs, const char *what, const char *id,
                    enum verify_verdict verdict, const char *fmt, ...)
{
    char detail[512];
    const struct verify_line l = {.what = what, .id = id, .verdict = verdict, .detail = detail};
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    verify_report(vs->v, &l);
}

int verify_get_or_say(struct verify_store *vs, const char *what, const struct found *f,
                      size_t max_bytes, struct buf *ret, struct error *err)
{
    if (verify_get(vs, f, max_bytes, ret, err) == 0) {
        return 0;
    }
    if (err->kind == ERR_RETRY || err->kind == ERR_DENIED) {
        return -1;
    }
    verify_finding(vs, what, f->name, VERIFY_UNSIGNED, "cannot be read: %.150s", err->text);
    err_clear(err);
    return 1;
}

int verify_get(struct verify_store *vs, const struct found *f, size_t max_bytes, struct buf *ret,
               struct error *err)
{
    const char *version = f->version[0] == '\0' ? NULL : f->version;

    for (unsigned try_number = 1;; try_number++) {
        if (depot_get(vs->store, f->name, version, max_bytes, ret, err) == 0) {
            return 0;
        }
        if (err->kind != ERR_RETRY || try_number >= TRIES) {
            return err_wrap(err, "%.120s", f->name);
        }
        buf_reset(ret);
        deliver_pause(try_number);
    }
}

void verify_versions(struct verify_store *vs, const struct found_list *list)
{
    for (size_t i = 0; i < list->n;) {
        size_t n = 1, gone = list->at[i].delete_marker;

        while (i + n < list->n && strcmp(list->at[i].name, list->at[i + n].name) == 0) {
            gone += list->at[i + n].delete_marker;
            n++;
        }
        if (n > 1 || gone > 0) {
            verify_finding(vs, "object", list->at[i].name, VERIFY_VERSIONS,
                           "%zu versions, %zu of them deletions", n, gone);
        }
        i += n;
    }
}

/* ---- listing ---- */

struct listing {
    struct found_list *list;
    struct error *err;
};

static int list_one(void *user, const struct depot_item *item)
{
    struct listing *l = user;
    struct found f = {.size = item->size, .delete_marker = item->delete_marker};
    void *at = l->list->at;
    int rc;

    if (!item->delete_marker && probe_is(item->name, item->size)) {
        return 0; /* 'doctor' left it */
    }
    rc = verify_grow(&at, &l->list->cap, l->list->n, sizeof f, l->err);
    l->list->at = at;
    if (rc != 0) {
        return -1;
    }
    f.name = strdup(item->name);
    f.version = strdup(item->version == NULL ? "" : item->version);
    if (f.name == NULL || f.version == NULL) {
        free(f.name);
        free(f.version);
        return err_sys(l->err, "allocate");
    }
    l->list->at[l->list->n++] = f;
    return 0;
}

static void list_clear(struct found_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->at[i].name);
        free(l->at[i].version);
    }
    free(l->at);
    memset(l, 0, sizeof *l);
}

static int by_name(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int list_once(struct verify_store *vs, const char *prefix, struct found_list *list,
                     struct error *err)
{
    struct listing l = {list, err};
    int rc = depot_list_versions(vs->store, prefix, list_one, &l, err);

    if (rc == 1) {
        list_clear(list);
        return depot_list(vs->store, prefix, list_one, &l, err);
    }
    vs->v->sum.versions_seen |= rc == 0;
    return rc;
}

static int list_all(struct verify_store *vs, const char *prefix, struct found_list *list,
                    struct error *err)
{
    for (unsigned try_number = 1;; try_number++) {
        if (list_once(vs, prefix, list, err) == 0) {
            break;
        }
        if (err->kind != ERR_RETRY || try_number >= TRIES) {
            return err_wrap(err, "list %s", prefix);
        }
        list_clear(list);
        deliver_pause(try_number);
    }
    if (list->n > 0) {
        qsort(list->at, list->n, sizeof *list->at, by_name);
    }
    verify_versions(vs, list);
    return 0;
}

/* ---- the whole ---- */

/* A pack of which another copy is the signed one is what an attempt left. */
static bool has_used_copy(const struct found_list *list, size_t at)
{
    const char *name = list->at[at].name;
    size_t base = verify_base(name);

    for (size_t i = at; i-- > 0 && strncmp(list->at[i].name, name, base) == 0;) {
        if (list->at[i].used && verify_base(list->at[i].name) == base) {
            return true;
        }
    }
    for (size_t i = at + 1; i < list->n && strncmp(list->at[i].name, name, base) == 0; i++) {
        if (list->at[i].used && verify_base(list->at[i].name) == base) {
            return true;
        }
    }
    return false;
}

/* It may be on its way, or its manifest was taken away: people have to look. */
static void name_orphans(struct verify_store *vs, const struct found_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct found *f = &list->at[i];

        if (!f->used && !f->delete_marker && !has_used_copy(list, i)) {
            verify_finding(vs, "object", f->name, VERIFY_ORPHAN, "no manifest tells of this pack");
        }
    }
}

static void count_orphans(struct verify_store *vs, const struct found_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        vs->v->sum.orphans += !list->at[i].used && !list->at[i].delete_marker;
    }
}

static int run(struct verify_store *vs, struct error *err)
{
    if (list_all(vs, "keys/", &vs->keys, err) != 0 ||
        list_all(vs, "batches/", &vs->batches, err) != 0 ||
        list_all(vs, "packs/", &vs->packs, err) != 0) {
        return -1;
    }
    if (vs->keys.n + vs->batches.n + vs->packs.n == 0) {
        return err_set(err, ERR_CORRUPT, "there is nothing here");
    }
    if (vs->batches.n == 0) {
        verify_finding(vs, "store", "batches/", VERIFY_GAP,
                       "there are keys or packs, and no manifest");
    }
    if (verify_keys(vs, err) != 0 || verify_manifests(vs, err) != 0 || verify_hosts(vs, err) != 0 ||
        verify_sessions(vs, err) != 0) {
        return -1;
    }
    name_orphans(vs, &vs->packs);
    count_orphans(vs, &vs->keys);
    count_orphans(vs, &vs->batches);
    count_orphans(vs, &vs->packs);
    return 0;
}

int verify_store(struct verify *v, const char *url, const struct conf *conf, struct error *err)
{
    struct verify_store vs = {.v = v};
    int rc = -1;

    if (depot_open(&vs.store, url, conf, err) == 0 && json_open(&vs.json, err) == 0) {
        rc = run(&vs, err);
    }
    for (size_t i = 0; i < vs.n_manifests; i++) {
        manifest_clear(&vs.manifests[i].m);
    }
    free(vs.manifests);
    free(vs.segments);
    free(vs.hosts_keys);
    list_clear(&vs.keys);
    list_clear(&vs.batches);
    list_clear(&vs.packs);
    json_close(vs.json);
    depot_close(vs.store);
    return rc == 0 ? 0 : err_wrap(err, "verify %.120s", url);
}
