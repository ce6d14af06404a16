/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/json_write.h"
#include "common/utf8.h"

/* The longest thing one input byte becomes: \u001b. */
#define GROWTH 6

static size_t escape_control(uint8_t c, uint8_t *at)
{
    static const char digits[] = "0123456789abcdef";
    char two = 0;

    switch (c) {
    case '"':
    case '\\':
        two = (char)c;
        break;
    case '\n':
        two = 'n';
        break;
    case '\r':
        two = 'r';
        break;
    case '\t':
        two = 't';
        break;
    case '\b':
        two = 'b';
        break;
    case '\f':
        two = 'f';
        break;
    default:
        break;
    }
    at[0] = '\\';
    if (two != 0) {
        at[1] = (uint8_t)two;
        return 2;
    }
    memcpy(at + 1, "u00", 3);
    at[4] = (uint8_t)digits[c >> 4];
    at[5] = (uint8_t)digits[c & 15];
    return 6;
}

/* One character that may not stand as it is; *at moves on.  How many bytes of input it took. */
static size_t escape_one(const uint8_t *p, size_t len, uint8_t **at, bool *ret_lossy)
{
    int n = utf8_length(p, len);

    if (n == 1) {
        *at += escape_control(*p, *at);
        return 1;
    }
    if (n > 1) {
        memcpy(*at, p, (size_t)n);
        *at += n;
        return (size_t)n;
    }
    memcpy(*at, "\xef\xbf\xbd", 3);
    *at += 3;
    if (ret_lossy != NULL) {
        *ret_lossy = true;
    }
    return 1;
}

int json_escape(struct buf *out, const uint8_t *bytes, size_t len, bool *ret_lossy,
                struct error *err)
{
    uint8_t *start, *at;
    size_t i = 0;

    if (len > SIZE_MAX / GROWTH - 8) {
        return err_set(err, ERR_LIMIT, "JSON string of %zu bytes", len);
    }
    if (buf_reserve(out, len * GROWTH + 8, &start, err) != 0) {
        return -1;
    }
    at = start;
    while (i < len) {
        /* Copy and look in one go: runs between escapes are too short for a call of memcpy each. */
        i += utf8_copy_plain(bytes + i, len - i, &at);
        if (i < len) {
            i += escape_one(bytes + i, len - i, &at, ret_lossy);
        }
    }
    buf_commit(out, (size_t)(at - start));
    return 0;
}

int json_string_n(struct buf *out, const void *bytes, size_t len, struct error *err)
{
    if (buf_putc(out, '"', err) != 0 || json_escape(out, bytes, len, NULL, err) != 0) {
        return -1;
    }
    return buf_putc(out, '"', err);
}

int json_string(struct buf *out, const char *text, struct error *err)
{
    if (text == NULL) {
        return buf_puts(out, "null", err);
    }
    return json_string_n(out, text, strlen(text), err);
}
