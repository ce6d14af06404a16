/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/ship_life.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "shipper/keyobject.h"
#include "shipper/state_life.h"
#include "storage/seal/segment.h"

struct newest { /* key of the epoch */
    struct json *json;
    int64_t from_seq;
    struct error *err;
};

static int find(const struct ship_life *l, const char *spec, struct state_batch *ret,
                struct error *err)
{
    int rc = state_batch_find(l->source->state, spec, ret, err);

    return rc == 0 ? err_set(err, ERR_USAGE, "there is no batch %.100s", spec) : rc;
}

static int withhold(const struct ship_life *l, struct error *err)
{
    struct state_batch b;
    char text[MANIFEST_REASON + 64];
    int rc = find(l, l->orders->withhold, &b, err);

    if (rc != 1) {
        return -1;
    }
    rc = batch_withhold(l->source, &b, l->orders->reason, clock_unix_us(), err);
    if (rc == 0) {
        (void)snprintf(text, sizeof text, "batch %" PRId64 " is withheld: %s", b.seq,
                       l->orders->reason);
        rc = state_event(l->source->state, "withheld", text, clock_unix_us(), err);
    }
    state_batch_clear(&b);
    return rc;
}

/* Not before it is sure that its bytes are here: an open redelivery of what was pruned would never
 * end. */
static int again(const struct ship_life *l, struct error *err)
{
    char pack_name[MANIFEST_OBJECT_NAME], name[MANIFEST_OBJECT_NAME];
    const char *const names[] = {name, pack_name};
    struct manifest m = {.seq = 0};
    struct state_batch b;
    struct buf pack;
    int rc = find(l, l->orders->again, &b, err);

    if (rc != 1) {
        return -1;
    }
    m.seq = b.seq;
    m.created_us = b.created_us;
    (void)snprintf(m.host, sizeof m.host, "%s", b.host);
    memcpy(m.pack_sha256, b.pack_sha256, CHAIN_HASH);
    manifest_name(&m, name);
    manifest_pack_name(&m, pack_name);
    buf_init(&pack, SEGMENT_MAX_BYTES + (size_t)b.pack_size);
    rc = state_is_withheld(l->source->state, b.id, err);
    if (rc == 1 || (rc == 0 && !b.done)) {
        rc = err_set(err, ERR_USAGE, "batch %" PRId64 " %s", b.seq,
                     rc == 1 ? "is withheld" : "is on its way already");
    }
    if (rc == 0 && b.segments > 0) {
        rc = batch_pack(l->source, &b, &pack, err);
    }
    if (rc == 0) {
        rc = state_again(l->source->state, b.id, names, b.segments > 0 ? 2 : 1, err);
    }
    buf_clear(&pack);
    state_batch_clear(&b);
    return rc != 0 ? err_wrap(err, "send batch %.80s again", l->orders->again) : 0;
}

static int from_seq_of(void *user, const char *name, const struct buf *line)
{
    struct newest *n = user;
    struct keyobject k;

    (void)name;
    if (keyobject_read(n->json, buf_data(line), line->len, &k, n->err) != 0) {
        return -1;
    }
    n->from_seq = k.from_seq;
    return 0;
}

/* Each key signs one batch at least: two that both sign from one number on contradict each other.
 */
static int use_key(const struct ship_life *l, struct error *err)
{
    struct newest n = {l->source->json, 0, err};
    struct state_identity at;

    if (state_identity(l->source->state, &at, err) != 0 ||
        state_keys(l->source->state, from_seq_of, &n, err) != 0) {
        return -1;
    }
    return n.from_seq > at.seq ? batch_heartbeat(l->source, clock_unix_us(), err) : 0;
}

/* The first manifest under the new key goes out at once: it proves that the host has it. */
static int rotate(const struct ship_life *l, struct error *err)
{
    char text[96];

    if (use_key(l, err) != 0 || identity_rotate(l->who, l->identity, err) != 0 ||
        batch_heartbeat(l->source, clock_unix_us(), err) != 0) {
        return -1;
    }
    (void)snprintf(text, sizeof text, "key %" PRId64 " signs from now on",
                   key_binding(l->identity->key)->number);
    l->note(l->user, text);
    return 0;
}

int ship_life_begin(const struct ship_life *l, struct error *err)
{
    if (batch_boot(l->source, clock_unix_us(), err) < 0 ||
        (l->orders->withhold != NULL && withhold(l, err) != 0) ||
        (l->orders->again != NULL && again(l, err) != 0)) {
        return -1;
    }
    return l->orders->rotate_key ? rotate(l, err) : 0;
}

int ship_life_end(const struct ship_life *l, struct error *err)
{
    if (!l->orders->stop) {
        return 0;
    }
    return batch_stop(l->source, clock_unix_us(), err) == 0 ? 1 : -1;
}

void ship_life_remember(struct state *s, int64_t set_aside, const struct error *err)
{
    int64_t now = clock_unix_us();
    char at[32];

    if (s != NULL) {
        (void)snprintf(at, sizeof at, "%" PRId64, now);
        (void)state_fact_set(s, "run_us", at, now, NULL);
        if (err == NULL) {
            (void)state_fact_set(s, "success_us", at, now, NULL);
        }
        (void)snprintf(at, sizeof at, "%" PRId64, set_aside);
        (void)state_fact_set(s, "set_aside", at, now, NULL);
        (void)state_fact_set(s, "error", err == NULL ? "" : err->text, now, NULL);
    }
}
