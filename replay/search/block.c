/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/search/block.h"

#include <libdeflate.h>
#include <string.h>

#include "common/io.h"

#define UNPACKED_MAX (1024U * 1024)
#define HEAD         8U
#define LEVEL        6
#define HEADS_MAX    (512U * 1024)

void block_init(struct block *b)
{
    memset(b, 0, sizeof *b);
    buf_init(&b->heads, HEADS_MAX);
    buf_init(&b->text, UNPACKED_MAX / 2);
}

void block_clear(struct block *b)
{
    buf_clear(&b->heads);
    buf_clear(&b->text);
}

void block_reset(struct block *b)
{
    buf_reset(&b->heads);
    buf_reset(&b->text);
    b->lines = 0;
    b->last_us = 0;
}

static int put_varint(struct buf *out, uint64_t n, struct error *err)
{
    uint8_t bytes[10];
    size_t len = 0;

    do {
        bytes[len++] = (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
        n >>= 7;
    } while (n > 0);
    return buf_append(out, bytes, len, err);
}

int block_add(struct block *b, const struct seen_line *line, struct error *err)
{
    int64_t d = (int64_t)(line->t_us - b->last_us);
    uint64_t zigzag = ((uint64_t)d << 1) ^ (uint64_t)(d < 0 ? -1 : 0);

    if (buf_putc(&b->heads, (char)line->kind, err) != 0 ||
        put_varint(&b->heads, zigzag, err) != 0 ||
        buf_append(&b->text, line->text, line->len, err) != 0 ||
        buf_putc(&b->text, '\n', err) != 0) {
        return -1;
    }
    b->last_us = line->t_us;
    b->lines++;
    return 0;
}

int block_pack(const struct block *b, struct buf *ret, struct error *err)
{
    struct libdeflate_compressor *packer = libdeflate_alloc_compressor(LEVEL);
    struct buf plain;
    uint8_t head[HEAD], *at;
    size_t bound, n;
    int rc = -1;

    buf_init(&plain, UNPACKED_MAX);
    io_put_be32(head, b->lines);
    io_put_be32(head + 4, (uint32_t)b->heads.len);
    if (packer == NULL) {
        (void)err_set(err, ERR_SYSTEM, "no memory for a compressor");
    } else if (buf_append(&plain, head, sizeof head, err) == 0 &&
               buf_append(&plain, buf_data(&b->heads), b->heads.len, err) == 0 &&
               buf_append(&plain, buf_data(&b->text), b->text.len, err) == 0) {
        bound = libdeflate_deflate_compress_bound(packer, plain.len);
        if (buf_reserve(ret, bound, &at, err) == 0) {
            n = libdeflate_deflate_compress(packer, buf_data(&plain), plain.len, at, bound);
            buf_commit(ret, n);
            rc = n > 0 ? 0 : err_set(err, ERR_LIMIT, "a block cannot be packed");
        }
    }
    libdeflate_free_compressor(packer);
    buf_clear(&plain);
    return rc;
}

int block_unpack(const void *packed, size_t len, struct buf *ret, struct error *err)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    uint8_t *at;
    size_t n = 0;
    int rc = -1;

    buf_reset(ret);
    if (d == NULL) {
        (void)err_set(err, ERR_SYSTEM, "no memory for a decompressor");
    } else if (buf_reserve(ret, UNPACKED_MAX, &at, err) == 0) {
        rc = libdeflate_deflate_decompress(d, packed, len, at, UNPACKED_MAX, &n) ==
                     LIBDEFLATE_SUCCESS
                 ? 0
                 : err_set(err, ERR_CORRUPT, "a block of the index cannot be unpacked");
        buf_commit(ret, rc == 0 ? n : 0);
    }
    libdeflate_free_decompressor(d);
    return rc;
}

static int parts(const struct buf *b, uint32_t *lines, uint32_t *heads, struct error *err)
{
    const uint8_t *p = buf_data(b);

    if (b->len < HEAD) {
        return err_set(err, ERR_CORRUPT, "a block of the index is too short");
    }
    *lines = io_get_be32(p);
    *heads = io_get_be32(p + 4);
    return *heads <= b->len - HEAD ? 0
                                   : err_set(err, ERR_CORRUPT, "a block of the index is cut short");
}

const char *block_body(const struct buf *b, size_t *ret_len, struct error *err)
{
    uint32_t lines, heads;

    if (parts(b, &lines, &heads, err) != 0) {
        return NULL;
    }
    *ret_len = b->len - HEAD - heads;
    return (const char *)buf_data(b) + HEAD + heads;
}

static bool take_head(const uint8_t **p, const uint8_t *end, struct seen_line *l, uint64_t *last)
{
    uint64_t n = 0;
    unsigned shift = 0;

    if (*p == end || **p > SEEN_INPUT) {
        return false;
    }
    l->kind = (enum seen_kind) * (*p)++;
    for (; *p < end && shift < 64; shift += 7) {
        uint8_t byte = *(*p)++;

        n |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *last += (n >> 1) ^ (0 - (n & 1));
            l->t_us = *last;
            return true;
        }
    }
    return false;
}

int block_lines(const struct buf *b, block_line_fn *cb, void *user, struct error *err)
{
    uint32_t lines, heads;
    const uint8_t *p, *heads_end, *text, *end = buf_data(b) + b->len;
    uint64_t last = 0;
    int rc = 0;

    if (parts(b, &lines, &heads, err) != 0) {
        return -1;
    }
    p = buf_data(b) + HEAD;
    heads_end = text = p + heads;
    for (uint32_t i = 0; i < lines && rc == 0; i++) {
        const uint8_t *feed = memchr(text, '\n', (size_t)(end - text));
        struct seen_line l = {.text = (const char *)text};

        if (feed == NULL || !take_head(&p, heads_end, &l, &last)) {
            return err_set(err, ERR_CORRUPT, "a block of the index does not add up");
        }
        l.len = (size_t)(feed - text);
        text = feed + 1;
        rc = cb(user, &l);
    }
    return rc;
}
