/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "shipper/batch_choose.h"
#include "shipper/batch_kind.h"
#include "shipper/state_many.h"
#include "storage/seal/segment.h"

/* Everything that is not the choice itself; then nothing of it changes any more. */
static int fill(struct manifest *m, const struct batch_source *src, const char *kind,
                const struct pack *pack, const struct pack_sums *sums, int64_t now_us,
                struct error *err)
{
    const struct identity *i = src->identity;
    struct state_identity at;

    if (state_identity(src->state, &at, err) != 0) {
        return -1;
    }
    (void)snprintf(m->kind, sizeof m->kind, "%s", kind);
    (void)snprintf(m->host, sizeof m->host, "%s", i->host);
    (void)snprintf(m->host_id, sizeof m->host_id, "%s", i->host_id);
    memcpy(m->epoch, i->epoch, CHAIN_ID);
    m->seq = at.seq + 1;
    m->created_us = now_us;
    m->key_number = key_binding(i->key)->number;
    memcpy(m->public_key, key_public(i->key), KEY_PUBLIC);
    clock_boot_id(m->boot_id);
    m->heartbeat_h = src->heartbeat_h;
    if (state_skew(src->state, now_us, &m->skew_known, &m->skew_us, err) != 0) {
        return -1;
    }
    memcpy(m->previous_head, at.head, CHAIN_HASH);
    if (pack->n > 0) {
        memcpy(m->pack_sha256, sums->sha256, CHAIN_HASH);
    } else {
        chain_sha256("", 0, m->pack_sha256);
    }
    m->pack_size = (int64_t)pack->len;
    for (size_t n = 0; n < m->n_segments; n++) {
        if (m->segments[n].previous_seq < 0) {
            m->segments[n].previous_seq = m->seq;
            memcpy(m->segments[n].previous_epoch, m->epoch, CHAIN_ID);
        }
    }
    return manifest_head(m, m->head, err);
}

int batch_freeze_choice(struct choice *c, const struct batch_source *src, const char *kind,
                        int64_t now_us, struct error *err)
{
    struct buf line;
    int rc = -1;

    buf_init(&line, MANIFEST_MAX);
    if (choice_open(c, src, err) == 0 &&
        fill(&c->m, src, kind, &c->pack, &c->sums, now_us, err) == 0 &&
        manifest_write(&line, &c->m, &c->session_lines, src->identity->key, err) == 0) {
        rc = state_freeze(src->state, &c->m, c->rows, &line, err);
    }
    buf_clear(&line);
    return rc;
}

void batch_walk_clear(struct batch_walk *w)
{
    free(w->stuck);
    free(w->open);
    memset(w, 0, sizeof *w);
}

int batch_choose(const struct batch_source *src, struct choice **ret, struct error *err)
{
    struct choice *c = calloc(1, sizeof *c);
    int rc;

    if (c == NULL) {
        return err_sys(err, "allocate");
    }
    choice_init(c);
    rc = reader_begin(src->evidence, err);
    if (rc == 0) {
        rc = choice_segments(c, src, err);
        reader_end(src->evidence);
    }
    if (rc == 0 && c->m.n_segments > 0) {
        *ret = c;
        return 1;
    }
    if (rc == 0) {
        src->walk->after = c->after;
    }
    batch_drop(c);
    return rc == 0 ? 0 : err_wrap(err, "choose a batch");
}

void batch_drop(struct choice *c)
{
    if (c != NULL) {
        choice_clear(c);
        free(c);
    }
}

const struct pack *batch_chosen(const struct choice *c, struct pack_sums **ret_sums)
{
    *ret_sums = (struct pack_sums *)(uintptr_t)&c->sums;
    return &c->pack;
}

int batch_refuse(const struct batch_source *src, const struct choice *c, size_t bad,
                 const char *why, struct error *err)
{
    return choice_stuck(src, c->m.segments[bad].session, c->m.segments[bad].number, why, err);
}

int batch_seal(const struct batch_source *src, struct choice *c, int64_t now_us,
               struct pack *ret_pack, struct error *err)
{
    if (batch_freeze_choice(c, src, "batch", now_us, err) != 0) {
        return err_wrap(err, "freeze a batch");
    }
    src->walk->after = c->after;
    if (ret_pack != NULL) {
        *ret_pack = c->pack;
        memset(&c->pack, 0, sizeof c->pack);
    }
    return 0;
}

static int freeze_next(const struct batch_source *src, int64_t now_us, struct buf *ret_pack,
                       struct error *err)
{
    for (;;) {
        struct choice *c = NULL;
        size_t had = ret_pack->len, bad;
        int rc = batch_choose(src, &c, err);

        if (rc != 1) {
            return rc;
        }
        rc = pack_hash(&c->pack, src->evidence, &c->sums, ret_pack, &bad, err);
        if (rc == 0) {
            rc = batch_seal(src, c, now_us, NULL, err) == 0 ? 1 : -1;
        } else if (err->kind == ERR_CORRUPT && bad < c->pack.n) {
            ret_pack->len = had;
            rc = batch_refuse(src, c, bad, "a segment's bytes are not what was sealed", err);
        }
        batch_drop(c);
        if (rc != 0) {
            return rc;
        }
    }
}

int batch_freeze(const struct batch_source *src, int64_t now_us, struct buf *ret_pack,
                 struct error *err)
{
    struct batch_source with = *src;
    struct batch_walk walk = {.after = 0};
    int rc;

    if (src->walk == NULL) {
        with.walk = &walk;
    }
    rc = freeze_next(&with, now_us, ret_pack, err);
    batch_walk_clear(&walk);
    return rc;
}

int batch_heartbeat(const struct batch_source *src, int64_t now_us, struct error *err)
{
    struct choice c;
    int rc;

    choice_init(&c);
    rc = batch_freeze_choice(&c, src, "heartbeat", now_us, err);
    choice_clear(&c);
    return rc != 0 ? err_wrap(err, "freeze a heartbeat") : 0;
}

bool batch_heartbeat_due(int64_t last_us, int64_t now_us, int64_t hours)
{
    return hours > 0 && last_us > 0 && now_us - last_us >= hours * INT64_C(3600000000);
}

struct packing {
    struct pack *pack;
    struct error *err;
};

static int pack_member(void *user, const struct state_member *m)
{
    struct packing *p = user;

    if (m->length <= 0 || m->length > SEGMENT_MAX_BYTES || m->offset != (int64_t)p->pack->len) {
        return err_set(p->err, ERR_CORRUPT, "a member of a batch is damaged");
    }
    return pack_add(p->pack, m->session_row, m->number, (size_t)m->length, NULL, p->err);
}

int batch_parts(const struct batch_source *src, const struct state_batch *b, struct pack *ret,
                struct error *err)
{
    struct packing p = {ret, err};

    return state_members(src->state, b->id, pack_member, &p, err);
}

int batch_pack(const struct batch_source *src, const struct state_batch *b, struct buf *ret,
               struct error *err)
{
    struct pack p = {.n = 0};
    struct pack_sums sums = {.with_md5 = false};
    size_t bad;
    int rc = batch_parts(src, b, &p, err);

    if (rc == 0) {
        rc = pack_hash(&p, src->evidence, &sums, ret, &bad, err);
    }
    if (rc == 0 && memcmp(sums.sha256, b->pack_sha256, CHAIN_HASH) != 0) {
        rc = err_set(err, ERR_CORRUPT, "a segment that was frozen is changed");
    }
    pack_clear(&p);
    return rc;
}
