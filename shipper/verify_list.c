/* SPDX-License-Identifier: Apache-2.0 */
/* What there is: names, sizes, versions, times; nothing is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "shipper/deliver.h"
#include "shipper/probe.h"
#include "shipper/verify_store.h"

#define TRIES     8
#define DAYS_MAX  400 /* so many listings of one day each rather than one of everything */
#define A_DAY_US  INT64_C(86400000000)
#define TELL_EACH 1000

struct listing {
    struct verify_store *vs;
    struct found_list *list;
    struct error *err;
};

static void tell(const struct listing *l)
{
    const struct verify_progress p = {.doing = "listing", .done = l->list->n};

    if (l->vs->v->progress != NULL && l->list->n % TELL_EACH == 0) {
        l->vs->v->progress(l->vs->v->user, &p);
    }
}

/* Keys are read of every host and time: a copied disk goes on with another host's key. */
static bool in_scope(const struct verify_scope *s, const struct verify_name *n)
{
    if (n->kind == VERIFY_KEYS) {
        return true;
    }
    if (s->host != NULL && n->host[0] != '\0' && strcmp(s->host, n->host) != 0) {
        return false;
    }
    if (n->day[0] == '\0') {
        return true;
    }
    return (s->since[0] == '\0' || strcmp(n->day, s->since) >= 0) &&
           (s->until[0] == '\0' || strcmp(n->day, s->until) <= 0);
}

static int add(struct listing *l, const struct depot_item *item, size_t base)
{
    struct found f = {.size = item->size,
                      .modified_us = item->modified_us,
                      .base = base,
                      .delete_marker = item->delete_marker};
    void *at = l->list->at;
    bool versioned = item->version != NULL && item->version[0] != '\0';
    int rc = verify_grow(&at, &l->list->cap, l->list->n, sizeof f, l->err);

    l->list->at = at;
    if (rc != 0) {
        return -1;
    }
    f.name = strdup(item->name);
    f.version = versioned ? strdup(item->version) : NULL;
    if (f.name == NULL || (versioned && f.version == NULL)) {
        free(f.name);
        free(f.version);
        return err_sys(l->err, "allocate");
    }
    l->list->at[l->list->n++] = f;
    tell(l);
    return 0;
}

static int list_one(void *user, const struct depot_item *item)
{
    struct listing *l = user;
    const struct verify_where where = {.what = "object", .id = item->name, .object = item->name};
    struct verify_name name;
    bool ours = verify_name_parse(item->name, &name);

    if (!in_scope(&l->vs->v->scope, &name)) {
        return 0;
    }
    if (!item->delete_marker && probe_is(item->name, item->size)) {
        return 0; /* 'doctor' left it */
    }
    if (!ours && !item->delete_marker) {
        return verify_finding(l->vs, &where, VERIFY_UNSIGNED, l->err,
                              "nothing of ours has such a name");
    }
    return add(l, item, name.base);
}

void verify_list_clear(struct found_list *l)
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
    int c = strcmp(x->name, y->name);

    c = c != 0 ? c : (x->modified_us > y->modified_us) - (x->modified_us < y->modified_us);
    return c != 0
               ? c
               : strcmp(x->version == NULL ? "" : x->version, y->version == NULL ? "" : y->version);
}

static void cut_to(struct found_list *list, size_t n)
{
    while (list->n > n) {
        list->n--;
        free(list->at[list->n].name);
        free(list->at[list->n].version);
    }
}

static int list_once(struct listing *l, const char *prefix, size_t before)
{
    int rc = depot_list_versions(l->vs->store, prefix, list_one, l, l->err);

    if (rc == 1) {
        cut_to(l->list, before);
        return depot_list(l->vs->store, prefix, list_one, l, l->err);
    }
    l->vs->v->sum.versions_seen |= rc == 0;
    return rc;
}

static int list_prefix(struct verify_store *vs, const char *prefix, struct found_list *list,
                       struct error *err)
{
    struct listing l = {vs, list, err};
    size_t before = list->n, findings = vs->n_findings;

    for (unsigned try_number = 1; list_once(&l, prefix, before) != 0; try_number++) {
        if (err->kind != ERR_RETRY || try_number >= TRIES) {
            return err_wrap(err, "list %s", prefix);
        }
        cut_to(list, before);
        verify_findings_cut(vs, findings);
        deliver_pause(try_number);
    }
    return 0;
}

/* A range of days with both ends is listed day by day; a bucket may hold years. */
static int list_days(struct verify_store *vs, const char *top, struct found_list *list,
                     bool *ret_done, struct error *err)
{
    const struct verify_scope *s = &vs->v->scope;
    int64_t from = 0, to = 0;

    *ret_done = false;
    if (!vs->bucket || s->since[0] == '\0' || s->until[0] == '\0') {
        return 0;
    }
    {
        char a[32], b[32];

        (void)snprintf(a, sizeof a, "%sT00:00Z", s->since);
        (void)snprintf(b, sizeof b, "%sT00:00Z", s->until);
        if (clock_parse(a, &from, err) != 0 || clock_parse(b, &to, err) != 0) {
            return -1;
        }
    }
    if ((to - from) / A_DAY_US >= DAYS_MAX) {
        return 0;
    }
    for (; from <= to; from += A_DAY_US) {
        char day[16], prefix[256];

        clock_format_utc(from, "%Y-%m-%d", day, sizeof day);
        (void)snprintf(prefix, sizeof prefix, "%sdt=%s/%s%s%s", top, day,
                       s->host == NULL ? "" : "host=", s->host == NULL ? "" : s->host,
                       s->host == NULL ? "" : "/");
        if (list_prefix(vs, prefix, list, err) != 0) {
            return -1;
        }
    }
    *ret_done = true;
    return 0;
}

static int list_top(struct verify_store *vs, const char *top, struct found_list *list,
                    struct error *err)
{
    bool done = false;

    if (list != &vs->keys && list_days(vs, top, list, &done, err) != 0) {
        return -1;
    }
    if (!done && list_prefix(vs, top, list, err) != 0) {
        return -1;
    }
    if (list->n > 0) {
        qsort(list->at, list->n, sizeof *list->at, by_name);
    }
    return 0;
}

int verify_list(struct verify_store *vs, struct error *err)
{
    if (list_top(vs, "keys/", &vs->keys, err) != 0 ||
        list_top(vs, "batches/", &vs->batches, err) != 0) {
        return -1;
    }
    return list_top(vs, "packs/", &vs->packs, err);
}

int verify_list_all(struct verify_store *vs, struct found_list *ret, struct error *err)
{
    const struct verify_scope scope = vs->v->scope;
    size_t findings = vs->n_findings;
    int rc;

    memset(&vs->v->scope, 0, sizeof vs->v->scope);
    rc = list_prefix(vs, "batches/", ret, err);
    vs->v->scope = scope;
    verify_findings_cut(vs, findings);
    if (ret->n > 0) {
        qsort(ret->at, ret->n, sizeof *ret->at, by_name);
    }
    return rc;
}

size_t verify_list_find(const struct found_list *l, const char *name)
{
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(l->at[mid].name, name) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

void verify_mark(struct verify_store *vs, bool *flag)
{
    (void)pthread_mutex_lock(&vs->lock);
    *flag = true;
    (void)pthread_mutex_unlock(&vs->lock);
}
