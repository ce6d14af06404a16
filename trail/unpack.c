/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/unpack.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PIECE      (256U * 1024)
#define AT_ONCE    (8U * 1024 * 1024) /* unpacked: what is given to libdeflate */
#define GZIP_LEAST 18U                /* header and trailer */

enum shape { UNKNOWN, GZIP, BETWEEN /* gzip members */, PLAIN };

struct unpack {
    enum shape shape;
    unpack_fn *cb;
    void *user;
    uint64_t bytes;
    z_stream z;
    bool z_ready;
    struct libdeflate_decompressor *fast;
    unsigned char *out; /* AT_ONCE */
    EVP_MD_CTX *sha;
};

int unpack_open(struct unpack **ret, struct error *err)
{
    struct unpack *u = calloc(1, sizeof *u);

    if (u == NULL || (u->out = malloc(AT_ONCE)) == NULL || (u->sha = EVP_MD_CTX_new()) == NULL ||
        (u->fast = libdeflate_alloc_decompressor()) == NULL ||
        inflateInit2(&u->z, 15 + 16) != Z_OK) {
        unpack_close(u);
        return err_set(err, ERR_SYSTEM, "out of memory");
    }
    u->z_ready = true;
    *ret = u;
    return 0;
}

void unpack_close(struct unpack *u)
{
    if (u != NULL) {
        if (u->z_ready) {
            inflateEnd(&u->z);
        }
        if (u->fast != NULL) {
            libdeflate_free_decompressor(u->fast);
        }
        EVP_MD_CTX_free(u->sha);
        free(u->out);
        free(u);
    }
}

void unpack_begin(struct unpack *u, unpack_fn *cb, void *user)
{
    u->shape = UNKNOWN;
    u->cb = cb;
    u->user = user;
    u->bytes = 0;
    (void)inflateReset(&u->z);
    (void)EVP_DigestInit_ex(u->sha, EVP_sha256(), NULL);
}

static int give(struct unpack *u, const void *bytes, size_t len, struct error *err)
{
    if (len > UNPACK_MAX - u->bytes) {
        return err_set(err, ERR_LIMIT, "more than %" PRIu64 " bytes unpacked", UNPACK_MAX);
    }
    u->bytes += len;
    if (EVP_DigestUpdate(u->sha, bytes, len) != 1) {
        return err_set(err, ERR_SYSTEM, "SHA-256 failed");
    }
    return len == 0 ? 0 : u->cb(u->user, bytes, len, err);
}

/* A first byte is enough: what it does not fit fails a little later. */
static int shape_of(struct unpack *u, const unsigned char *p, size_t len, struct error *err)
{
    size_t i = 0;

    if (len > 0 && p[0] == 0x1f) {
        u->shape = GZIP;
        return 0;
    }
    while (i < len && p[i] != '\0' && strchr(" \t\r\n\xef\xbb\xbf", p[i]) != NULL) {
        i++;
    }
    if (i < len && p[i] != '{' && p[i] != '[') {
        return err_set(err, ERR_CORRUPT, "neither gzip nor JSON");
    }
    u->shape = len > 0 ? PLAIN : UNKNOWN;
    return 0;
}

static int inflate_piece(struct unpack *u, const unsigned char *p, size_t len, struct error *err)
{
    int rc = 0;

    u->z.next_in = (Bytef *)(uintptr_t)p;
    u->z.avail_in = (uInt)len;
    do {
        int z;

        if (u->shape == BETWEEN) {
            if (u->z.avail_in == 0) {
                break;
            }
            (void)inflateReset(&u->z);
            u->shape = GZIP;
        }
        u->z.next_out = u->out;
        u->z.avail_out = PIECE;
        z = inflate(&u->z, Z_NO_FLUSH);
        if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR) {
            return err_set(err, ERR_CORRUPT, "bad gzip: %s",
                           u->z.msg == NULL ? "unreadable" : u->z.msg);
        }
        rc = give(u, u->out, PIECE - u->z.avail_out, err);
        u->shape = z == Z_STREAM_END ? BETWEEN : GZIP;
    } while (rc == 0 && (u->z.avail_in > 0 || u->z.avail_out == 0));
    return rc;
}

int unpack_feed(struct unpack *u, const void *bytes, size_t len, struct error *err)
{
    const unsigned char *p = bytes;
    int rc = u->shape == UNKNOWN ? shape_of(u, p, len, err) : 0;

    while (rc == 0 && len > 0) {
        size_t n = len < PIECE ? len : PIECE;

        rc = u->shape == PLAIN ? give(u, p, n, err) : inflate_piece(u, p, n, err);
        p += n;
        len -= n;
    }
    return rc;
}

int unpack_whole(struct unpack *u, const void *bytes, size_t len, struct error *err)
{
    const unsigned char *p = bytes;
    size_t used = 0, made = 0, claims;

    if (len < GZIP_LEAST || p[0] != 0x1f) {
        return unpack_feed(u, bytes, len, err);
    }
    /* The trailer's length, modulo 2^32; where it lies, the other way finds out. */
    claims = (size_t)p[len - 4] | (size_t)p[len - 3] << 8 | (size_t)p[len - 2] << 16 |
             (size_t)p[len - 1] << 24;
    if (claims > AT_ONCE ||
        libdeflate_gzip_decompress_ex(u->fast, p, len, u->out, AT_ONCE, &used, &made) !=
            LIBDEFLATE_SUCCESS ||
        used != len) {
        return unpack_feed(u, bytes, len, err);
    }
    u->shape = BETWEEN;
    return give(u, u->out, made, err);
}

int unpack_end(struct unpack *u, uint64_t *ret_bytes, uint8_t ret_sha256[32], struct error *err)
{
    *ret_bytes = u->bytes;
    if (u->shape == UNKNOWN) {
        return err_set(err, ERR_CORRUPT, "empty");
    }
    if (u->shape == GZIP) {
        return err_set(err, ERR_CORRUPT, "truncated: it ends within its gzip");
    }
    return EVP_DigestFinal_ex(u->sha, ret_sha256, NULL) == 1
               ? 0
               : err_set(err, ERR_SYSTEM, "SHA-256 failed");
}
