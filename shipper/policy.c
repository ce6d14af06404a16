/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/policy.h"

#include <ctype.h>
#include <string.h>

#include "shipper/field.h"
#include "shipper/policy_private.h"

/* Limits: IAM and STS quotas ("managed policies"), S3 (bucket policies), VPC (endpoint policies).
 * A role's inline policies together may have 10240 characters; we keep to the smaller one. */
#define LIMIT_MANAGED  6144
#define LIMIT_BUCKET   20480
#define LIMIT_ENDPOINT 20480

static const struct policy policies[] = {
    {"host", "IAM policy of the hosts' role", LIMIT_MANAGED, false, policy_host},
    {"reader", "IAM policy of who verifies and reads", LIMIT_MANAGED, false, policy_reader},
    {"correlator", "IAM policy of the fleet job", LIMIT_MANAGED, false, policy_correlator},
    {"session-manager", "IAM policy of who opens sessions", LIMIT_MANAGED, false,
     policy_session_manager},
    {"bucket", "policy of the bucket", LIMIT_BUCKET, false, policy_bucket},
    {"trail-bucket", "policy of the trail's bucket", LIMIT_BUCKET, false, policy_trail_bucket},
    {"endpoint", "policy of the gateway endpoint", LIMIT_ENDPOINT, false, policy_endpoint},
    {"object-lock", "Object Lock configuration of the bucket", 0, false, policy_object_lock},
    {"ownership", "ownership controls of the bucket", 0, false, policy_ownership},
    {"public-access", "public access block of the bucket", 0, false, policy_public_access},
    {"lifecycle", "lifecycle configuration of the bucket", 0, false, policy_lifecycle},
    {"nftables", "rules that keep IMDS to few", 0, true, policy_nftables},
};
#define POLICIES (sizeof policies / sizeof policies[0])

const struct policy *policy_at(size_t i)
{
    return i < POLICIES ? &policies[i] : NULL;
}

const struct policy *policy_find(const char *name)
{
    for (size_t i = 0; i < POLICIES; i++) {
        if (strcmp(policies[i].name, name) == 0) {
            return &policies[i];
        }
    }
    return NULL;
}

/* "${name}" passes: the templates in packaging/ are made with such names. */
static size_t variable(const char *text)
{
    size_t n =
        strncmp(text, "${", 2) == 0 ? 2 + strspn(text + 2, "abcdefghijklmnopqrstuvwxyz_") : 0;

    return n > 2 && text[n] == '}' ? n + 1 : 0;
}

static bool only(const char *text, const char *extra)
{
    while (*text != '\0') {
        size_t skip = variable(text);

        if (skip == 0 && isalnum((unsigned char)*text) == 0 && strchr(extra, *text) == NULL) {
            return false;
        }
        text += skip > 0 ? skip : 1;
    }
    return true;
}

static int check_name(const char *what, const char *text, const char *extra, struct error *err)
{
    if (text == NULL || only(text, extra)) {
        return 0;
    }
    return err_set(err, ERR_USAGE, "'%.80s' is no %s", text, what);
}

/* ${n_min} to ${n_max} characters out of ${set} behind ${front}; a name that is filled in later
 * ("${...}") and one that is not known have no shape. */
static int check_shape(const char *what, const char *text, const char *front, const char *set,
                       size_t n_min, size_t n_max, struct error *err)
{
    size_t skip = strlen(front), n;

    if (text == NULL || *text == '\0' || strstr(text, "${") != NULL) {
        return 0;
    }
    n = strncmp(text, front, skip) == 0 ? strspn(text + skip, set) : 0;
    return n >= n_min && n <= n_max && text[skip + n] == '\0'
               ? 0
               : err_set(err, ERR_USAGE, "'%.80s' is no %s", text, what);
}

static int check_lists(const struct policy_names *n, struct error *err)
{
    for (size_t i = 0; n->read_buckets[i] != NULL; i++) {
        if (check_name("bucket", n->read_buckets[i], "-._", err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; n->imds_users[i] != NULL; i++) {
        if (n->imds_users[i][0] == '\0' || !only(n->imds_users[i], "-._")) {
            return err_set(err, ERR_USAGE, "'%.80s' is no user", n->imds_users[i]);
        }
    }
    return 0;
}

int policy_check(const struct policy_names *n, struct error *err)
{
    if (n->bucket == NULL || *n->bucket == '\0') {
        return err_set(err, ERR_USAGE, "which bucket? --bucket NAME, or 'to' of [ship]");
    }
    if (check_name("bucket", n->bucket, "-._", err) != 0 ||
        check_name("bucket", n->trail_bucket, "-._", err) != 0 ||
        check_name("prefix", n->prefix, "/!-_.'()=+,@:&;", err) != 0 ||
        check_name("prefix", n->trail_prefix, "/!-_.'()=+,@:&;", err) != 0 ||
        check_name("partition", n->partition, "-", err) != 0 ||
        check_name("account", n->account, "", err) != 0 ||
        check_name("region", n->region, "-", err) != 0 ||
        check_name("endpoint (vpce-...)", n->vpce, "-", err) != 0 ||
        check_name("KMS key", n->kms_key, "-:/_", err) != 0 ||
        check_name("role's name", n->host_role, "-_+=,.@", err) != 0 ||
        check_name("role's name", n->correlator_role, "-_+=,.@", err) != 0 ||
        check_shape("account: twelve digits", n->account, "", "0123456789", 12, 12, err) != 0 ||
        check_shape("endpoint: vpce-0123456789abcdef0, say", n->vpce, "vpce-", "0123456789abcdef",
                    8, 17, err) != 0 ||
        check_shape("partition: aws, aws-cn, aws-us-gov", n->partition, "aws",
                    "-abcdefghijklmnopqrstuvwxyz", 0, 20, err) != 0 ||
        check_shape("region: eu-central-1, say", n->region, "",
                    "-abcdefghijklmnopqrstuvwxyz0123456789", 5, 32, err) != 0 ||
        check_lists(n, err) != 0) {
        return -1;
    }
    if (strcmp(n->host, POLICY_USERID) != 0 && !field_host_valid(n->host)) {
        return err_set(err, ERR_USAGE, "'%.80s' is no host name for paths", n->host);
    }
    if (n->expire_days > 0 && n->expire_days < n->retain_days) {
        return err_set(err, ERR_USAGE,
                       "--expire-days %lld: nothing can go before its %lld days of retention",
                       (long long)n->expire_days, (long long)n->retain_days);
    }
    if (n->cold_days > 0 && n->cold_days < 30) {
        return err_set(err, ERR_USAGE, "--cold-days: S3 moves nothing before 30 days");
    }
    return 0;
}

/* White space inside strings counts, and so this walks over them. */
static size_t counted(const char *p, size_t len)
{
    bool inside = false;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (p[i] == '"' && (i == 0 || p[i - 1] != '\\')) {
            inside = !inside;
        }
        n += inside || isspace((unsigned char)p[i]) == 0;
    }
    return n;
}

int policy_write(const struct policy *p, const struct policy_names *n, struct buf *ret,
                 size_t *ret_size, struct error *err)
{
    size_t before = ret->len;

    if (p->write(n, ret, err) != 0) {
        return err_wrap(err, "%s", p->name);
    }
    *ret_size = counted((const char *)buf_data(ret) + before, ret->len - before);
    if (p->limit > 0 && *ret_size > p->limit) {
        return err_set(err, ERR_LIMIT, "%s: %zu characters; AWS takes %zu", p->name, *ret_size,
                       p->limit);
    }
    return 0;
}
