/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/http_head.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

void http_head_init(struct http_head *h)
{
    h->status = 0;
    buf_init(&h->lines, HTTP_HEAD_MAX_BYTES);
}

void http_head_clear(struct http_head *h)
{
    h->status = 0;
    buf_clear(&h->lines);
}

void http_head_reset(struct http_head *h)
{
    h->status = 0;
    buf_reset(&h->lines);
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "HTTP/1.1 200 OK", also "HTTP/2 200". */
static int take_status(struct http_head *h, const char *line, size_t len, struct error *err)
{
    const char *sp = memchr(line, ' ', len);
    size_t left = sp == NULL ? 0 : len - (size_t)(sp - line);

    if (left < 4 || !digit(sp[1]) || !digit(sp[2]) || !digit(sp[3]) ||
        (left > 4 && !blank(sp[4]))) {
        return err_set(err, ERR_CORRUPT, "HTTP status line");
    }
    http_head_reset(h);
    h->status = (sp[1] - '0') * 100 + (sp[2] - '0') * 10 + (sp[3] - '0');
    return 0;
}

int http_head_line(struct http_head *h, const char *line, size_t len, struct error *err)
{
    const char *colon, *value;
    size_t value_len, from = h->lines.len;

    if (memchr(line, '\0', len) != NULL) {
        return err_set(err, ERR_CORRUPT, "NUL in an HTTP header");
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        return take_status(h, line, len, err);
    }
    colon = memchr(line, ':', len);
    if (colon == NULL || colon == line) {
        return 0;
    }
    value = colon + 1;
    value_len = len - (size_t)(value - line);
    while (value_len > 0 && blank(*value)) {
        value++;
        value_len--;
    }
    while (value_len > 0 && blank(value[value_len - 1])) {
        value_len--;
    }
    if (buf_append(&h->lines, line, (size_t)(colon - line), err) != 0 ||
        buf_putc(&h->lines, '\0', err) != 0 || buf_append(&h->lines, value, value_len, err) != 0 ||
        buf_putc(&h->lines, '\0', err) != 0) {
        h->lines.len = from;
        return -1;
    }
    for (uint8_t *p = buf_data(&h->lines) + from; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p = (uint8_t)(*p + ('a' - 'A'));
        }
    }
    return 0;
}

const char *http_head_get(const struct http_head *h, const char *name)
{
    const char *p = (const char *)buf_data(&h->lines), *end = p + h->lines.len;

    while (p < end) {
        const char *value = p + strlen(p) + 1;

        if (strcmp(p, name) == 0) {
            return value;
        }
        p = value + strlen(value) + 1;
    }
    return "";
}

static int number(const char *p, int digits)
{
    int v = 0;

    for (int i = 0; i < digits; i++) {
        if (!digit(p[i])) {
            return -1;
        }
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

/* By hand, since strptime reads the names of the months in the locale's language. */
int http_head_time(const char *text, int64_t *ret_unix_us)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {0};
    const char *p = text + 5;

    if (strlen(text) != 29 || memcmp(text + 3, ", ", 2) != 0 || strcmp(text + 25, " GMT") != 0 ||
        p[2] != ' ' || p[6] != ' ' || p[11] != ' ' || p[14] != ':' || p[17] != ':') {
        return -1;
    }
    tm.tm_mon = -1;
    for (int m = 0; m < 12; m++) {
        if (memcmp(p + 3, months + (size_t)m * 3, 3) == 0) {
            tm.tm_mon = m;
        }
    }
    tm.tm_mday = number(p, 2);
    tm.tm_year = number(p + 7, 4) - 1900;
    tm.tm_hour = number(p + 12, 2);
    tm.tm_min = number(p + 15, 2);
    tm.tm_sec = number(p + 18, 2);
    if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_year < 0 || tm.tm_hour < 0 ||
        tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60) {
        return -1;
    }
    *ret_unix_us = (int64_t)timegm(&tm) * 1000000;
    return 0;
}
