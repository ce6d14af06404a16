/* SPDX-License-Identifier: Apache-2.0 */
/* Key objects and manifests: who signed what, and whether it stands where it says it stands. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verify_store.h"

static struct keyobject *find_key(struct verify_store *vs, const char *host,
                                  const uint8_t epoch[CHAIN_ID], int64_t number)
{
    for (size_t i = 0; i < vs->n_keys; i++) {
        struct keyobject *k = &vs->hosts_keys[i];

        if (strcmp(k->host, host) == 0 && memcmp(k->epoch, epoch, CHAIN_ID) == 0 &&
            k->number == number) {
            return k;
        }
    }
    return NULL;
}

static int add_key(struct verify_store *vs, struct found *f, const struct buf *line, size_t *cap,
                   struct error *err)
{
    struct error bad = {.kind = ERR_NONE};
    struct keyobject k, *same;
    char name[KEYOBJECT_HOST + 128];
    void *at = vs->hosts_keys;

    if (keyobject_read(vs->json, buf_data(line), line->len, &k, &bad) != 0) {
        verify_finding(vs, "object", f->name, VERIFY_UNSIGNED, "%s", bad.text);
        return 0;
    }
    keyobject_name(k.host, k.epoch, k.number, name, sizeof name);
    if (strlen(name) != verify_base(f->name) || strncmp(name, f->name, strlen(name)) != 0) {
        verify_finding(vs, "object", f->name, VERIFY_ALTERED, "the key of %.128s stands here",
                       k.host);
        return 0;
    }
    same = find_key(vs, k.host, k.epoch, k.number);
    if (same != NULL) {
        if (memcmp(same->public_key, k.public_key, KEY_PUBLIC) != 0) {
            verify_finding(vs, "object", f->name, VERIFY_ALTERED, "two keys under one number");
        }
        return 0;
    }
    if (k.chained && !k.previous_ok) {
        verify_finding(vs, "object", f->name, VERIFY_ALTERED,
                       "not signed by the key that it follows");
        return 0;
    }
    if (verify_grow(&at, cap, vs->n_keys, sizeof k, err) != 0) {
        return -1;
    }
    vs->hosts_keys = at;
    vs->hosts_keys[vs->n_keys++] = k;
    f->used = true;
    return 0;
}

int verify_keys(struct verify_store *vs, struct error *err)
{
    size_t cap = 0;
    struct buf line;
    int rc = 0;

    buf_init(&line, KEYOBJECT_MAX);
    for (size_t i = 0; rc == 0 && i < vs->keys.n; i++) {
        struct found *f = &vs->keys.at[i];

        if (f->delete_marker) {
            continue;
        }
        buf_reset(&line);
        if (f->size > KEYOBJECT_MAX) {
            verify_finding(vs, "object", f->name, VERIFY_UNSIGNED, "too large for a key object");
        } else {
            int got = verify_get_or_say(vs, "object", f, KEYOBJECT_MAX, &line, err);

            rc = got < 0 ? -1 : got > 0 ? 0 : add_key(vs, f, &line, &cap, err);
        }
    }
    buf_clear(&line);
    return rc;
}

/* ---- manifests ---- */

static bool stands_at(const struct manifest *m, const char *name)
{
    char expected[MANIFEST_OBJECT_NAME];

    manifest_name(m, expected);
    return strlen(expected) == verify_base(name) && strncmp(expected, name, strlen(expected)) == 0;
}

/* Whether ${m} may be believed; what keeps it from that is reported. */
static bool believe(struct verify_store *vs, const struct found *f, const struct buf *line,
                    const struct manifest *m, struct error *bad)
{
    const struct keyobject *k = find_key(vs, m->host, m->epoch, m->key_number);
    uint8_t head[CHAIN_HASH];

    if (k == NULL || memcmp(k->public_key, m->public_key, KEY_PUBLIC) != 0) {
        verify_finding(vs, "batch", f->name, VERIFY_UNKNOWN_KEY,
                       "no key object of this host tells of its key");
    } else if (manifest_signed(buf_data(line), line->len, k->public_key) != 1) {
        verify_finding(vs, "batch", f->name, VERIFY_ALTERED, "its signature does not hold");
    } else if (!stands_at(m, f->name)) {
        verify_finding(vs, "batch", f->name, VERIFY_ALTERED,
                       "batch %" PRId64 " of %.128s stands here", m->seq, m->host);
    } else if (manifest_head(m, head, bad) != 0 || memcmp(head, m->head, CHAIN_HASH) != 0) {
        verify_finding(vs, "batch", f->name, VERIFY_ALTERED, "its head is not of its composition");
    } else {
        return true;
    }
    return false;
}

static int add_manifest(struct verify_store *vs, struct found *f, const struct buf *line,
                        size_t *cap, struct error *err)
{
    struct error bad = {.kind = ERR_NONE};
    uint8_t sig[KEY_SIGNATURE];
    struct checked_manifest c;
    void *at = vs->manifests;
    size_t n = 0;

    if (!key_split_line(buf_data(line), line->len, &n, sig)) {
        verify_finding(vs, "batch", f->name, VERIFY_UNSIGNED, "no signature at its end");
        return 0;
    }
    if (manifest_read(vs->json, buf_data(line), line->len, &c.m, &bad) != 0) {
        verify_finding(vs, "batch", f->name, VERIFY_ALTERED, "%s", bad.text);
        manifest_clear(&c.m);
        return 0;
    }
    if (!believe(vs, f, line, &c.m, &bad)) {
        manifest_clear(&c.m);
        return 0;
    }
    chain_sha256(buf_data(line), line->len, c.sha256);
    if (verify_grow(&at, cap, vs->n_manifests, sizeof c, err) != 0) {
        manifest_clear(&c.m);
        return -1;
    }
    vs->manifests = at;
    vs->manifests[vs->n_manifests++] = c;
    f->used = true;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct manifest *x = &((const struct checked_manifest *)a)->m;
    const struct manifest *y = &((const struct checked_manifest *)b)->m;
    int c = strcmp(x->host, y->host);

    c = c != 0 ? c : memcmp(x->epoch, y->epoch, CHAIN_ID);
    return c != 0 ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

/* Copies with equal bytes count once; different bytes under one number do not happen by themselves.
 */
static void drop_copies(struct verify_store *vs)
{
    size_t kept = 0;

    for (size_t i = 0; i < vs->n_manifests; i++) {
        struct checked_manifest *c = &vs->manifests[i];

        if (kept > 0 && by_place(&vs->manifests[kept - 1], c) == 0) {
            if (memcmp(vs->manifests[kept - 1].sha256, c->sha256, CHAIN_HASH) != 0) {
                verify_finding(vs, "batch", c->m.host, VERIFY_ALTERED,
                               "two manifests under number %" PRId64, c->m.seq);
            } else {
                vs->v->sum.orphans++;
            }
            manifest_clear(&c->m);
        } else {
            vs->manifests[kept++] = *c;
        }
    }
    vs->n_manifests = kept;
    vs->v->sum.batches = (int64_t)kept;
}

int verify_manifests(struct verify_store *vs, struct error *err)
{
    size_t cap = 0;
    struct buf line;
    int rc = 0;

    buf_init(&line, MANIFEST_MAX);
    for (size_t i = 0; rc == 0 && i < vs->batches.n; i++) {
        struct found *f = &vs->batches.at[i];

        if (f->delete_marker) {
            continue;
        }
        buf_reset(&line);
        if (f->size > MANIFEST_MAX) {
            verify_finding(vs, "batch", f->name, VERIFY_UNSIGNED, "too large for a manifest");
        } else {
            int got = verify_get_or_say(vs, "batch", f, MANIFEST_MAX, &line, err);

            rc = got < 0 ? -1 : got > 0 ? 0 : add_manifest(vs, f, &line, &cap, err);
        }
    }
    buf_clear(&line);
    if (vs->n_manifests > 0) {
        qsort(vs->manifests, vs->n_manifests, sizeof *vs->manifests, by_place);
    }
    drop_copies(vs);
    return rc;
}
