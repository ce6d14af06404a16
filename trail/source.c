/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trail/layout.h"
#include "trail/source_impl.h"

#define FILES_A_COMMIT 256U
#define PLACES_MAX     100000U /* looks for places; more is no trail */

struct run {
    const struct trail_source *s;
    struct trail_store *store;
    struct keeper keeper;
    struct unpack *unpack;
    struct buf packed;
    struct error *err;
    unsigned uncommitted;
    /* Of the place that is listed. */
    char newest[DEPOT_NAME_MAX + 1];
    bool held; /* a file of it failed: the cursor stays before it */
    /* Of a look for places. */
    char found[DEPOT_NAME_MAX + 1];
};

static int commit_some(struct run *r)
{
    if (++r->uncommitted < FILES_A_COMMIT) {
        return 0;
    }
    r->uncommitted = 0;
    return trail_store_commit(r->store, r->err) != 0 ? -1 : trail_store_begin(r->store, r->err);
}

static int read_file(struct run *r, const struct depot_item *item)
{
    int rc = trail_store_has_file(r->store, item->name, r->err);

    r->keeper.stats->listed++;
    if (rc != 0) {
        r->keeper.stats->known_files += rc == 1;
        rc = rc < 0 ? -1 : 0;
    } else if ((rc = source_file(&r->keeper, r->s->depot, r->unpack, item, &r->packed, r->err)) >=
               0) {
        r->held = r->held || rc == 1;
        rc = commit_some(r);
        if (r->s->progress != NULL) {
            r->s->progress(r->s->user, r->keeper.stats);
        }
    }
    if (rc == 0 && !r->held) {
        (void)snprintf(r->newest, sizeof r->newest, "%s", item->name);
    }
    return rc;
}

/* A directory: what lies in it, in any order and at any depth. */
static int from_directory(void *user, const struct depot_item *item)
{
    struct run *r = user;
    struct layout_place place;
    int64_t us;

    if (!layout_is_log(item->name)) {
        return 0;
    }
    if (layout_of(item->name, &place, &us) &&
        (!layout_in(r->s->accounts, place.account) || !layout_in(r->s->regions, place.region) ||
         (us != 0 && us < r->s->from_us))) {
        return 0;
    }
    return read_file(r, item);
}

static int from_place(void *user, const struct depot_item *item)
{
    return layout_is_log(item->name) ? read_file(user, item) : 0;
}

/* Where the listing of a place begins: 20 minutes before what was seen last. */
static int start_of(struct run *r, const struct layout_place *p, char *ret, size_t size)
{
    char name[DEPOT_NAME_MAX + 1], last[DEPOT_NAME_MAX + 1];
    struct layout_place same;
    int64_t us = 0, from = r->s->from_us;

    if (layout_prefix(p, name, sizeof name, r->err) != 0) {
        return -1;
    }
    if (trail_store_cursor(r->store, name, last, sizeof last, r->err) != 0) {
        return -1;
    }
    if (last[0] != '\0' && layout_of(last, &same, &us) && us - TRAIL_REREAD_US > from) {
        from = us - TRAIL_REREAD_US;
    }
    if (from <= 0) {
        ret[0] = '\0';
        return 0;
    }
    return layout_start(p, from, ret, size, r->err);
}

static int read_place(struct run *r, const struct layout_place *p)
{
    char prefix[DEPOT_NAME_MAX + 1], start[DEPOT_NAME_MAX + 1];
    int rc;

    r->keeper.stats->places++;
    r->newest[0] = '\0';
    r->held = false;
    if (layout_prefix(p, prefix, sizeof prefix, r->err) != 0 ||
        start_of(r, p, start, sizeof start) != 0) {
        return -1;
    }
    rc = depot_list_after(r->s->depot, prefix, start, from_place, r, r->err);
    if (rc == 0 && r->newest[0] != '\0') {
        rc = trail_store_set_cursor(r->store, prefix, r->newest, r->err);
    }
    return rc;
}

static int first(void *user, const struct depot_item *item)
{
    struct run *r = user;

    (void)snprintf(r->found, sizeof r->found, "%s", item->name);
    return 1;
}

/* From place to place: each look asks for the first name behind all that is known, so that a bucket
 * of any size costs a request an account and region. */
static int from_bucket(struct run *r)
{
    char after[DEPOT_NAME_MAX + 2] = "";

    for (unsigned i = 0; i < PLACES_MAX; i++) {
        struct layout_place p;
        int64_t us;
        int rc = depot_list_after(r->s->depot, "", after, first, r, r->err);

        if (rc <= 0) {
            return rc;
        }
        layout_skip(r->found, after, sizeof after);
        if (!layout_of(r->found, &p, &us)) {
            continue;
        }
        if (!layout_in(r->s->accounts, p.account)) {
            (void)snprintf(after, sizeof after, "%s%s0", p.top, p.account);
            continue;
        }
        (void)snprintf(after, sizeof after, "%s%s/CloudTrail/%s0", p.top, p.account, p.region);
        if (layout_in(r->s->regions, p.region) && read_place(r, &p) != 0) {
            return -1;
        }
    }
    return err_set(r->err, ERR_LIMIT, "more than %u accounts, regions and others", PLACES_MAX);
}

static int read_all(struct run *r)
{
    int rc;

    if (trail_store_begin(r->store, r->err) != 0) {
        return -1;
    }
    rc = r->s->depot->type == &depot_file_type
             ? depot_list(r->s->depot, "", from_directory, r, r->err)
             : from_bucket(r);
    if (rc == 0) {
        return trail_store_commit(r->store, r->err);
    }
    (void)trail_store_commit(r->store, NULL); /* what was read is read */
    return -1;
}

int trail_read(const struct trail_source *s, struct trail_store *store,
               struct trail_read_stats *ret, struct error *err)
{
    struct error own = {.kind = ERR_NONE};
    struct run *r = calloc(1, sizeof *r);
    int rc = -1;

    memset(ret, 0, sizeof *ret);
    if (r == NULL) {
        return err_sys(err, "allocate");
    }
    r->s = s;
    r->store = store;
    r->err = err == NULL ? &own : err;
    r->keeper = (struct keeper){
        .store = store, .stats = ret, .warn = s->warn, .user = s->user, .err = r->err};
    buf_init(&r->packed, 8U << 20);
    if (keeper_open(&r->keeper, s->hosts, s->n_hosts, r->err) == 0 &&
        unpack_open(&r->unpack, r->err) == 0) {
        rc = read_all(r);
    }
    unpack_close(r->unpack);
    keeper_close(&r->keeper);
    buf_clear(&r->packed);
    free(r);
    return rc;
}
