/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "shipper/batch_choose.h"

/* Everything that is not the choice itself; then nothing of it changes any more. */
static int fill(struct manifest *m, const struct batch_source *src, const char *kind,
                const struct buf *pack, int64_t now_us, struct error *err)
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
    memcpy(m->previous_head, at.head, CHAIN_HASH);
    chain_sha256(pack == NULL ? (const void *)"" : buf_data(pack), pack == NULL ? 0 : pack->len,
                 m->pack_sha256);
    m->pack_size = pack == NULL ? 0 : (int64_t)pack->len;
    for (size_t n = 0; n < m->n_segments; n++) {
        if (m->segments[n].previous_seq < 0) {
            m->segments[n].previous_seq = m->seq;
            memcpy(m->segments[n].previous_epoch, m->epoch, CHAIN_ID);
        }
    }
    return manifest_head(m, m->head, err);
}

static int freeze(struct choice *c, const struct batch_source *src, const char *kind,
                  const struct buf *pack, int64_t now_us, struct error *err)
{
    struct buf line;
    int rc = -1;

    buf_init(&line, MANIFEST_MAX);
    if (choice_open(c, src, err) == 0 && fill(&c->m, src, kind, pack, now_us, err) == 0 &&
        manifest_write(&line, &c->m, &c->session_lines, src->identity->key, err) == 0) {
        rc = state_freeze(src->state, &c->m, c->rows, &line, err);
    }
    buf_clear(&line);
    return rc;
}

int batch_freeze(const struct batch_source *src, int64_t now_us, struct buf *ret_pack,
                 struct error *err)
{
    struct choice c;
    int rc;

    choice_init(&c);
    rc = choice_segments(&c, src, ret_pack, err);
    if (rc == 0 && c.m.n_segments > 0) {
        rc = freeze(&c, src, "batch", ret_pack, now_us, err) == 0 ? 1 : -1;
    }
    choice_clear(&c);
    return rc < 0 ? err_wrap(err, "freeze a batch") : rc;
}

int batch_heartbeat(const struct batch_source *src, int64_t now_us, struct error *err)
{
    struct choice c;
    int rc;

    choice_init(&c);
    rc = freeze(&c, src, "heartbeat", NULL, now_us, err);
    choice_clear(&c);
    return rc != 0 ? err_wrap(err, "freeze a heartbeat") : 0;
}

bool batch_heartbeat_due(int64_t last_us, int64_t now_us, int64_t hours)
{
    return hours > 0 && last_us > 0 && now_us - last_us >= hours * INT64_C(3600000000);
}

struct packing {
    const struct batch_source *src;
    struct buf *pack;
    size_t start;
    struct error *err;
};

static int pack_member(void *user, const struct state_member *m)
{
    struct packing *p = user;
    size_t before = p->pack->len;
    struct segment_row g;
    int rc = reader_segment(p->src->evidence, m->session_row, m->number, &g, p->pack, p->err);

    if (rc < 0) {
        return -1;
    }
    if (rc == 0 || m->offset != (int64_t)(before - p->start) ||
        m->length != (int64_t)(p->pack->len - before)) {
        return err_set(p->err, ERR_CORRUPT, "a segment that was frozen is gone or changed");
    }
    return 0;
}

int batch_pack(const struct batch_source *src, const struct state_batch *b, struct buf *ret,
               struct error *err)
{
    struct packing p = {src, ret, ret->len, err};
    uint8_t sha[CHAIN_HASH];

    if (state_members(src->state, b->id, pack_member, &p, err) != 0) {
        return -1;
    }
    chain_sha256(buf_data(ret) + p.start, ret->len - p.start, sha);
    if (memcmp(sha, b->pack_sha256, CHAIN_HASH) != 0) {
        return err_set(err, ERR_CORRUPT, "a segment that was frozen is changed");
    }
    return 0;
}
