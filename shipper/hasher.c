/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/hasher.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
    struct hash_job *first, **last;
};

struct hasher {
    struct reader *evidence;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue todo, done; /* under lock, as is end */
    bool end;
    int fd;
};

static void push(struct queue *q, struct hash_job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
}

static struct hash_job *pop(struct queue *q)
{
    struct hash_job *job = q->first;

    if (job != NULL) {
        q->first = job->next;
        if (q->first == NULL) {
            q->last = &q->first;
        }
    }
    return job;
}

static void *work(void *user)
{
    struct hasher *h = user;

    (void)pthread_mutex_lock(&h->lock);
    while (!h->end) {
        struct hash_job *job = pop(&h->todo);

        if (job == NULL) {
            (void)pthread_cond_wait(&h->more, &h->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&h->lock);
        job->rc = pack_hash(job->pack, h->evidence, &job->sums, NULL, &job->bad, &job->err);
        (void)pthread_mutex_lock(&h->lock);
        push(&h->done, job);
        (void)!write(h->fd, &(uint64_t){1}, sizeof(uint64_t));
    }
    (void)pthread_mutex_unlock(&h->lock);
    return NULL;
}

static int start(struct hasher *h, struct error *err)
{
    sigset_t all, before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&h->thread, NULL, work, h);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : err_set(err, ERR_SYSTEM, "cannot start a thread");
}

int hasher_open(struct hasher **ret, const char *db, struct error *err)
{
    struct hasher *h = calloc(1, sizeof *h);

    if (h == NULL) {
        return err_sys(err, "allocate");
    }
    h->todo.last = &h->todo.first;
    h->done.last = &h->done.first;
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->more, NULL);
    h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->fd < 0) {
        (void)err_sys(err, "eventfd");
    } else if (reader_open(&h->evidence, db, err) == 0) {
        if (start(h, err) == 0) {
            *ret = h;
            return 0;
        }
        reader_close(h->evidence);
    }
    if (h->fd >= 0) {
        close(h->fd);
    }
    free(h);
    return -1;
}

void hasher_close(struct hasher *h)
{
    if (h == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&h->lock);
    h->end = true;
    (void)pthread_cond_signal(&h->more);
    (void)pthread_mutex_unlock(&h->lock);
    (void)pthread_join(h->thread, NULL);
    (void)pthread_cond_destroy(&h->more);
    (void)pthread_mutex_destroy(&h->lock);
    reader_close(h->evidence);
    close(h->fd);
    free(h);
}

int hasher_fd(const struct hasher *h)
{
    return h->fd;
}

void hasher_put(struct hasher *h, struct hash_job *job)
{
    (void)pthread_mutex_lock(&h->lock);
    push(&h->todo, job);
    (void)pthread_cond_signal(&h->more);
    (void)pthread_mutex_unlock(&h->lock);
}

struct hash_job *hasher_take(struct hasher *h)
{
    struct hash_job *job;
    uint64_t n;

    (void)!read(h->fd, &n, sizeof n);
    (void)pthread_mutex_lock(&h->lock);
    job = pop(&h->done);
    if (h->done.first != NULL) {
        (void)!write(h->fd, &(uint64_t){1}, sizeof(uint64_t));
    }
    (void)pthread_mutex_unlock(&h->lock);
    return job;
}
