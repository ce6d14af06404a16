/* SPDX-License-Identifier: Apache-2.0 */
/* Segments from a bucket: never more than allowed, and what unpacks fits a buffer of its size. */
#include <stdlib.h>

#include "storage/seal/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out, exact;

    buf_init(&out, 100000);
    if (segment_unpack(data, size, 100000, &out, NULL) == 0) {
        buf_init(&exact, out.len);
        if (segment_unpack(data, size, out.len, &exact, NULL) != 0 || exact.len != out.len) {
            abort();
        }
        buf_clear(&exact);
    }
    buf_clear(&out);
    return 0;
}
