/* SPDX-License-Identifier: Apache-2.0 */
/* asciicast text in two pieces gives the same lines as in one. */
#include <stdlib.h>

#include "storage/seal/cast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_all(const uint8_t *data, size_t size, size_t first)
{
    struct cast_reader *r = NULL;
    struct cast_line line;
    uint64_t sum = 0;
    int rc = 0;

    if (cast_reader_new(&r, 4096, NULL) != 0 || cast_reader_feed(r, data, first, NULL) != 0) {
        abort();
    }
    for (int part = 0; part < 2 && rc >= 0; part++) {
        while ((rc = cast_reader_next(r, part == 1, &line, NULL)) == 1) {
            sum = sum * 31 + line.t_us + line.len + line.json_len + (uint8_t)line.kind;
        }
        if (part == 0 && cast_reader_feed(r, data + first, size - first, NULL) != 0) {
            abort();
        }
    }
    cast_reader_free(r);
    return rc < 0 ? sum * 2 + 1 : sum * 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (read_all(data, size, size) != read_all(data, size, size / 2)) {
        abort();
    }
    return 0;
}
