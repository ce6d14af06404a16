/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/instance.h"

#include <pthread.h>
#include <stdbool.h>

#include "aws/imds.h"
#include "common/clock.h"
#include "storage/wire/facts.h"

#define DOCUMENT_MAX 16384U
#define AGAIN_US     (60 * UINT64_C(1000000))

static const struct {
    const char *key, *path;
} documents[] = {
    {"document", "/latest/dynamic/instance-identity/document"},
    {"rsa2048", "/latest/dynamic/instance-identity/rsa2048"},
    {"pkcs7", "/latest/dynamic/instance-identity/pkcs7"},
};

/* One program, one instance: what the thread leaves for whoever asks next. */
static struct {
    pthread_mutex_t lock;
    bool running, known;
    uint64_t again_us;
    struct buf facts;
    struct error why;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int ask(struct buf *out, struct error *err)
{
    struct imds *i = NULL;
    struct buf text;
    int rc = imds_open(&i, err);

    buf_init(&text, DOCUMENT_MAX);
    for (size_t n = 0; rc == 0 && n < sizeof documents / sizeof documents[0]; n++) {
        buf_reset(&text);
        rc = imds_get(i, documents[n].path, DOCUMENT_MAX, &text, err) != 0 ||
                     facts_put(out, documents[n].key, buf_data(&text), text.len, err) != 0
                 ? -1
                 : 0;
    }
    buf_clear(&text);
    imds_close(i);
    return rc;
}

static void *run(void *unused)
{
    struct error err = {.kind = ERR_NONE};
    struct buf out;
    int rc;

    (void)unused;
    buf_init(&out, FACTS_MAX);
    rc = ask(&out, &err);
    (void)pthread_mutex_lock(&state.lock);
    state.running = false;
    state.known = rc == 0;
    state.why = err;
    state.again_us = clock_boot_us() + AGAIN_US;
    buf_clear(&state.facts);
    state.facts = out;
    (void)pthread_mutex_unlock(&state.lock);
    return NULL;
}

/* With the lock held. */
static void begin(void)
{
    pthread_attr_t detached;
    pthread_t thread;

    state.running = true;
    if (pthread_attr_init(&detached) != 0) {
        state.running = false;
        return;
    }
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &detached, run, NULL) != 0) {
        state.running = false;
    }
    (void)pthread_attr_destroy(&detached);
}

int instance_facts(struct buf *out, struct error *err)
{
    int rc;

    (void)pthread_mutex_lock(&state.lock);
    if (state.known) {
        rc = buf_append(out, buf_data(&state.facts), state.facts.len, err);
    } else if (!state.running && clock_boot_us() < state.again_us) {
        rc = err_set(err, ERR_RETRY, "no instance metadata: %s", state.why.text);
    } else {
        if (!state.running) {
            begin();
        }
        rc = err_set(err, ERR_RETRY, "the metadata service is being asked");
    }
    (void)pthread_mutex_unlock(&state.lock);
    return rc;
}
