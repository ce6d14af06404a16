/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>

#include <cmocka.h>

#include "aws/imds.h"
#include "tests/unit/httpd.h"

#define TOKEN_PUT                                                                                  \
    {                                                                                              \
        "PUT /latest/api/token", 0, "HTTP/1.1 200 OK\n\nTOKENTOKEN=="                              \
    }

struct outcome {
    int rc;
    struct error err;
    char text[256];
};

static struct outcome ask(const struct httpd_answer *answers, size_t count, unsigned times,
                          struct httpd *h)
{
    struct outcome o = {0};
    struct imds *i = NULL;
    struct buf b;

    httpd_start(h, answers, count);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", h->url, 1);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    buf_init(&b, 200);
    assert_int_equal(imds_open(&i, &o.err), 0);
    for (unsigned n = 0; n < times; n++) {
        buf_reset(&b);
        o.rc = imds_get(i, "/latest/meta-data/instance-id", 200, &b, &o.err);
    }
    (void)snprintf(o.text, sizeof o.text, "%s", buf_text(&b, NULL));
    imds_close(i);
    buf_clear(&b);
    return o;
}

static void token_first_then_get(void **state)
{
    static const struct httpd_answer answers[] = {
        TOKEN_PUT,
        {"X-aws-ec2-metadata-token: TOKENTOKEN==", 0, "HTTP/1.1 200 OK\n\ni-0abc"},
    };
    struct httpd h;
    struct outcome o = ask(answers, 2, 3, &h);

    (void)state;
    assert_int_equal(o.rc, 0);
    assert_string_equal(o.text, "i-0abc");
    assert_int_equal(h.log->requests, 4); /* the token is kept */
    assert_int_equal(h.log->connections, 1);
    assert_non_null(strstr(h.log->all, "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
    assert_non_null(strstr(h.log->all, "Content-Length: 0\r\n"));
    assert_null(strcasestr(h.log->all, "x-forwarded-for"));
    httpd_stop(&h);
}

static void an_ended_token_is_renewed_once(void **state)
{
    static const struct httpd_answer answers[] = {
        TOKEN_PUT,
        {"GET ", 1, "HTTP/1.1 401 Unauthorized\n\n"},
        {"GET ", 0, "HTTP/1.1 200 OK\n\ni-1"},
    };
    static const struct httpd_answer never[] = {
        TOKEN_PUT,
        {"GET ", 0, "HTTP/1.1 401 Unauthorized\n\n"},
    };
    struct httpd h;
    struct outcome o = ask(answers, 3, 1, &h);

    (void)state;
    assert_int_equal(o.rc, 0);
    assert_string_equal(o.text, "i-1");
    assert_int_equal(h.log->requests, 4);
    httpd_stop(&h);
    o = ask(never, 2, 1, &h);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.kind, ERR_DENIED);
    assert_int_equal(h.log->requests, 4);
    httpd_stop(&h);
}

static void a_token_of_a_minute_is_used_once(void **state)
{
    static const struct httpd_answer answers[] = {
        {"PUT /latest/api/token", 0,
         "HTTP/1.1 200 OK\nX-aws-ec2-metadata-token-ttl-seconds: 60\n\nTOKEN"},
        {"X-aws-ec2-metadata-token: TOKEN", 0, "HTTP/1.1 200 OK\n\ni-0abc"},
    };
    struct httpd h;
    struct outcome o = ask(answers, 2, 3, &h);

    (void)state;
    assert_int_equal(o.rc, 0);
    assert_int_equal(h.log->requests, 6);
    httpd_stop(&h);
}

static void version_1_is_never_used(void **state)
{
    static const char *const refusals[] = {"HTTP/1.1 403 Forbidden\n\n",
                                           "HTTP/1.1 404 Not Found\n\n",
                                           "HTTP/1.1 405 Method Not Allowed\n\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct httpd_answer answers[] = {{"PUT ", 0, refusals[i]},
                                         {"GET ", 0, "HTTP/1.1 200 OK\n\ni-version-1"}};
        struct httpd h;
        struct outcome o = ask(answers, 2, 1, &h);

        assert_int_equal(o.rc, -1);
        assert_int_equal(o.err.kind, ERR_DENIED);
        assert_null(strstr(h.log->all, "GET "));
        httpd_stop(&h);
    }
}

static void answers_are_sorted(void **state)
{
    static const struct {
        const char *reply;
        enum err_kind kind;
        int code;
    } table[] = {
        {"HTTP/1.1 404 Not Found\n\n", ERR_SYSTEM, ENOENT},
        {"HTTP/1.1 503 Busy\n\n", ERR_RETRY, 0},
        {"HTTP/1.1 429 Slow\n\n", ERR_RETRY, 0},
        {"HTTP/1.1 403 No\n\n", ERR_DENIED, 0},
        {"HTTP/1.1 301 Away\nLocation: http://example.com/\n\n", ERR_DENIED, 0},
        {NULL, ERR_RETRY, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct httpd_answer answers[] = {TOKEN_PUT, {"GET ", 0, table[i].reply}};
        struct httpd h;
        struct outcome o = ask(answers, 2, 1, &h);

        assert_int_equal(o.rc, -1);
        assert_int_equal(o.err.kind, table[i].kind);
        assert_int_equal(o.err.code, table[i].code);
        assert_null(strstr(o.err.text, "TOKEN"));
        httpd_stop(&h);
    }
}

static void a_busy_moment_is_survived(void **state)
{
    static const struct httpd_answer answers[] = {
        {"PUT ", 1, "HTTP/1.1 500 Busy\n\n"},
        TOKEN_PUT,
        {"GET ", 2, "HTTP/1.1 503 Busy\n\n"},
        {"GET ", 0, "HTTP/1.1 200 OK\n\ni-1"},
    };
    struct httpd h;
    struct outcome o = ask(answers, 4, 1, &h);

    (void)state;
    assert_int_equal(o.rc, 0);
    assert_string_equal(o.text, "i-1");
    httpd_stop(&h);
}

static void a_hostile_token_is_refused(void **state)
{
    static const struct httpd_answer answers[] = {
        {"PUT ", 0, "HTTP/1.1 200 OK\n\nA\r\nX-Forwarded-For: 1"},
        {"GET ", 0, "HTTP/1.1 200 OK\n\ni-1"},
    };
    struct httpd h;
    struct outcome o = ask(answers, 2, 1, &h);

    (void)state;
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.kind, ERR_CORRUPT);
    assert_null(strstr(h.log->all, "GET "));
    httpd_stop(&h);
}

static void settings_of_the_environment(void **state)
{
    struct imds *i = NULL;
    struct error err = {0};

    (void)state;
    setenv("AWS_EC2_METADATA_DISABLED", "TRUE", 1);
    assert_int_equal(imds_open(&i, &err), -1);
    assert_int_equal(err.kind, ERR_DENIED);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "file:///etc/passwd", 1);
    assert_int_equal(imds_open(&i, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_first_then_get),
        cmocka_unit_test(an_ended_token_is_renewed_once),
        cmocka_unit_test(a_token_of_a_minute_is_used_once),
        cmocka_unit_test(version_1_is_never_used),
        cmocka_unit_test(answers_are_sorted),
        cmocka_unit_test(a_busy_moment_is_survived),
        cmocka_unit_test(a_hostile_token_is_refused),
        cmocka_unit_test(settings_of_the_environment),
    };

    setenv("http_proxy", "http://127.0.0.1:1", 1);   /* must not be used */
    setenv("AWS_METADATA_SERVICE_TIMEOUT", "60", 1); /* machines may be slow */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
