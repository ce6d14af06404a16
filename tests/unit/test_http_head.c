/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "aws/http_head.h"

static int line(struct http_head *h, const char *text, struct error *err)
{
    return http_head_line(h, text, strlen(text), err);
}

static void lines_become_headers(void **state)
{
    struct http_head h;

    (void)state;
    http_head_init(&h);
    assert_int_equal(line(&h, "HTTP/1.1 100 Continue\r\n", NULL), 0);
    assert_int_equal(line(&h, "X-Early: 1\r\n", NULL), 0);
    assert_int_equal(line(&h, "\r\n", NULL), 0);
    assert_int_equal(line(&h, "HTTP/1.1 200 OK\r\n", NULL), 0);
    assert_int_equal(line(&h, "ETag: \t \"a:b\" \r\n", NULL), 0);
    assert_int_equal(line(&h, "etag: second\r\n", NULL), 0);
    assert_int_equal(line(&h, "Empty:\r\n", NULL), 0);
    assert_int_equal(line(&h, "no colon\r\n", NULL), 0);
    assert_int_equal(line(&h, ": no name\r\n", NULL), 0);
    assert_int_equal(h.status, 200);
    assert_string_equal(http_head_get(&h, "etag"), "\"a:b\"");
    assert_string_equal(http_head_get(&h, "empty"), "");
    assert_string_equal(http_head_get(&h, "x-early"), "");
    assert_string_equal(http_head_get(&h, "second"), "");
    http_head_reset(&h);
    assert_int_equal(h.status, 0);
    assert_string_equal(http_head_get(&h, "etag"), "");
    http_head_clear(&h);
}

static void status_lines(void **state)
{
    static const struct {
        const char *text;
        int status; /* -1: none */
    } table[] = {
        {"HTTP/1.1 404 Not Found\r\n", 404},
        {"HTTP/2 301 \r\n", 301},
        {"HTTP/1.1 200\r\n", 200},
        {"HTTP/1.1 200", 200},
        {"HTTP/1.1", -1},
        {"HTTP/1.1 20\r\n", -1},
        {"HTTP/1.1 2000 OK\r\n", -1},
        {"HTTP/1.1 abc\r\n", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct http_head h;
        struct error err = {0};

        http_head_init(&h);
        assert_int_equal(line(&h, table[i].text, &err), table[i].status < 0 ? -1 : 0);
        assert_int_equal(table[i].status < 0 ? ERR_CORRUPT : ERR_NONE, err.kind);
        if (table[i].status >= 0) {
            assert_int_equal(h.status, table[i].status);
        }
        http_head_clear(&h);
    }
}

static void bounds(void **state)
{
    struct http_head h;
    struct error err = {0};
    unsigned taken = 0;

    (void)state;
    http_head_init(&h);
    assert_int_equal(http_head_line(&h, "A: b\0c", 6, &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    while (line(&h, "X-Filler: 0123456789012345678901234567890123456789\r\n", &err) == 0) {
        taken++;
    }
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(taken, HTTP_HEAD_MAX_BYTES / 50);
    assert_string_equal(http_head_get(&h, "x-filler"), "0123456789012345678901234567890123456789");
    assert_string_equal(http_head_get(&h, "none"), "");
    http_head_clear(&h);
}

static void times(void **state)
{
    static const char *const bad[] = {"",
                                      "Sun, 06 Nov 1994 08:49:37 CET",
                                      "Sun, 06 Nux 1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1894 08:49:37 GMT",
                                      "Sun, 06 ovD 1994 08:49:37 GMT",
                                      "Sun, x6 Nov 1994 08:49:37 GMT"};
    int64_t us = 1;

    (void)state;
    assert_int_equal(http_head_time("Sun, 06 Nov 1994 08:49:37 GMT", &us), 0);
    assert_int_equal(us, INT64_C(784111777000000));
    assert_int_equal(http_head_time("Thu, 29 Feb 2024 23:59:60 GMT", &us), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (http_head_time(bad[i], &us) != -1) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_headers),
        cmocka_unit_test(status_lines),
        cmocka_unit_test(bounds),
        cmocka_unit_test(times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
