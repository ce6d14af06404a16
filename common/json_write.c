/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/json.h"
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

int json_escape(struct buf *out, const uint8_t *bytes, size_t len, bool *ret_lossy,
                struct error *err)
{
    uint8_t *start, *at;
    size_t i = 0;

    if (len > SIZE_MAX / GROWTH) {
        return err_set(err, ERR_LIMIT, "JSON string of %zu bytes", len);
    }
    if (buf_reserve(out, len * GROWTH, &start, err) != 0) {
        return -1;
    }
    at = start;
    while (i < len) {
        size_t plain = utf8_plain(bytes + i, len - i);
        int n;

        memcpy(at, bytes + i, plain);
        at += plain;
        i += plain;
        if (i == len) {
            break;
        }
        n = utf8_length(bytes + i, len - i);
        if (n == 1) {
            at += escape_control(bytes[i++], at);
        } else if (n > 1) {
            memcpy(at, bytes + i, (size_t)n);
            at += n;
            i += (size_t)n;
        } else {
            memcpy(at, "\xef\xbf\xbd", 3);
            at += 3;
            i++;
            if (ret_lossy != NULL) {
                *ret_lossy = true;
            }
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
