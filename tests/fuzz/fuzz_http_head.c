/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP answers, cut into lines as a transport would. */
#include <stdlib.h>
#include <string.h>

#include "aws/http_head.h"
#include "aws/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head h;
    const char *p = (const char *)data;
    int64_t us;

    http_head_init(&h);
    while (size > 0) {
        const char *eol = memchr(p, '\n', size);
        size_t n = eol == NULL ? size : (size_t)(eol - p) + 1;

        (void)http_head_line(&h, p, n, NULL);
        p += n;
        size -= n;
    }
    if (http_head_time(http_head_get(&h, "date"), &us) == 0 && us < INT64_C(-2209000000000000)) {
        abort();
    }
    us = retry_after_us(http_head_get(&h, "retry-after"), INT64_C(1700000000000000));
    if (us < 0 || us > RETRY_ASKED_MAX_US) {
        abort();
    }
    (void)retry_sort(h.status, http_head_get(&h, "server"), NULL);
    if (h.status < 0 || h.status > 999 || h.lines.len > HTTP_HEAD_MAX_BYTES) {
        abort();
    }
    http_head_clear(&h);
    return 0;
}
