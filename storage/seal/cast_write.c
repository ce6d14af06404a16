/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "common/json_write.h"
#include "common/utf8.h"
#include "storage/seal/cast.h"

/* [1234567890.123,"o","  and  "]\n */
#define LINE_OVERHEAD 48

static int partial_slot(char kind)
{
    return kind == 'o' ? 0 : kind == 'i' ? 1 : kind == 'e' ? 2 : -1;
}

/* Unsigned decimal without printf: this runs for every line of every recording. */
static size_t put_number(char *at, uint64_t n)
{
    char digits[20];
    size_t len = 0;

    do {
        digits[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    for (size_t i = 0; i < len; i++) {
        at[i] = digits[len - 1 - i];
    }
    return len;
}

/* `[12.345,"o","`: milliseconds are enough for a replay and cost 42 % less than microseconds on
 * keystrokes (PITFALLS 50). */
static int put_prefix(struct buf *out, uint64_t t_us, char kind, struct error *err)
{
    uint64_t ms = t_us / 1000;
    uint8_t *at;
    char *p;
    size_t n;

    if (buf_reserve(out, LINE_OVERHEAD, &at, err) != 0) {
        return -1;
    }
    p = (char *)at;
    *p++ = '[';
    n = put_number(p, ms / 1000);
    p += n;
    *p++ = '.';
    *p++ = (char)('0' + ms / 100 % 10);
    *p++ = (char)('0' + ms / 10 % 10);
    *p++ = (char)('0' + ms % 10);
    memcpy(p, ",\"", 2);
    p[2] = kind;
    memcpy(p + 3, "\",\"", 3);
    buf_commit(out, (size_t)(p + 6 - (char *)at));
    return 0;
}

static int put_base64(struct buf *out, const uint8_t *p, size_t len, struct error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *at;

    if (buf_reserve(out, (len + 2) / 3 * 4, &at, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;

        v |= i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0;
        v |= i + 2 < len ? p[i + 2] : 0;
        *at++ = (uint8_t)digits[v >> 18];
        *at++ = (uint8_t)digits[v >> 12 & 63];
        *at++ = i + 1 < len ? (uint8_t)digits[v >> 6 & 63] : '=';
        *at++ = i + 2 < len ? (uint8_t)digits[v & 63] : '=';
    }
    buf_commit(out, (len + 2) / 3 * 4);
    return 0;
}

static void count(struct cast_writer *w, const struct event *ev)
{
    w->lines++;
    if (ev->kind == 'o' || ev->kind == 'e') {
        w->bytes_out += ev->len;
    } else if (ev->kind == 'i') {
        w->bytes_in += ev->len;
    } else if (ev->kind == 'm' && ev->len > 9 && memcmp(ev->bytes, "redacted ", 9) == 0) {
        w->redactions++;
    }
}

/* 1 when a byte had to be replaced, so that the exact bytes must follow. */
static int put_line(struct cast_writer *w, struct buf *out, const struct event *ev,
                    struct error *err)
{
    bool lossy = false;

    if (ev->t_us > w->last_t_us) {
        w->last_t_us = ev->t_us;
    }
    if (put_prefix(out, w->last_t_us, ev->kind, err) != 0 ||
        json_escape(out, ev->bytes, ev->len, &lossy, err) != 0 ||
        buf_puts(out, "\"]\n", err) != 0) {
        return -1;
    }
    count(w, ev);
    return lossy ? 1 : 0;
}

static int put_both(struct cast_writer *w, struct buf *out, const struct event *ev,
                    struct error *err)
{
    int lossy = put_line(w, out, ev, err);

    if (lossy <= 0) {
        return lossy;
    }
    if (put_prefix(out, w->last_t_us, 'b', err) != 0 ||
        put_base64(out, ev->bytes, ev->len, err) != 0) {
        return -1;
    }
    return buf_puts(out, "\"]\n", err);
}

void cast_writer_init(struct cast_writer *w, uint64_t last_t_us)
{
    memset(w, 0, sizeof *w);
    w->last_t_us = last_t_us;
    buf_init(&w->joined, EVENT_MAX_BYTES + 4);
}

void cast_writer_clear(struct cast_writer *w)
{
    buf_clear(&w->joined);
}

int cast_event(struct cast_writer *w, struct buf *out, const struct event *ev, struct error *err)
{
    int slot = partial_slot(ev->kind);
    struct event whole = *ev;
    size_t part;

    if (slot < 0) {
        return put_both(w, out, ev, err);
    }
    if (w->partial[slot].len > 0) {
        buf_reset(&w->joined);
        if (buf_append(&w->joined, w->partial[slot].bytes, w->partial[slot].len, err) != 0 ||
            buf_append(&w->joined, ev->bytes, ev->len, err) != 0) {
            return -1;
        }
        whole.bytes = buf_data(&w->joined);
        whole.len = w->joined.len;
    }
    part = utf8_partial_tail(whole.bytes, whole.len);
    whole.len -= part;
    if (part > 0) {
        memcpy(w->partial[slot].bytes, whole.bytes + whole.len, part);
        w->partial[slot].seq = ev->seq;
        w->partial[slot].t_us = ev->t_us;
    }
    w->partial[slot].len = (uint8_t)part;
    return whole.len == 0 && part > 0 ? 0 : put_both(w, out, &whole, err);
}

static struct event partial_event(const struct cast_writer *w, int slot, char kind)
{
    struct event ev = {.seq = w->partial[slot].seq,
                       .t_us = w->partial[slot].t_us,
                       .kind = kind,
                       .bytes = w->partial[slot].bytes,
                       .len = w->partial[slot].len};

    return ev;
}

int cast_flush(struct cast_writer *w, struct buf *out, struct error *err)
{
    static const char kinds[] = "oie";

    for (int i = 0; i < 3; i++) {
        struct event ev = partial_event(w, i, kinds[i]);

        w->partial[i].len = 0;
        if (ev.len > 0 && put_both(w, out, &ev, err) < 0) {
            return -1;
        }
    }
    return 0;
}

int cast_carry(struct cast_writer *w, struct buf *out, struct error *err)
{
    static const char kinds[] = "oie";

    for (int i = 0; i < 3; i++) {
        struct event ev = partial_event(w, i, kinds[i]);

        if (ev.len > 0 && event_put(out, &ev, err) != 0) {
            return -1;
        }
        w->partial[i].len = 0;
    }
    return 0;
}
