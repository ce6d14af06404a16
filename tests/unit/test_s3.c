/* SPDX-License-Identifier: Apache-2.0 */
/* S3's calls against a scripted server: what is sent, what is asked again, what an answer means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <openssl/sha.h>

#include <cmocka.h>

#include "aws/creds.h"
#include "aws/s3.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/unit/httpd.h"

#define FAULT(status, code)                                                                        \
    "HTTP/1.1 " status "\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n\n<Error><Code>" code               \
    "</Code></Error>"
#define SUM_OF_PACK "SGL0R/LH8nL6L0qvidrbOxrAkQW9WGT40aDJRSuwoiY="
#define MD5_OF_PACK "b484857901742afc9e9d4e9853596ce2"
#define STORED      "HTTP/1.1 200 OK\nETag: \"" MD5_OF_PACK "\"\n"

struct fixture {
    struct httpd server;
    struct creds *creds;
    struct s3 *s3;
    struct error err;
};

static void start(struct fixture *f, const struct httpd_answer *answers, size_t count,
                  const struct s3_config *extra)
{
    struct s3_config config = {0};
    char *bucket = strdup("audit");

    memset(f, 0, sizeof *f);
    httpd_start(&f->server, answers, count);
    if (extra != NULL) {
        config = *extra;
    }
    assert_int_equal(creds_open(&f->creds, NULL), 0);
    config.endpoint = f->server.url;
    config.region = "eu-west-1";
    config.bucket = bucket;
    config.creds = f->creds;
    assert_int_equal(s3_open(&f->s3, &config, &f->err), 0);
    /* What it was told need not outlive the call. */
    memset(bucket, 'x', strlen(bucket));
    free(bucket);
}

static void stop(struct fixture *f)
{
    s3_close(f->s3);
    creds_close(f->creds);
    httpd_stop(&f->server);
}

static int put(struct fixture *f, enum s3_put_result *ret)
{
    uint8_t hash[32];
    struct s3_put p = {.key = "a/dt=1:2+3 \xc3\xbc",
                       .bytes = "pack",
                       .len = 4,
                       .sha256 = hash,
                       .content_type = "application/gzip"};

    SHA256((const uint8_t *)"pack", 4, hash);
    return s3_put(f->s3, &p, ret, &f->err);
}

static void a_put_sends_all_that_protects_it(void **state)
{
    static const struct httpd_answer answers[] = {
        {"", 0, "HTTP/1.1 200 OK\nx-amz-checksum-sha256: " SUM_OF_PACK "\n\n"}};
    struct fixture f;
    enum s3_put_result r = S3_PUT_EXISTS;

    (void)state;
    start(&f, answers, 1, &(struct s3_config){.expected_owner = "123456789012", .kms_key = "k1"});
    assert_int_equal(put(&f, &r), 0);
    assert_int_equal(r, S3_PUT_CONFIRMED);
    for (const char *const *wanted =
             (const char *const[]){
                 "PUT /audit/a/dt%3D1%3A2%2B3%20%C3%BC HTTP/1.1\r\n", "\r\nIf-None-Match: *\r\n",
                 "\r\nx-amz-checksum-sha256: " SUM_OF_PACK "\r\n",
                 "\r\nx-amz-content-sha256: "
                 "4862f447f2c7f272fa2f4aaf89dadb3b1ac09105bd5864f8d1a0c9452bb"
                 "0a226\r\n",
                 "\r\nx-amz-expected-bucket-owner: 123456789012\r\n",
                 "\r\nx-amz-server-side-encryption: aws:kms\r\n",
                 "\r\nx-amz-server-side-encryption-aws-kms-key-id: k1\r\n",
                 "\r\nContent-Type: application/gzip\r\n", "\r\nContent-Length: 4\r\n",
                 "/eu-west-1/s3/aws4_request, SignedHeaders=content-type;host;if-none-match;x-amz-"
                 "checksum-sha256;x-amz-content-sha256;x-amz-date;x-amz-expected-bucket-owner;x-"
                 "amz-"
                 "security-token;x-amz-server-side-encryption;x-amz-server-side-encryption-aws-kms-"
                 "key-id, Signature=",
                 "\r\n\r\npack", NULL};
         *wanted != NULL; wanted++) {
        if (strstr(f.server.log->last, *wanted) == NULL) {
            fail_msg("not sent: %s", *wanted);
        }
    }
    assert_null(strcasestr(f.server.log->last, "expect:"));
    assert_null(strstr(f.server.log->last, "SECRET"));
    stop(&f);
}

static void a_put_says_how_it_is_to_be_kept(void **state)
{
    static const struct httpd_answer answers[] = {
        {"", 0, "HTTP/1.1 200 OK\nx-amz-checksum-sha256: " SUM_OF_PACK "\n\n"}};
    static const struct {
        struct s3_config config;
        const char *sent[5], *not_sent;
    } cases[] = {
        {{.sse_s3 = true},
         {"\r\nx-amz-server-side-encryption: AES256\r\n"},
         "x-amz-server-side-encryption-"},
        {{.sse_kms = true}, {"\r\nx-amz-server-side-encryption: aws:kms\r\n"}, "-aws-kms-key-id:"},
        {{.sse_kms = true, .kms_key = "k1", .bucket_key = true},
         {"\r\nx-amz-server-side-encryption: aws:kms\r\n",
          "\r\nx-amz-server-side-encryption-aws-kms-key-id: k1\r\n",
          "\r\nx-amz-server-side-encryption-bucket-key-enabled: true\r\n"},
         "AES256"},
        {{.bucket_key = true, .lock_mode = "", .lock_days = 5},
         {"\r\nIf-None-Match: *\r\n"},
         "x-amz-object-lock"},
        {{.storage_class = "STANDARD_IA", .tags = "a=1&b=2"},
         {"\r\nx-amz-storage-class: STANDARD_IA\r\n", "\r\nx-amz-tagging: a=1&b=2\r\n",
          ";x-amz-storage-class;x-amz-tagging, Signature="},
         "x-amz-object-lock"},
        {{.lock_mode = "COMPLIANCE", .lock_days = 365, .legal_hold = true},
         {"\r\nx-amz-object-lock-mode: COMPLIANCE\r\n",
          "\r\nx-amz-object-lock-retain-until-date: 20", "Z\r\n",
          "\r\nx-amz-object-lock-legal-hold: ON\r\n",
          ";x-amz-object-lock-legal-hold;x-amz-object-lock-mode;x-amz-object-lock-retain-until-"},
         "x-amz-tagging"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        enum s3_put_result r = S3_PUT_EXISTS;

        start(&f, answers, 1, &cases[i].config);
        assert_int_equal(put(&f, &r), 0);
        for (size_t k = 0; k < 5 && cases[i].sent[k] != NULL; k++) {
            if (strstr(f.server.log->last, cases[i].sent[k]) == NULL) {
                fail_msg("not sent: %s", cases[i].sent[k]);
            }
        }
        assert_null(strstr(f.server.log->last, cases[i].not_sent));
        stop(&f);
    }
}

static void what_is_stored_is_looked_at(void **state)
{
    static const struct {
        const char *head; /* its answer */
        enum err_kind kind;
    } cases[] = {
        {"HTTP/1.1 200 OK\nx-amz-checksum-sha256: " SUM_OF_PACK "\nX: y\n\nabcd", ERR_NONE},
        {"HTTP/1.1 200 OK\nETag: \"" MD5_OF_PACK "\"\n\nabcd", ERR_NONE},
        {"HTTP/1.1 200 OK\nX: y\n\nabcde", ERR_CORRUPT}, /* its length */
        {"HTTP/1.1 200 OK\nETag: \"00000000000000000000000000000000\"\n\nabcd", ERR_CORRUPT},
        {"HTTP/1.1 404 Not Found\n\n", ERR_RETRY},
        {"HTTP/1.1 403 Forbidden\n\n", ERR_DENIED},
        {"HTTP/1.1 503 Slow Down\n\n", ERR_RETRY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct httpd_answer answers[] = {{"PUT /", 0, STORED "\n"}, {"HEAD /", 0, cases[i].head}};
        struct fixture f;
        enum s3_put_result r = S3_PUT_EXISTS;
        int rc;

        start(&f, answers, 2, &(struct s3_config){.confirm_head = true});
        rc = put(&f, &r);
        assert_int_equal(rc, cases[i].kind == ERR_NONE ? 0 : -1);
        assert_non_null(strstr(f.server.log->last, "x-amz-checksum-mode: ENABLED"));
        if (rc != 0) {
            assert_int_equal(f.err.kind, cases[i].kind);
            assert_non_null(strstr(f.err.text, "confirm s3://audit/"));
        } else {
            assert_int_equal(r, S3_PUT_CONFIRMED);
        }
        stop(&f);
    }
}

/* An MD5 that is known, and the body itself only as a source. */
static ssize_t read_pack(void *user, size_t offset, void *to, size_t max, struct error *err)
{
    (void)user;
    (void)max;
    (void)err;
    memcpy(to, &"pack"[offset], 1);
    return 1;
}

static void a_streamed_body_is_held_against_its_md5(void **state)
{
    static const struct {
        const char *etag;
        bool known;
        int rc;
    } cases[] = {
        {MD5_OF_PACK, true, 0},
        {"00000000000000000000000000000000", true, -1},
        {"00000000000000000000000000000000", false, 0}, /* nothing to hold it against */
    };
    uint8_t hash[32], md5[16];

    (void)state;
    SHA256((const uint8_t *)"pack", 4, hash);
    assert_int_equal(io_unhex(MD5_OF_PACK, md5, 16), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char reply[128];
        struct httpd_answer answers[] = {{"", 0, reply}};
        struct source body = {.len = 4, .read = read_pack};
        struct s3_put p = {
            .key = "k", .stream = &body, .sha256 = hash, .md5 = cases[i].known ? md5 : NULL};
        enum s3_put_result r;
        struct fixture f;

        (void)snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\nETag: \"%s\"\n\n", cases[i].etag);
        start(&f, answers, 1, NULL);
        assert_true(s3_wants_md5(f.s3)); /* it is not AWS */
        assert_int_equal(s3_put(f.s3, &p, &r, &f.err), cases[i].rc);
        assert_non_null(strstr(f.server.log->last, "\r\n\r\npack"));
        assert_true(s3_wants_md5(f.s3));
        if (cases[i].rc != 0) {
            assert_int_equal(f.err.kind, ERR_CORRUPT);
        }
        stop(&f);
    }
}

static void what_a_put_answer_means(void **state)
{
    static const struct {
        const char *reply;
        int rc;
        enum s3_put_result result;
        enum err_kind kind;
    } table[] = {
        {"HTTP/1.1 200 OK\nETag: \"" MD5_OF_PACK "\"\n\n", 0, S3_PUT_CONFIRMED, ERR_NONE},
        {"HTTP/1.1 200 OK\nETag: \"00000000000000000000000000000000\"\n\n", -1, 0, ERR_CORRUPT},
        {"HTTP/1.1 200 OK\n\n", -1, 0, ERR_CORRUPT},
        {"HTTP/1.1 200 OK\nETag: \"00000000000000000000000000000000\"\n"
         "x-amz-server-side-encryption: aws:kms\n\n",
         0, S3_PUT_CONFIRMED, ERR_NONE},
        {"HTTP/1.1 200 OK\nETag: \"00000000000000000000000000000000-1\"\n\n", 0, S3_PUT_CONFIRMED,
         ERR_NONE},
        {"HTTP/1.1 200 OK\nx-amz-checksum-sha256: AAAA\n\n", -1, 0, ERR_CORRUPT},
        {FAULT("412 Precondition Failed", "PreconditionFailed"), 0, S3_PUT_EXISTS, ERR_NONE},
        {FAULT("409 Conflict", "ConditionalRequestConflict"), -1, 0, ERR_RETRY},
        {FAULT("503 Slow Down", "SlowDown"), -1, 0, ERR_RETRY},
        {FAULT("400 Bad Request", "BadDigest"), -1, 0, ERR_CORRUPT},
        {FAULT("403 Forbidden", "AccessDenied"), -1, 0, ERR_DENIED},
        {"HTTP/1.1 307 Away\nLocation: http://127.0.0.1:1/\nx-amz-bucket-region: eu-south-2\n\n",
         -1, 0, ERR_USAGE},
        {"HTTP/1.1 204 No Content\n\n", -1, 0, ERR_USAGE},
        {NULL, -1, 0, ERR_RETRY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct httpd_answer answers[] = {{"", 0, table[i].reply}};
        struct fixture f;
        enum s3_put_result r = S3_PUT_CONFIRMED;

        start(&f, answers, 1, NULL);
        print_message("answer %zu\n", i);
        assert_int_equal(put(&f, &r), table[i].rc);
        assert_int_equal(f.err.kind, table[i].kind);
        assert_int_equal(f.server.log->requests, 1); /* one attempt, nothing followed */
        if (table[i].rc == 0) {
            assert_int_equal(r, table[i].result);
        } else {
            assert_int_equal(strncmp(f.err.text, "put s3://audit/a/dt=1:2+3", 25), 0);
        }
        stop(&f);
    }
}

static void headers_a_server_lacks_are_left_out(void **state)
{
    static const struct httpd_answer answers[] = {
        {"If-None-Match", 0, FAULT("501 Not Implemented", "NotImplemented")},
        {"x-amz-checksum-sha256", 0, FAULT("501 Not Implemented", "NotImplemented")},
        {"", 0, STORED "\n"},
    };
    static const struct httpd_answer always[] = {
        {"", 0, FAULT("501 Not Implemented", "NotImplemented")}};
    struct fixture f;
    enum s3_put_result r;

    (void)state;
    start(&f, answers, 3, NULL);
    assert_int_equal(put(&f, &r), 0);
    assert_int_equal(f.server.log->requests, 3);
    assert_int_equal(put(&f, &r), 0);
    assert_int_equal(f.server.log->requests, 4); /* remembered */
    stop(&f);
    start(&f, always, 1, NULL);
    assert_int_equal(put(&f, &r), -1);
    assert_int_equal(put(&f, &r), -1);
    assert_int_equal(f.server.log->requests, 6); /* not the headers' fault: not remembered */
    assert_non_null(strstr(f.server.log->last, "\r\n\r\npack"));
    stop(&f);
}

static void a_wrong_clock_is_learnt_once(void **state)
{
    static const struct httpd_answer answers[] = {
        {"x-amz-date: 19941106T0849", 0, STORED "Date: Sun, 06 Nov 1994 08:49:38 GMT\n\n"},
        {"", 0, FAULT("403 Forbidden", "RequestTimeTooSkewed")},
    };
    static const struct httpd_answer always[] = {
        {"", 0, FAULT("403 Forbidden", "RequestTimeTooSkewed")}};
    struct fixture f;
    enum s3_put_result r;
    int64_t skew;

    (void)state;
    start(&f, answers, 2, NULL);
    assert_int_equal(put(&f, &r), 0);
    assert_int_equal(f.server.log->requests, 2);
    assert_int_equal(put(&f, &r), 0);
    assert_int_equal(f.server.log->requests, 3);
    skew = s3_skew_us(f.s3) - (INT64_C(784111778500000) - clock_unix_us());
    assert_true(skew > -5000000 && skew < 5000000);
    stop(&f);
    start(&f, always, 1, NULL);
    assert_int_equal(put(&f, &r), -1);
    assert_int_equal(f.err.kind, ERR_DENIED);
    assert_int_equal(f.server.log->requests, 2);
    stop(&f);
}

static void expired_keys_are_asked_anew_once(void **state)
{
    static const struct httpd_answer answers[] = {
        {"", 0, FAULT("400 Bad Request", "ExpiredToken")}};
    struct fixture f;
    enum s3_put_result r;

    (void)state;
    start(&f, answers, 1, NULL);
    assert_int_equal(put(&f, &r), -1);
    assert_int_equal(f.err.kind, ERR_DENIED);
    assert_int_equal(f.server.log->requests, 2);
    stop(&f);
}

static void a_kept_connection_that_died_repeats_gets_only(void **state)
{
    static const struct httpd_answer answers[] = {
        {"GET /audit/2", 1, NULL},
        {"PUT ", 1, NULL},
        {"", 0, STORED "\nbody"},
    };
    struct fixture f;
    enum s3_put_result r;
    struct buf b;

    (void)state;
    start(&f, answers, 3, NULL);
    buf_init(&b, 100);
    assert_int_equal(s3_get(f.s3, "1", NULL, 0, 0, 100, &b, &f.err), 0);
    assert_int_equal(s3_get(f.s3, "2", NULL, 0, 0, 100, &b, &f.err), 0);
    assert_string_equal(buf_text(&b, NULL), "bodybody");
    assert_int_equal(f.server.log->requests, 3);
    /* Nobody knows whether the first PUT was done: the caller decides, not libcurl. */
    assert_int_equal(put(&f, &r), -1);
    assert_int_equal(f.err.kind, ERR_RETRY);
    assert_int_equal(f.server.log->requests, 4);
    assert_int_equal(put(&f, &r), 0);
    buf_clear(&b);
    stop(&f);
}

static void gets_and_ranges(void **state)
{
    static const struct httpd_answer answers[] = {
        {"\r\nRange: bytes=2-4\r\n", 0, "HTTP/1.1 206 Partial Content\n\ncde"},
        {"\r\nRange: bytes=3-5\r\n", 0, "HTTP/1.1 200 OK\n\nabcdefgh"},
        {"\r\nRange: bytes=6-9\r\n", 0, "HTTP/1.1 206 Partial Content\n\nghi"},
        {"\r\nRange: bytes=90-99\r\n", 0, FAULT("416 Range", "InvalidRange")},
        {"?versionId=v%2B1 ", 0, "HTTP/1.1 200 OK\n\nold"},
        {"?versionId=gone ", 0, FAULT("405 Not Allowed", "MethodNotAllowed")},
        {"GET /audit/none ", 0, FAULT("404 Not Found", "NoSuchKey")},
        {"GET /audit/k ", 0, "HTTP/1.1 200 OK\n\nabcdefgh"},
    };
    static const struct {
        const char *key, *version;
        uint64_t offset, len;
        size_t max;
        const char *text; /* NULL: an error of this kind and code */
        enum err_kind kind;
        int code;
    } table[] = {
        {"k", NULL, 0, 0, 100, "abcdefgh", 0, 0},
        {"k", NULL, 2, 3, 100, "cde", 0, 0},
        {"k", NULL, 3, 3, 100, "def", 0, 0},
        {"k", NULL, 6, 4, 100, NULL, ERR_CORRUPT, 0},
        {"k", NULL, 90, 10, 100, NULL, ERR_CORRUPT, 0},
        {"k", "v+1", 0, 0, 100, "old", 0, 0},
        {"k", "gone", 0, 0, 100, NULL, ERR_SYSTEM, ENOENT},
        {"none", NULL, 0, 0, 100, NULL, ERR_SYSTEM, ENOENT},
        {"k", NULL, 0, 0, 7, NULL, ERR_LIMIT, 0},
        {"", NULL, 0, 0, 7, NULL, ERR_USAGE, 0},
    };
    struct fixture f;

    (void)state;
    start(&f, answers, sizeof answers / sizeof answers[0], NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct buf b;
        int rc;

        buf_init(&b, 100);
        assert_int_equal(buf_puts(&b, "x", NULL), 0);
        rc = s3_get(f.s3, table[i].key, table[i].version, table[i].offset, table[i].len,
                    table[i].max, &b, &f.err);
        assert_int_equal(rc, table[i].text == NULL ? -1 : 0);
        if (rc == 0) {
            assert_string_equal(buf_text(&b, NULL) + 1, table[i].text);
        } else {
            assert_string_equal(buf_text(&b, NULL), "x"); /* untouched */
            assert_int_equal(f.err.kind, table[i].kind);
            assert_int_equal(f.err.code, table[i].code);
        }
        buf_clear(&b);
    }
    stop(&f);
}

static int note_key(void *user, const struct s3_item *item)
{
    char *all = user;

    strncat(all, item->key, 200 - strlen(all) - 1);
    strncat(all, ";", 200 - strlen(all) - 1);
    return strcmp(item->key, "stop") == 0 ? 7 : 0;
}

#define PAGE(inside)                                                                               \
    "HTTP/1.1 200 OK\n\n<ListBucketResult><EncodingType>url</EncodingType>" inside                 \
    "</ListBucketResult>"
#define ITEM(key)                                                                                  \
    "<Contents><Key>" key "</Key><LastModified>2026-11-22T05:40:31.000Z</LastModified>"            \
    "<Size>1</Size></Contents>"

static void listings_go_over_pages(void **state)
{
    static const struct httpd_answer answers[] = {
        {"GET /audit/?encoding-type=url&list-type=2&max-keys=1000&prefix=loop", 1,
         PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")},
        {"prefix=loop", 0,
         PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")},
        {"GET /audit/?encoding-type=url&list-type=2&max-keys=1000&prefix=p%2Fa%3D1&start-after=p "
         "HTTP",
         0,
         PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</"
              "NextContinuationToken>" ITEM("p/a%3D1+%2B") ITEM("b"))},
        {"GET /audit/?continuation-token=t%2B%2F%3D&encoding-type=url", 0,
         PAGE("<IsTruncated>false</IsTruncated>" ITEM("c") ITEM("stop") ITEM("d"))},
        {"", 0, FAULT("403 Forbidden", "AccessDenied")},
    };
    struct fixture f;
    char all[200] = "";

    (void)state;
    start(&f, answers, sizeof answers / sizeof answers[0], NULL);
    assert_int_equal(s3_list(f.s3, "p/a=1", "p", note_key, all, &f.err), 7);
    assert_string_equal(all, "p/a=1 +;b;c;stop;");
    assert_int_equal(f.err.kind, ERR_NONE);
    assert_int_equal(s3_list(f.s3, "q", NULL, note_key, all, &f.err), -1);
    assert_int_equal(f.err.kind, ERR_DENIED);
    assert_string_equal(f.err.text, "list s3://audit/q: 403 AccessDenied (needs s3:ListBucket, and "
                                    "a bucket policy that allows it)");
    assert_int_equal(s3_list(f.s3, "loop", NULL, note_key, all, &f.err), -1);
    assert_int_equal(f.err.kind, ERR_CORRUPT);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_sends_all_that_protects_it),
        cmocka_unit_test(a_put_says_how_it_is_to_be_kept),
        cmocka_unit_test(what_is_stored_is_looked_at),
        cmocka_unit_test(a_streamed_body_is_held_against_its_md5),
        cmocka_unit_test(what_a_put_answer_means),
        cmocka_unit_test(headers_a_server_lacks_are_left_out),
        cmocka_unit_test(a_wrong_clock_is_learnt_once),
        cmocka_unit_test(expired_keys_are_asked_anew_once),
        cmocka_unit_test(a_kept_connection_that_died_repeats_gets_only),
        cmocka_unit_test(gets_and_ranges),
        cmocka_unit_test(listings_go_over_pages),
    };

    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "SECRETSECRET", 1);
    setenv("AWS_SESSION_TOKEN", "TOKENTOKEN", 1);
    unsetenv("http_proxy");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
