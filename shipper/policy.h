/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to grant, and what to refuse, for the shipper, its readers and the correlator: IAM policies,
 * the policies of bucket and gateway endpoint, the bucket's settings, and a rule that keeps the
 * instance's role to those who need it (PITFALLS 39, 42).  Made from names alone: no network, no
 * credentials.  packaging/ holds the same as Terraform and CloudFormation; a test compares them.
 */
#ifndef TTYTRAIL_SHIPPER_POLICY_H
#define TTYTRAIL_SHIPPER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define POLICY_NAMES    16
#define POLICY_USERID   "${aws:userid}"
#define POLICY_MAX_TEXT 65536

/* All borrowed; "" for what is not known, which leaves out the statements that need it. */
struct policy_names {
    const char *bucket, *prefix; /* prefix without slashes at its ends */
    const char *host;            /* in paths; POLICY_USERID: whoever it is (IAM fills that in) */
    const char *partition;       /* "aws", "aws-cn", "aws-us-gov" */
    const char *account, *region, *vpce, *kms_key;
    const char *trail_bucket, *trail_prefix;
    const char *host_role, *correlator_role; /* names of roles, not ARNs */
    const char *read_buckets[POLICY_NAMES + 1], *imds_users[POLICY_NAMES + 1]; /* end at NULL */
    bool tagging, retention, legal_hold, confirm_head, trail_api;
    const char *lock_mode;                       /* "GOVERNANCE" or "COMPLIANCE" */
    int64_t retain_days, cold_days, expire_days; /* 0: never */
};

struct policy {
    const char *name, *what;
    size_t limit; /* AWS's, of characters without white space; 0: none */
    bool text;    /* no JSON */
    int (*write)(const struct policy_names *n, struct buf *ret, struct error *err);
};

/** policy_find(name): NULL when there is no document of that name. */
const struct policy *policy_find(const char *name);
/** policy_at(i): The ${i}th document, from 0; NULL behind the last. */
const struct policy *policy_at(size_t i);
/** policy_check(n, err): USAGE for names that cannot be what they are said to be. */
int policy_check(const struct policy_names *n, struct error *err);
/** policy_write(p, n, ret, ret_size, err): Append the document to ${ret}; ${ret_size} is its length
 * as AWS counts it.  LIMIT when that is above ${p}'s limit; USAGE for a KMS key that is no ARN. */
int policy_write(const struct policy *p, const struct policy_names *n, struct buf *ret,
                 size_t *ret_size, struct error *err);

#endif
