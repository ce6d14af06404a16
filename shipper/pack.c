/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/pack.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "storage/seal/segment.h"

#define WINDOW ((size_t)128 * 1024) /* as much as one send takes */

void pack_clear(struct pack *p)
{
    free(p->parts);
    memset(p, 0, sizeof *p);
}

int pack_add(struct pack *p, int64_t session_row, int64_t number, size_t length,
             const uint8_t *sha256_or_null, struct error *err)
{
    struct pack_part *part;

    if (p->n == p->cap) {
        size_t cap = p->cap == 0 ? 16 : p->cap * 2;
        struct pack_part *parts = realloc(p->parts, cap * sizeof *parts);

        if (parts == NULL) {
            return err_sys(err, "allocate");
        }
        p->parts = parts;
        p->cap = cap;
    }
    part = &p->parts[p->n++];
    *part = (struct pack_part){
        .session_row = session_row, .number = number, .offset = p->len, .length = length};
    if (sha256_or_null != NULL) {
        memcpy(part->sha256, sha256_or_null, CHAIN_HASH);
    }
    p->len += length;
    p->largest = length > p->largest ? length : p->largest;
    return 0;
}

/* The segment's bytes appended to ${to}. */
static int read_part(const struct pack_part *part, struct reader *evidence, struct buf *to,
                     struct error *err)
{
    struct segment_row g;
    size_t before = to->len;
    int rc = reader_segment(evidence, part->session_row, part->number, &g, to, err);

    if (rc < 0 && err->kind == ERR_SYSTEM && err->code == ENODATA) {
        err->kind = ERR_CORRUPT; /* pruned: of this batch alone, and for good */
    }
    if (rc < 0) {
        return -1;
    }
    if (rc == 0 || to->len - before != part->length) {
        return err_set(err, ERR_CORRUPT, "a segment that was frozen is gone or changed");
    }
    return 0;
}

static bool known(const uint8_t sha[CHAIN_HASH])
{
    static const uint8_t none[CHAIN_HASH];

    return memcmp(sha, none, CHAIN_HASH) != 0;
}

static int check_part(const struct pack_part *part, const uint8_t *bytes, struct error *err)
{
    uint8_t sha[CHAIN_HASH];

    if (!known(part->sha256)) {
        return 0;
    }
    chain_sha256(bytes, part->length, sha);
    return memcmp(sha, part->sha256, CHAIN_HASH) == 0
               ? 0
               : err_set(err, ERR_CORRUPT, "a segment's bytes are not what was sealed");
}

static int begin(EVP_MD_CTX **ret, const char *name)
{
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int rc = md != NULL && c != NULL && EVP_DigestInit_ex2(c, md, NULL) == 1 ? 0 : -1;

    EVP_MD_free(md);
    if (rc != 0) {
        EVP_MD_CTX_free(c);
        c = NULL;
    }
    *ret = c;
    return rc;
}

static int hash_parts(const struct pack *p, struct reader *evidence, EVP_MD_CTX *sha,
                      EVP_MD_CTX *md5, struct buf *bytes, bool keep, size_t *ret_bad,
                      struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct pack_part *part = &p->parts[i];
        const uint8_t *at;

        if (!keep) {
            buf_reset(bytes);
        }
        *ret_bad = i;
        if (read_part(part, evidence, bytes, err) != 0) {
            return -1;
        }
        at = buf_data(bytes) + bytes->len - part->length;
        if (check_part(part, at, err) != 0) {
            return -1;
        }
        if (EVP_DigestUpdate(sha, at, part->length) != 1 ||
            (md5 != NULL && EVP_DigestUpdate(md5, at, part->length) != 1)) {
            return err_set(err, ERR_SYSTEM, "cannot hash");
        }
    }
    return 0;
}

int pack_hash(const struct pack *p, struct reader *evidence, struct pack_sums *sums,
              struct buf *bytes_or_null, size_t *ret_bad, struct error *err)
{
    EVP_MD_CTX *sha = NULL, *md5 = NULL;
    struct buf one;
    int rc;

    buf_init(&one, SEGMENT_MAX_BYTES);
    *ret_bad = p->n;
    if (begin(&sha, "SHA256") != 0) {
        return err_set(err, ERR_SYSTEM, "cannot hash");
    }
    /* A FIPS OpenSSL has no MD5. */
    sums->with_md5 = sums->with_md5 && begin(&md5, "MD5") == 0;
    rc = reader_begin(evidence, err);
    if (rc == 0) {
        rc = hash_parts(p, evidence, sha, md5, bytes_or_null != NULL ? bytes_or_null : &one,
                        bytes_or_null != NULL, ret_bad, err);
        reader_end(evidence);
    }
    if (rc == 0 && (EVP_DigestFinal_ex(sha, sums->sha256, NULL) != 1 ||
                    (sums->with_md5 && EVP_DigestFinal_ex(md5, sums->md5, NULL) != 1))) {
        rc = err_set(err, ERR_SYSTEM, "cannot hash");
    }
    EVP_MD_CTX_free(sha);
    EVP_MD_CTX_free(md5);
    buf_clear(&one);
    return rc;
}

/* The part that holds byte ${offset}: mostly the one behind what was read last. */
static size_t find_part(const struct pack *p, size_t hint, size_t offset)
{
    size_t low = 0, high = p->n;

    if (hint < p->n && offset == p->parts[hint].offset) {
        return hint;
    }
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (p->parts[mid].offset <= offset) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

/* The segments from the one with byte ${offset} on, in one transaction: small ones are thousands,
 * and a question for each, and a packet, cost more than their bytes. */
static int fill_window(struct pack_stream *st, size_t offset, struct error *err)
{
    const struct pack *p = st->pack;
    size_t i = find_part(p, st->at, offset);
    int rc;

    buf_reset(&st->window);
    st->offset = p->parts[i].offset;
    rc = reader_begin(st->evidence, err);
    if (rc == 0) {
        do {
            rc = read_part(&p->parts[i++], st->evidence, &st->window, err);
        } while (rc == 0 && i < p->n && st->window.len + p->parts[i].length <= WINDOW);
        reader_end(st->evidence);
    }
    st->at = i;
    if (rc != 0) {
        buf_reset(&st->window);
    }
    return rc;
}

static ssize_t stream_read(void *user, size_t offset, void *to, size_t max, struct error *err)
{
    struct pack_stream *st = user;
    size_t n;

    if ((offset < st->offset || offset - st->offset >= st->window.len) &&
        fill_window(st, offset, err) != 0) {
        return -1;
    }
    n = st->offset + st->window.len - offset;
    n = n < max ? n : max;
    memcpy(to, buf_data(&st->window) + (offset - st->offset), n);
    return (ssize_t)n;
}

size_t pack_stream_bytes(const struct pack *p)
{
    size_t least = p->len < WINDOW ? p->len : WINDOW;

    return p->largest > least ? p->largest : least;
}

void pack_stream_open(struct pack_stream *st, const struct pack *p, struct reader *evidence)
{
    *st = (struct pack_stream){.source = {.len = p->len, .read = stream_read, .user = st},
                               .pack = p,
                               .evidence = evidence,
                               .at = p->n};
    buf_init(&st->window, SEGMENT_MAX_BYTES);
}

void pack_stream_close(struct pack_stream *st)
{
    if (st->pack != NULL) {
        buf_clear(&st->window);
        memset(st, 0, sizeof *st);
    }
}
