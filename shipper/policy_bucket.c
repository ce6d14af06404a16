/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of resources: the bucket, the trail's bucket, and the gateway endpoint. */
#include <stdio.h>
#include <string.h>

#include "shipper/policy_private.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool set(const char *text)
{
    return text != NULL && *text != '\0';
}

/* A role's ARN as aws:PrincipalArn has it for its sessions too; of any account where none is
 * named. */
static void role_arn(struct json_doc *d, struct policy_arns *a, const struct policy_names *n,
                     const char *role)
{
    policy_arns_add(d, a, "arn:%s:iam::%s:role/%s", n->partition,
                    set(n->account) ? n->account : "*", role);
}

static void deny_without_tls(struct json_doc *d, const struct policy_names *n, const char *bucket)
{
    struct policy_arns all;

    policy_arns_begin(&all);
    policy_arns_add(d, &all, "arn:%s:s3:::%s", n->partition, bucket);
    policy_arns_add(d, &all, "arn:%s:s3:::%s/*", n->partition, bucket);
    policy_statement(
        d, &(struct policy_statement){
               .sid = "DenyWithoutTls",
               .deny = true,
               .anybody = true,
               .actions = LIST("s3:*"),
               .resources = all.list,
               .conditions = {{.op = "Bool", .key = "aws:SecureTransport", .value = "false"}}});
}

/* PutObject alone: naming more would lock out auditors, query engines and the console (PITFALLS
 * 42). */
static void deny_puts(struct json_doc *d, const struct policy_names *n)
{
    struct policy_arns recordings;
    struct policy_statement s = {.deny = true, .anybody = true, .actions = LIST("s3:PutObject")};

    policy_arns_begin(&recordings);
    policy_arns_recordings(d, &recordings, n);
    s.resources = recordings.list;
    if (set(n->vpce)) {
        s.sid = "DenyPutPastTheEndpoint";
        s.conditions[0] = (struct policy_condition){
            .op = "StringNotEquals", .key = "aws:SourceVpce", .value = n->vpce};
        policy_statement(d, &s);
    }
    /* What is stored keeps its newest version: nobody lays other bytes on top (PITFALLS 41). */
    s.sid = "DenyPutWithoutIfNoneMatch";
    s.conditions[0] =
        (struct policy_condition){.op = "Null", .key = "s3:if-none-match", .value = "true"};
    policy_statement(d, &s);
}

/* Each host below its own name, tables by the correlator, and nothing else by anybody. */
static void bind_paths(struct json_doc *d, const struct policy_names *n)
{
    struct policy_arns own, tables, correlator;

    policy_arns_begin(&own);
    policy_arns_begin(&tables);
    policy_arns_begin(&correlator);
    policy_arns_own(d, &own, n);
    policy_arns_objects(d, &own, n, "tables/*");
    policy_arns_objects(d, &tables, n, "tables/*");
    role_arn(d, &correlator, n, n->correlator_role);
    policy_statement(d, &(struct policy_statement){.sid = "DenyPutOutsideOwnPath",
                                                   .deny = true,
                                                   .anybody = true,
                                                   .actions = LIST("s3:PutObject"),
                                                   .not_resources = own.list});
    policy_statement(d, &(struct policy_statement){.sid = "DenyTablesByOthers",
                                                   .deny = true,
                                                   .anybody = true,
                                                   .actions = LIST("s3:PutObject"),
                                                   .resources = tables.list,
                                                   .conditions = {{.op = "ArnNotLike",
                                                                   .key = "aws:PrincipalArn",
                                                                   .value = correlator.list[0]}}});
}

/* Everybody on a host can use its role through IMDS (PITFALLS 39): whatever else is attached to
 * it. */
static void deny_hosts(struct json_doc *d, const struct policy_names *n)
{
    static const char *const with_get[] = {"s3:GetObject*",
                                           "s3:ListBucket*",
                                           "s3:DeleteObject*",
                                           "s3:PutObjectRetention",
                                           "s3:PutObjectLegalHold",
                                           "s3:BypassGovernanceRetention",
                                           NULL};
    struct policy_arns all, host;
    const char *actions[8];
    size_t count = 0;

    policy_arns_begin(&all);
    policy_arns_begin(&host);
    policy_arns_add(d, &all, "arn:%s:s3:::%s", n->partition, n->bucket);
    policy_arns_add(d, &all, "arn:%s:s3:::%s/*", n->partition, n->bucket);
    role_arn(d, &host, n, n->host_role);
    for (size_t i = 0; with_get[i] != NULL; i++) {
        bool wanted = (i != 0 || !n->confirm_head) && (i != 3 || !n->retention);

        if (wanted) {
            actions[count++] = with_get[i];
        }
    }
    actions[count] = NULL;
    policy_statement(d, &(struct policy_statement){.sid = "DenyHostsToReadListOrDelete",
                                                   .deny = true,
                                                   .anybody = true,
                                                   .actions = actions,
                                                   .resources = all.list,
                                                   .conditions = {{.op = "ArnLike",
                                                                   .key = "aws:PrincipalArn",
                                                                   .value = host.list[0]}}});
}

int policy_bucket(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct json_doc d;

    policy_begin(&d, ret, err);
    deny_without_tls(&d, n, n->bucket);
    deny_puts(&d, n);
    if (strcmp(n->host, POLICY_USERID) == 0) {
        bind_paths(&d, n);
    }
    deny_hosts(&d, n);
    return policy_end(&d);
}

/* CloudTrail's own terms for a trail's bucket.  Source: the CloudTrail User Guide, "Amazon S3
 * bucket policy for CloudTrail". */
int policy_trail_bucket(const struct policy_names *n, struct buf *ret, struct error *err)
{
    const char *account = set(n->account) ? n->account : "*";
    struct policy_arns bucket, objects, source;
    struct json_doc d;

    if (!set(n->trail_bucket)) {
        return err_set(err, ERR_USAGE, "which bucket? --trail s3://BUCKET, or 'trail' of [trail]");
    }
    policy_begin(&d, ret, err);
    policy_arns_begin(&bucket);
    policy_arns_begin(&objects);
    policy_arns_begin(&source);
    policy_arns_add(&d, &source, "arn:%s:cloudtrail:%s:%s:trail/ttytrail", n->partition,
                    set(n->region) ? n->region : "*", account);
    policy_arns_add(&d, &bucket, "arn:%s:s3:::%s", n->partition, n->trail_bucket);
    policy_arns_add(&d, &objects, "arn:%s:s3:::%s/%s%sAWSLogs/%s/*", n->partition, n->trail_bucket,
                    n->trail_prefix, set(n->trail_prefix) ? "/" : "", account);
    deny_without_tls(&d, n, n->trail_bucket);
    policy_statement(&d, &(struct policy_statement){.sid = "TrailChecksAcl",
                                                    .service = "cloudtrail.amazonaws.com",
                                                    .actions = LIST("s3:GetBucketAcl"),
                                                    .resources = bucket.list,
                                                    .conditions = {{.op = "ArnLike",
                                                                    .key = "aws:SourceArn",
                                                                    .value = source.list[0]}}});
    policy_statement(
        &d,
        &(struct policy_statement){
            .sid = "TrailWrites",
            .service = "cloudtrail.amazonaws.com",
            .actions = LIST("s3:PutObject"),
            .resources = objects.list,
            .conditions = {
                {.op = "StringEquals", .key = "s3:x-amz-acl", .value = "bucket-owner-full-control"},
                {.op = "ArnLike", .key = "aws:SourceArn", .value = source.list[0]}}});
    return policy_end(&d);
}

static void endpoint_write(struct json_doc *d, const struct policy_names *n)
{
    const char *actions[5] = {"s3:PutObject"};
    struct policy_arns objects;
    struct policy_statement s = {.sid = "WriteRecordings", .anybody = true, .actions = actions};
    size_t count = 1;

    policy_arns_begin(&objects);
    policy_arns_recordings(d, &objects, n);
    policy_arns_objects(d, &objects, n, "tables/*");
    if (n->tagging) {
        actions[count++] = "s3:PutObjectTagging";
    }
    if (n->retention) {
        actions[count++] = "s3:PutObjectRetention";
    }
    if (n->legal_hold) {
        actions[count++] = "s3:PutObjectLegalHold";
    }
    s.resources = objects.list;
    if (set(n->account)) {
        /* Keys of somebody else's account open nothing here. */
        s.conditions[0] = (struct policy_condition){
            .op = "StringEquals", .key = "aws:PrincipalAccount", .value = n->account};
    }
    policy_statement(d, &s);
}

static void endpoint_read(struct json_doc *d, const struct policy_names *n, const char *sid,
                          const char *const *buckets)
{
    struct policy_arns arns;

    policy_arns_begin(&arns);
    for (size_t i = 0; buckets[i] != NULL; i++) {
        policy_arns_add(d, &arns, "arn:%s:s3:::%s", n->partition, buckets[i]);
        policy_arns_add(d, &arns, "arn:%s:s3:::%s/*", n->partition, buckets[i]);
    }
    policy_statement(
        d, &(struct policy_statement){.sid = sid,
                                      .anybody = true,
                                      .actions = LIST("s3:GetObject", "s3:GetObjectVersion",
                                                      "s3:ListBucket", "s3:ListBucketVersions"),
                                      .resources = arns.list});
}

int policy_endpoint(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct json_doc d;

    policy_begin(&d, ret, err);
    endpoint_write(&d, n);
    endpoint_read(&d, n, "ReadRecordingsAndTrail",
                  set(n->trail_bucket) ? LIST(n->bucket, n->trail_bucket) : LIST(n->bucket));
    if (n->read_buckets[0] != NULL) {
        endpoint_read(&d, n, "ReadOtherBuckets", n->read_buckets);
    }
    return policy_end(&d);
}
