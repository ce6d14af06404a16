/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, output, modes, sizes and times in any order.  What is typed in line mode without echo
 * (private characters U+E000 up here, which nothing prints) never comes out; every byte of input is
 * released once at most; the watermark covers what is released.  A record: flags, count, bytes. */
#include <stdlib.h>
#include <string.h>

#include "recorder/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    uint64_t now, pending;
    size_t typed, released, written, shown, recorded;
    int mixed; /* keys had to wait, and were written under other modes than they were made for */
};

static void on_input(void *user, uint64_t t, const uint8_t *bytes, size_t len)
{
    struct world *w = user;

    if (t > w->now || w->pending > t || (w->released += len) > w->typed ||
        (!w->mixed && memchr(bytes, 0xee, len) != NULL)) {
        abort();
    }
}

static void on_output(void *user, uint64_t t, const uint8_t *bytes, size_t len)
{
    struct world *w = user;

    w->recorded += len;
    if (t > w->now || len == 0 || bytes == NULL) {
        abort();
    }
}

static void on_mark(void *user, uint64_t start, uint64_t end, const char *what, const char *reader)
{
    if (start > end || end > ((struct world *)user)->now || what == NULL || reader == NULL) {
        abort();
    }
}

static void on_pending(void *user, uint64_t t, bool at_once)
{
    struct world *w = user;

    (void)at_once;
    if (t == w->pending || (t != REDACT_NO_PENDING && t > w->now)) {
        abort();
    }
    w->pending = t;
}

static void on_reader(void *user, char ret[REDACT_READER])
{
    (void)user;
    (void)strncpy(ret, "reader", REDACT_READER);
}

static struct redact_tty tty_of(uint8_t flags)
{
    return (struct redact_tty){
        .lflag = (flags & 1 ? ICANON : 0) | (flags & 2 ? ECHO : 0) | (flags & 4 ? ISIG : 0),
        .job = 7,
        .foreign = (flags & 4) != 0,
        .unread = flags & 2 ? 0 : -1,
    };
}

static void type(struct redact *r, struct world *w, const uint8_t *p, size_t n, uint8_t flags)
{
    struct redact_tty before = tty_of(flags), after = tty_of((uint8_t)(flags >> 3));
    bool secret =
        (before.lflag & (ICANON | ECHO)) == ICANON || (after.lflag & (ICANON | ECHO)) == ICANON;
    const uint8_t *slice;
    uint8_t *to;
    size_t room = redact_space(r, &to), len, put = 0;

    for (size_t i = 0; i < n && put + 3 <= room; i++) {
        if (secret && p[i] >= 32) {
            to[put++] = 0xee;
            to[put++] = 0x80;
            to[put++] = 0x80 | (p[i] & 0x3f);
        } else {
            to[put++] = p[i] == 0xee ? 'x' : p[i];
        }
    }
    w->typed += put;
    redact_typed(r, put, w->now);
    while ((len = redact_next(r, &slice)) > 0) {
        redact_before(r, &before);
        w->written += flags & 32 ? 1 : len;
        redact_written(r, flags & 32 ? 1 : len, &after, w->now);
    }
    w->mixed = w->mixed || w->written < w->typed;
}

static void show(struct redact *r, struct world *w, const uint8_t *p, size_t n, uint8_t flags)
{
    struct redact_tty tty = tty_of(flags);
    uint8_t bytes[256];

    for (size_t i = 0; i < n; i++) {
        bytes[i] = p[i] == 0xee ? '*' : p[i];
    }
    w->shown += n;
    if (n > 0) {
        redact_output(r, bytes, n, &tty, w->now);
    }
}

static void happen(struct redact *r, struct world *w, const uint8_t *p, size_t n, uint8_t flags)
{
    struct redact_tty tty = tty_of(flags);

    switch (flags >> 6) {
    case 0:
        type(r, w, p, n, flags);
        break;
    case 1:
        show(r, w, p, n, flags);
        break;
    case 2:
        if (n >= 2) {
            redact_resize(r, p[0] % 60, p[1] % 200);
        }
        break;
    default:
        w->now += (uint64_t)n * n * 500U;
        redact_tick(r, &tty, w->now);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.now = 1, .pending = REDACT_NO_PENDING};
    struct redact_sink sink = {&w, on_input, on_output, on_mark, on_pending, on_reader};
    struct redact_config config = {
        .policy = size > 0 && data[0] & 1 ? REDACT_STRICT : REDACT_BALANCED,
        .mask_hide = true,
        .blind_redact = size > 0 && data[0] & 2,
        .hold_max_kib = 1,
        .hold_max_s = 5,
        .typeahead_hold_s = 2,
        .max_no_echo = 20,
        .prompt_patterns = "zz+",
        .rows = 10,
        .cols = 30,
    };
    struct redact *r;
    struct error err;

    if (redact_new(&r, &config, &sink, &err) != 0) {
        return 0;
    }
    for (size_t at = 0; at + 2 <= size;) {
        size_t n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;

        w.now += 1000;
        happen(r, &w, data + at + 2, n, data[at]);
        at += 2 + n;
    }
    redact_end(r, w.now);
    if (w.pending != REDACT_NO_PENDING) {
        abort();
    }
    redact_free(r);
    return 0;
}
