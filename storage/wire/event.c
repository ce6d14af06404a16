/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/event.h"

#include <string.h>

#include "common/io.h"
#include "storage/wire/frame.h"

int event_kind_valid(char kind)
{
    return kind != '\0' && strchr("oirmex", kind) != NULL;
}

int event_put(struct buf *out, const struct event *ev, struct error *err)
{
    uint8_t *at;

    if (ev->len > EVENT_MAX_BYTES) {
        return err_set(err, ERR_LIMIT, "event of %zu bytes", ev->len);
    }
    if (buf_reserve(out, FRAME_HEADER + EVENT_HEADER + ev->len, &at, err) != 0) {
        return -1;
    }
    io_put_be32(at, (uint32_t)(EVENT_HEADER + ev->len));
    at[4] = FRAME_EVENT;
    at[5] = (uint8_t)ev->kind;
    io_put_be16(at + 6, 0);
    io_put_be64(at + 8, ev->seq);
    io_put_be64(at + 16, ev->t_us);
    if (ev->len > 0) {
        memcpy(at + 24, ev->bytes, ev->len);
    }
    buf_commit(out, FRAME_HEADER + EVENT_HEADER + ev->len);
    return 0;
}

int event_next(const uint8_t *bytes, size_t len, struct event *ret, size_t *ret_used,
               struct error *err)
{
    struct frame f;
    int rc;

    if (len == 0) {
        return 0;
    }
    rc = frame_next(bytes, len, &f, ret_used, err);
    if (rc < 0) {
        return -1;
    }
    if (rc == 0) {
        return err_set(err, ERR_CORRUPT, "event ends after %zu bytes", len);
    }
    if (f.type != FRAME_EVENT || f.len < EVENT_HEADER || !event_kind_valid(f.kind)) {
        return err_set(err, ERR_CORRUPT, "frame of type %u and kind %u is no event",
                       (unsigned)f.type, (unsigned)(uint8_t)f.kind);
    }
    ret->kind = f.kind;
    ret->seq = io_get_be64(f.body);
    ret->t_us = io_get_be64(f.body + 8);
    ret->bytes = f.body + EVENT_HEADER;
    ret->len = f.len - EVENT_HEADER;
    return 1;
}
