/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max_bytes)
{
    memset(b, 0, sizeof *b);
    b->max = max_bytes;
}

void buf_clear(struct buf *b)
{
    free(b->mem);
    b->mem = NULL;
    b->off = b->len = b->cap = 0;
}

void buf_reset(struct buf *b)
{
    b->off = b->len = 0;
}

uint8_t *buf_data(const struct buf *b)
{
    static uint8_t none;

    return b->mem == NULL ? &none : b->mem + b->off;
}

/* One byte beyond the content is always kept free, for buf_text's NUL. */
static int buf_grow(struct buf *b, size_t need, struct error *err)
{
    size_t cap = b->cap == 0 ? 256 : b->cap;
    uint8_t *mem;

    while (cap < need) {
        cap = cap < 1024 * 1024 ? cap * 2 : cap + cap / 2;
    }
    mem = realloc(b->mem, cap);
    if (mem == NULL) {
        return err_sys(err, "allocate %zu bytes", cap);
    }
    b->mem = mem;
    b->cap = cap;
    return 0;
}

int buf_reserve(struct buf *b, size_t extra, uint8_t **ret, struct error *err)
{
    if (extra > b->max || b->len > b->max - extra) {
        return err_set(err, ERR_LIMIT, "more than %zu bytes", b->max);
    }
    if (b->mem == NULL || b->off + b->len + extra + 1 > b->cap) {
        if (b->off > 0 && b->len + extra + 1 <= b->cap && b->off >= b->len) {
            memmove(b->mem, b->mem + b->off, b->len);
            b->off = 0;
        } else if (buf_grow(b, b->off + b->len + extra + 1, err) != 0) {
            return -1;
        }
    }
    *ret = b->mem + b->off + b->len;
    return 0;
}

void buf_commit(struct buf *b, size_t n)
{
    b->len += n;
}

int buf_append(struct buf *b, const void *bytes, size_t len, struct error *err)
{
    uint8_t *at;

    if (buf_reserve(b, len, &at, err) != 0) {
        return -1;
    }
    if (len > 0) {
        memcpy(at, bytes, len);
    }
    b->len += len;
    return 0;
}

int buf_puts(struct buf *b, const char *text, struct error *err)
{
    return buf_append(b, text, strlen(text), err);
}

int buf_putc(struct buf *b, char c, struct error *err)
{
    return buf_append(b, &c, 1, err);
}

int buf_printf(struct buf *b, struct error *err, const char *fmt, ...)
{
    va_list ap;
    uint8_t *at;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return err_set(err, ERR_USAGE, "format");
    }
    /* The NUL goes into the byte that is always kept free. */
    if (buf_reserve(b, (size_t)n, &at, err) != 0) {
        return -1;
    }
    va_start(ap, fmt);
    (void)vsnprintf((char *)at, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return 0;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->off = b->len = 0;
        return;
    }
    b->off += n;
    b->len -= n;
}

const char *buf_text(struct buf *b, struct error *err)
{
    if (b->mem == NULL && buf_grow(b, 1, err) != 0) {
        return NULL;
    }
    b->mem[b->off + b->len] = '\0';
    return (const char *)b->mem + b->off;
}
