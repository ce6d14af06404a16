/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/seal/chain.h"

/* The low-level calls, which OpenSSL 3 calls deprecated: EVP would read openssl.cnf and register
 * every cipher first, half a millisecond of each private writer's start, to arrive at the same
 * function. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

#include "common/io.h"

#define CHAIN_DOMAIN  "ttytrail session chain"
#define CHAIN_VERSION 1

static void digest_of(const void *a, size_t alen, const void *b, size_t blen,
                      uint8_t ret[CHAIN_HASH])
{
    SHA256_CTX c;

    SHA256_Init(&c);
    SHA256_Update(&c, a, alen);
    SHA256_Update(&c, b, blen);
    SHA256_Final(ret, &c);
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
