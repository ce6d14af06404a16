/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "aws/creds_private.h"
#include "common/clock.h"

int creds_put(char *ret, size_t size, const void *bytes, size_t len, const char *what,
              struct error *err)
{
    const unsigned char *p = bytes;

    if (len >= size) {
        return err_set(err, ERR_LIMIT, "an overlong %s", what);
    }
    for (size_t i = 0; i < len; i++) {
        if (p[i] <= ' ' || p[i] > '~') {
            return err_set(err, ERR_CORRUPT, "a %s with odd bytes", what);
        }
    }
    memcpy(ret, bytes, len);
    ret[len] = '\0';
    return 0;
}

/* "+01:30" to seconds, into ${ret}; false when ${text} is none. */
static bool zone(const char *text, int64_t *ret)
{
    unsigned h, m;
    char sign, end;

    if (strlen(text) != 6 || sscanf(text, "%c%2u:%2u%c", &sign, &h, &m, &end) != 3 ||
        (sign != '+' && sign != '-') || h > 23 || m > 59) {
        return false;
    }
    *ret = (int64_t)(h * 3600 + m * 60) * (sign == '-' ? -1 : 1);
    return true;
}

int creds_time(const char *text, int64_t *ret_us)
{
    char copy[64];
    size_t n = strlen(text);
    int64_t offset_s = 0;

    /* Not clock_parse's other forms: seconds, days. */
    if (n < 19 || n + 2 > sizeof copy || text[10] != 'T') {
        return -1;
    }
    memcpy(copy, text, n + 1);
    if (zone(copy + n - 6, &offset_s)) {
        n -= 6;
    } else if (copy[n - 1] == 'Z') {
        n--;
    } else if (strcmp(copy + n - 3, "UTC") == 0) { /* as old SSO caches have it */
        n -= 3;
    }
    memcpy(copy + n, "Z", 2);
    if (clock_parse(copy, ret_us, NULL) != 0) {
        return -1;
    }
    *ret_us -= offset_s * 1000000;
    return 0;
}

void creds_secret_init(struct buf *b, size_t max)
{
    buf_init(b, max);
}

int creds_secret_room(struct buf *b, size_t n, struct error *err)
{
    uint8_t *room;

    return buf_reserve(b, n, &room, err);
}

void creds_secret_clear(struct buf *b)
{
    if (b->mem != NULL) {
        explicit_bzero(b->mem, b->cap);
    }
    buf_clear(b);
}
