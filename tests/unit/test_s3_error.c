/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aws/s3_private.h"

struct sorted {
    int status;
    const char *code, *message, *region;
    enum err_kind kind;
    enum s3_remedy remedy;
    const char *text;
};

static const struct sorted table[] = {
    {500, "InternalError", "m", "", ERR_RETRY, S3_REMEDY_NONE, "500 InternalError"},
    {502, "", "", "", ERR_RETRY, S3_REMEDY_NONE, "502"},
    {503, "SlowDown", "", "", ERR_RETRY, S3_REMEDY_NONE, "503 SlowDown"},
    {503, "ServiceUnavailable", "", "", ERR_RETRY, S3_REMEDY_NONE, "503 ServiceUnavailable"},
    {504, "", "", "", ERR_RETRY, S3_REMEDY_NONE, "504"},
    {429, "", "", "", ERR_RETRY, S3_REMEDY_NONE, "429"},
    {400, "RequestTimeout", "", "", ERR_RETRY, S3_REMEDY_NONE, "400 RequestTimeout"},
    {409, "OperationAborted", "", "", ERR_RETRY, S3_REMEDY_NONE, "409 OperationAborted"},
    {409, "ConditionalRequestConflict", "", "", ERR_RETRY, S3_REMEDY_NONE,
     "409 ConditionalRequestConflict"},
    {403, "RequestTimeTooSkewed", "", "", ERR_DENIED, S3_REMEDY_CLOCK,
     "403 RequestTimeTooSkewed (this host's clock is wrong)"},
    {400, "ExpiredToken", "", "", ERR_DENIED, S3_REMEDY_KEYS,
     "400 ExpiredToken (the credentials have expired and no newer ones were found)"},
    {403, "InvalidAccessKeyId", "", "", ERR_DENIED, S3_REMEDY_KEYS,
     "403 InvalidAccessKeyId (the server does not know this access key)"},
    {403, "SignatureDoesNotMatch", "", "", ERR_DENIED, S3_REMEDY_NONE,
     "403 SignatureDoesNotMatch (the secret key is not this access key's)"},
    {403, "AccessDenied", "Access Denied", "", ERR_DENIED, S3_REMEDY_NONE,
     "403 AccessDenied (needs s3:X, and a bucket policy that allows it)"},
    {403, "AccessDenied", "User x is not authorized", "", ERR_DENIED, S3_REMEDY_NONE,
     "403 AccessDenied (User x is not authorized)"},
    {403, "", "", "", ERR_DENIED, S3_REMEDY_NONE,
     "403 (needs s3:X, and a bucket policy that allows it)"},
    {400, "KMS.DisabledException", "the key is disabled", "", ERR_DENIED, S3_REMEDY_NONE,
     "400 KMS.DisabledException (the key is disabled)"},
    {301, "PermanentRedirect", "", "eu-west-1", ERR_USAGE, S3_REMEDY_NONE,
     "301 PermanentRedirect (the bucket is in region eu-west-1: set [s3] region)"},
    {307, "", "", "", ERR_USAGE, S3_REMEDY_NONE, "307"},
    {400, "AuthorizationHeaderMalformed", "", "eu-west-1", ERR_USAGE, S3_REMEDY_NONE,
     "400 AuthorizationHeaderMalformed (the bucket is in region eu-west-1: set [s3] region)"},
    {400, "InvalidRequest", "what", "eu-west-1", ERR_USAGE, S3_REMEDY_NONE,
     "400 InvalidRequest (what)"},
    {400, "BadDigest", "", "", ERR_CORRUPT, S3_REMEDY_NONE,
     "400 BadDigest (the body is not what its checksum says)"},
    {404, "NoSuchBucket", "", "", ERR_USAGE, S3_REMEDY_NONE,
     "404 NoSuchBucket (there is no such bucket)"},
    {404, "NoSuchKey", "", "", ERR_SYSTEM, S3_REMEDY_NONE, "404 NoSuchKey"},
    {404, "", "", "", ERR_SYSTEM, S3_REMEDY_NONE, "404 (no such bucket?)"},
    {501, "NotImplemented", "", "", ERR_USAGE, S3_REMEDY_NONE, "501 NotImplemented"},
    /* A word of S3's in an answer of another kind is not acted upon. */
    {500, "ExpiredToken", "", "", ERR_RETRY, S3_REMEDY_NONE, "500 ExpiredToken"},
};

static void errors_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct sorted *t = &table[i];
        struct http_response r;
        struct error err = {0};

        print_message("%s\n", t->text);
        http_response_init(&r);
        r.head.status = t->status;
        if (*t->code != '\0') {
            assert_int_equal(buf_printf(&r.body, NULL,
                                        "<Error><Code>%s</Code><Message>%s</Message><Region>%s"
                                        "</Region></Error>",
                                        t->code, t->message, t->region),
                             0);
        }
        assert_int_equal(s3_error_remedy(&r), t->remedy);
        assert_int_equal(s3_error_sort(&r, "s3:X", &err), -1);
        assert_int_equal(err.kind, t->kind);
        assert_int_equal(err.code, t->kind == ERR_SYSTEM ? ENOENT : 0);
        assert_string_equal(err.text, t->text);
        assert_int_equal(s3_error_sort(&r, "s3:X", NULL), -1);
        http_response_clear(&r);
    }
}

static void a_redirect_names_the_region_of_its_header(void **state)
{
    static const char line[] = "x-amz-bucket-region: ap-south-1\r\n";
    struct http_response r;
    struct error err = {0};

    (void)state;
    http_response_init(&r);
    r.head.status = 301;
    assert_int_equal(http_head_line(&r.head, line, sizeof line - 1, NULL), 0);
    assert_int_equal(s3_error_sort(&r, "s3:X", &err), -1);
    assert_non_null(strstr(err.text, "region ap-south-1"));
    http_response_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_sorted),
        cmocka_unit_test(a_redirect_names_the_region_of_its_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
