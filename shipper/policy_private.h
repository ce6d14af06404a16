/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of policies share: a statement, and lists of ARNs.  Between policy*.c alone. */
#ifndef TTYTRAIL_SHIPPER_POLICY_PRIVATE_H
#define TTYTRAIL_SHIPPER_POLICY_PRIVATE_H

#include "common/json_doc.h"
#include "shipper/policy.h"

#define POLICY_ARNS    24
#define POLICY_ARN_MAX 1400

/* Texts that statements name; the first that does not fit fails the document. */
struct policy_arns {
    char text[POLICY_ARNS][POLICY_ARN_MAX];
    const char *list[POLICY_ARNS + 1];
    size_t n;
};
void policy_arns_begin(struct policy_arns *a);
/** policy_arns_add(d, a, fmt, ...): Fails ${d} when there is no room. */
void policy_arns_add(struct json_doc *d, struct policy_arns *a, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** policy_arns_objects(d, a, n, below): The objects ${below} our prefix. */
void policy_arns_objects(struct json_doc *d, struct policy_arns *a, const struct policy_names *n,
                         const char *below);
/** policy_arns_own(d, a, n): What host n->host writes. */
void policy_arns_own(struct json_doc *d, struct policy_arns *a, const struct policy_names *n);
/** policy_arns_recordings(d, a, n): What any host writes. */
void policy_arns_recordings(struct json_doc *d, struct policy_arns *a,
                            const struct policy_names *n);

#define POLICY_CONDITIONS 3
struct policy_condition {
    const char *op, *key;
    const char *value;         /* one, or */
    const char *const *values; /* several, ending at NULL */
};
/* Lists end at NULL. */
struct policy_statement {
    const char *sid;
    bool deny, anybody;  /* anybody: "Principal": "*", for policies of resources */
    const char *service; /* or the principal is a service */
    const char *const *actions;
    const char *const *resources, *const *not_resources;
    struct policy_condition conditions[POLICY_CONDITIONS + 1]; /* end at op NULL */
};
void policy_begin(struct json_doc *d, struct buf *ret, struct error *err);
void policy_statement(struct json_doc *d, const struct policy_statement *s);
int policy_end(struct json_doc *d);

int policy_host(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_reader(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_correlator(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_bucket(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_endpoint(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_trail_bucket(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_session_manager(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_object_lock(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_ownership(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_public_access(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_lifecycle(const struct policy_names *n, struct buf *ret, struct error *err);
int policy_nftables(const struct policy_names *n, struct buf *ret, struct error *err);

#endif
