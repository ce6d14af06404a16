/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, each by itself: who signed it, whether it stands where it says, and its pack.  Nothing
 * is parsed before its signature holds. */
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

#define KEY_MEMBER ",\"public_key\":\""
#define KEY_WITHIN 4096U              /* it stands near the beginning of the line */
#define LARGE      (2U * 1024 * 1024) /* one at a time above it */
#define VALUES_MAX (4U * 1024 * 1024) /* of a line: what parsing it takes is bounded by that */

/* The public key of a line that is not believed yet. */
static bool find_public(const struct buf *line, uint8_t ret[KEY_PUBLIC])
{
    size_t within = line->len < KEY_WITHIN ? line->len : KEY_WITHIN;
    const uint8_t *end = buf_data(line) + within;
    const uint8_t *at = memmem(buf_data(line), within, KEY_MEMBER, sizeof KEY_MEMBER - 1);
    char hex[2 * KEY_PUBLIC + 1];

    if (at == NULL || (size_t)(end - at) < sizeof KEY_MEMBER - 1 + 2 * KEY_PUBLIC) {
        return false;
    }
    memcpy(hex, at + sizeof KEY_MEMBER - 1, 2 * KEY_PUBLIC);
    hex[2 * KEY_PUBLIC] = '\0';
    return io_unhex(hex, ret, KEY_PUBLIC) == 0;
}

/* No more values than this, however they are nested. */
static bool few_values(const struct buf *line)
{
    size_t n = 0;

    for (size_t i = 0; i < line->len; i++) {
        uint8_t c = buf_data(line)[i];

        n += c == ',' || c == ':' || c == '[' || c == '{';
    }
    return n <= VALUES_MAX;
}

static const struct verify_key *key_of(const struct verify_store *vs, const struct manifest *m)
{
    for (size_t i = verify_key_find(vs, m->public_key);
         i < vs->n_keys && memcmp(vs->by_public[i]->k.public_key, m->public_key, KEY_PUBLIC) == 0;
         i++) {
        const struct keyobject *k = &vs->by_public[i]->k;

        if (strcmp(k->host, m->host) == 0 && memcmp(k->epoch, m->epoch, CHAIN_ID) == 0 &&
            k->number == m->key_number) {
            return vs->by_public[i];
        }
    }
    return NULL;
}

/* Exactly one key is right for each number: a key that was stolen signs nothing after its
 * replacement. */
static bool signs(const struct verify_store *vs, const struct verify_key *k, int64_t seq)
{
    const struct verify_key *next = k + 1;

    if (k->k.from_seq > seq) {
        return false;
    }
    return next == vs->hosts_keys + vs->n_keys || strcmp(next->k.host, k->k.host) != 0 ||
           memcmp(next->k.epoch, k->k.epoch, CHAIN_ID) != 0 || next->k.from_seq > seq;
}

static bool stands_at(const struct manifest *m, const struct found *f)
{
    char expected[MANIFEST_OBJECT_NAME];

    manifest_name(m, expected);
    return strlen(expected) == f->base && strncmp(expected, f->name, f->base) == 0;
}

/* The segments lie end to end in the pack; numbers stay where nothing overflows. */
static bool in_order(const struct manifest *m)
{
    int64_t offset = 0;

    for (size_t i = 0; i < m->n_segments; i++) {
        const struct manifest_segment *s = &m->segments[i];

        if (s->offset != offset || s->length > m->pack_size - offset ||
            s->number > VERIFY_NUMBER_MAX) {
            return false;
        }
        offset += s->length;
    }
    return offset == m->pack_size;
}

static const char *const kinds[] = {[KIND_BATCH] = "batch",
                                    [KIND_HEARTBEAT] = "heartbeat",
                                    [KIND_BOOT] = "boot",
                                    [KIND_STOP] = "stop",
                                    [KIND_WITHHELD] = "withheld"};
#define KINDS (sizeof kinds / sizeof kinds[0])

static size_t kind_of(const char *kind)
{
    size_t i = 0;

    while (i < KINDS && strcmp(kinds[i], kind) != 0) {
        i++;
    }
    return i;
}

/* Why ${m}, whose signature holds, does not count: ${ret} and its verdict; NULL when it does. */
static const char *disbelief(const struct verify_store *vs, const struct found *f,
                             const struct manifest *m, const struct verify_key *k,
                             enum verify_verdict *ret)
{
    struct error bad = {.kind = ERR_NONE};
    uint8_t head[CHAIN_HASH];

    *ret = VERIFY_UNKNOWN_KEY;
    if (k == NULL) {
        return "its key is that of another host, epoch or number";
    }
    if (!signs(vs, k, m->seq)) {
        return "its key does not sign batches of this number";
    }
    if (k->trust == TRUST_UNKNOWN) {
        return "its key is not pinned";
    }
    *ret = VERIFY_ALTERED;
    if (!stands_at(m, f)) {
        return "it is another batch than its name says";
    }
    if (manifest_head(m, head, &bad) != 0 || memcmp(head, m->head, CHAIN_HASH) != 0) {
        return "its head is not of its composition";
    }
    if (strcmp(m->kind, "withheld") == 0 && m->withheld.reason[0] == '\0') {
        return "it withholds without a reason";
    }
    if (kind_of(m->kind) == KINDS || (strcmp(m->kind, "batch") == 0) != (m->n_segments > 0)) {
        return "of a kind that we do not know, or its segments do not fit its kind";
    }
    return in_order(m) ? NULL : "its segments do not lie end to end";
}

static int copy_withheld(struct verify_batch *b, const struct manifest *m, struct error *err)
{
    const struct manifest_withheld *from = &m->withheld;
    struct verify_withheld *w;

    if (b->kind != KIND_WITHHELD) {
        return 0;
    }
    w = b->withheld = calloc(1, sizeof *w);
    if (w == NULL || (w->reason = strdup(from->reason)) == NULL ||
        (w->segments = calloc(from->n_segments + 1, sizeof *w->segments)) == NULL) {
        return err_sys(err, "allocate");
    }
    w->seq = from->seq;
    memcpy(w->sha256, from->sha256, CHAIN_HASH);
    memcpy(w->composition, from->composition, CHAIN_HASH);
    memcpy(w->head, from->head, CHAIN_HASH);
    for (; w->n < from->n_segments; w->n++) {
        memcpy(w->segments[w->n].session, from->segments[w->n].session, CHAIN_ID);
        memcpy(w->segments[w->n].sha256, from->segments[w->n].sha256, CHAIN_HASH);
        w->segments[w->n].number = from->segments[w->n].number;
    }
    return 0;
}

void verify_batch_free(struct verify_batch *b)
{
    if (b != NULL && b->withheld != NULL) {
        free(b->withheld->reason);
        free(b->withheld->segments);
        free(b->withheld);
    }
    free(b);
}

static int make_batch(struct verify_batch **ret, struct verify_worker *w, struct found *f,
                      const struct manifest *m, const struct verify_key *k, struct error *err)
{
    struct verify_batch *b = calloc(1, sizeof *b);

    if (b == NULL) {
        return err_sys(err, "allocate");
    }
    *b = (struct verify_batch){.key = k,
                               .found = f,
                               .seq = m->seq,
                               .created_us = m->created_us,
                               .skew_us = m->skew_known ? m->skew_us : 0,
                               .heartbeat_h = m->heartbeat_h,
                               .pack_size = m->pack_size,
                               .kind = (enum verify_batch_kind)kind_of(m->kind),
                               .pack_verdict = VERIFY_COMPLETE};
    (void)io_unhex(m->boot_id, b->boot_id, CHAIN_ID); /* zeros for what is none */
    memcpy(b->previous_head, m->previous_head, CHAIN_HASH);
    memcpy(b->head, m->head, CHAIN_HASH);
    chain_sha256(buf_data(&w->line), w->line.len, b->line_sha256);
    *ret = b;
    return copy_withheld(b, m, err);
}

/* ---- what is kept ---- */

bool verify_in_scope(const struct verify_store *vs, const uint8_t id[CHAIN_ID])
{
    const char *want = vs->v->scope.session;
    char hex[2 * CHAIN_ID + 1];

    return want == NULL || strncmp(io_hex(id, CHAIN_ID, hex), want, strlen(want)) == 0;
}

static bool any_in_scope(const struct verify_store *vs, const struct manifest *m)
{
    for (size_t i = 0; i < m->n_segments; i++) {
        if (verify_in_scope(vs, m->segments[i].session)) {
            return true;
        }
    }
    return false;
}

static int keep_segment(struct verify_store *vs, const struct verify_batch *b,
                        const struct manifest_segment *s, enum verify_verdict verdict,
                        struct error *err)
{
    void *at = vs->segments;
    struct verify_segment *to;

    if (!verify_in_scope(vs, s->session)) {
        return 0;
    }
    if (verify_grow(&at, &vs->segments_cap, vs->n_segments, sizeof *vs->segments, err) != 0) {
        return -1;
    }
    vs->segments = at;
    to = &vs->segments[vs->n_segments++];
    *to = (struct verify_segment){.number = s->number,
                                  .offset = s->offset,
                                  .length = s->length,
                                  .batch = b,
                                  .verdict = verdict,
                                  .final = s->final};
    memcpy(to->session, s->session, CHAIN_ID);
    memcpy(to->epoch, s->epoch, CHAIN_ID);
    memcpy(to->sha256, s->sha256, CHAIN_HASH);
    memcpy(to->head, s->head, CHAIN_HASH);
    return 0;
}

static int by_line(const void *a, const void *b)
{
    return memcmp(((const struct verify_batch *)a)->line_sha256,
                  ((const struct verify_batch *)b)->line_sha256, CHAIN_HASH);
}

/* Whether this very line was met before: then nothing of it has to be read again, however many
 * copies somebody lays there.  Of copies the one that was stored first stands for all. */
static bool met_before(struct verify_store *vs, const struct verify_batch *b)
{
    struct verify_batch *const *at;
    bool found;

    (void)pthread_mutex_lock(&vs->lock);
    at = tfind(b, &vs->lines, by_line);
    found = at != NULL;
    if (found) {
        struct verify_batch *first = *at;

        b->found->same = true;
        if (b->found->modified_us < first->found->modified_us ||
            (b->found->modified_us == first->found->modified_us &&
             strcmp(b->found->name, first->found->name) < 0)) {
            first->found->same = true;
            first->found->used = false;
            first->found = b->found;
            first->found->used = true;
        }
    }
    (void)pthread_mutex_unlock(&vs->lock);
    return found;
}

/* The batch belongs to ${vs} from here on, also after an error. */
static int keep_batch(struct verify_store *vs, struct verify_batch *b, const struct manifest *m,
                      const enum verify_verdict *verdicts, struct error *err)
{
    void *at;
    int rc;

    (void)pthread_mutex_lock(&vs->lock);
    at = vs->list;
    rc = verify_grow(&at, &vs->list_cap, vs->n_list, sizeof(void *), err);
    vs->list = at;
    if (rc == 0 && tsearch(b, &vs->lines, by_line) == NULL) {
        rc = err_sys(err, "allocate");
    }
    if (rc == 0) {
        vs->list[vs->n_list++] = b;
        b->found->used = true;
    } else {
        verify_batch_free(b);
    }
    for (size_t i = 0; rc == 0 && i < m->n_segments; i++) {
        rc = keep_segment(vs, b, &m->segments[i], verdicts[i], err);
    }
    (void)pthread_mutex_unlock(&vs->lock);
    return rc == 0 ? verify_said_note(vs, b, m, err) : rc;
}

static int believe(struct verify_worker *w, struct found *f, const struct manifest *m,
                   const struct verify_key *k, struct error *err)
{
    enum verify_verdict *verdicts = calloc(m->n_segments + 1, sizeof *verdicts);
    struct verify_batch *b = NULL;
    int rc = -1;

    if (verdicts == NULL) {
        (void)err_sys(err, "allocate");
    } else if (make_batch(&b, w, f, m, k, err) == 0) {
        if (met_before(w->vs, b)) {
            rc = 0;
        } else if (!any_in_scope(w->vs, m) || verify_pack(w, b, m, verdicts, err) == 0) {
            rc = keep_batch(w->vs, b, m, verdicts, err);
            b = NULL;
        }
    }
    verify_batch_free(b);
    free(verdicts);
    return rc;
}

/* ---- reading one ---- */

static int judge(struct verify_worker *w, struct found *f, const struct verify_where *where,
                 const uint8_t signer[KEY_PUBLIC], struct manifest *m, struct error *err)
{
    struct error bad = {.kind = ERR_NONE};
    enum verify_verdict verdict = VERIFY_ALTERED;
    const struct verify_key *k;
    const char *why;

    if (!few_values(&w->line)) {
        return verify_finding(w->vs, where, VERIFY_ALTERED, err, "more values than a manifest has");
    }
    if (manifest_read(w->json, buf_data(&w->line), w->line.len, m, &bad) != 0) {
        return verify_finding(w->vs, where, VERIFY_ALTERED, err, "signed, and wrong: %s", bad.text);
    }
    /* What was searched for in the raw line may have stood inside something else. */
    if (memcmp(m->public_key, signer, KEY_PUBLIC) != 0) {
        return verify_finding(w->vs, where, VERIFY_UNKNOWN_KEY, err,
                              "signed by another key than the one it names");
    }
    k = key_of(w->vs, m);
    why = disbelief(w->vs, f, m, k, &verdict);
    if (why != NULL) {
        return verify_finding(w->vs, where, verdict, err,
                              "%s (signed by %.128s, batch %" PRId64 ")", why, m->host, m->seq);
    }
    return believe(w, f, m, k, err);
}

static int read_one(struct verify_worker *w, struct found *f, struct error *err)
{
    uint8_t public_key[KEY_PUBLIC], sig[KEY_SIGNATURE];
    struct verify_name name;
    struct verify_where where = {.what = "batch", .id = f->name, .object = f->name};
    struct manifest m = {.seq = 0};
    size_t n = 0, at;
    int rc;

    (void)verify_name_parse(f->name, &name);
    where.host = name.host;
    where.batch = name.seq;
    rc = verify_fetch(w, &where, f, MANIFEST_MAX, err);
    if (rc != 0) {
        return rc < 0 ? -1 : 0;
    }
    if (!key_split_line(buf_data(&w->line), w->line.len, &n, sig)) {
        return verify_finding(w->vs, &where, VERIFY_UNSIGNED, err, "no signature at its end");
    }
    if (!find_public(&w->line, public_key)) {
        return verify_finding(w->vs, &where, VERIFY_UNSIGNED, err, "it names no key");
    }
    at = verify_key_find(w->vs, public_key);
    if (at == w->vs->n_keys ||
        memcmp(w->vs->by_public[at]->k.public_key, public_key, KEY_PUBLIC) != 0) {
        return verify_finding(w->vs, &where, VERIFY_UNKNOWN_KEY, err,
                              "no key object tells of its key");
    }
    if (manifest_signed(buf_data(&w->line), w->line.len, public_key) != 1) {
        return verify_finding(w->vs, &where, VERIFY_ALTERED, err, "its signature does not hold");
    }
    rc = judge(w, f, &where, public_key, &m, err);
    manifest_clear(&m);
    return rc;
}

static int one_manifest(struct verify_worker *w, size_t i, struct error *err)
{
    struct found *f = &w->vs->batches.at[i];
    const struct verify_where where = {.what = "batch", .id = f->name, .object = f->name};
    int rc;

    if (f->delete_marker) {
        return 0;
    }
    if (f->size > MANIFEST_MAX) {
        rc = verify_finding(w->vs, &where, VERIFY_UNSIGNED, err, "too large for a manifest");
    } else if (f->size <= LARGE) {
        rc = read_one(w, f, err);
    } else {
        (void)pthread_mutex_lock(&w->vs->large);
        rc = read_one(w, f, err);
        buf_clear(&w->line);
        (void)pthread_mutex_unlock(&w->vs->large);
    }
    (void)pthread_mutex_lock(&w->vs->lock);
    f->doubted = !f->used && !f->same;
    (void)pthread_mutex_unlock(&w->vs->lock);
    return rc;
}

int verify_manifests(struct verify_store *vs, struct error *err)
{
    return verify_pool(vs, "batches", vs->batches.n, one_manifest, err);
}
