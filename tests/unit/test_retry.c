/* SPDX-License-Identifier: Apache-2.0 */
/* Every answer has its sort; waits have bounds; retries cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/retry.h"

static void answers_are_sorted(void **state)
{
    static const struct {
        int status;
        const char *code;
        enum retry_sort sort;
        bool hint;
    } cases[] = {
        {0, "", RETRY_AGAIN, false},
        {408, "", RETRY_AGAIN, false},
        {500, "InternalError", RETRY_AGAIN, false},
        {500, "AccessDenied", RETRY_AGAIN, false}, /* the status is the server's trouble */
        {502, "", RETRY_AGAIN, false},
        {504, "", RETRY_AGAIN, false},
        {503, "SlowDown", RETRY_SLOW, false},
        {503, "", RETRY_SLOW, false},
        {429, "", RETRY_SLOW, false},
        {400, "RequestTimeout", RETRY_AGAIN, false},
        {400, "ThrottlingException", RETRY_SLOW, false},
        {409, "ConditionalRequestConflict", RETRY_AGAIN, false},
        {403, "RequestTimeTooSkewed", RETRY_CLOCK, true},
        {403, "RequestExpired", RETRY_CLOCK, true},
        {400, "ExpiredToken", RETRY_REFRESH, true},
        {403, "InvalidAccessKeyId", RETRY_REFRESH, true},
        {400, "TokenRefreshRequired", RETRY_REFRESH, true},
        {403, "AccessDenied", RETRY_REFUSE, false},
        {403, "SignatureDoesNotMatch", RETRY_REFUSE, true},
        {400, "KMS.DisabledException", RETRY_REFUSE, false},
        {401, "", RETRY_REFUSE, false},
        {404, "NoSuchBucket", RETRY_WRONG, true},
        {404, "NoSuchKey", RETRY_ABSENT, false},
        {404, "", RETRY_ABSENT, false},
        {400, "BadDigest", RETRY_TAMPER, true},
        {400, "XAmzContentSHA256Mismatch", RETRY_TAMPER, true},
        {400, "InvalidRequest", RETRY_WRONG, false},
        {301, "PermanentRedirect", RETRY_WRONG, false},
        {200, "", RETRY_WRONG, false},
        {999, "\xff", RETRY_WRONG, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *hint = "x";

        assert_int_equal(retry_sort(cases[i].status, cases[i].code, &hint), cases[i].sort);
        assert_int_equal(hint != NULL, cases[i].hint);
        assert_int_equal(retry_sort(cases[i].status, cases[i].code, NULL), cases[i].sort);
    }
}

static void waits_have_full_jitter_and_bounds(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 70; n++) {
        int64_t bound = n < 6 ? INT64_C(100000) << n : 5000000;
        int64_t slow = n < 6 ? INT64_C(500000) << n : 20000000;

        assert_true(retry_wait_us(n, false, 0, 0) == 0);
        assert_in_range(retry_wait_us(n, false, UINT32_MAX, 0), bound - 1000, bound);
        assert_in_range(retry_wait_us(n, true, UINT32_MAX, 0), slow - 1000, slow);
        assert_in_range(retry_wait_us(n, false, UINT32_MAX / 2, 0), bound / 2 - 1000, bound / 2);
    }
    assert_true(retry_wait_us(1, false, 0, 7000000) == 7000000);
    assert_true(retry_wait_us(UINT32_MAX, true, UINT32_MAX, 0) <= 20000000);
}

static void retry_after_is_read(void **state)
{
    /* Sun, 06 Nov 1994 08:49:37 GMT */
    const int64_t now = INT64_C(784111777000000);
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"", 0},
        {"0", 0},
        {"7", 7000000},
        {"300", 300000000},
        {"301", 300000000},
        {"99999999999999999999999999", 300000000},
        {"-1", 0},
        {"7 s", 0},
        {"soon", 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT", 10000000},
        {"Sun, 06 Nov 1994 08:49:27 GMT", 0},
        {"Sun, 06 Nov 2094 08:49:37 GMT", 300000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(retry_after_us(cases[i].text, now) == cases[i].us);
    }
}

static void retries_cost_until_something_succeeds(void **state)
{
    struct retry_bucket b = {0};
    int n = 0;

    (void)state;
    while (retry_take(&b)) {
        assert_true(++n <= RETRY_BUCKET / RETRY_COST);
    }
    assert_int_equal(n, RETRY_BUCKET / RETRY_COST);
    retry_give(&b, true);
    assert_true(retry_take(&b));
    assert_false(retry_take(&b));
    for (int i = 0; i < RETRY_COST; i++) {
        retry_give(&b, false);
    }
    assert_true(retry_take(&b));
    for (int i = 0; i < 1000; i++) {
        retry_give(&b, true);
    }
    assert_int_equal(b.spent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_sorted),
        cmocka_unit_test(waits_have_full_jitter_and_bounds),
        cmocka_unit_test(retry_after_is_read),
        cmocka_unit_test(retries_cost_until_something_succeeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
