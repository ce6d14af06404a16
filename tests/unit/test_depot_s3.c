/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets that are opened beside each other: their credentials are found once; listings from a name
 * on. */
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

static int add_name(void *user, const struct depot_item *item)
{
    char *text = user;
    size_t n = strlen(text);

    (void)snprintf(text + n, 64 - n, "%s ", item->name);
    return 0;
}

static void a_listing_goes_on_after_a_name(void **state)
{
    static const struct httpd_answer store[] = {
        {"list-type=2&max-keys=1000&prefix=prod%2Fa%2F&start-after=prod%2Fa%2F1 ", 0,
         "HTTP/1.1 200 "
         "OK\n\n<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>prod/a/2"
         "</Key><Size>3</Size></Contents></ListBucketResult>"},
        {"", 0, "HTTP/1.1 404 Not Found\n\n"}};
    char names[64] = "";
    struct httpd s3;
    struct depot *d;
    struct conf conf;
    struct error err;

    (void)state;
    httpd_start(&s3, store, 2);
    setenv("AWS_ACCESS_KEY_ID", "ID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    MUST(conf_init(&conf, &err));
    free(conf.s3_endpoint);
    free(conf.s3_region);
    conf.s3_endpoint = check_copy(s3.url);
    conf.s3_region = check_copy("eu-west-1");
    MUST(depot_open(&d, "s3://audit/prod", &conf, &err));
    MUST(depot_list_after(d, "a/", "a/1", add_name, names, &err));
    assert_string_equal(names, "a/2 ");
    depot_close(d);
    conf_clear(&conf);
    httpd_stop(&s3);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
}

static void a_directory_lists_after_a_name_too(void **state)
{
    char dir[256], path[300], names[64] = "";
    struct depot *d;
    struct error err;

    (void)state;
    assert_int_equal(tempdir_make(dir, sizeof dir), 0);
    for (char c = 'a'; c < 'd'; c++) {
        FILE *f;

        (void)snprintf(path, sizeof path, "%s/%c", dir, c);
        f = fopen(path, "we");
        assert_non_null(f);
        (void)fclose(f);
    }
    MUST(depot_file_open(&d, dir, &err));
    MUST(depot_list_after(d, "", "a", add_name, names, &err));
    assert_string_equal(names, "b c ");
    depot_close(d);
    (void)tempdir_drop(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_found_once),
        cmocka_unit_test(a_directory_has_none),
        cmocka_unit_test(a_listing_goes_on_after_a_name),
        cmocka_unit_test(a_directory_lists_after_a_name_too),
    };

    (void)clearenv();
    setenv("AWS_METADATA_SERVICE_TIMEOUT", "60", 1); /* machines may be slow */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
