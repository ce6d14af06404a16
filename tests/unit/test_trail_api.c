/* SPDX-License-Identifier: Apache-2.0 */
/* LookupEvents, played by a server of our own: pages, cursors, patience, refusals. */
#include "tests/unit/check.h"

#include "common/io.h"
#include "tests/unit/httpd.h"
#include "tests/unit/tempdir.h"
#include "trail/source_api.h"

#define OK   "HTTP/1.1 200 OK\nContent-Type: application/x-amz-json-1.1\n\n"
#define NONE OK "{\"Events\":[]}"
#define EVENT(id, source, name, more)                                                              \
    "{\"EventId\":\"" id "\",\"CloudTrailEvent\":\"{\\\"eventID\\\":\\\"" id                       \
    "\\\",\\\"eventSource\\\":\\\"" source "\\\",\\\"eventName\\\":\\\"" name "\\\"" more "}\"}"
#define START(id) EVENT(id, "ssm.amazonaws.com", "StartSession", "")
#define TO_US     INT64_C(1772604000000000)

struct rig {
    char dir[256], path[300];
    struct trail_store *t;
    struct creds *creds;
    struct httpd h;
    char warned[1024];
};

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct error err;

    *state = r;
    if (r == NULL || tempdir_make(r->dir, sizeof r->dir) != 0) {
        return -1;
    }
    (void)snprintf(r->path, sizeof r->path, "%s/trail.db", r->dir);
    (void)setenv("AWS_ACCESS_KEY_ID", "AKIAUNIT", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "very-secret", 1);
    (void)setenv("AWS_SESSION_TOKEN", "very-token", 1);
    (void)setenv("no_proxy", "127.0.0.1", 1);
    return creds_open(&r->creds, &err) != 0 || trail_store_open(&r->t, r->path, &err) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;

    trail_store_close(r->t);
    creds_close(r->creds);
    (void)tempdir_drop(r->dir);
    free(r);
    return 0;
}

static void warn(void *user, const char *line)
{
    struct rig *r = user;

    (void)snprintf(r->warned, sizeof r->warned, "%s", line);
}

static int ask(struct rig *r, struct trail_read_stats *stats, struct error *err)
{
    static const char *const hosts[] = {"i-0123456789abcdef0"};
    const struct trail_api a = {.region = "eu-west-1",
                                .endpoint = r->h.url,
                                .creds = r->creds,
                                .from_us = INT64_C(1772500000000000),
                                .to_us = TO_US,
                                .every_us = 1,
                                .hosts = hosts,
                                .n_hosts = 1,
                                .warn = warn,
                                .user = r};

    return trail_api_read(&a, r->t, stats, err);
}

static int count(void *user, const struct trail_stored *e)
{
    assert_string_equal(e->object, "api:eu-west-1");
    ++*(unsigned *)user;
    return 0;
}

static void pages_become_events(void **state)
{
    static const struct httpd_answer answers[] = {
        {"\"NextToken\":\"next\\\"1\"", 1, OK "{\"Events\":[" START("e2") "," START("e1") "]}"},
        {"\"StartSession\"", 1,
         OK "{\"Events\":[" START("e1") ",{\"EventId\":\"e0\"}],\"NextToken\":\"next\\\"1\"}"},
        {"\"ResourceName\"", 1,
         OK "{\"Events\":[" EVENT("e5", "ec2.amazonaws.com", "StopInstances",
                                  ",\\\"x\\\":\\\"i-0123456789abcdef0\\\"") "]}"},
        {"", 0, NONE},
    };
    struct rig *r = *state;
    struct trail_read_stats s;
    struct error err;
    unsigned n = 0;

    httpd_start(&r->h, answers, sizeof answers / sizeof *answers);
    MUST(ask(r, &s, &err));
    assert_int_equal(s.kept, 3);
    assert_int_equal(s.known_events, 1);
    assert_int_equal(s.bad_records, 1);
    assert_non_null(strstr(r->warned, "without its record"));
    assert_int_equal(r->h.log->requests, 14); /* 11 names, two for the host, one more page */
    assert_non_null(strstr(r->h.log->all, "CloudTrail_20131101.LookupEvents"));
    assert_non_null(strstr(r->h.log->all, "/eu-west-1/cloudtrail/aws4_request"));
    assert_non_null(strstr(r->h.log->all, "\"StartTime\":1772500000,\"EndTime\":1772604000"));
    assert_null(strstr(r->h.log->all, "very-secret"));
    MUST(trail_store_events(r->t, &(struct trail_query){0}, count, &n, &err));
    assert_int_equal(n, 3);
    /* The next run asks from 20 minutes before this one's end. */
    MUST(ask(r, &s, &err));
    assert_non_null(strstr(r->h.log->all, "\"StartTime\":1772602800"));
    httpd_stop(&r->h);
}

static void patience_is_had(void **state)
{
    static const struct httpd_answer answers[] = {
        {"", 2,
         "HTTP/1.1 400 Bad Request\n\n{\"__type\":\"ThrottlingException\",\"message\":\"Rate\"}"},
        {"", 1, "HTTP/1.1 503 Unavailable\n\n"},
        {"", 0, NONE},
    };
    struct rig *r = *state;
    struct trail_read_stats s;
    struct error err;

    httpd_start(&r->h, answers, sizeof answers / sizeof *answers);
    MUST(ask(r, &s, &err));
    assert_int_equal(r->h.log->requests, 16);
    httpd_stop(&r->h);
}

static void refusals_name_the_right(void **state)
{
    static const struct httpd_answer answers[] = {
        {"", 0, "HTTP/1.1 400 Bad Request\n\n{\"__type\":\"AccessDeniedException\"}"}};
    struct rig *r = *state;
    struct trail_read_stats s;
    struct error err;

    httpd_start(&r->h, answers, 1);
    REFUSES(ask(r, &s, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "cloudtrail:LookupEvents"));
    assert_int_equal(r->h.log->requests, 1);
    httpd_stop(&r->h);
}

static void answers_that_are_none_end_it(void **state)
{
    static const struct httpd_answer answers[] = {{"", 0, OK "{\"Events\":[{"}};
    struct rig *r = *state;
    struct trail_read_stats s;
    struct error err;

    httpd_start(&r->h, answers, 1);
    REFUSES(ask(r, &s, &err), ERR_CORRUPT);
    httpd_stop(&r->h);
    (void)snprintf(r->h.url, sizeof r->h.url, "ftp://x");
    REFUSES(ask(r, &s, &err), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_become_events, setup, teardown),
        cmocka_unit_test_setup_teardown(patience_is_had, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_name_the_right, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_that_are_none_end_it, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
