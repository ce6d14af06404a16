/* SPDX-License-Identifier: Apache-2.0 */
/* The refusals; what the documents say and mean is tests/e2e/policy.py's. */
#include "tests/unit/check.h"

#include "shipper/policy.h"

static const struct policy_names good = {.bucket = "audit",
                                         .prefix = "prod",
                                         .host = POLICY_USERID,
                                         .partition = "aws",
                                         .account = "",
                                         .region = "",
                                         .vpce = "",
                                         .kms_key = "",
                                         .trail_bucket = "",
                                         .trail_prefix = "",
                                         .host_role = "h",
                                         .correlator_role = "c",
                                         .imds_users = {"root"},
                                         .lock_mode = "GOVERNANCE",
                                         .retain_days = 365};

#define OF(member) offsetof(struct policy_names, member)
static const struct {
    size_t at;
    const char *text;
    bool good;
} shapes[] = {
    {OF(account), "111122223333", true},
    {OF(account), "12", false},
    {OF(account), "1111222233334", false},
    {OF(account), "11112222333x", false},
    {OF(account), "${account}", true},
    {OF(vpce), "vpce-0a1b2c3d", true},
    {OF(vpce), "vpce-0a1b2c3d4e5f60718", true},
    {OF(vpce), "foo", false},
    {OF(vpce), "vpce-", false},
    {OF(vpce), "vpce-foo", false},
    {OF(vpce), "vpce-0a1b2c3d4e5f607181", false},
    {OF(vpce), "${vpce}", true},
    {OF(partition), "aws-cn", true},
    {OF(partition), "azure", false},
    {OF(region), "eu-central-1", true},
    {OF(region), "x", false},
};

static void names_that_cannot_be(void **state)
{
    struct error err = {.kind = ERR_NONE};
    struct policy_names n = good;

    (void)state;
    MUST(policy_check(&n, &err));
    n.bucket = "";
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    n.bucket = "a\",\"b";
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    n.bucket = "a*";
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    n.bucket = "${bucket}";
    MUST(policy_check(&n, &err));
    n.bucket = "${aws:userid}";
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    n = good;
    n.prefix = "a?";
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    n = good;
    n.host = "x/*";
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    n = good;
    n.imds_users[1] = "x } accept";
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        n = good;
        *(const char **)((char *)&n + shapes[i].at) = shapes[i].text;
        if (shapes[i].good) {
            MUST(policy_check(&n, &err));
        } else {
            REFUSES(policy_check(&n, &err), ERR_USAGE);
        }
    }
    n = good;
    n.expire_days = 100;
    REFUSES(policy_check(&n, &err), ERR_USAGE);
    n = good;
    n.cold_days = 29;
    REFUSES(policy_check(&n, &err), ERR_USAGE);
}

static void a_document_never_exceeds_its_limit(void **state)
{
    char prefix[1000];
    struct policy_names n = good;
    struct error err = {.kind = ERR_NONE};
    struct buf b;
    size_t size = 0;

    (void)state;
    memset(prefix, 'p', sizeof prefix - 1);
    prefix[sizeof prefix - 1] = '\0';
    buf_init(&b, POLICY_MAX_TEXT);
    MUST(policy_write(policy_find("correlator"), &n, &b, &size, &err));
    assert_in_range(size, 100, 6144);
    n.prefix = prefix;
    REFUSES(policy_write(policy_find("correlator"), &n, &b, &size, &err), ERR_LIMIT);
    buf_clear(&b);
}

static void a_key_is_named_by_its_arn(void **state)
{
    struct policy_names n = good;
    struct error err = {.kind = ERR_NONE};
    struct buf b;
    size_t size = 0;

    (void)state;
    buf_init(&b, POLICY_MAX_TEXT);
    n.kms_key = "alias/audit";
    REFUSES(policy_write(policy_find("host"), &n, &b, &size, &err), ERR_USAGE);
    n.kms_key = "arn:aws:kms:eu-central-1:111122223333:key/1";
    buf_reset(&b);
    MUST(policy_write(policy_find("host"), &n, &b, &size, &err));
    assert_non_null(strstr(buf_text(&b, &err), "kms:GenerateDataKey"));
    buf_clear(&b);
    assert_null(policy_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_cannot_be),
        cmocka_unit_test(a_document_never_exceeds_its_limit),
        cmocka_unit_test(a_key_is_named_by_its_arn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
