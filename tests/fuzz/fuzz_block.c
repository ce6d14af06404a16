/* SPDX-License-Identifier: Apache-2.0 */
/* A block of the search index as it lies in the file: packed, and unpacked. */
#include <stdlib.h>

#include "replay/search/block.h"
#include "replay/search/literals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_line(void *user, const struct seen_line *l)
{
    size_t *bytes = user;

    if (l->kind > SEEN_INPUT) {
        abort();
    }
    for (size_t i = 0; i < l->len; i++) {
        *bytes += (uint8_t)l->text[i] != '\n';
    }
    return 0;
}

static void look(const struct buf *b)
{
    size_t len = 0, bytes = 0;

    if (block_body(b, &len, NULL) != NULL && block_lines(b, on_line, &bytes, NULL) == 0 &&
        bytes > len) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b, query;
    char pattern[200];

    buf_init(&b, 4 * 1024 * 1024);
    buf_init(&query, 65536);
    if (block_unpack(data, size, &b, NULL) == 0) {
        look(&b);
    }
    buf_reset(&b);
    if (buf_append(&b, data, size, NULL) == 0) {
        look(&b);
    }
    if (size < sizeof pattern) {
        for (size_t i = 0; i < size; i++) {
            pattern[i] = (char)data[i];
        }
        pattern[size] = '\0';
        (void)literals_query(pattern, false, &query, NULL);
        buf_reset(&query);
        (void)literals_query(pattern, true, &query, NULL);
    }
    buf_clear(&b);
    buf_clear(&query);
    return 0;
}
