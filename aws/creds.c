/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/creds_private.h"
#include "common/clock.h"

#define ADVISORY_US                                                                                \
    (INT64_C(15) * 60 * 1000000) /* renewed this long before they expire, at most                  \
                                  */
#define TRY_AGAIN_US (INT64_C(60) * 1000000)
#define STUCK_US     (UINT64_C(10) * 1000000) /* the same keys again: they are not asked for sooner */

/* In this order, as AWS's own clients ask. */
static const struct creds_provider *const chain[] = {
    &creds_env_provider,       &creds_profile_provider, &creds_web_provider,
    &creds_container_provider, &creds_imds_provider,
};

/* What is shared. */
struct pool {
    pthread_mutex_t lock;
    pthread_cond_t found; /* somebody came back from asking */
    unsigned users;
    bool asking;      /* somebody does, without the lock: the context is his */
    unsigned asked;   /* how often */
    struct error why; /* the last asking failed */
    struct creds_context context;
    struct creds_keys keys;
    unsigned generation;     /* of the keys; 0: none yet */
    bool refused;            /* by the server, whatever their expiry says */
    bool ill;                /* the metadata service, where they come from: they stay in use */
    int64_t ahead_us;        /* of their expiry, they are renewed */
    int64_t ask_after_us;    /* no source is asked before, while keys are at hand */
    uint64_t stuck_until_us; /* of the boot clock */
    char region[64];
    bool region_known;
};

struct creds {
    struct pool *pool;
    struct creds_keys keys; /* a copy, which views point into */
    unsigned generation;
};

void creds_keys_clear(struct creds_keys *k)
{
    explicit_bzero(k, sizeof *k);
}

static int new_user(struct pool *p, struct creds **ret, struct error *err)
{
    struct creds *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return err_sys(err, "allocate");
    }
    c->pool = p;
    *ret = c;
    return 0;
}

int creds_open_over(struct creds **ret, creds_send_fn *send, void *user, struct error *err)
{
    struct pool *p = calloc(1, sizeof *p);

    if (p == NULL) {
        return err_sys(err, "allocate");
    }
    if (new_user(p, ret, err) != 0) {
        free(p);
        return -1;
    }
    p->users = 1;
    p->context.send = send;
    p->context.user = user;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->found, NULL);
    return 0;
}

int creds_open(struct creds **ret, struct error *err)
{
    return creds_open_over(ret, NULL, NULL, err);
}

int creds_share(struct creds *c, struct creds **ret, struct error *err)
{
    if (new_user(c->pool, ret, err) != 0) {
        return -1;
    }
    pthread_mutex_lock(&c->pool->lock);
    c->pool->users++;
    pthread_mutex_unlock(&c->pool->lock);
    return 0;
}

static void drop_pool(struct pool *p)
{
    creds_context_close(&p->context);
    creds_keys_clear(&p->keys);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->found);
    free(p);
}

void creds_close(struct creds *c)
{
    unsigned left;

    if (c == NULL) {
        return;
    }
    pthread_mutex_lock(&c->pool->lock);
    left = --c->pool->users;
    pthread_mutex_unlock(&c->pool->lock);
    if (left == 0) {
        drop_pool(c->pool);
    }
    creds_keys_clear(&c->keys);
    free(c);
}

/* What the sources said that have none: those that are not set up in one word. */
struct looked {
    char unset[128], rest[384];
};

static void note(struct looked *l, const char *name, const char *text)
{
    size_t n = strlen(text), used;

    if (n >= 5 && strcmp(text + n - 5, "unset") == 0) {
        used = strlen(l->unset);
        (void)snprintf(l->unset + used, sizeof l->unset - used, "%s%s", used == 0 ? "" : ", ",
                       name);
    } else {
        used = strlen(l->rest);
        (void)snprintf(l->rest + used, sizeof l->rest - used, "; %s: %.90s", name, text);
    }
}

/* The first source that has any; -1 with ${err} telling what each of them said. */
static int ask(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    struct looked l = {.unset = ""};

    x->until_us = clock_boot_us() + (uint64_t)CREDS_PATIENCE_US;
    x->imds_ill = false;
    for (size_t i = 0; i < sizeof chain / sizeof chain[0]; i++) {
        int rc;

        creds_keys_clear(ret);
        err_clear(err);
        rc = chain[i]->find(x, ret, err);
        if (rc == 1) {
            return 0;
        }
        if (rc < 0) {
            return err_wrap(err, "AWS credentials of the %s", chain[i]->name);
        }
        note(&l, chain[i]->name, err->text);
    }
    return err_set(err, ERR_DENIED, "no AWS credentials (%s%s%.180s)", l.unset,
                   l.unset[0] == '\0' ? "" : ": unset", l.rest + (l.unset[0] == '\0' ? 2 : 0));
}

static bool usable(const struct pool *p, int64_t now_us)
{
    return p->generation != 0 && !p->refused &&
           (p->keys.expires_us == 0 || now_us < p->keys.expires_us || p->ill);
}

static bool fresh(const struct pool *p, int64_t now_us)
{
    return p->generation != 0 && !p->refused &&
           (p->keys.expires_us == 0 || now_us < p->keys.expires_us - p->ahead_us ||
            now_us < p->ask_after_us);
}

static bool same(const struct creds_keys *a, const struct creds_keys *b)
{
    return strcmp(a->access_key, b->access_key) == 0 && strcmp(a->token, b->token) == 0 &&
           strcmp(a->secret_key, b->secret_key) == 0;
}

/* Even when these expire soon or have: in trouble the service hands out old ones, which S3 may
 * still take.  Source: the SDKs' "static stability". */
static void take(struct pool *p, const struct creds_keys *found, int64_t now_us)
{
    int64_t left = found->expires_us - now_us;

    if (p->refused && same(&p->keys, found)) {
        p->stuck_until_us = clock_boot_us() + STUCK_US;
    }
    creds_keys_clear(&p->keys);
    p->keys = *found;
    p->generation++;
    p->refused = false;
    err_clear(&p->why);
    /* Short ones last for a while too. */
    p->ahead_us = left > 0 && left / 3 < ADVISORY_US ? left / 3 : ADVISORY_US;
    p->ill = false;
}

/* Called with the lock, which is given up meanwhile. */
static void renew(struct pool *p, int64_t now_us)
{
    struct creds_keys found;
    struct error why;
    int rc;

    p->asking = true;
    pthread_mutex_unlock(&p->lock);
    rc = ask(&p->context, &found, &why);
    creds_context_forget(&p->context);
    pthread_mutex_lock(&p->lock);
    p->asking = false;
    p->asked++;
    pthread_cond_broadcast(&p->found);
    if (rc == 0) {
        take(p, &found, now_us);
    } else {
        p->ill = p->context.imds_ill && strcmp(p->keys.source, "imds") == 0;
        p->why = why;
    }
    creds_keys_clear(&found);
    p->ask_after_us = now_us + TRY_AGAIN_US;
}

/* Called with the lock: what there is is current, or nobody has any. */
static int have_some(struct pool *p, int64_t now_us, struct error *err)
{
    unsigned asked = p->asked;

    while (p->asking && p->asked == asked && !usable(p, now_us)) {
        pthread_cond_wait(&p->found, &p->lock);
    }
    if (!p->asking && p->asked == asked && !fresh(p, now_us)) {
        renew(p, now_us);
    }
    if (p->asked == asked || usable(p, now_us) || p->why.kind == ERR_NONE) {
        return 0;
    }
    if (err != NULL) {
        *err = p->why;
    }
    return -1;
}

int creds_get(struct creds *c, int64_t now_us, struct creds_view *ret, struct error *err)
{
    struct pool *p = c->pool;
    int rc;

    pthread_mutex_lock(&p->lock);
    rc = have_some(p, now_us, err);
    if (rc == 0 && c->generation != p->generation) {
        creds_keys_clear(&c->keys);
        c->keys = p->keys;
        c->generation = p->generation;
    }
    pthread_mutex_unlock(&p->lock);
    if (rc == 0) {
        *ret = (struct creds_view){.access_key = c->keys.access_key,
                                   .secret_key = c->keys.secret_key,
                                   .token = c->keys.token,
                                   .expires_us = c->keys.expires_us,
                                   .source = c->keys.source,
                                   .generation = c->generation};
    }
    return rc;
}

void creds_refresh(struct creds *c)
{
    creds_refused(c, c->generation);
}

void creds_refused(struct creds *c, unsigned generation)
{
    struct pool *p = c->pool;

    pthread_mutex_lock(&p->lock);
    if (generation == p->generation && clock_boot_us() >= p->stuck_until_us) {
        p->refused = true;
        p->ask_after_us = 0;
    }
    pthread_mutex_unlock(&p->lock);
}

void creds_region(struct creds *c, char *ret, size_t size)
{
    struct pool *p = c->pool;

    pthread_mutex_lock(&p->lock);
    while (p->asking) {
        pthread_cond_wait(&p->found, &p->lock);
    }
    if (!p->region_known) {
        p->context.until_us = clock_boot_us() + (uint64_t)CREDS_PATIENCE_US;
        creds_context_region(&p->context, p->region, sizeof p->region);
        creds_context_forget(&p->context);
        p->region_known = true;
    }
    (void)snprintf(ret, size, "%s", p->region);
    pthread_mutex_unlock(&p->lock);
}
