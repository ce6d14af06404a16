/* SPDX-License-Identifier: Apache-2.0 */
/* The threads, and how each of them reads objects. */
#include <signal.h>
#include <string.h>

#include "shipper/deliver.h"
#include "shipper/verify_store.h"

#define TRIES    8
#define PART_MAX (1U * 1024 * 1024)

struct pool {
    struct verify_store *vs;
    const char *doing;
    verify_step *step;
    size_t n, next, done;
    pthread_mutex_t lock;
    bool failed;
    struct error err; /* the first one's */
};

void verify_worker_close(struct verify_worker *w)
{
    buf_clear(&w->line);
    buf_clear(&w->part);
    if (w->json != NULL) {
        json_close(w->json);
    }
    depot_close(w->store);
}

int verify_worker_open(struct verify_worker *w, struct verify_store *vs, struct error *err)
{
    memset(w, 0, sizeof *w);
    w->vs = vs;
    buf_init(&w->line, MANIFEST_MAX);
    buf_init(&w->part, PART_MAX);
    if (depot_open_beside(&w->store, vs->store, vs->url, vs->conf, err) != 0 ||
        json_open(&w->json, err) != 0) {
        verify_worker_close(w);
        return -1;
    }
    return 0;
}

/* The next one to do; false when there is none. */
static bool take(struct pool *p, size_t *ret)
{
    bool more;

    (void)pthread_mutex_lock(&p->lock);
    more = !p->failed && p->next < p->n;
    if (more) {
        *ret = p->next++;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return more;
}

static void finish(struct pool *p, int rc, const struct error *err)
{
    (void)pthread_mutex_lock(&p->lock);
    p->done++;
    if (rc != 0 && !p->failed) {
        p->failed = true;
        p->err = *err;
    }
    if (p->vs->v->progress != NULL) {
        struct verify_progress now = {.doing = p->doing, .done = p->done, .all = p->n};

        (void)pthread_mutex_lock(&p->vs->lock);
        now.bytes = p->vs->bytes;
        (void)pthread_mutex_unlock(&p->vs->lock);
        p->vs->v->progress(p->vs->v->user, &now);
    }
    (void)pthread_mutex_unlock(&p->lock);
}

static void *work(void *user)
{
    struct pool *p = user;
    struct error err = {.kind = ERR_NONE};
    struct verify_worker w;
    size_t i;

    if (verify_worker_open(&w, p->vs, &err) != 0) {
        finish(p, -1, &err);
        return NULL;
    }
    while (take(p, &i)) {
        int rc = p->step(&w, i, &err);

        finish(p, rc, &err);
    }
    verify_worker_close(&w);
    return NULL;
}

/* A thread less is no error: one is enough, and it may be this one. */
static size_t start(struct pool *p, pthread_t *threads, size_t n)
{
    sigset_t all, before;
    size_t started = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < n && pthread_create(&threads[started], NULL, work, p) == 0) {
        started++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

int verify_pool(struct verify_store *vs, const char *doing, size_t n, verify_step *step,
                struct error *err)
{
    struct pool p = {.vs = vs, .doing = doing, .step = step, .n = n};
    size_t jobs = vs->v->jobs < 1 ? 1 : vs->v->jobs;
    pthread_t threads[VERIFY_JOBS_MAX];

    jobs = jobs > VERIFY_JOBS_MAX ? VERIFY_JOBS_MAX : jobs;
    jobs = jobs > n ? n : jobs;
    if (jobs == 0) {
        return 0;
    }
    (void)pthread_mutex_init(&p.lock, NULL);
    jobs = start(&p, threads, jobs - 1);
    (void)work(&p);
    for (size_t i = 0; i < jobs; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)pthread_mutex_destroy(&p.lock);
    if (p.failed) {
        *err = p.err;
        return -1;
    }
    return 0;
}

/* ---- reading ---- */

/* What the store itself cannot do now, or does not allow, ends the run; what is wrong with one
 * object is that object's. */
static bool ends_all(const struct error *err)
{
    return err->kind == ERR_RETRY || err->kind == ERR_DENIED;
}

int verify_fetch(struct verify_worker *w, const struct verify_where *where, const struct found *f,
                 size_t max_bytes, struct error *err)
{
    for (unsigned try_number = 1;; try_number++) {
        buf_reset(&w->line);
        if (depot_get(w->store, f->name, f->version, max_bytes, &w->line, err) == 0) {
            return 0;
        }
        if (err->kind != ERR_RETRY || try_number >= TRIES) {
            break;
        }
        deliver_pause(try_number);
    }
    if (ends_all(err)) {
        return err_wrap(err, "%.120s", f->name);
    }
    if (verify_finding(w->vs, where, VERIFY_UNSIGNED, err, "cannot be read: %.150s", err->text) !=
        0) {
        return -1;
    }
    err_clear(err);
    return 1;
}

int verify_fetch_part(struct verify_worker *w, const struct found *f, uint64_t offset, size_t len,
                      struct error *err)
{
    for (unsigned try_number = 1;; try_number++) {
        buf_reset(&w->part);
        if (depot_get_range(w->store, f->name, f->version, offset, len, &w->part, err) == 0) {
            return 0;
        }
        if (err->kind != ERR_RETRY || try_number >= TRIES) {
            break;
        }
        deliver_pause(try_number);
    }
    return ends_all(err) ? err_wrap(err, "%.120s", f->name) : 1;
}
