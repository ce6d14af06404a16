/* SPDX-License-Identifier: Apache-2.0 */
/* A stream cut in pieces gives what it gives whole; as many bytes come out as went in; nothing is
 * left in the memory for what is withheld; bytes change to asterisks alone.  The first byte seeds
 * the cuts, and is the terminal's width. */
#include <stdlib.h>
#include <string.h>

#include "recorder/shapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct out {
    uint8_t *bytes;
    size_t len, max;
    unsigned tokens;
};

static void on_keep(void *user, const uint8_t *bytes, size_t len)
{
    struct out *o = user;

    if (len == 0 || o->len + len > o->max) {
        abort();
    }
    memcpy(o->bytes + o->len, bytes, len);
    o->len += len;
}

static void on_token(void *user, const char *kind)
{
    ((struct out *)user)->tokens += kind != NULL;
}

static void run(const uint8_t *data, size_t size, unsigned seed, unsigned width, struct out *o)
{
    struct shapes_sink sink = {o, on_keep, on_token};
    struct shapes s;

    o->len = o->tokens = 0;
    o->max = size;
    shapes_open(&s, &sink);
    shapes_width(&s, width);
    while (size > 0) {
        size_t n = seed == 0 ? size : 1 + seed % 13;

        seed = seed == 0 ? 0 : seed * 1103515245U + 12345U;
        n = n < size ? n : size;
        shapes_put(&s, data, n);
        data += n;
        size -= n;
    }
    shapes_flush(&s);
    for (size_t i = 0; i < sizeof s.held; i++) {
        if (s.held[i] != 0) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct out whole = {0}, cut = {0};
    unsigned width;

    if (size < 2) {
        return 0;
    }
    width = data[0] % 4 == 0 ? 0 : data[0] % 4 * 20;
    whole.bytes = malloc(size);
    cut.bytes = malloc(size);
    if (whole.bytes == NULL || cut.bytes == NULL) {
        abort();
    }
    run(data + 1, size - 1, 0, width, &whole);
    run(data + 1, size - 1, data[0] + 1U, width, &cut);
    if (whole.len != size - 1 || cut.len != whole.len || cut.tokens != whole.tokens ||
        memcmp(whole.bytes, cut.bytes, whole.len) != 0) {
        abort();
    }
    for (size_t i = 0; i < whole.len; i++) {
        if (whole.bytes[i] != data[i + 1] &&
            (whole.bytes[i] != '*' || data[i + 1] <= ' ' || data[i + 1] >= 0x7f)) {
            abort();
        }
    }
    free(whole.bytes);
    free(cut.bytes);
    return 0;
}
