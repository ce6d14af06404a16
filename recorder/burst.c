/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by its own functions: EVP would read a configuration file and load providers first, which
 * takes longer than most of the commands recorded here. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "recorder/burst.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

struct burst {
    struct burst_sink sink;
    size_t keep;
    bool active;
    uint64_t last_us;
    uint64_t bytes; /* of this burst */
    size_t headed;  /* of them, handed on at once */
    uint8_t *tail;  /* ring of the newest bytes after the head; NULL until needed */
    size_t tail_at, tail_len;
    uint64_t total;
    SHA256_CTX burst_sha, total_sha;
};

int burst_new(struct burst **ret, size_t keep, const struct burst_sink *sink, struct error *err)
{
    struct burst *b = calloc(1, sizeof *b);

    if (b == NULL || (keep > 0 && (b->tail = malloc(keep)) == NULL)) {
        free(b);
        return err_sys(err, "allocate");
    }
    b->keep = keep;
    b->sink = *sink;
    SHA256_Init(&b->total_sha);
    *ret = b;
    return 0;
}

void burst_free(struct burst *b)
{
    if (b != NULL) {
        free(b->tail);
        free(b);
    }
}

static void keep_tail(struct burst *b, const uint8_t *p, size_t len)
{
    if (len > b->keep) {
        p += len - b->keep;
        len = b->keep;
    }
    while (len > 0) {
        size_t n = b->keep - b->tail_at;

        n = n < len ? n : len;
        memcpy(b->tail + b->tail_at, p, n);
        b->tail_at = (b->tail_at + n) % b->keep;
        b->tail_len = b->tail_len + n < b->keep ? b->tail_len + n : b->keep;
        p += n;
        len -= n;
    }
}

size_t burst_add(struct burst *b, uint64_t t_us, const uint8_t *bytes, size_t len)
{
    size_t head;

    burst_tick(b, t_us);
    if (!b->active) {
        b->active = true;
        b->bytes = 0;
        b->headed = 0;
        b->tail_at = b->tail_len = 0;
        SHA256_Init(&b->burst_sha);
    }
    b->last_us = t_us;
    b->bytes += len;
    b->total += len;
    SHA256_Update(&b->total_sha, bytes, len);
    if (b->keep == 0) {
        return 0;
    }
    SHA256_Update(&b->burst_sha, bytes, len);
    head = b->keep - b->headed < len ? b->keep - b->headed : len;
    if (head > 0) {
        b->sink.keep(b->sink.user, t_us, bytes, head);
        b->headed += head;
    }
    keep_tail(b, bytes + head, len - head);
    return head;
}

static void finish(struct burst *b)
{
    uint64_t kept = b->headed + b->tail_len;

    b->active = false;
    if (b->keep == 0) {
        return;
    }
    if (kept < b->bytes) {
        uint8_t hash[BURST_HASH];

        SHA256_Final(hash, &b->burst_sha);
        b->sink.elided(b->sink.user, b->last_us, b->bytes, kept, hash);
    }
    /* A ring that went round begins at tail_at. */
    if (b->tail_len == b->keep && b->tail_at > 0) {
        b->sink.keep(b->sink.user, b->last_us, b->tail + b->tail_at, b->keep - b->tail_at);
        b->sink.keep(b->sink.user, b->last_us, b->tail, b->tail_at);
    } else if (b->tail_len > 0) {
        b->sink.keep(b->sink.user, b->last_us, b->tail, b->tail_len);
    }
}

void burst_tick(struct burst *b, uint64_t now_us)
{
    if (burst_deadline(b) <= now_us) {
        finish(b);
    }
}

uint64_t burst_deadline(const struct burst *b)
{
    return b->active ? b->last_us + BURST_GAP_US : UINT64_MAX;
}

void burst_end(struct burst *b, uint64_t *ret_bytes, uint8_t ret_hash[BURST_HASH])
{
    if (b->active) {
        finish(b);
    }
    *ret_bytes = b->total;
    SHA256_Final(ret_hash, &b->total_sha);
}
