/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/frame.h"

#include <string.h>

#include "common/io.h"

int frame_put(struct buf *out, uint8_t type, char kind, const void *body, size_t len,
              struct error *err)
{
    uint8_t *at;

    if (len > FRAME_MAX_BODY) {
        return err_set(err, ERR_LIMIT, "frame of %zu bytes", len);
    }
    if (buf_reserve(out, FRAME_HEADER + len, &at, err) != 0) {
        return -1;
    }
    io_put_be32(at, (uint32_t)len);
    at[4] = type;
    at[5] = (uint8_t)kind;
    io_put_be16(at + 6, 0);
    if (len > 0) {
        memcpy(at + FRAME_HEADER, body, len);
    }
    buf_commit(out, FRAME_HEADER + len);
    return 0;
}

int frame_next(const uint8_t *bytes, size_t len, struct frame *ret, size_t *ret_used,
               struct error *err)
{
    uint32_t body;

    if (len < FRAME_HEADER) {
        return 0;
    }
    body = io_get_be32(bytes);
    if (body > FRAME_MAX_BODY) {
        return err_set(err, ERR_CORRUPT, "frame claims %lu bytes, at most %lu are allowed",
                       (unsigned long)body, (unsigned long)FRAME_MAX_BODY);
    }
    if (io_get_be16(bytes + 6) != 0) {
        return err_set(err, ERR_CORRUPT, "frame's reserved bytes are set");
    }
    if (len - FRAME_HEADER < body) {
        return 0;
    }
    ret->type = bytes[4];
    ret->kind = (char)bytes[5];
    ret->body = bytes + FRAME_HEADER;
    ret->len = body;
    *ret_used = FRAME_HEADER + body;
    return 1;
}
