/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a program writes, cut anywhere, with resizes in between: two screens that are fed the
 * same in other pieces are the same, events included.  A record: flags, count, bytes. */
#include <stdlib.h>
#include <string.h>

#include "screen/screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    uint64_t hash;
    size_t events;
};

static void on_event(void *user, const struct screen_event *e)
{
    struct tally *t = user;
    uint64_t x = (uint64_t)e->kind << 56 ^ (uint64_t)e->ch << 24 ^ (uint64_t)e->absrow << 12 ^
                 (uint64_t)(e->col * 4 + e->width) ^ (uint64_t)e->on << 60;

    t->hash = (t->hash ^ x) * 0x9e3779b97f4a7c15U;
    t->events++;
}

static struct screen *fresh(struct tally *t)
{
    struct screen_config config = {.rows = 8, .cols = 20, .on_event = on_event, .user = t};
    struct screen *s;
    struct error err;

    if (screen_new(&s, &config, &err) != 0) {
        abort();
    }
    return s;
}

static void compare(const struct screen *a, const struct screen *b)
{
    int row[2], col[2];

    screen_cursor(a, &row[0], &col[0]);
    screen_cursor(b, &row[1], &col[1]);
    if (row[0] != row[1] || col[0] != col[1] || screen_is_alt(a) != screen_is_alt(b) ||
        screen_pastes(a) != screen_pastes(b) || screen_scrolled(a) != screen_scrolled(b) ||
        row[0] < 0 || row[0] >= screen_rows(a) || col[0] < 0 || col[0] >= screen_cols(a)) {
        abort();
    }
    for (int i = 0; i < screen_rows(a); i++) {
        for (int j = 0; j < screen_cols(a); j++) {
            const struct screen_cell *x = screen_row(a, i) + j, *y = screen_row(b, i) + j;

            if (x->ch != y->ch || x->fg != y->fg || x->bg != y->bg || x->attrs != y->attrs) {
                abort();
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tally whole = {0}, cut = {0};
    struct screen *a = fresh(&whole), *b = fresh(&cut);
    struct error err;

    for (size_t at = 0; at + 2 <= size;) {
        size_t n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
        const uint8_t *bytes = data + at + 2;

        if (data[at] == 255 && n >= 2) {
            (void)screen_resize(a, bytes[0] % 40, bytes[1] % 90, &err);
            (void)screen_resize(b, bytes[0] % 40, bytes[1] % 90, &err);
        } else {
            size_t first = n > 0 ? data[at] % n : 0;

            screen_feed(a, bytes, n);
            screen_feed(b, bytes, first);
            screen_feed(b, bytes + first, n - first);
        }
        at += 2 + n;
    }
    compare(a, b);
    if (whole.hash != cut.hash || whole.events != cut.events) {
        abort();
    }
    screen_free(a);
    screen_free(b);
    return 0;
}
