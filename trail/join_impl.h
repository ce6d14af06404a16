/* SPDX-License-Identifier: Apache-2.0 */
/* What join.c (how a verdict is made) and join_rules.c (each rule) share; no other file includes
 * it. */
#ifndef TTYTRAIL_TRAIL_JOIN_IMPL_H
#define TTYTRAIL_TRAIL_JOIN_IMPL_H

#include "trail/join.h"

#define JOIN_EVENTS 64U /* of one window; more are nobody's */

struct join {
    const struct join_config *c;
    const struct trail_events *from;
    const struct subject *s;
    struct verdict *v;
    const char *way; /* of the rule under way, in words */
    bool (*wanted)(const struct join *j, const struct trail_event *e);
    struct trail_stored *found[JOIN_EVENTS]; /* owned; in order of time */
    size_t n;
    struct error *err;
};

struct join_who { /* whose call it was, in the end */
    char name[512], role[256], arn[2048], source[256], mfa[8];
    int steps;
};

/** join_say(j, text): One reason more. */
void join_say(struct join *j, const char *text);
/** join_look(j, q, wanted): j->found is the accesses that ${q} and ${wanted} mean. */
int join_look(struct join *j, const struct trail_query *q,
              bool (*wanted)(const struct join *j, const struct trail_event *e));
void join_forget(struct join *j);
int join_person(struct join *j, const struct trail_event *e, struct join_who *ret);
/** join_decide(j, grade, rule, why): Of what was found: 0 nothing; 1 a verdict: ${grade}, or
 * ambiguous when it is of more than one principal; -1. */
int join_decide(struct join *j, enum verdict_grade grade, const char *rule, const char *why);
/** join_clear(j): As nothing had been decided; what was found stays. */
void join_clear(struct join *j);
/** join_contradict(j, rule, arn, why): What was found names others than the host does, ${arn}:
 * ambiguous between them. */
void join_contradict(struct join *j, const char *rule, const char *arn, const char *why);
/** join_name(j, arn, grade, rule, why): A verdict without a record: the host itself knows the ARN.
 */
void join_name(struct join *j, const char *arn, enum verdict_grade grade, const char *rule,
               const char *why);
int join_on_terminate(void *user, const struct trail_stored *e);

/* Each: 1 it made a verdict, 0 it has none and may have said why, -1. */
int join_local(struct join *j);
int join_ssm(struct join *j);
int join_signed_block(struct join *j);
int join_key(struct join *j);
int join_one_candidate(struct join *j);
int join_serial(struct join *j);
int join_tunnel(struct join *j);
int join_hop(struct join *j);
int join_certificate(struct join *j);
int join_key_map(struct join *j);

#endif
