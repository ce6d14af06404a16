/* SPDX-License-Identifier: Apache-2.0 */
/* A ring's half, as anybody may have written it: what is read lies inside of it, its events follow
 * upon each other, and what is put is read back. */
#include <stdlib.h>
#include <string.h>

#include "storage/wire/event.h"
#include "storage/wire/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ring_half h, again;
    struct event ev;
    struct buf out;
    uint64_t seq;
    size_t at = 0, used = 0;

    if (ring_read(data, size, &h, NULL) != 0) {
        return 0;
    }
    seq = h.first_seq;
    while (event_next(h.frames + at, h.len - at, &ev, &used, NULL) == 1) {
        if (ev.seq != seq++ || ev.t_us > h.last_t_us) {
            abort();
        }
        at += used;
    }
    if (at != h.len || h.last_seq + 1 != seq || h.frames < data || h.frames + h.len > data + size) {
        abort();
    }
    buf_init(&out, RING_HEADER + FACTS_MAX);
    if (ring_put_header(&out, &h, NULL) != 0 ||
        ring_read(buf_data(&out), out.len, &again, NULL) != 0 || again.turn != h.turn ||
        again.first_seq != h.first_seq || again.started_us != h.started_us || again.len != 0) {
        abort();
    }
    buf_clear(&out);
    return 0;
}
