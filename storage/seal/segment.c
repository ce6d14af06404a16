/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/seal/segment.h"

#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Measured on log text (docs/DESIGN.md section 4): see there for what other levels cost. */
#define SEGMENT_LEVEL 5

struct placed {
    struct event ev;
    size_t at, len; /* its frame */
};

/* Output is rarely out of order: an insertion from the back costs nothing then.  Long runs out of
 * order (held input) go through qsort. */
static int before(const struct placed *a, const struct placed *b)
{
    if (a->ev.t_us != b->ev.t_us) {
        return a->ev.t_us < b->ev.t_us ? -1 : 1;
    }
    if ((a->ev.kind == 'i') != (b->ev.kind == 'i')) {
        return a->ev.kind == 'i' ? -1 : 1;
    }
    return a->ev.seq < b->ev.seq ? -1 : a->ev.seq > b->ev.seq;
}

static int compare(const void *a, const void *b)
{
    return before(a, b);
}

static int decode_all(const uint8_t *frames, size_t len, struct placed **ret, size_t *ret_n,
                      struct error *err)
{
    size_t cap = 64, n = 0, at = 0;
    struct placed *list = malloc(cap * sizeof *list);

    while (list != NULL) {
        size_t used = 0;
        int rc = event_next(frames + at, len - at, &list[n].ev, &used, err);

        if (rc < 0) {
            free(list);
            return -1;
        }
        if (rc == 0) {
            *ret = list;
            *ret_n = n;
            return 0;
        }
        list[n].at = at;
        list[n].len = used;
        at += used;
        if (++n == cap) {
            struct placed *more = realloc(list, (cap *= 2) * sizeof *list);

            if (more == NULL) {
                free(list);
            }
            list = more;
        }
    }
    return err_sys(err, "allocate");
}

int segment_lines(struct buf *out, struct cast_writer *w, const uint8_t *frames, size_t len,
                  uint64_t below_t_us, struct buf *ret_rest, struct error *err)
{
    struct placed *list = NULL;
    size_t n = 0;
    int rc = 0;
    bool sorted = true;

    if (decode_all(frames, len, &list, &n, err) != 0) {
        return -1;
    }
    for (size_t i = 1; i < n && sorted; i++) {
        sorted = before(&list[i - 1], &list[i]) <= 0;
    }
    if (!sorted) {
        qsort(list, n, sizeof *list, compare);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (list[i].ev.t_us < below_t_us) {
            rc = cast_event(w, out, &list[i].ev, err);
        } else {
            rc = buf_append(ret_rest, frames + list[i].at, list[i].len, err);
        }
    }
    free(list);
    return rc < 0 ? -1 : 0;
}

/* One compressor a thread (668 KiB, dear to make), freed with its thread. */
static pthread_key_t packer_key;
static pthread_once_t packer_once = PTHREAD_ONCE_INIT;
static bool packer_key_made;

static void free_packer(void *packer)
{
    libdeflate_free_compressor(packer);
}

static void make_packer_key(void)
{
    packer_key_made = pthread_key_create(&packer_key, free_packer) == 0;
}

static struct libdeflate_compressor *packer_of_thread(void)
{
    struct libdeflate_compressor *packer;

    (void)pthread_once(&packer_once, make_packer_key);
    if (!packer_key_made) {
        return NULL;
    }
    packer = pthread_getspecific(packer_key);
    if (packer == NULL) {
        packer = libdeflate_alloc_compressor(SEGMENT_LEVEL);
        if (packer != NULL && pthread_setspecific(packer_key, packer) != 0) {
            libdeflate_free_compressor(packer);
            packer = NULL;
        }
    }
    return packer;
}

int segment_pack(const uint8_t *text, size_t len, struct buf *ret, struct error *err)
{
    struct libdeflate_compressor *packer = packer_of_thread();
    uint8_t *at;
    size_t bound, n;

    if (packer == NULL) {
        return err_set(err, ERR_SYSTEM, "no memory for a compressor");
    }
    bound = libdeflate_gzip_compress_bound(packer, len);
    if (buf_reserve(ret, bound, &at, err) != 0) {
        return -1;
    }
    n = libdeflate_gzip_compress(packer, text, len, at, bound);
    if (n == 0) {
        return err_set(err, ERR_LIMIT, "segment of %zu bytes cannot be packed", len);
    }
    buf_commit(ret, n);
    return 0;
}

/* One inflate step into ${ret}; zlib's code, or -1 with err set. */
static int inflate_step(z_stream *z, struct buf *ret, size_t max_bytes, struct error *err)
{
    uint8_t *at;
    size_t room = max_bytes - ret->len, used;
    /* The byte that a buffer always keeps free tells "exactly the limit" from "more". */
    size_t spare = room <= 65536 ? 1 : 0;
    int rc;

    if (room > 65536) {
        room = 65536;
    }
    if (buf_reserve(ret, room, &at, err) != 0) {
        return -1;
    }
    z->next_out = at;
    z->avail_out = (uInt)(room + spare);
    rc = inflate(z, Z_NO_FLUSH);
    used = room + spare - z->avail_out;
    if (used > room) {
        return err_set(err, ERR_LIMIT, "unpacks to more than %zu bytes", max_bytes);
    }
    buf_commit(ret, used);
    return rc;
}

int segment_unpack(const uint8_t *bytes, size_t len, size_t max_bytes, struct buf *ret,
                   struct error *err)
{
    z_stream z;
    size_t start = ret->len;
    int rc = Z_OK;

    if (len > UINT32_MAX) {
        return err_set(err, ERR_LIMIT, "%zu bytes of gzip", len);
    }
    memset(&z, 0, sizeof z);
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return err_set(err, ERR_SYSTEM, "start zlib");
    }
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)len;
    do {
        rc = inflate_step(&z, ret, start + max_bytes, err);
        if (rc == Z_STREAM_END && z.avail_in > 0) {
            rc = inflateReset(&z);
        } else if (rc != Z_OK && rc != Z_STREAM_END && rc != -1) {
            err_set(err, ERR_CORRUPT, "gzip is damaged at byte %zu of %zu",
                    len - (size_t)z.avail_in, len);
            rc = -1;
        } else if (rc == Z_OK && z.avail_in == 0 && z.avail_out > 0) {
            err_set(err, ERR_CORRUPT, "gzip ends early, after %zu bytes", len);
            rc = -1;
        }
    } while (rc == Z_OK);
    inflateEnd(&z);
    return rc == Z_STREAM_END ? 0 : -1;
}
