/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as a socket or a tail gives them: what decodes as an event encodes to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "storage/wire/event.h"
#include "storage/wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event ev;
    struct frame f;
    size_t used = 0;
    struct buf out;

    buf_init(&out, FRAME_HEADER + FRAME_MAX_BODY);
    while (size > 0 && frame_next(data, size, &f, &used, NULL) == 1) {
        if (event_next(data, size, &ev, &used, NULL) == 1) {
            buf_reset(&out);
            if (event_put(&out, &ev, NULL) != 0 || out.len != used ||
                memcmp(buf_data(&out), data, used) != 0) {
                abort();
            }
        }
        data += used;
        size -= used;
    }
    buf_clear(&out);
    return 0;
}
