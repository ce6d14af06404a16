/* SPDX-License-Identifier: Apache-2.0 */
/* Each host's batches: numbers without a gap, heads that follow each other, packs with their bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "shipper/verify_store.h"

static int name_cmp(const char *name, const char *base, size_t len)
{
    int c = strncmp(name, base, len);

    return c != 0 ? c : (name[len] != '\0');
}

/* The first object whose name is not below ${base}. */
static size_t lower_bound(const struct found_list *l, const char *base)
{
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(l->at[mid].name, base) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* The object is whichever of <name>, <name>.rN has the signed hash. */
static int find_pack(struct verify_store *vs, const struct manifest *m, struct buf *pack,
                     enum verify_verdict *ret, struct error *err)
{
    char name[MANIFEST_OBJECT_NAME];
    enum verify_verdict verdict = VERIFY_GAP;
    size_t len;

    manifest_pack_name(m, name);
    len = strlen(name);
    for (size_t i = lower_bound(&vs->packs, name);
         i < vs->packs.n && strncmp(vs->packs.at[i].name, name, len) == 0; i++) {
        struct found *f = &vs->packs.at[i];
        uint8_t sha[CHAIN_HASH];
        int got;

        if (f->delete_marker || verify_base(f->name) != len || name_cmp(name, f->name, len) != 0) {
            continue;
        }
        if (f->size != (uint64_t)m->pack_size) {
            verdict = f->size < (uint64_t)m->pack_size ? VERIFY_TRUNCATED : VERIFY_ALTERED;
            continue;
        }
        buf_reset(pack);
        got = verify_get_or_say(vs, "object", f, (size_t)m->pack_size, pack, err);
        if (got < 0) {
            return -1;
        }
        if (got > 0) {
            verdict = VERIFY_ALTERED;
            continue;
        }
        chain_sha256(buf_data(pack), pack->len, sha);
        if (memcmp(sha, m->pack_sha256, CHAIN_HASH) == 0) {
            f->used = true;
            *ret = VERIFY_COMPLETE;
            return 0;
        }
        verdict = VERIFY_ALTERED;
    }
    *ret = verdict;
    return 0;
}

static int add_segment(struct verify_store *vs, size_t manifest, const struct manifest_segment *s,
                       enum verify_verdict verdict, struct error *err)
{
    void *at = vs->segments;

    if (verify_grow(&at, &vs->segments_cap, vs->n_segments, sizeof *vs->segments, err) != 0) {
        return -1;
    }
    vs->segments = at;
    vs->segments[vs->n_segments++] = (struct checked_segment){*s, manifest, verdict};
    return 0;
}

/* The segments lie end to end in the pack, each with its hash. */
static int check_segments(struct verify_store *vs, size_t at, const struct buf *pack,
                          enum verify_verdict verdict, struct error *err)
{
    const struct manifest *m = &vs->manifests[at].m;
    int64_t offset = 0;

    for (size_t i = 0; i < m->n_segments; i++) {
        const struct manifest_segment *s = &m->segments[i];
        enum verify_verdict mine = verdict;

        if (verdict == VERIFY_COMPLETE) {
            uint8_t sha[CHAIN_HASH];

            if (s->offset != offset || s->length > m->pack_size - offset) {
                mine = VERIFY_ALTERED;
                verdict = VERIFY_ALTERED;
            } else {
                chain_sha256(buf_data(pack) + offset, (size_t)s->length, sha);
                offset += s->length;
                mine = memcmp(sha, s->sha256, CHAIN_HASH) == 0 ? VERIFY_COMPLETE : VERIFY_ALTERED;
            }
        }
        if (add_segment(vs, at, s, mine, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_pack(struct verify_store *vs, size_t at, struct error *err)
{
    const struct manifest *m = &vs->manifests[at].m;
    enum verify_verdict verdict = VERIFY_GAP;
    char name[MANIFEST_OBJECT_NAME];
    struct buf pack;
    int rc;

    if (m->n_segments == 0) {
        return 0;
    }
    buf_init(&pack, (size_t)m->pack_size);
    manifest_pack_name(m, name);
    rc = find_pack(vs, m, &pack, &verdict, err);
    if (rc == 0 && verdict != VERIFY_COMPLETE) {
        verify_finding(vs, "object", name, verdict, "%s",
                       verdict == VERIFY_GAP         ? "the pack is missing"
                       : verdict == VERIFY_TRUNCATED ? "the pack is shorter than it was"
                                                     : "the pack's bytes are not what was signed");
    }
    if (rc == 0) {
        rc = check_segments(vs, at, &pack, verdict, err);
    }
    buf_clear(&pack);
    return rc;
}

/* ---- the chain of batches ---- */

struct line_of_batches {
    int64_t next_seq, batches, bytes;
    uint8_t head[CHAIN_HASH];
    bool head_known;
    enum verify_verdict verdict;
};

static void check_link(struct verify_store *vs, const struct manifest *m, struct line_of_batches *l)
{
    char name[MANIFEST_OBJECT_NAME];

    manifest_name(m, name);
    if (m->seq != l->next_seq) {
        l->verdict = VERIFY_GAP;
        l->head_known = false;
        verify_finding(vs, "batch", m->host, VERIFY_GAP,
                       "before batch %" PRId64 ": %" PRId64 " missing", m->seq,
                       m->seq - l->next_seq);
    }
    if (l->head_known && memcmp(l->head, m->previous_head, CHAIN_HASH) != 0) {
        l->verdict = VERIFY_ALTERED;
        verify_finding(vs, "batch", name, VERIFY_ALTERED, "it does not follow the batch before it");
    }
    l->next_seq = m->seq + 1;
    l->batches++;
    l->bytes += m->pack_size;
    l->head_known = true;
    memcpy(l->head, m->head, CHAIN_HASH);
}

static void report_host(struct verify_store *vs, const struct manifest *m,
                        const struct line_of_batches *l)
{
    char hex[2 * CHAIN_ID + 1], detail[256];
    const struct verify_line line = {
        .what = "host", .id = m->host, .verdict = l->verdict, .bytes = l->bytes, .detail = detail};

    (void)snprintf(detail, sizeof detail,
                   "epoch %s, %" PRId64 " batches up to %" PRId64 ", key tofu",
                   io_hex(m->epoch, CHAIN_ID, hex), l->batches, l->next_seq - 1);
    verify_report(vs->v, &line);
}

static bool same_line(const struct manifest *a, const struct manifest *b)
{
    return strcmp(a->host, b->host) == 0 && memcmp(a->epoch, b->epoch, CHAIN_ID) == 0;
}

int verify_hosts(struct verify_store *vs, struct error *err)
{
    struct line_of_batches l = {.next_seq = 1};

    for (size_t i = 0; i < vs->n_manifests; i++) {
        const struct manifest *m = &vs->manifests[i].m;

        if (i == 0 || !same_line(m, &vs->manifests[i - 1].m)) {
            l = (struct line_of_batches){.next_seq = 1, .head_known = true};
            manifest_genesis(m->host, m->epoch, l.head);
        }
        check_link(vs, m, &l);
        if (check_pack(vs, i, err) != 0) {
            return -1;
        }
        if (i + 1 == vs->n_manifests || !same_line(m, &vs->manifests[i + 1].m)) {
            report_host(vs, m, &l);
        }
    }
    return 0;
}
