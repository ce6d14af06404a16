/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/writer/checkpoint.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db/store.h"

/* How long a TRUNCATE may keep the commit loop from its next transaction. */
#define TRUNCATE_BUSY_MS 20

struct checkpoint {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    char *path;
    int64_t wal_max, asked;
    bool stop, idle, truncating;
};

static void set_truncating(struct checkpoint *c, bool on)
{
    pthread_mutex_lock(&c->lock);
    c->truncating = on;
    pthread_mutex_unlock(&c->lock);
}

static void run(struct checkpoint *c, bool truncate)
{
    bool busy;

    /* PASSIVE first: what TRUNCATE then has to do under the writer's lock is little. */
    if (store_checkpoint(c->path, -1, &busy, NULL) != 0 || !truncate) {
        return;
    }
    set_truncating(c, true);
    (void)store_checkpoint(c->path, TRUNCATE_BUSY_MS, &busy, NULL);
    set_truncating(c, false);
}

static void *work(void *user)
{
    struct checkpoint *c = user;

    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        bool truncate = c->idle || c->asked > c->wal_max;

        if (c->asked == 0) {
            pthread_cond_wait(&c->work, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        run(c, truncate);
        pthread_mutex_lock(&c->lock);
        c->asked = 0;
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

int checkpoint_start(struct checkpoint **ret, const char *path, int64_t wal_max, struct error *err)
{
    struct checkpoint *c = calloc(1, sizeof *c);
    int rc;

    if (c == NULL || (c->path = strdup(path)) == NULL) {
        free(c);
        return err_sys(err, "allocate");
    }
    c->wal_max = wal_max;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    rc = pthread_create(&c->thread, NULL, work, c);
    if (rc != 0) {
        free(c->path);
        free(c);
        return err_set(err, ERR_SYSTEM, "start the checkpoint thread: error %d", rc);
    }
    *ret = c;
    return 0;
}

void checkpoint_stop(struct checkpoint *c)
{
    if (c == NULL) {
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->work);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->work);
    pthread_mutex_destroy(&c->lock);
    free(c->path);
    free(c);
}

void checkpoint_ask(struct checkpoint *c, int64_t wal_bytes, bool idle)
{
    pthread_mutex_lock(&c->lock);
    if (c->asked == 0) {
        c->asked = wal_bytes;
        c->idle = idle;
        pthread_cond_signal(&c->work);
    }
    pthread_mutex_unlock(&c->lock);
}

bool checkpoint_wants_turn(struct checkpoint *c)
{
    bool wants;

    if (c == NULL) {
        return false;
    }
    pthread_mutex_lock(&c->lock);
    wants = c->truncating;
    pthread_mutex_unlock(&c->lock);
    return wants;
}
