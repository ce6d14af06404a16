/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/verify_store.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int run(struct verify_store *vs, struct error *err)
{
    bool absent = false;

    if (verify_list(vs, err) != 0 || verify_scope_batches(vs, &absent, err) != 0) {
        return -1;
    }
    if (absent) {
        verify_findings_report(vs);
        return 0;
    }
    if (verify_keys(vs, err) != 0 || verify_manifests(vs, err) != 0 || verify_hosts(vs, err) != 0 ||
        verify_sessions(vs, err) != 0 || verify_scope_session(vs, &absent, err) != 0) {
        return -1;
    }
    if (verify_left(vs, err) != 0) {
        return -1;
    }
    verify_findings_report(vs);
    return vs->v->then == NULL || absent ? 0 : vs->v->then(vs->v->user, vs, err);
}

static void not_owned(void *batch)
{
    (void)batch;
}

static void clear(struct verify_store *vs)
{
    tdestroy(vs->lines, not_owned);
    for (size_t i = 0; i < vs->n_list; i++) {
        verify_batch_free(vs->list[i]);
    }
    free(vs->list);
    free(vs->segments);
    free(vs->hosts_keys);
    free(vs->by_public);
    free(vs->by_epoch);
    verify_said_clear(vs);
    verify_findings_clear(vs);
    verify_list_clear(&vs->keys);
    verify_list_clear(&vs->batches);
    verify_list_clear(&vs->packs);
    depot_close(vs->store);
    (void)pthread_mutex_destroy(&vs->lock);
    (void)pthread_mutex_destroy(&vs->large);
}

int verify_store(struct verify *v, const char *url, const struct conf *conf, struct error *err)
{
    struct verify_store vs = {.v = v, .url = url, .conf = conf};
    int rc = -1;

    vs.bucket = strncmp(url, "s3://", 5) == 0;
    (void)pthread_mutex_init(&vs.lock, NULL);
    (void)pthread_mutex_init(&vs.large, NULL);
    if (depot_open(&vs.store, url, conf, err) == 0) {
        rc = run(&vs, err);
    }
    clear(&vs);
    return rc == 0 ? 0 : err_wrap(err, "verify %.120s", url);
}
