/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io.h"
#include "replay/export/events.h"
#include "replay/export/formats.h"

static void put_le32(uint8_t *at, uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(n >> (8 * i));
    }
}

static int on_event(struct events *e, const struct timeline_event *ev)
{
    uint64_t us = (uint64_t)(e->head->started_us > 0 ? e->head->started_us : 0) + ev->t_us;
    uint8_t head[12];

    if (ev->kind != 'o' && ev->kind != 'e') {
        return 0;
    }
    put_le32(head, (uint32_t)(us / 1000000));
    put_le32(head + 4, (uint32_t)(us % 1000000));
    put_le32(head + 8, (uint32_t)ev->len);
    return export_out_write(&e->out, head, sizeof head, e->err) != 0
               ? -1
               : export_out_write(&e->out, ev->bytes, ev->len, e->err);
}

int ttyrec_run(const struct export_request *req, struct error *err)
{
    static const struct events_format format = {.event = on_event};

    return events_run(&format, req, err);
}
