/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of the three roles.  What each must not have is as much the point as what it has. */
#include <stdio.h>
#include <string.h>

#include "shipper/policy_private.h"

#define ACTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool set(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Only through S3: the role never calls KMS, S3 does on its behalf. */
static void kms(struct json_doc *d, const struct policy_names *n, const char *sid,
                const char *const *actions)
{
    struct policy_statement s = {.sid = sid, .actions = actions, .resources = ACTIONS(n->kms_key)};
    char via[128];

    if (!set(n->kms_key)) {
        return;
    }
    if (strncmp(n->kms_key, "arn:", 4) != 0 || strstr(n->kms_key, ":key/") == NULL) {
        d->failed = true;
        (void)err_set(d->err, ERR_USAGE,
                      "a policy needs the KMS key's ARN (arn:...:key/...), not an alias or an id: "
                      "--kms-key ARN");
        return;
    }
    if (set(n->region)) {
        (void)snprintf(via, sizeof via, "s3.%.60s.amazonaws.com%s", n->region,
                       strcmp(n->partition, "aws-cn") == 0 ? ".cn" : "");
        s.conditions[0] =
            (struct policy_condition){.op = "StringEquals", .key = "kms:ViaService", .value = via};
    }
    policy_statement(d, &s);
}

int policy_host(const struct policy_names *n, struct buf *ret, struct error *err)
{
    const char *actions[5] = {"s3:PutObject"};
    struct policy_arns own;
    struct json_doc d;
    size_t count = 1;

    policy_begin(&d, ret, err);
    policy_arns_begin(&own);
    policy_arns_own(&d, &own, n);
    if (n->tagging) {
        actions[count++] = "s3:PutObjectTagging";
    }
    if (n->retention) {
        actions[count++] = "s3:PutObjectRetention";
    }
    if (n->legal_hold) {
        actions[count++] = "s3:PutObjectLegalHold";
    }
    policy_statement(&d, &(struct policy_statement){
                             .sid = "PutOwnRecordings", .actions = actions, .resources = own.list});
    if (n->confirm_head) {
        policy_statement(&d, &(struct policy_statement){.sid = "ConfirmOwnRecordings",
                                                        .actions = ACTIONS("s3:GetObject"),
                                                        .resources = own.list});
    }
    kms(&d, n, "EncryptRecordings", ACTIONS("kms:GenerateDataKey"));
    return policy_end(&d);
}

/* Listing is a right on the bucket; the prefix narrows it. */
static void list_below(struct json_doc *d, const struct policy_names *n, const char *sid,
                       const char *bucket, const char *const *actions,
                       const struct policy_arns *below)
{
    struct policy_arns arn;
    struct policy_statement s = {.sid = sid, .actions = actions};

    policy_arns_begin(&arn);
    policy_arns_add(d, &arn, "arn:%s:s3:::%s", n->partition, bucket);
    s.resources = arn.list;
    if (below->n > 0) {
        s.conditions[0] = (struct policy_condition){
            .op = "StringLike", .key = "s3:prefix", .values = below->list};
    }
    policy_statement(d, &s);
}

int policy_reader(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct policy_arns below, objects;
    struct json_doc d;

    policy_begin(&d, ret, err);
    policy_arns_begin(&below);
    policy_arns_begin(&objects);
    if (set(n->prefix)) {
        policy_arns_add(&d, &below, "%s/*", n->prefix);
    }
    policy_arns_objects(&d, &objects, n, "*");
    list_below(&d, n, "ListRecordings", n->bucket,
               ACTIONS("s3:ListBucket", "s3:ListBucketVersions"), &below);
    policy_statement(
        &d, &(struct policy_statement){.sid = "ReadRecordings",
                                       .actions = ACTIONS("s3:GetObject", "s3:GetObjectVersion"),
                                       .resources = objects.list});
    kms(&d, n, "DecryptRecordings", ACTIONS("kms:Decrypt"));
    return policy_end(&d);
}

/* "AWSLogs/" is where CloudTrail writes logs and digests.  Source: the CloudTrail User Guide,
 * "Finding your CloudTrail log files". */
static void trail(struct json_doc *d, const struct policy_names *n)
{
    const char *slash = set(n->trail_prefix) ? "/" : "";
    struct policy_arns below, objects;

    policy_arns_begin(&below);
    policy_arns_begin(&objects);
    policy_arns_add(d, &below, "%s%sAWSLogs/*", n->trail_prefix, slash);
    policy_arns_add(d, &objects, "arn:%s:s3:::%s/%s%sAWSLogs/*", n->partition, n->trail_bucket,
                    n->trail_prefix, slash);
    list_below(d, n, "ListTrail", n->trail_bucket, ACTIONS("s3:ListBucket"), &below);
    policy_statement(d, &(struct policy_statement){.sid = "ReadTrailAndDigests",
                                                   .actions = ACTIONS("s3:GetObject"),
                                                   .resources = objects.list});
}

/* It joins signed manifests with the trail.  Packs, what people saw, it never reads. */
static void correlator_recordings(struct json_doc *d, const struct policy_names *n)
{
    static const char *const rooms[] = {"batches/", "keys/", "tables/"};
    const char *slash = set(n->prefix) ? "/" : "";
    struct policy_arns below, objects, tables;

    policy_arns_begin(&below);
    policy_arns_begin(&objects);
    policy_arns_begin(&tables);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        char star[32];

        (void)snprintf(star, sizeof star, "%s*", rooms[i]);
        policy_arns_add(d, &below, "%s%s%s", n->prefix, slash, star);
        policy_arns_objects(d, &objects, n, star);
    }
    policy_arns_objects(d, &tables, n, "tables/*");
    list_below(d, n, "ListManifestsKeysAndTables", n->bucket,
               ACTIONS("s3:ListBucket", "s3:ListBucketVersions"), &below);
    policy_statement(
        d, &(struct policy_statement){.sid = "ReadManifestsKeysAndTables",
                                      .actions = ACTIONS("s3:GetObject", "s3:GetObjectVersion"),
                                      .resources = objects.list});
    policy_statement(d, &(struct policy_statement){.sid = "WriteTables",
                                                   .actions = ACTIONS("s3:PutObject"),
                                                   .resources = tables.list});
}

int policy_correlator(const struct policy_names *n, struct buf *ret, struct error *err)
{
    struct json_doc d;

    policy_begin(&d, ret, err);
    if (set(n->trail_bucket)) {
        trail(&d, n);
    }
    /* Neither of these can be narrowed to a resource. */
    policy_statement(&d, &(struct policy_statement){
                             .sid = "ReadDigestKeys",
                             .actions = n->trail_api ? ACTIONS("cloudtrail:ListPublicKeys",
                                                               "cloudtrail:LookupEvents")
                                                     : ACTIONS("cloudtrail:ListPublicKeys"),
                             .resources = ACTIONS("*")});
    correlator_recordings(&d, n);
    kms(&d, n, "DecryptRecordingsEncryptTables", ACTIONS("kms:Decrypt", "kms:GenerateDataKey"));
    return policy_end(&d);
}
