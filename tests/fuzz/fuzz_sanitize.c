/* SPDX-License-Identifier: Apache-2.0 */
/* The player's filter: its output is UTF-8 without C1 controls, however the bytes are cut, and
 * filtering it again changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "replay/sanitize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void filter(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
    struct sanitize s;
    struct error err;

    sanitize_init(&s);
    for (size_t at = 0; at < size; at += piece) {
        if (sanitize_feed(&s, data + at, size - at < piece ? size - at : piece, out, &err) != 0) {
            abort();
        }
    }
}

static void check(const struct buf *a, const struct buf *b)
{
    if (a->len != b->len || (a->len > 0 && memcmp(buf_data(a), buf_data(b), a->len) != 0)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, pieces, again;

    buf_init(&whole, SIZE_MAX / 4);
    buf_init(&pieces, SIZE_MAX / 4);
    buf_init(&again, SIZE_MAX / 4);
    filter(data, size, size + 1, &whole);
    filter(data, size, size > 0 ? 1U + data[0] % 7U : 1, &pieces);
    check(&whole, &pieces);
    for (size_t i = 0; i < whole.len;) {
        const uint8_t *p = buf_data(&whole) + i;
        int n = utf8_length(p, whole.len - i);

        if (n <= 0 || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)) {
            abort();
        }
        i += (size_t)n;
    }
    if (whole.len > 0) {
        filter(buf_data(&whole), whole.len, whole.len, &again);
    }
    check(&whole, &again);
    buf_clear(&whole);
    buf_clear(&pieces);
    buf_clear(&again);
    return 0;
}
