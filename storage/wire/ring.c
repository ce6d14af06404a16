/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/ring.h"

#include <string.h>

#include "common/io.h"
#include "storage/wire/event.h"

static const uint8_t magic[8] = "ttytring";

int ring_put_header(struct buf *out, const struct ring_half *half, struct error *err)
{
    uint8_t head[RING_HEADER] = {0};

    memcpy(head, magic, sizeof magic);
    io_put_be32(head + 8, 1);
    io_put_be32(head + 12, (uint32_t)(half->turn % 2));
    io_put_be64(head + 16, half->turn);
    io_put_be64(head + 24, half->first_seq);
    io_put_be64(head + 32, (uint64_t)half->started_us);
    io_put_be32(head + 40, (uint32_t)half->facts.len);
    return buf_append(out, head, sizeof head, err) != 0
               ? -1
               : buf_append(out, half->facts.bytes, half->facts.len, err);
}

/* The events from ${at} on: a half that is used again has older ones behind its newest. */
static void read_events(struct ring_half *h, const uint8_t *at, size_t len)
{
    struct event ev;
    size_t used = 0;

    h->frames = at;
    h->len = 0;
    h->last_seq = h->first_seq - 1;
    h->last_t_us = 0;
    while (event_next(at + h->len, len - h->len, &ev, &used, NULL) == 1 &&
           ev.seq == h->last_seq + 1 && ev.t_us <= RING_T_MAX) {
        h->last_seq = ev.seq;
        h->last_t_us = ev.t_us > h->last_t_us ? ev.t_us : h->last_t_us;
        h->len += used;
    }
}

int ring_read(const uint8_t *bytes, size_t len, struct ring_half *ret, struct error *err)
{
    uint32_t facts;

    if (len < RING_HEADER || memcmp(bytes, magic, sizeof magic) != 0 ||
        io_get_be32(bytes + 8) != 1) {
        return err_set(err, ERR_CORRUPT, "this is no ring");
    }
    ret->turn = io_get_be64(bytes + 16);
    ret->first_seq = io_get_be64(bytes + 24);
    ret->started_us = (int64_t)io_get_be64(bytes + 32);
    facts = io_get_be32(bytes + 40);
    if (io_get_be32(bytes + 12) != ret->turn % 2 || ret->first_seq == 0 ||
        ret->first_seq > RING_T_MAX || facts > len - RING_HEADER) {
        return err_set(err, ERR_CORRUPT, "a ring's header is damaged");
    }
    if (facts_parse(bytes + RING_HEADER, facts, &ret->facts, err) != 0) {
        return -1;
    }
    read_events(ret, bytes + RING_HEADER + facts, len - RING_HEADER - facts);
    return 0;
}
