/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/typed.h"

#include <string.h>

void typed_open(struct typed *q, struct secrets *secrets, size_t max_bytes)
{
    memset(q, 0, sizeof *q);
    q->secrets = secrets;
    q->max_bytes = max_bytes;
}

void typed_close(struct typed *q)
{
    if (q->secrets != NULL) {
        secrets_free(q->secrets, q->bytes);
        secrets_free(q->secrets, q->runs);
        secrets_free(q->secrets, q->keys);
    }
    memset(q, 0, sizeof *q);
}

static bool have_memory(struct typed *q)
{
    if (q->keys == NULL) {
        q->keys = secrets_alloc(q->secrets, TYPED_KEYS * sizeof *q->keys);
    }
    if (q->runs == NULL) {
        q->runs = secrets_alloc(q->secrets, TYPED_RUNS * sizeof *q->runs);
    }
    if (q->bytes == NULL) {
        q->bytes = secrets_alloc(q->secrets, q->max_bytes);
    }
    return q->keys != NULL && q->runs != NULL && q->bytes != NULL;
}

/* Runs that no queued key belongs to are forgotten, but for the newest. */
static void forget_runs(struct typed *q)
{
    uint32_t keep = q->count > 0 ? typed_at(q, 0)->run : q->next_run - 1;

    if (q->next_run > 0 && keep > q->first_run) {
        q->first_run = keep;
    }
}

bool typed_full(const struct typed *q)
{
    /* Room for the longest unit, and for a run of its own. */
    return q->count == TYPED_KEYS || q->len + UNIT_MAX > q->max_bytes ||
           (q->count > 0 && q->next_run - typed_at(q, 0)->run >= TYPED_RUNS - 1);
}

struct typed_run *typed_begin_run(struct typed *q)
{
    struct typed_run *r;

    if (!have_memory(q)) {
        return NULL;
    }
    forget_runs(q);
    /* A storm of runs, ESC upon ESC: the newest goes on. */
    if (q->next_run - q->first_run == TYPED_RUNS) {
        return &q->runs[(q->next_run - 1) % TYPED_RUNS];
    }
    r = &q->runs[q->next_run++ % TYPED_RUNS];
    memset(r, 0, sizeof *r);
    return r;
}

struct typed_key *typed_push(struct typed *q, const struct typed_key *key, const uint8_t *bytes)
{
    struct typed_key *k;

    if (!have_memory(q) || q->count == TYPED_KEYS || q->next_run == 0 ||
        q->len + key->len > q->max_bytes) {
        return NULL;
    }
    if (q->off + q->len + key->len > q->max_bytes) {
        memmove(q->bytes, q->bytes + q->off, q->len);
        explicit_bzero(q->bytes + q->len, q->off);
        q->off = 0;
    }
    memcpy(q->bytes + q->off + q->len, bytes, key->len);
    q->len += key->len;
    k = &q->keys[(q->first + q->count++) % TYPED_KEYS];
    *k = *key;
    k->run = q->next_run - 1;
    return k;
}

struct typed_key *typed_at(const struct typed *q, uint32_t i)
{
    return &q->keys[(q->first + i) % TYPED_KEYS];
}

struct typed_run *typed_run_of(const struct typed *q, const struct typed_key *key)
{
    return &q->runs[key->run % TYPED_RUNS];
}

uint32_t typed_run_length(const struct typed *q)
{
    uint32_t n = 0;

    while (n < q->count && typed_at(q, n)->run == typed_at(q, 0)->run) {
        n++;
    }
    return n;
}

const uint8_t *typed_bytes(const struct typed *q)
{
    return q->bytes + q->off;
}

bool typed_follows(const struct typed *q, uint32_t i, uint32_t j)
{
    const struct typed_key *a = typed_at(q, i), *b = typed_at(q, j);

    if (a->echo_row != b->echo_row) {
        return false;
    }
    /* An editing key between them may have moved the cursor anywhere. */
    return j != i + 1 || (b->echo_col > a->echo_col && b->echo_col <= a->echo_col + 2);
}

void typed_drop(struct typed *q, uint32_t n)
{
    for (uint32_t i = 0; i < n && q->count > 0; i++) {
        struct typed_key *k = typed_at(q, 0);

        explicit_bzero(q->bytes + q->off, k->len);
        q->off += k->len;
        q->len -= k->len;
        explicit_bzero(k, sizeof *k);
        q->first = (q->first + 1) % TYPED_KEYS;
        q->count--;
    }
    if (q->count == 0) {
        q->first = 0;
        q->off = 0;
    }
    forget_runs(q);
}
