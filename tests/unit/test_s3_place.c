/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "aws/s3_private.h"

static void addresses(void **state)
{
    static const struct {
        const char *endpoint, *region, *bucket;
        bool path_style;
        const char *origin, *path;
    } table[] = {
        {NULL, "eu-west-1", "audit", false, "https://audit.s3.eu-west-1.amazonaws.com", ""},
        {"", "cn-north-1", "audit", false, "https://audit.s3.cn-north-1.amazonaws.com.cn", ""},
        {NULL, "eu-west-1", "my.audit", false, "https://s3.eu-west-1.amazonaws.com", "/my.audit"},
        {NULL, "eu-west-1", "audit", true, "https://s3.eu-west-1.amazonaws.com", "/audit"},
        {"https://S3.Example.com:443/", "r", "audit", false, "https://audit.s3.example.com", ""},
        {"http://s3.example.com:80", "r", "audit", false, "http://audit.s3.example.com", ""},
        {"http://s3.example.com:443", "r", "audit", false, "http://audit.s3.example.com:443", ""},
        {"https://bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", "us-east-1", "audit",
         false, "https://audit.bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", ""},
        {"http://127.0.0.1:8480", "r", "audit", false, "http://127.0.0.1:8480", "/audit"},
        {"http://[::1]:8480", "r", "audit", false, "http://[::1]:8480", "/audit"},
        {"https://localhost:8481", "r", "audit", false, "https://localhost:8481", "/audit"},
        {"http://minio", "r", "audit", false, "http://minio", "/audit"},
        {"https://s3.example.com", "r", "Old_Bucket", false, "https://s3.example.com",
         "/Old_Bucket"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct s3_config config = {.endpoint = table[i].endpoint,
                                   .bucket = table[i].bucket,
                                   .path_style = table[i].path_style};
        struct s3_place place;
        struct error err = {0};

        if (s3_place_make(&place, &config, table[i].region, &err) != 0) {
            fail_msg("case %zu: %s", i, err.text);
        }
        assert_string_equal(place.origin, table[i].origin);
        assert_string_equal(place.path, table[i].path);
        assert_string_equal(place.host, strstr(table[i].origin, "//") + 2);
    }
}

static void nonsense_is_a_usage_error(void **state)
{
    static const struct {
        const char *endpoint, *region, *bucket;
    } table[] = {
        {NULL, "", "audit"},
        {NULL, "eu west", "audit"},
        {NULL, "eu-west-1.evil.example/", "audit"},
        {NULL, "eu-west-1", NULL},
        {NULL, "eu-west-1", "ab"},
        {NULL, "eu-west-1", "a/b"},
        {NULL, "eu-west-1", "audit?x"},
        {NULL, "eu-west-1", "a123456789012345678901234567890123456789012345678901234567890123"},
        {"s3.example.com", "r", "audit"},
        {"ftp://s3.example.com", "r", "audit"},
        {"https://", "r", "audit"},
        {"https://:443", "r", "audit"},
        {"https://user:pw@s3.example.com", "r", "audit"},
        {"https://s3.example.com/path", "r", "audit"},
        {"https://s3.example.com?x", "r", "audit"},
        {"https://s3.example.com:", "r", "audit"},
        {"https://s3.example.com:123456", "r", "audit"},
        {"https://[::1", "r", "audit"},
        {"https://s3 example", "r", "audit"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct s3_config config = {.endpoint = table[i].endpoint, .bucket = table[i].bucket};
        struct s3_place place;
        struct error err = {0};

        if (s3_place_make(&place, &config, table[i].region, &err) != -1 || err.kind != ERR_USAGE) {
            fail_msg("case %zu was taken", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(nonsense_is_a_usage_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
