/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/seal/chain.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "common/io.h"

#define CHAIN_DOMAIN  "ttytrail session chain"
#define CHAIN_VERSION 1

/* The one-shot SHA256() of OpenSSL 3 looks its algorithm up at every call; the low-level calls do
 * not, but are deprecated.  Digest state is therefore made once per thread. */
struct digest {
    EVP_MD_CTX *ctx;
    const EVP_MD *md;
};

static void digest_of(const void *a, size_t alen, const void *b, size_t blen,
                      uint8_t ret[CHAIN_HASH])
{
    static _Thread_local struct digest d;
    unsigned len = CHAIN_HASH;

    if (d.ctx == NULL) {
        d.md = EVP_MD_fetch(NULL, "SHA256", NULL);
        d.ctx = EVP_MD_CTX_new();
    }
    if (d.md == NULL || d.ctx == NULL || EVP_DigestInit_ex2(d.ctx, d.md, NULL) != 1 ||
        EVP_DigestUpdate(d.ctx, a, alen) != 1 || EVP_DigestUpdate(d.ctx, b, blen) != 1 ||
        EVP_DigestFinal_ex(d.ctx, ret, &len) != 1) {
        /* Without memory for 200 bytes there is no honest hash: an impossible one fails every
         * check. */
        memset(ret, 0, CHAIN_HASH);
    }
}

void chain_sha256(const void *bytes, size_t len, uint8_t ret[CHAIN_HASH])
{
    digest_of(bytes, len, "", 0, ret);
}

void chain_start(const char *host, const uint8_t epoch[CHAIN_ID], const uint8_t session[CHAIN_ID],
                 uint8_t ret[CHAIN_HASH])
{
    uint8_t head[sizeof CHAIN_DOMAIN + 1 + 2 + 255 + CHAIN_ID + CHAIN_ID];
    size_t at = sizeof CHAIN_DOMAIN, hlen = strnlen(host, 255);

    memcpy(head, CHAIN_DOMAIN, sizeof CHAIN_DOMAIN);
    head[at++] = CHAIN_VERSION;
    io_put_be16(head + at, (uint16_t)hlen);
    memcpy(head + at + 2, host, hlen);
    at += 2 + hlen;
    memcpy(head + at, epoch, CHAIN_ID);
    memcpy(head + at + CHAIN_ID, session, CHAIN_ID);
    digest_of(head, at + 2 * CHAIN_ID, "", 0, ret);
}

void chain_extend(uint8_t head[CHAIN_HASH], uint64_t n, const uint8_t segment_sha256[CHAIN_HASH])
{
    uint8_t step[CHAIN_HASH + 8 + CHAIN_HASH];

    memcpy(step, head, CHAIN_HASH);
    io_put_be64(step + CHAIN_HASH, n);
    memcpy(step + CHAIN_HASH + 8, segment_sha256, CHAIN_HASH);
    digest_of(step, sizeof step, "", 0, head);
}

void chain_tail(uint8_t hash[CHAIN_HASH], const void *frames, size_t len)
{
    uint8_t before[CHAIN_HASH];

    memcpy(before, hash, CHAIN_HASH);
    digest_of(before, CHAIN_HASH, frames, len, hash);
}
