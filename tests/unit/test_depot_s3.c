/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets that are opened beside each other: their credentials are found once. */
#include "tests/unit/check.h"

#include "shipper/depot.h"
#include "tests/unit/httpd.h"
#include "tests/unit/tempdir.h"

#define ROLES "GET /latest/meta-data/iam/security-credentials/"

static const struct httpd_answer role[] = {
    {"PUT /latest/api/token", 0, "HTTP/1.1 200 OK\n\nTT"},
    {ROLES " ", 0, "HTTP/1.1 200 OK\n\nrole\n"},
    {ROLES "role ", 0,
     "HTTP/1.1 200 OK\n\n{\"Code\":\"Success\",\"AccessKeyId\":\"ID\",\"SecretAccessKey\":\"s\","
     "\"Token\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\"}"},
};

static void get(struct depot *d)
{
    struct error err;
    struct buf b;

    buf_init(&b, 100);
    MUST(depot_get(d, "x", NULL, 100, &b, &err));
    assert_string_equal(buf_text(&b, NULL), "body");
    buf_clear(&b);
}

static void credentials_are_found_once(void **state)
{
    static const struct httpd_answer store[] = {{"Credential=ID/", 0, "HTTP/1.1 200 OK\n\nbody"}};
    static const char url[] = "s3://audit/prod";
    struct httpd imds, s3;
    struct depot *first, *second, *third;
    struct conf conf;
    struct error err;

    (void)state;
    httpd_start(&imds, role, 3);
    httpd_start(&s3, store, 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url, 1);
    MUST(conf_init(&conf, &err));
    free(conf.s3_endpoint);
    free(conf.s3_region);
    conf.s3_endpoint = check_copy(s3.url);
    conf.s3_region = check_copy("eu-west-1");
    MUST(depot_open(&first, url, &conf, &err));
    MUST(depot_open_beside(&second, first, url, &conf, &err));
    get(second);
    get(first);
    assert_int_equal(imds.log->requests, 3);
    MUST(depot_open_beside(&third, second, url, &conf, &err));
    depot_close(first);
    depot_close(second);
    get(third);
    depot_close(third);
    assert_int_equal(imds.log->requests, 3);
    assert_int_equal(s3.log->requests, 3);
    conf_clear(&conf);
    httpd_stop(&imds);
    httpd_stop(&s3);
}

static void a_directory_has_none(void **state)
{
    char dir[256], url[300];
    struct depot *first, *second;
    struct conf conf;
    struct error err;

    (void)state;
    assert_int_equal(tempdir_make(dir, sizeof dir), 0);
    (void)snprintf(url, sizeof url, "file://%s/", dir);
    MUST(conf_init(&conf, &err));
    MUST(depot_open(&first, url, &conf, &err));
    MUST(depot_open_beside(&second, first, url, &conf, &err));
    depot_close(first);
    depot_close(second);
    conf_clear(&conf);
    assert_int_equal(tempdir_drop(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_found_once),
        cmocka_unit_test(a_directory_has_none),
    };

    (void)clearenv();
    setenv("AWS_METADATA_SERVICE_TIMEOUT", "60", 1); /* machines may be slow */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
