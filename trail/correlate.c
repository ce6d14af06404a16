/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/correlate.h"

#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/ship.h"
#include "trail/join.h"
#include "trail/source_api.h"
#include "trail/subject_db.h"

#define HOUR_US    INT64_C(3600000000)
#define OWNERS_MAX (1024U * 1024)
#define JSON_MAX   (256U * 1024)
#define SETTLE_US  INT64_C(120000000) /* who came in just now may not be in the database yet */

struct run {
    const struct correlate_config *c;
    struct correlate_stats *ret;
    struct trail_store *store;
    struct join_config join;
    struct trail_events events;
    struct buf owners;        /* the text of [trail] key_owners */
    struct verdict *v, *last; /* scratch: they are large */
    void *taken;              /* tsearch: ids of events that some subject took */
    int64_t first_us;         /* when the first subject opened */
    struct error *err;
};

int correlate_store_path(const char *db, char *ret, size_t size, struct error *err)
{
    char state[4096], key[4096], *end;

    if (ship_paths(db, state, key, sizeof state, err) != 0) {
        return -1;
    }
    end = strstr(state, "ship.db");
    if (end == NULL || end[7] != '\0') {
        return err_set(err, ERR_USAGE, "no place for trail.db beside %s", state);
    }
    *end = '\0';
    return snprintf(ret, size, "%strail.db", state) < (int)size
               ? 0
               : err_set(err, ERR_USAGE, "the path of trail.db is too long");
}

/* ---- what the join asks for ---- */

static int events(void *user, const struct trail_query *q,
                  int (*cb)(void *user, const struct trail_stored *e), void *cb_user,
                  struct error *err)
{
    return trail_store_events(user, q, cb, cb_user, err);
}

/* A line "FINGERPRINT OWNER"; '#' begins a comment. */
static bool owner(void *user, const char *fingerprint, char *ret, size_t size)
{
    const struct run *r = user;
    const char *at = (const char *)buf_data(&r->owners), *end = at + r->owners.len;
    size_t len = strlen(fingerprint);

    while (at != NULL && at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at)), *to = feed != NULL ? feed : end;

        if ((size_t)(to - at) > len && strncmp(at, fingerprint, len) == 0 &&
            (at[len] == ' ' || at[len] == '\t')) {
            at += len;
            at += strspn(at, " \t");
            while (to > at && (to[-1] == ' ' || to[-1] == '\r')) {
                to--;
            }
            (void)snprintf(ret, size, "%.*s", (int)(to - at < 400 ? to - at : 400), at);
            return to > at;
        }
        at = feed != NULL ? feed + 1 : NULL;
    }
    return false;
}

static bool other_verdict(void *user, const char *subject, struct verdict *ret)
{
    const struct run *r = user;
    uint8_t id[16];
    struct error ignored;

    return io_unhex(subject, id, sizeof id) == 0 &&
           trail_store_verdict(r->store, id, ret, &ignored) == 1;
}

static int read_owners(struct run *r)
{
    const char *path = r->c->conf->trail_key_owners;

    if (path == NULL || *path == '\0') {
        return 0;
    }
    return io_read_file(AT_FDCWD, path, OWNERS_MAX, &r->owners, r->err) == 0
               ? 0
               : err_wrap(r->err, "key_owners");
}

/* ---- the trail ---- */

/* `trail = api`: few calls a second, and nothing that a digest vouches for. */
static int read_api(struct run *r, const char *const *hosts, size_t n_hosts)
{
    const struct correlate_config *c = r->c;
    const char *region = c->conf->s3_region;
    struct trail_api a = {.region =
                              region != NULL && *region != '\0' ? region : getenv("AWS_REGION"),
                          .ca_file = c->conf->s3_ca_file,
                          .from_us = c->now_us - c->conf->trail_lookback_h * HOUR_US,
                          .to_us = c->now_us,
                          .hosts = hosts,
                          .n_hosts = n_hosts,
                          .warn = c->warn,
                          .progress = c->progress,
                          .user = c->user};
    int rc;

    if (a.region == NULL || *a.region == '\0') {
        return err_set(r->err, ERR_USAGE, "trail = api needs a region: [s3] region, or AWS_REGION");
    }
    rc = creds_open(&a.creds, r->err);
    if (rc == 0) {
        rc = trail_api_read(&a, r->store, &r->ret->read, r->err);
        creds_close(a.creds);
    }
    return rc;
}

static int read_trail(struct run *r, const char *url)
{
    const struct correlate_config *c = r->c;
    const char *hosts[] = {c->instance, c->address};
    struct trail_source s = {.accounts = c->conf->trail_accounts,
                             .regions = c->conf->trail_regions,
                             .from_us = c->now_us - c->conf->trail_lookback_h * HOUR_US,
                             .hosts = hosts,
                             .n_hosts = *c->instance == '\0'  ? 0
                                        : *c->address == '\0' ? 1
                                                              : 2,
                             .warn = c->warn,
                             .progress = c->progress,
                             .user = c->user};
    int rc;

    if (strcmp(url, "api") == 0) {
        return read_api(r, hosts, s.n_hosts);
    }
    rc = depot_open(&s.depot, url, c->conf, r->err);
    if (rc == 0) {
        rc = trail_read(&s, r->store, &r->ret->read, r->err);
    }
    depot_close(s.depot);
    return rc;
}

/* ---- verdicts ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int take_event(struct run *r, const char *id)
{
    char *copy;

    if (*id == '\0' || tfind(id, &r->taken, by_text) != NULL) {
        return 0;
    }
    copy = strdup(id);
    if (copy == NULL || tsearch(copy, &r->taken, by_text) == NULL) {
        free(copy);
        return err_sys(r->err, "note an event");
    }
    return 0;
}

static int write_verdict(struct run *r)
{
    struct buf json;
    int rc = trail_store_put_verdict(r->store, r->v, r->err);

    buf_init(&json, JSON_MAX);
    if (rc == 0 && r->c->control != NULL) {
        rc = verdict_json(r->v, &json, r->err);
        rc = rc == 0
                 ? control_verdict(r->c->control, (const char *)buf_data(&json), json.len, r->err)
                 : rc;
    }
    buf_clear(&json);
    return rc;
}

static int on_subject(void *user, const struct subject *s)
{
    struct run *r = user;
    int known = trail_store_verdict(r->store, s->id, r->last, r->err);
    bool changed;
    int rc = 0;

    if (known < 0 || join(&r->join, &r->events, s, r->v, r->err) != 0) {
        return -1;
    }
    changed = known == 0 || !verdict_same(r->v, r->last);
    r->v->revision = known == 0 ? 1 : r->last->revision + (changed ? 1 : 0);
    r->ret->subjects++;
    r->ret->grades[r->v->grade]++;
    r->first_us = r->first_us == 0 || s->opened_us < r->first_us ? s->opened_us : r->first_us;
    if (changed) {
        r->ret->changed++;
        rc = write_verdict(r);
    }
    if (rc == 0) {
        rc = take_event(r, r->v->event);
    }
    for (size_t i = 0; rc == 0 && i < r->v->candidates; i++) {
        rc = take_event(r, r->v->candidate[i].event);
    }
    if (rc == 0 && r->c->verdict != NULL) {
        r->c->verdict(r->c->user, s, r->v, changed);
    }
    return rc;
}

/* ---- the other direction ---- */

static bool forwards(const char *document)
{
    return strcmp(document, "AWS-StartSSHSession") == 0 ||
           strncmp(document, "AWS-StartPortForwardingSession", 30) == 0;
}

static int on_access(void *user, const struct trail_stored *e)
{
    struct run *r = user;
    enum access_left what = e->event.kind == TRAIL_PUSH || e->event.kind == TRAIL_SERIAL
                                ? ACCESS_UNUSED
                            : forwards(e->event.document) ? ACCESS_FORWARD
                                                          : ACCESS_UNRECORDED;

    if (!trail_event_is_access(&e->event) || tfind(e->event.id, &r->taken, by_text) != NULL) {
        return 0;
    }
    r->ret->unused += what == ACCESS_UNUSED;
    r->ret->forwards += what == ACCESS_FORWARD;
    r->ret->unrecorded += what == ACCESS_UNRECORDED;
    if (r->c->left != NULL) {
        r->c->left(r->c->user, e, what);
    }
    return 0;
}

/* Since the host records, and not of who is just coming in. */
static int look_back(struct run *r)
{
    const struct trail_query q = {.kinds = 1U << TRAIL_PUSH | 1U << TRAIL_SERIAL |
                                           1U << TRAIL_START | 1U << TRAIL_RESUME,
                                  .from_us = r->first_us,
                                  .to_us = r->c->now_us - SETTLE_US,
                                  .instance = r->c->instance};

    return *r->c->instance == '\0' || r->first_us == 0
               ? 0
               : trail_store_events(r->store, &q, on_access, r, r->err);
}

/* ---- all of it ---- */

static int correlate(struct run *r)
{
    const struct correlate_config *c = r->c;
    const char *url = c->trail_or_null != NULL ? c->trail_or_null : c->conf->trail;
    struct subject_config s = {.since_us = c->now_us - c->conf->trail_lookback_h * HOUR_US};
    struct buf host;
    int rc = read_owners(r);

    buf_init(&host, sizeof s.host);
    (void)snprintf(s.instance, sizeof s.instance, "%s", c->instance);
    (void)snprintf(s.private_ip, sizeof s.private_ip, "%s", c->address);
    if (rc == 0 && reader_meta(c->reader, "host", &host, r->err) == 1 &&
        buf_text(&host, NULL) != NULL) {
        (void)snprintf(s.host, sizeof s.host, "%s", buf_text(&host, NULL));
    }
    buf_clear(&host);
    if (rc == 0 && url != NULL && *url != '\0') {
        rc = read_trail(r, url);
        r->join.read_us = rc == 0 ? c->now_us : 0;
    }
    if (rc != 0 || trail_store_begin(r->store, r->err) != 0) {
        return -1;
    }
    rc = subject_db_each(c->reader, &s, on_subject, r, r->err);
    if (rc != 0) {
        trail_store_rollback(r->store); /* what the journal has already, it gets once more */
        return -1;
    }
    if (trail_store_commit(r->store, r->err) != 0) {
        return -1;
    }
    return look_back(r);
}

int correlate_run(const struct correlate_config *c, struct correlate_stats *ret, struct error *err)
{
    struct run r = {.c = c,
                    .ret = ret,
                    .join = {.skew_us = c->conf->trail_skew_s * 1000000,
                             .now_us = c->now_us,
                             .owner = owner,
                             .verdict = other_verdict},
                    .events = {.events = events},
                    .err = err};
    char path[4200];
    int rc = -1;

    memset(ret, 0, sizeof *ret);
    buf_init(&r.owners, OWNERS_MAX);
    r.v = malloc(sizeof *r.v);
    r.last = malloc(sizeof *r.last);
    r.join.user = &r;
    if (r.v == NULL || r.last == NULL) {
        (void)err_sys(err, "allocate");
    } else if (correlate_store_path(c->db, path, sizeof path, err) == 0 &&
               trail_store_open(&r.store, path, err) == 0) {
        r.events.user = r.store;
        rc = correlate(&r);
    }
    trail_store_close(r.store);
    tdestroy(r.taken, free);
    buf_clear(&r.owners);
    free(r.v);
    free(r.last);
    return rc;
}
