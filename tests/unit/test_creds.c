/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>

#include <cmocka.h>

#include "aws/creds.h"
#include "aws/creds_private.h"
#include "aws/s3.h"
#include "common/io.h"
#include "tests/unit/httpd.h"

#define NOW INT64_C(1795326000000000) /* 2026-11-22T05:40:00Z */
#define LONG                                                                                       \
    "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJGMEQCIAbcdefghijklmnopqrstuvwxyz0123456789ABC" \
    "DEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKLMNOPQRSTUVWXYZabcde" \
    "fghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456" \
    "789+/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"                        \
    "ABCDEFGHIJKLMNOPQRSTUV=="

static char dir[] = P_tmpdir "/ttytrail-creds-XXXXXX";

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CA_BUNDLE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
};

static void write_file(const char *name, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, text, strlen(text), NULL), 0);
}

/* No variables, no files, no metadata service: each test adds what it is about. */
static int fresh_home(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        unsetenv(variables[i]);
    }
    setenv("HOME", dir, 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_METADATA_SERVICE_TIMEOUT", "60", 1); /* machines may be slow */
    write_file(".aws/credentials", "");
    write_file(".aws/config", "");
    return 0;
}

static int get(struct creds_view *v, struct creds **c, struct error *err)
{
    memset(err, 0, sizeof *err);
    assert_int_equal(creds_open(c, err), 0);
    return creds_get(*c, NOW, v, err);
}

static void the_environment_comes_first(void **state)
{
    struct creds_view v;
    struct creds *c;
    struct error err;

    (void)state;
    write_file(".aws/credentials",
               "[default]\naws_access_key_id = FILE\naws_secret_access_key = fs\n");
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
    setenv("AWS_SESSION_TOKEN", "et", 1);
    assert_int_equal(get(&v, &c, &err), 0);
    assert_string_equal(v.access_key, "ENV");
    assert_string_equal(v.secret_key, "es");
    assert_string_equal(v.token, "et");
    assert_string_equal(v.source, "environment");
    assert_int_equal(v.expires_us, 0);
    creds_close(c);
    setenv("AWS_ACCESS_KEY_ID", " ", 1); /* blank is unset */
    setenv("AWS_SECRET_ACCESS_KEY", "", 1);
    assert_int_equal(get(&v, &c, &err), 0);
    assert_string_equal(v.access_key, "FILE");
    assert_string_equal(v.token, "");
    assert_string_equal(v.source, "profile default");
    creds_close(c);
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    assert_int_equal(get(&v, &c, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    creds_close(c);
}

static void nothing_anywhere_says_where_was_looked(void **state)
{
    struct creds_view v;
    struct creds *c;
    struct error err;

    (void)state;
    assert_int_equal(get(&v, &c, &err), -1);
    assert_int_equal(err.kind, ERR_DENIED);
    assert_string_equal(
        err.text,
        "no AWS credentials (environment, web identity, container: unset; profile: no keys "
        "for 'default'; instance metadata: disabled by AWS_EC2_METADATA_DISABLED)");
    creds_close(c);
}

static void profiles(void **state)
{
    static const struct {
        const char *profile, *config, *credentials;
        const char *access, *secret, *token, *region; /* access NULL: an error of this kind */
        enum err_kind kind;
    } table[] = {
        {"dev", "[profile dev]\nregion=r1\n[profile other]\nregion=r2\n",
         "[default]\naws_access_key_id=D\naws_secret_access_key=d\n"
         "[dev]\naws_access_key_id=A\naws_secret_access_key=s/+=\n",
         "A", "s/+=", "", "r1", 0},
        /* keys of the credentials file win over those of the config file */
        {"dev", "[profile dev]\naws_access_key_id=C\naws_secret_access_key=c\nregion = r1 ; x\n",
         "[dev]\nAWS_Access_Key_ID = A # note\naws_secret_access_key = s\n", "A", "s", "", "r1", 0},
        {"dev", "[ profile \"dev\" ]\naws_access_key_id=C\n", "", NULL, NULL, NULL, NULL,
         ERR_USAGE},
        {"dev", "[profile \"dev\"]\naws_access_key_id=C\naws_secret_access_key=c\n", "", "C", "c",
         "", "", 0},
        {"default", "[default]\nregion = r\n",
         "[default]\naws_access_key_id=A\n"
         "aws_secret_access_key=s\naws_session_token=" LONG "\n",
         "A", "s", LONG, "r", 0},
        /* nested settings and long comments are nobody's keys */
        {"dev", "",
         "[dev]\naws_access_key_id=A\n# " LONG "\naws_secret_access_key=s\n"
         "; " LONG "\ns3 =\n  aws_access_key_id = N\n  region = n\n",
         "A", "s", "", "", 0},
        {"dev", "[dev]\naws_access_key_id=C\naws_secret_access_key=c\n", "[x]\nregion=r\n", NULL,
         NULL, NULL, NULL, ERR_USAGE}, /* without "profile": not in the config file */
        {"dev", "[profile dev]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=x\n", "", NULL, NULL,
         NULL, NULL, ERR_USAGE},
        /* a value that goes on is no key */
        {"dev", "", "[dev]\naws_access_key_id=A\n   B\naws_secret_access_key=s\n", NULL, NULL, NULL,
         NULL, ERR_CORRUPT},
        {"dev", "", "[dev]\nnonsense\naws_access_key_id=A\n", NULL, NULL, NULL, NULL, ERR_USAGE},
        {"a-name-of-more-than-forty-characters-is-a-name-too", "",
         "[a-name-of-more-than-forty-characters-is-a-name-too]\naws_access_key_id=A\n"
         "aws_secret_access_key=s\n",
         "A", "s", "", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct creds_view v;
        struct creds *c;
        struct error err;
        char region[64];
        int rc;

        print_message("case %zu\n", i);
        setenv("AWS_PROFILE", table[i].profile, 1);
        write_file(".aws/config", table[i].config);
        write_file(".aws/credentials", table[i].credentials);
        rc = get(&v, &c, &err);
        assert_int_equal(rc, table[i].access == NULL ? -1 : 0);
        assert_int_equal(err.kind, table[i].kind);
        if (rc == 0) {
            assert_string_equal(v.access_key, table[i].access);
            assert_string_equal(v.secret_key, table[i].secret);
            assert_string_equal(v.token, table[i].token);
            creds_region(c, region, sizeof region);
            assert_string_equal(region, table[i].region);
        }
        creds_close(c);
    }
}

static void files_may_be_elsewhere_and_links(void **state)
{
    struct creds_view v;
    struct creds *c;
    struct error err;
    char link[256], target[256];

    (void)state;
    write_file("elsewhere", "[default]\naws_access_key_id=E\naws_secret_access_key=e\n");
    (void)snprintf(target, sizeof target, "%s/elsewhere", dir);
    (void)snprintf(link, sizeof link, "%s/link", dir);
    assert_int_equal(symlink(target, link), 0);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "~/link", 1);
    assert_int_equal(get(&v, &c, &err), 0);
    assert_string_equal(v.access_key, "E");
    creds_close(c);
    setenv("AWS_SHARED_CREDENTIALS_FILE", target, 1);
    assert_int_equal(get(&v, &c, &err), 0);
    creds_close(c);
    unlink(link);
    unlink(target);
}

#define ROLE_KEYS(id, expiration)                                                                  \
    "HTTP/1.1 200 OK\n\n{\"Code\":\"Success\",\"LastUpdated\":\"x\",\"Type\":\"AWS-HMAC\","        \
    "\"AccessKeyId\":\"" id                                                                        \
    "\",\"SecretAccessKey\":\"is\",\"Token\":\"it\",\"Expiration\":\"" expiration "\"}"
#define TOKEN_PUT                                                                                  \
    {                                                                                              \
        "PUT /latest/api/token", 0, "HTTP/1.1 200 OK\n\nTT"                                        \
    }
#define ROLE_NAME                                                                                  \
    {                                                                                              \
        "GET /latest/meta-data/iam/security-credentials/ ", 0, "HTTP/1.1 200 OK\n\nmy+role\n"      \
    }

static void start(struct httpd *h, const struct httpd_answer *answers, size_t count)
{
    httpd_start(h, answers, count);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", h->url, 1);
    unsetenv("AWS_EC2_METADATA_DISABLED");
}

static void role_keys_are_renewed_ahead(void **state)
{
    static const struct httpd_answer answers[] = {
        TOKEN_PUT,
        ROLE_NAME,
        {"security-credentials/my+role", 1, ROLE_KEYS("ONE", "2026-11-22T06:40:00Z")},
        {"security-credentials/my+role", 3, "HTTP/1.1 500 Busy\n\n"},
        {"security-credentials/my+role", 1, ROLE_KEYS("TWO", "2026-11-22T08:00:00Z")},
        {"security-credentials/my+role", 1, ROLE_KEYS("THREE", "2026-11-22T05:00:00Z")},
    };
    const int64_t minute = INT64_C(60000000);
    struct httpd h;
    struct creds_view v;
    struct creds *c;
    struct error err;

    (void)state;
    start(&h, answers, sizeof answers / sizeof answers[0]);
    assert_int_equal(get(&v, &c, &err), 0);
    assert_string_equal(v.access_key, "ONE");
    assert_string_equal(v.secret_key, "is");
    assert_string_equal(v.token, "it");
    assert_string_equal(v.source, "imds");
    assert_int_equal(v.expires_us, NOW + 60 * minute);
    assert_int_equal(creds_get(c, NOW + 44 * minute, &v, &err), 0);
    assert_int_equal(h.log->requests, 3); /* not asked again */
    assert_int_equal(creds_get(c, NOW + 46 * minute, &v, &err), 0);
    assert_string_equal(v.access_key, "ONE"); /* busy: what there is still holds */
    assert_int_equal(creds_get(c, NOW + 46 * minute + 1, &v, &err), 0);
    assert_int_equal(h.log->requests, 7); /* and it is left in peace for a minute */
    assert_int_equal(creds_get(c, NOW + 48 * minute, &v, &err), 0);
    assert_string_equal(v.access_key, "TWO");
    creds_refresh(c); /* the server refused them: what comes now is used even if it has expired */
    assert_int_equal(creds_get(c, NOW + 49 * minute, &v, &err), 0);
    assert_string_equal(v.access_key, "THREE");
    assert_int_equal(creds_get(c, NOW + 49 * minute + 1, &v, &err), 0);
    /* busy: they stay in use, expired as they are ... */
    assert_int_equal(creds_get(c, NOW + 51 * minute, &v, &err), 0);
    assert_string_equal(v.access_key, "THREE");
    creds_refresh(c); /* ... until a server says no */
    assert_int_equal(creds_get(c, NOW + 52 * minute, &v, &err), -1);
    creds_close(c);
    httpd_stop(&h);
}

static void a_role_that_is_none(void **state)
{
    static const struct {
        const char *role, *keys;
        enum err_kind kind;
    } table[] = {
        {"HTTP/1.1 404 Not Found\n\n", "", ERR_DENIED},
        {"HTTP/1.1 200 OK\n\n/../evil", "", ERR_CORRUPT},
        {"HTTP/1.1 200 OK\n\nr", "HTTP/1.1 200 OK\n\nno json", ERR_CORRUPT},
        {"HTTP/1.1 200 OK\n\nr", "HTTP/1.1 200 OK\n\n{\"Code\":\"Failed\"}", ERR_DENIED},
        {"HTTP/1.1 200 OK\n\nr", "HTTP/1.1 200 OK\n\n{\"Code\":\"Success\"}", ERR_CORRUPT},
        {"HTTP/1.1 200 OK\n\nr", ROLE_KEYS("A", "tomorrow"), ERR_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct httpd_answer answers[] = {TOKEN_PUT,
                                         {"security-credentials/r", 0, table[i].keys},
                                         {"security-credentials/ ", 0, table[i].role}};
        struct httpd h;
        struct creds_view v;
        struct creds *c;
        struct error err;

        start(&h, answers, 3);
        assert_int_equal(get(&v, &c, &err), -1);
        assert_int_equal(err.kind, table[i].kind);
        assert_null(strstr(err.text, "is\""));
        creds_close(c);
        httpd_stop(&h);
    }
}

static int get_object(struct s3 *s, const char *key, struct error *err)
{
    struct buf b;
    int rc;

    buf_init(&b, 100);
    rc = s3_get(s, key, NULL, 0, 0, 100, &b, err);
    buf_clear(&b);
    return rc;
}

/* They end in the middle of a run: the request that finds out is made again with newer ones. */
static void keys_that_end_on_the_way(void **state)
{
    static const struct httpd_answer role[] = {
        TOKEN_PUT,
        ROLE_NAME,
        {"security-credentials/my+role", 1, ROLE_KEYS("ONE", "2099-01-01T00:00:00Z")},
        {"security-credentials/my+role", 1, ROLE_KEYS("TWO", "2099-01-01T00:00:00Z")},
    };
    static const struct httpd_answer store[] = {
        {"Credential=ONE/", 2, "HTTP/1.1 200 OK\n\nbody"},
        {"Credential=ONE/", 0,
         "HTTP/1.1 403 Forbidden\n\n<Error><Code>ExpiredToken</Code></Error>"},
        {"Credential=TWO/", 0, "HTTP/1.1 200 OK\n\nbody"},
    };
    struct httpd h, s3d;
    struct s3_config config = {.region = "eu-west-1", .bucket = "audit", .path_style = true};
    struct s3 *s3;
    struct error err = {0};

    (void)state;
    start(&h, role, 4);
    httpd_start(&s3d, store, 3);
    config.endpoint = s3d.url;
    assert_int_equal(creds_open(&config.creds, &err), 0);
    assert_int_equal(s3_open(&s3, &config, &err), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(get_object(s3, "key", &err), 0);
    }
    assert_int_equal(s3d.log->requests, 6); /* one of them twice */
    assert_int_equal(h.log->requests, 5);   /* and the role asked twice */
    s3_close(s3);
    creds_close(config.creds);
    httpd_stop(&s3d);
    httpd_stop(&h);
}

static void region_from_each_source(void **state)
{
    static const struct httpd_answer answers[] = {
        TOKEN_PUT, {"GET /latest/meta-data/placement/region ", 0, "HTTP/1.1 200 OK\n\nr-imds"}};
    static const struct {
        const char *variable, *expected;
    } table[] = {{NULL, "r-imds"},
                 {"AWS_CONFIG_FILE", "r-profile"},
                 {"AWS_DEFAULT_REGION", "r-default"},
                 {"AWS_REGION", "r-first"}};
    struct httpd h;
    char path[256];

    (void)state;
    start(&h, answers, 2);
    write_file("region", "[default]\nregion = r-profile\n");
    (void)snprintf(path, sizeof path, "%s/region", dir);
    for (size_t i = 0; i < 4; i++) {
        struct creds *c;
        char region[64];

        if (table[i].variable != NULL) {
            setenv(table[i].variable, i == 1 ? path : table[i].expected, 1);
        }
        assert_int_equal(creds_open(&c, NULL), 0);
        creds_region(c, region, sizeof region);
        assert_string_equal(region, table[i].expected);
        creds_close(c);
    }
    unlink(path);
    httpd_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_environment_comes_first, fresh_home),
        cmocka_unit_test_setup(nothing_anywhere_says_where_was_looked, fresh_home),
        cmocka_unit_test_setup(profiles, fresh_home),
        cmocka_unit_test_setup(files_may_be_elsewhere_and_links, fresh_home),
        cmocka_unit_test_setup(role_keys_are_renewed_ahead, fresh_home),
        cmocka_unit_test_setup(a_role_that_is_none, fresh_home),
        cmocka_unit_test_setup(keys_that_end_on_the_way, fresh_home),
        cmocka_unit_test_setup(region_from_each_source, fresh_home),
    };
    char path[256];
    int rc;

    if (mkdtemp(dir) == NULL) {
        perror(dir);
        return 1;
    }
    (void)snprintf(path, sizeof path, "%s/.aws", dir);
    if (io_mkdirs(path, 0700, NULL) != 0) {
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    write_file(".aws/config", "");
    for (const char *const *name =
             (const char *const[]){".aws/config", ".aws/credentials", ".aws", "", NULL};
         *name != NULL; name++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, *name);
        (void)remove(path);
    }
    return rc;
}
