/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for and is not here at all: a word of its own, and what there is instead.  Nobody
 * is accused of a typo. */
#include <stdio.h>
#include <string.h>

#include "shipper/verify_store.h"

#define HOSTS 8U /* that are named */

/* What a store has, whatever is asked for. */
struct there {
    char hosts[HOSTS][sizeof((struct verify_name *)0)->host];
    size_t n_hosts;
    bool more_hosts, any;
    /* of the host that is asked for, or of all; before, after: the days next to those asked for */
    char first[11], last[11], before[11], after[11];
};

static void add_host(struct there *t, const char *host)
{
    for (size_t i = 0; i < t->n_hosts; i++) {
        if (strcmp(t->hosts[i], host) == 0) {
            return;
        }
    }
    if (t->n_hosts == HOSTS) {
        t->more_hosts = true;
        return;
    }
    (void)snprintf(t->hosts[t->n_hosts++], sizeof t->hosts[0], "%s", host);
}

static const char *say_hosts(const struct there *t, char *ret, size_t size)
{
    size_t len = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < t->n_hosts && len < size; i++) {
        len += (size_t)snprintf(ret + len, size - len, "%s%.40s", i == 0 ? "" : ", ", t->hosts[i]);
    }
    if (t->more_hosts && len < size) {
        (void)snprintf(ret + len, size - len, ", and others");
    }
    return ret;
}

/* The list is in order of days. */
static void look(const struct found_list *all, const struct verify_scope *s, struct there *t)
{
    for (size_t i = 0; i < all->n; i++) {
        struct verify_name n;

        if (all->at[i].delete_marker || !verify_name_parse(all->at[i].name, &n)) {
            continue;
        }
        add_host(t, n.host);
        if (s->host != NULL && strcmp(s->host, n.host) != 0) {
            continue;
        }
        if (!t->any) {
            memcpy(t->first, n.day, sizeof t->first);
        }
        t->any = true;
        memcpy(t->last, n.day, sizeof t->last);
        if (s->since[0] != '\0' && strcmp(n.day, s->since) < 0) {
            memcpy(t->before, n.day, sizeof t->before);
        }
        if (s->until[0] != '\0' && strcmp(n.day, s->until) > 0 && t->after[0] == '\0') {
            memcpy(t->after, n.day, sizeof t->after);
        }
    }
}

static bool has_key(const struct verify_store *vs, const char *host)
{
    for (size_t i = 0; i < vs->keys.n; i++) {
        struct verify_name n;

        if (verify_name_parse(vs->keys.at[i].name, &n) && strcmp(n.host, host) == 0) {
            return true;
        }
    }
    return false;
}

static bool expected(const struct verify_store *vs, const char *host)
{
    const struct verify_names *names = vs->v->hosts;

    for (size_t i = 0; names != NULL && i < names->n; i++) {
        if (host == NULL || strcmp(names->at[i], host) == 0) {
            return true;
        }
    }
    return false;
}

static int no_manifest(struct verify_store *vs, struct error *err)
{
    const struct verify_where where = {
        .what = "store", .id = "batches/", .host = vs->v->scope.host};

    return verify_finding(vs, &where, VERIFY_GAP, err, "there are keys or packs, and no manifest");
}

static int no_host(struct verify_store *vs, const struct there *t, struct error *err)
{
    const char *host = vs->v->scope.host;
    const struct verify_where where = {.what = "host", .id = host, .host = host};
    char hosts[400];

    return verify_finding(vs, &where, VERIFY_ABSENT, err,
                          "nothing of a host of this name is here; there is: %s",
                          say_hosts(t, hosts, sizeof hosts));
}

static int no_day(struct verify_store *vs, const struct there *t, struct error *err)
{
    const struct verify_scope *s = &vs->v->scope;
    char days[32];
    const struct verify_where where = {.what = "day", .id = days, .host = s->host};

    (void)snprintf(days, sizeof days, "%s%s%s", s->since,
                   strcmp(s->since, s->until) == 0 ? "" : "..",
                   strcmp(s->since, s->until) == 0 ? "" : s->until);
    return verify_finding(
        vs, &where, VERIFY_ABSENT, err, "no batch%s%.128s is of then; there are some from %s to %s",
        s->host == NULL ? "" : " of ", s->host == NULL ? "" : s->host, t->first, t->last);
}

/* Nothing was on these days, and something before and after: whether it had to be, the batches next
 * to it say. */
static int widen(struct verify_store *vs, const struct there *t, struct error *err)
{
    struct verify_scope *s = &vs->v->scope;

    memcpy(s->since, t->before, sizeof s->since);
    memcpy(s->until, t->after, sizeof s->until);
    memcpy(vs->v->sum.since, t->before, sizeof s->since);
    memcpy(vs->v->sum.until, t->after, sizeof s->until);
    verify_findings_clear(vs);
    verify_list_clear(&vs->keys);
    verify_list_clear(&vs->batches);
    verify_list_clear(&vs->packs);
    return verify_list(vs, err);
}

static int nothing_in_scope(struct verify_store *vs, const struct there *t, bool *ret_absent,
                            struct error *err)
{
    const char *host = vs->v->scope.host;

    if (vs->packs.n > 0 || t->n_hosts == 0 || (!t->any && has_key(vs, host))) {
        return no_manifest(vs, err);
    }
    if (expected(vs, host)) {
        return 0; /* it is told of as such */
    }
    /* Nothing of other days is imported. */
    if (t->before[0] != '\0' && t->after[0] != '\0' && vs->v->then == NULL) {
        return widen(vs, t, err);
    }
    *ret_absent = true;
    return t->any ? no_day(vs, t, err) : no_host(vs, t, err);
}

int verify_scope_batches(struct verify_store *vs, bool *ret_absent, struct error *err)
{
    struct found_list all = {.n = 0};
    struct there t = {.n_hosts = 0};
    int rc;

    *ret_absent = false;
    if (vs->batches.n > 0) {
        return 0;
    }
    rc = verify_list_all(vs, &all, err);
    if (rc == 0) {
        look(&all, &vs->v->scope, &t);
        if (vs->keys.n + vs->packs.n + all.n + vs->n_findings == 0) {
            rc = err_set(err, ERR_CORRUPT, "there is nothing here");
        } else {
            rc = nothing_in_scope(vs, &t, ret_absent, err);
        }
    }
    verify_list_clear(&all);
    return rc;
}

int verify_scope_session(struct verify_store *vs, bool *ret_absent, struct error *err)
{
    const char *id = vs->v->scope.session;
    const struct verify_where where = {.what = "session", .id = id};
    struct there t = {.n_hosts = 0};
    char hosts[400];

    for (int v = 0; v < VERIFY_VERDICTS; v++) {
        if (id == NULL || vs->v->sum.sessions[v] > 0) {
            return 0;
        }
    }
    if (vs->said != NULL) {
        return verify_finding(vs, &where, VERIFY_OPEN, err, "no segment of it has come yet");
    }
    *ret_absent = true;
    for (size_t i = 0; i < vs->n_list; i++) {
        add_host(&t, vs->list[i]->key->k.host);
    }
    return verify_finding(vs, &where, VERIFY_ABSENT, err,
                          "no batch that counts here (%zu) tells of such a session; they "
                          "are of: %s",
                          vs->n_list,
                          t.n_hosts == 0 ? "no host" : say_hosts(&t, hosts, sizeof hosts));
}
