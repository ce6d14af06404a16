/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, modes and times in any order: what is typed without echo (capital letters here) never comes
 * out, and the arena holds nothing after it was handed on.  A record is: flags, count, keys. */
#include <stdlib.h>
#include <string.h>

#include "recorder/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_input(void *user, uint64_t t, const uint8_t *bytes, size_t len)
{
    uint64_t *now = user;

    for (size_t i = 0; i < len; i++) {
        if (t > *now || (bytes[i] >= 'A' && bytes[i] <= 'Z')) {
            abort();
        }
    }
}

static void on_mark(void *user, uint64_t start, uint64_t end, const char *why)
{
    if (start > end || end > *(uint64_t *)user || why == NULL) {
        abort();
    }
}

static void on_pending(void *user, uint64_t t)
{
    if (t != REDACT_NO_PENDING && t > *(uint64_t *)user) {
        abort();
    }
}

static void keys(struct redact *r, uint64_t now, const uint8_t *p, size_t n, uint8_t flags)
{
    tcflag_t before = (flags & 1 ? ICANON : 0) | (flags & 2 ? ECHO : 0) | (flags & 4 ? ISIG : 0);
    tcflag_t after = (flags & 8 ? ICANON : 0) | (flags & 16 ? ECHO : 0);
    int secret = (before & (ICANON | ECHO)) == ICANON || (after & (ICANON | ECHO)) == ICANON;
    const uint8_t *slice;
    uint8_t *to;
    size_t room = redact_space(r, &to), len;

    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++) {
        to[i] = secret && p[i] >= 32         ? (uint8_t)('A' + p[i] % 26)
                : p[i] >= 'A' && p[i] <= 'Z' ? 'a'
                                             : p[i];
    }
    redact_typed(r, n, now);
    while ((len = redact_next(r, &slice)) > 0) {
        redact_before(r, before);
        /* Short writes too; never none, which would wait for ever here. */
        redact_written(r, flags & 32 ? 1 : len, before, after);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t now = 1;
    struct redact_sink sink = {&now, on_input, on_mark, on_pending};
    struct redact r;
    struct error err;

    if (redact_open(&r, true, 1, &sink, &err) != 0) {
        return 0;
    }
    for (size_t at = 0; at + 2 <= size;) {
        size_t n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;

        now += (uint64_t)(data[at] >> 6) * 700000U;
        redact_tick(&r, now);
        keys(&r, now, data + at + 2, n, data[at]);
        at += 2 + n;
    }
    redact_end(&r, now);
    redact_close(&r);
    return 0;
}
