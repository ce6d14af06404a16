/* SPDX-License-Identifier: Apache-2.0 */
/* SigV4 against vectors of our own making, in the shapes this program sends; they were computed by
 * an independent implementation (Python's hmac and urllib).  The published ones:
 * test_sigv4_suite.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sigv4.h"
#include "common/clock.h"

#define SECRET "not/a+Real0Secret1Key2For3Tests4Only5678"

struct vector {
    const char *name, *method;
    enum sigv4_path rule;
    const char *path, *query;
    struct sigv4_header headers[10];
    const char *payload, *date, *region, *service, *canonical, *signature;
};

static const struct vector vectors[] = {
    {.name = "put of a pack with checksum, token and owner",
     .method = "PUT",
     .rule = SIGV4_PATH_S3,
     .path = "/audit/packs/dt%3D2026-11-22/host%3DAROA1%3Ai-0a/000000000001%20%C3%BC%2B~.cast.gz",
     .query = NULL,
     .headers = {{"Host", "audit.s3.eu-central-1.amazonaws.com"},
                 {"x-amz-date", "20261122T054031Z"},
                 {"x-amz-content-sha256",
                  "4862f447f2c7f272fa2f4aaf89dadb3b1ac09105bd5864f8d1a0c9452bb0a226"},
                 {"x-amz-security-token", "IQoJb3JpZ2luX2VjEXAMPLE//////////=="},
                 {"x-amz-expected-bucket-owner", "123456789012"},
                 {"If-None-Match", "*"},
                 {"x-amz-checksum-sha256", "SGL0R/LH8nL6L0qvidrbOxrAkQW9WGT40aDJRSuwoiY="},
                 {"Content-Type", "application/gzip"}},
     .payload = "4862f447f2c7f272fa2f4aaf89dadb3b1ac09105bd5864f8d1a0c9452bb0a226",
     .date = "20261122T054031Z",
     .region = "eu-central-1",
     .service = "s3",
     .canonical =
         "PUT\n"
         "/audit/packs/dt%3D2026-11-22/host%3DAROA1%3Ai-0a/000000000001%20%C3%BC%2B~.cast.gz\n"
         "\n"
         "content-type:application/gzip\n"
         "host:audit.s3.eu-central-1.amazonaws.com\n"
         "if-none-match:*\n"
         "x-amz-checksum-sha256:SGL0R/LH8nL6L0qvidrbOxrAkQW9WGT40aDJRSuwoiY=\n"
         "x-amz-content-sha256:4862f447f2c7f272fa2f4aaf89dadb3b1ac09105bd5864f8d1a0c9452bb0a226\n"
         "x-amz-date:20261122T054031Z\n"
         "x-amz-expected-bucket-owner:123456789012\n"
         "x-amz-security-token:IQoJb3JpZ2luX2VjEXAMPLE//////////==\n"
         "\n"
         "content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date;x-"
         "amz-expected-bucket-owner;x-amz-security-token\n"
         "4862f447f2c7f272fa2f4aaf89dadb3b1ac09105bd5864f8d1a0c9452bb0a226",
     .signature = "d512b8003530504967079c77022ff71e3fa804a7429d6b92755211f3698d4274"},
    {.name = "list with odd prefix",
     .method = "GET",
     .rule = SIGV4_PATH_S3,
     .path = "/audit-test/",
     .query = "list-type=2&prefix=a%2Fdt%3D1%3A2%2B3%20%C3%BC&encoding-type=url&max-keys=1000",
     .headers = {{"Host", "127.0.0.1:8480"},
                 {"x-amz-date", "20260228T000000Z"},
                 {"x-amz-content-sha256",
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
     .payload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     .date = "20260228T000000Z",
     .region = "us-east-1",
     .service = "s3",
     .canonical =
         "GET\n"
         "/audit-test/\n"
         "encoding-type=url&list-type=2&max-keys=1000&prefix=a%2Fdt%3D1%3A2%2B3%20%C3%BC\n"
         "host:127.0.0.1:8480\n"
         "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
         "x-amz-date:20260228T000000Z\n"
         "\n"
         "host;x-amz-content-sha256;x-amz-date\n"
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     .signature = "ee4d96aa6f8419f965918c65729b2a384f0766225a776f539148e6e9df57b6d7"},
    {.name = "S3 resolves no dots and no slashes",
     .method = "GET",
     .rule = SIGV4_PATH_S3,
     .path = "/b/a/../x//y",
     .query = "versions",
     .headers = {{"host", "s3.example"},
                 {"X-Amz-Date", "20200101T235959Z"},
                 {"Range", "bytes=0-9"},
                 {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}},
     .payload = "UNSIGNED-PAYLOAD",
     .date = "20200101T235959Z",
     .region = "cn-north-1",
     .service = "s3",
     .canonical = "GET\n"
                  "/b/a/../x//y\n"
                  "versions=\n"
                  "host:s3.example\n"
                  "range:bytes=0-9\n"
                  "x-amz-content-sha256:UNSIGNED-PAYLOAD\n"
                  "x-amz-date:20200101T235959Z\n"
                  "\n"
                  "host;range;x-amz-content-sha256;x-amz-date\n"
                  "UNSIGNED-PAYLOAD",
     .signature = "92b7c926142dc154215e8a8554f9ff467b155b7b24e7ccd86589fd5740706675"},
    {.name = "generic path is resolved and encoded twice",
     .method = "POST",
     .rule = SIGV4_PATH_GENERIC,
     .path = "/a/./b/../c%20d//e/",
     .query = NULL,
     .headers = {{"Host", "x.example"},
                 {"X-Amz-Date", "20200101T235959Z"},
                 {"x-amz-meta-a-b", "2"},
                 {"x-amz-meta-a", " 1   one "},
                 {"X-Amz-Target", "T.Op"}},
     .payload = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
     .date = "20200101T235959Z",
     .region = "us-west-2",
     .service = "cloudtrail",
     .canonical = "POST\n"
                  "/a/c%2520d/e/\n"
                  "\n"
                  "host:x.example\n"
                  "x-amz-date:20200101T235959Z\n"
                  "x-amz-meta-a:1 one\n"
                  "x-amz-meta-a-b:2\n"
                  "x-amz-target:T.Op\n"
                  "\n"
                  "host;x-amz-date;x-amz-meta-a;x-amz-meta-a-b;x-amz-target\n"
                  "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
     .signature = "12de839152876a4d224e1ca1bb2c11b6c9538e6e82a52522dbf1751ee9240569"},
    {.name = "equal names sort by value, a name before its longer one",
     .method = "GET",
     .rule = SIGV4_PATH_ENCODE,
     .path = "",
     .query = "b=2&a-b=9&a=3&b=10&a=%7e",
     .headers = {{"Host", "x.example"}, {"X-Amz-Date", "20200101T235959Z"}},
     .payload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     .date = "20200101T235959Z",
     .region = "us-west-2",
     .service = "execute-api",
     .canonical = "GET\n"
                  "/\n"
                  "a=3&a=~&a-b=9&b=10&b=2\n"
                  "host:x.example\n"
                  "x-amz-date:20200101T235959Z\n"
                  "\n"
                  "host;x-amz-date\n"
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     .signature = "18051c5b9bcd6a1b35d59dc02178f9db6a6cc3290a5f3c498109139c49f37580"},
};

static int64_t unix_of(const char *date)
{
    char text[32];
    int64_t us = 0;

    (void)snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", date, date + 4, date + 6,
                   date + 9, date + 11, date + 13);
    assert_int_equal(clock_parse(text, &us, NULL), 0);
    return us;
}

static struct sigv4_request request_of(const struct vector *v)
{
    struct sigv4_request req = {.method = v->method,
                                .path = v->path,
                                .query = v->query,
                                .path_rule = v->rule,
                                .headers = v->headers,
                                .payload_hash = v->payload};

    while (v->headers[req.header_count].name != NULL) {
        req.header_count++;
    }
    return req;
}

static void vectors_reproduce(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *v = &vectors[i];
        struct sigv4_request req = request_of(v);
        struct sigv4_scope scope = {unix_of(v->date), v->region, v->service};
        struct buf canonical, names, text;
        struct error err = {0};
        char signature[65];

        buf_init(&canonical, SIGV4_MAX_BYTES);
        buf_init(&names, SIGV4_MAX_BYTES);
        buf_init(&text, SIGV4_MAX_BYTES);
        assert_int_equal(sigv4_canonical(&req, &canonical, &names, &err), 0);
        assert_string_equal(buf_text(&canonical, NULL), v->canonical);
        assert_int_equal(
            sigv4_string_to_sign(&scope, buf_data(&canonical), canonical.len, &text, &err), 0);
        assert_int_equal(
            sigv4_signature(SECRET, &scope, buf_data(&text), text.len, signature, &err), 0);
        assert_string_equal(signature, v->signature);
        buf_reset(&text);
        assert_int_equal(sigv4_authorization(&req, &scope, "AKIDEXAMPLE", SECRET, &text, &err), 0);
        assert_non_null(strstr(buf_text(&text, NULL), v->signature));
        assert_non_null(strstr(buf_text(&text, NULL), buf_text(&names, NULL)));
        assert_null(strstr(buf_text(&text, NULL), SECRET));
        buf_clear(&canonical);
        buf_clear(&names);
        buf_clear(&text);
    }
}

static void encoding_keeps_the_unreserved_alone(void **state)
{
    static const char all[] = "AZaz09-._~ /+=:%\xc3\xbc*'()\x7f";
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    assert_int_equal(sigv4_encode(&out, all, sizeof all - 1, false, NULL), 0);
    assert_string_equal(buf_text(&out, NULL), "AZaz09-._~%20%2F%2B%3D%3A%25%C3%BC%2A%27%28%29%7F");
    buf_reset(&out);
    assert_int_equal(sigv4_encode(&out, "a/b", 3, true, NULL), 0);
    assert_string_equal(buf_text(&out, NULL), "a/b");
    buf_clear(&out);
}

static void odd_queries(void **state)
{
    static const char *const table[][2] = {
        {"", ""},
        {"&&", ""},
        {"a", "a="},
        {"%zz=%", "%25zz=%25"},
        {"a=b=c", "a=b%3Dc"},
        {"a=1+1", "a=1%2B1"},
        {"=x", "=x"},
        {"b&a", "a=&b="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct buf out;

        buf_init(&out, 1024);
        assert_int_equal(sigv4_canonical_query(&out, table[i][0], NULL), 0);
        assert_string_equal(buf_text(&out, NULL), table[i][1]);
        buf_clear(&out);
    }
}

static void bounds_are_errors(void **state)
{
    struct sigv4_header many[SIGV4_MAX_HEADERS + 1];
    struct sigv4_request req = {.method = "GET",
                                .path = "/",
                                .headers = many,
                                .header_count = SIGV4_MAX_HEADERS + 1,
                                .payload_hash = "x"};
    struct sigv4_scope scope = {0, "r", "s"};
    struct error err = {0};
    struct buf a, b;
    char params[400], secret[400], signature[65];

    (void)state;
    buf_init(&a, SIGV4_MAX_BYTES);
    buf_init(&b, SIGV4_MAX_BYTES);
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        many[i] = (struct sigv4_header){"h", "v"};
    }
    assert_int_equal(sigv4_canonical(&req, &a, &b, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    for (size_t i = 0; i < sizeof params - 1; i++) {
        params[i] = i % 2 == 0 ? 'a' : '&';
    }
    params[sizeof params - 1] = '\0';
    assert_int_equal(sigv4_canonical_query(&a, params, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    memset(secret, 'x', sizeof secret - 1);
    secret[sizeof secret - 1] = '\0';
    assert_int_equal(sigv4_signature(secret, &scope, "", 0, signature, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_clear(&a);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_reproduce),
        cmocka_unit_test(encoding_keeps_the_unreserved_alone),
        cmocka_unit_test(odd_queries),
        cmocka_unit_test(bounds_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
