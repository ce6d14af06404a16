/* SPDX-License-Identifier: Apache-2.0 */
/* What is no policy: settings of the bucket, in the form that the S3 API takes, the condition on
 * Session Manager's documents, and the rule that keeps IMDS to few. */
#include <stdio.h>
#include <string.h>

#include "shipper/policy_private.h"

int policy_object_lock(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct json_doc d;

    json_doc_begin(&d, ret, err);
    json_doc_object(&d, NULL);
    json_doc_text(&d, "ObjectLockEnabled", "Enabled");
    json_doc_object(&d, "Rule");
    json_doc_object(&d, "DefaultRetention");
    json_doc_text(&d, "Mode", n->lock_mode);
    json_doc_int(&d, "Days", n->retain_days);
    json_doc_close(&d);
    json_doc_close(&d);
    json_doc_close(&d);
    return json_doc_end(&d);
}

int policy_ownership(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct json_doc d;

    (void)n;
    json_doc_begin(&d, ret, err);
    json_doc_object(&d, NULL);
    json_doc_array(&d, "Rules");
    json_doc_object(&d, NULL);
    json_doc_text(&d, "ObjectOwnership", "BucketOwnerEnforced");
    json_doc_close(&d);
    json_doc_close(&d);
    json_doc_close(&d);
    return json_doc_end(&d);
}

int policy_public_access(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct json_doc d;

    (void)n;
    json_doc_begin(&d, ret, err);
    json_doc_object(&d, NULL);
    json_doc_bool(&d, "BlockPublicAcls", true);
    json_doc_bool(&d, "IgnorePublicAcls", true);
    json_doc_bool(&d, "BlockPublicPolicy", true);
    json_doc_bool(&d, "RestrictPublicBuckets", true);
    json_doc_close(&d);
    return json_doc_end(&d);
}

static void rule_begin(struct json_doc *d, const struct policy_names *n, const char *id,
                       const char *below)
{
    char prefix[POLICY_ARN_MAX];

    (void)snprintf(prefix, sizeof prefix, "%.1300s%s%s", n->prefix, *n->prefix == '\0' ? "" : "/",
                   below);
    json_doc_object(d, NULL);
    json_doc_text(d, "ID", id);
    json_doc_text(d, "Status", "Enabled");
    json_doc_object(d, "Filter");
    json_doc_text(d, "Prefix", prefix);
    json_doc_close(d);
}

static void days(struct json_doc *d, const char *key, const char *member, int64_t value)
{
    json_doc_object(d, key);
    json_doc_int(d, member, value);
    json_doc_close(d);
}

/* What belongs together goes together: packs and their manifests on one day.  Keys never. */
static void rule_recordings(struct json_doc *d, const struct policy_names *n, const char *id,
                            const char *below, bool cold)
{
    cold = cold && n->cold_days > 0;
    if (!cold && n->expire_days == 0) {
        return;
    }
    rule_begin(d, n, id, below);
    if (cold) {
        json_doc_array(d, "Transitions");
        json_doc_object(d, NULL);
        json_doc_int(d, "Days", n->cold_days);
        json_doc_text(d, "StorageClass", "STANDARD_IA");
        json_doc_close(d);
        json_doc_close(d);
    }
    if (n->expire_days > 0) {
        days(d, "Expiration", "Days", n->expire_days);
        days(d, "NoncurrentVersionExpiration", "NoncurrentDays", 1);
    }
    json_doc_close(d);
}

int policy_lifecycle(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct json_doc d;

    json_doc_begin(&d, ret, err);
    json_doc_object(&d, NULL);
    json_doc_array(&d, "Rules");
    rule_recordings(&d, n, "packs", "packs/", true);
    rule_recordings(&d, n, "batches", "batches/", false);
    rule_begin(&d, n, "unfinished-uploads", "");
    days(&d, "AbortIncompleteMultipartUpload", "DaysAfterInitiation", 1);
    json_doc_close(&d);
    json_doc_close(&d);
    json_doc_close(&d);
    return json_doc_end(&d);
}

/* For people who open sessions: only through a document they may use, so that nobody chooses one
 * without the recorder.  Source: the Systems Manager User Guide, "Enforce a session document
 * permission check". */
int policy_session_manager(const struct policy_names *n, struct buf *ret, struct error *err)
{
    static const char *const start[] = {"ssm:StartSession", NULL};
    static const char *const own[] = {"ssm:ResumeSession", "ssm:TerminateSession", NULL};
    const char *region = *n->region == '\0' ? "*" : n->region;
    const char *account = *n->account == '\0' ? "*" : n->account;
    struct policy_arns instances, sessions;
    struct json_doc d;

    policy_begin(&d, ret, err);
    policy_arns_begin(&instances);
    policy_arns_begin(&sessions);
    policy_arns_add(&d, &instances, "arn:%s:ec2:%s:%s:instance/*", n->partition, region, account);
    policy_arns_add(&d, &instances, "arn:%s:ssm:%s:%s:document/ttytrail-session", n->partition,
                    region, account);
    policy_arns_add(&d, &sessions, "arn:%s:ssm:%s:%s:session/${aws:userid}-*", n->partition, region,
                    account);
    policy_statement(
        &d, &(struct policy_statement){.sid = "StartRecordedSessions",
                                       .actions = start,
                                       .resources = instances.list,
                                       .conditions = {{.op = "BoolIfExists",
                                                       .key = "ssm:SessionDocumentAccessCheck",
                                                       .value = "true"}}});
    policy_statement(&d, &(struct policy_statement){
                             .sid = "EndOwnSessions", .actions = own, .resources = sessions.list});
    return policy_end(&d);
}

static const char nftables_head[] =
    "#!/usr/sbin/nft -f\n"
    "# The instance's role to few: everybody else's packets to the metadata service are refused.\n"
    "# On hosts with EC2 Instance Connect its user, ec2-instance-connect, has to be in the list.\n"
    "# nft takes no name that the host does not have.\n"
    "table inet ttytrail_imds\n"
    "delete table inet ttytrail_imds\n"
    "table inet ttytrail_imds {\n"
    "    chain output {\n"
    "        type filter hook output priority filter; policy accept;\n";

/* 169.254.170.2 and .23 hand out roles to containers and pods. */
static const char nftables_tail[] =
    "        ip daddr { 169.254.169.254, 169.254.170.2, 169.254.170.23 } counter reject\n"
    "        ip6 daddr { fd00:ec2::254, fd00:ec2::23 } counter reject\n"
    "    }\n"
    "}\n";

int policy_nftables(const struct policy_names *n, struct buf *ret, struct error *err)
{
    if (buf_puts(ret, nftables_head, err) != 0 ||
        buf_puts(ret, "        meta skuid { ", err) != 0) {
        return -1;
    }
    for (size_t i = 0; n->imds_users[i] != NULL; i++) {
        if (buf_printf(ret, err, "%s%s", i == 0 ? "" : ", ", n->imds_users[i]) != 0) {
            return -1;
        }
    }
    return buf_puts(ret, " } accept\n", err) != 0 ? -1 : buf_puts(ret, nftables_tail, err);
}
