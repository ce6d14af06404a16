/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/proof.h"

#include <string.h>

#include "storage/seal/segment.h"

#define PIECE (1U * 1024 * 1024)

int proof_open(struct proof *p, struct verify_store *vs, struct error *err)
{
    memset(p, 0, sizeof *p);
    if (verify_worker_open(&p->w, vs, err) != 0) {
        return -1;
    }
    p->vs = vs;
    buf_init(&p->bytes, SEGMENT_MAX_BYTES);
    return 0;
}

void proof_close(struct proof *p)
{
    if (p->vs != NULL) {
        buf_clear(&p->bytes);
        verify_worker_close(&p->w);
        p->vs = NULL;
    }
}

int proof_line(struct proof *p, const struct verify_batch *b, struct error *err)
{
    const struct verify_where where = {.what = "batch", .id = b->found->name};
    uint8_t sha[CHAIN_HASH];
    int rc = verify_fetch(&p->w, &where, b->found, MANIFEST_MAX, err);

    if (rc != 0) {
        return rc < 0 ? -1 : err_set(err, ERR_CORRUPT, "its manifest cannot be read again");
    }
    chain_sha256(buf_data(&p->w.line), p->w.line.len, sha);
    if (memcmp(sha, b->line_sha256, CHAIN_HASH) != 0) {
        return err_set(err, ERR_CORRUPT, "its manifest changed meanwhile");
    }
    return 0;
}

static int read_copy(struct proof *p, const struct verify_segment *s, const struct found *f,
                     struct error *err)
{
    buf_reset(&p->bytes);
    for (int64_t at = 0; at < s->length; at += PIECE) {
        size_t n = s->length - at < PIECE ? (size_t)(s->length - at) : PIECE;
        int rc = verify_fetch_part(&p->w, f, (uint64_t)(s->offset + at), n, err);

        if (rc != 0) {
            return rc;
        }
        if (buf_append(&p->bytes, buf_data(&p->w.part), p->w.part.len, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool fits(const struct proof *p, const struct verify_segment *s)
{
    uint8_t sha[CHAIN_HASH];

    chain_sha256(buf_data(&p->bytes), p->bytes.len, sha);
    return (int64_t)p->bytes.len == s->length && memcmp(sha, s->sha256, CHAIN_HASH) == 0;
}

/* The pack was taken by its size; of several copies the one counts that has the bytes: 1, 0, -1. */
int proof_segment(struct proof *p, const struct verify_segment *s, struct error *err)
{
    const struct found *pack = s->batch->pack;
    struct found_list *l = &p->vs->packs;
    size_t i;
    int rc;

    if (pack == NULL || s->length > SEGMENT_MAX_BYTES) {
        return 0;
    }
    rc = read_copy(p, s, pack, err);
    if (rc == 0 && fits(p, s)) {
        return 1;
    }
    for (i = (size_t)(pack - l->at);
         rc >= 0 && i > 0 && strncmp(l->at[i - 1].name, pack->name, pack->base) == 0; i--) {
    }
    for (; rc >= 0 && i < l->n && strncmp(l->at[i].name, pack->name, pack->base) == 0; i++) {
        if (l->at[i].delete_marker || l->at[i].base != pack->base || l->at[i].size != pack->size) {
            continue;
        }
        rc = read_copy(p, s, &l->at[i], err);
        if (rc == 0 && fits(p, s)) {
            return 1;
        }
    }
    return rc < 0 ? -1 : 0;
}

bool proof_leads(uint8_t head[CHAIN_HASH], const struct verify_segment *s)
{
    uint8_t next[CHAIN_HASH];

    memcpy(next, head, CHAIN_HASH);
    chain_extend(next, (uint64_t)s->number, s->sha256);
    if (memcmp(next, s->head, CHAIN_HASH) != 0) {
        return false;
    }
    memcpy(head, next, CHAIN_HASH);
    return true;
}
