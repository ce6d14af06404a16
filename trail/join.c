/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/join.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trail/identity.h"
#include "trail/join_impl.h"

/* ---- reasons ---- */

void join_say(struct join *j, const char *text)
{
    char *to = j->v->reasons;
    size_t len = strlen(to);

    (void)snprintf(to + len, sizeof j->v->reasons - len, "%s%s", len > 0 ? "; " : "", text);
}

/* ---- what is looked at ---- */

static int on_event(void *user, const struct trail_stored *e)
{
    struct join *j = user;

    if (!trail_event_is_access(&e->event) || j->n == JOIN_EVENTS || !j->wanted(j, &e->event)) {
        return 0;
    }
    j->found[j->n] = malloc(sizeof *e);
    if (j->found[j->n] == NULL) {
        return err_sys(j->err, "keep an event");
    }
    *j->found[j->n++] = *e;
    return 0;
}

void join_forget(struct join *j)
{
    while (j->n > 0) {
        free(j->found[--j->n]);
    }
}

int join_look(struct join *j, const struct trail_query *q,
              bool (*wanted)(const struct join *j, const struct trail_event *e))
{
    join_forget(j);
    j->wanted = wanted;
    return j->from->events(j->from->user, q, on_event, j, j->err) < 0 ? -1 : 0;
}

/* ---- people ---- */

int join_person(struct join *j, const struct trail_event *e, struct join_who *ret)
{
    struct trail_identity person;

    if (chain_person(j->from, e, &person, &ret->steps, j->err) != 0) {
        return -1;
    }
    identity_name(&person, ret->name, sizeof ret->name);
    identity_role(&e->who, ret->role, sizeof ret->role);
    (void)snprintf(ret->arn, sizeof ret->arn, "%s", person.arn);
    (void)snprintf(ret->source, sizeof ret->source, "%s", person.source_identity);
    (void)snprintf(ret->mfa, sizeof ret->mfa, "%s",
                   e->who.mfa[0] != '\0' ? e->who.mfa : person.mfa);
    return 0;
}

static void add_candidate(struct join *j, const struct trail_event *e, const struct join_who *w)
{
    struct verdict_candidate *c = &j->v->candidate[j->v->candidates];

    if (j->v->candidates == VERDICT_CANDIDATES) {
        return;
    }
    (void)snprintf(c->event, sizeof c->event, "%s", e->id);
    (void)snprintf(c->principal, sizeof c->principal, "%s", w->name);
    (void)snprintf(c->arn, sizeof c->arn, "%s", e->who.arn);
    (void)snprintf(c->address, sizeof c->address, "%s", e->address);
    c->time_us = e->time_us;
    j->v->candidates++;
}

static const char *name_of_arn(const char *arn)
{
    const char *name = strrchr(arn, '/');

    return name != NULL && name[1] != '\0' ? name + 1 : arn;
}

/* Two calls are one principal's when the same person made them with the same credentials' name. */
static bool same(const struct trail_event *a, const struct join_who *wa,
                 const struct trail_event *b, const struct join_who *wb)
{
    return strcmp(wa->name, wb->name) == 0 && strcmp(wa->arn, wb->arn) == 0 &&
           strcmp(a->who.arn, b->who.arn) == 0;
}

/* ---- verdicts ---- */

/* A record that nothing vouches for, in a trail where something should, proves nothing. */
static enum verdict_grade held_down(struct join *j, const struct trail_stored *e,
                                    enum verdict_grade grade)
{
    if (e->digest == DIGEST_FAILED) {
        join_say(j, "its log file fails its digest");
        return grade < VERDICT_WEAK ? grade : VERDICT_WEAK;
    }
    if (e->digest == DIGEST_NONE && j->c->digested) {
        join_say(j, "its log file stands outside the chain of digests");
        return grade < VERDICT_WEAK ? grade : VERDICT_WEAK;
    }
    return grade;
}

static void take(struct join *j, const struct trail_stored *e, const struct join_who *w,
                 enum verdict_grade grade, const char *rule, const char *why)
{
    struct verdict *v = j->v;

    join_clear(j);
    join_say(j, why);
    v->grade = held_down(j, e, grade);
    (void)snprintf(v->rule, sizeof v->rule, "%s", rule);
    (void)snprintf(v->way, sizeof v->way, "%s", j->way);
    (void)snprintf(v->principal, sizeof v->principal, "%s", w->name);
    (void)snprintf(v->role, sizeof v->role, "%s", w->role);
    (void)snprintf(v->arn, sizeof v->arn, "%s", e->event.who.arn);
    (void)snprintf(v->person_arn, sizeof v->person_arn, "%s",
                   strcmp(w->arn, e->event.who.arn) != 0 ? w->arn : "");
    (void)snprintf(v->source_identity, sizeof v->source_identity, "%s", w->source);
    (void)snprintf(v->mfa, sizeof v->mfa, "%s", w->mfa);
    (void)snprintf(v->address, sizeof v->address, "%s", e->event.address);
    (void)snprintf(v->event, sizeof v->event, "%s", e->event.id);
    (void)snprintf(v->event_name, sizeof v->event_name, "%s", e->event.name);
    (void)snprintf(v->object, sizeof v->object, "%s", e->object);
    memcpy(v->record_sha256, e->event.sha256, sizeof v->record_sha256);
    v->event_us = e->event.time_us;
    v->digest = e->digest;
}

void join_clear(struct join *j)
{
    struct verdict *v = j->v;
    struct verdict fresh = {.decided_us = v->decided_us};

    memcpy(fresh.subject, v->subject, sizeof fresh.subject);
    *v = fresh;
}

void join_contradict(struct join *j, const char *rule, const char *arn, const char *why)
{
    struct verdict *v = j->v;
    struct join_who who;
    size_t n;

    join_clear(j);
    for (size_t i = 0; i < j->n; i++) {
        if (join_person(j, &j->found[i]->event, &who) == 0) {
            add_candidate(j, &j->found[i]->event, &who);
        }
    }
    n = v->candidates < VERDICT_CANDIDATES ? v->candidates++ : VERDICT_CANDIDATES - 1;
    memset(&v->candidate[n], 0, sizeof v->candidate[n]);
    (void)snprintf(v->candidate[n].arn, sizeof v->candidate[n].arn, "%s", arn);
    (void)snprintf(v->candidate[n].principal, sizeof v->candidate[n].principal, "%s",
                   name_of_arn(arn));
    v->grade = VERDICT_AMBIGUOUS;
    (void)snprintf(v->rule, sizeof v->rule, "%s", rule);
    (void)snprintf(v->way, sizeof v->way, "%s", j->way);
    join_say(j, why);
}

int join_decide(struct join *j, enum verdict_grade grade, const char *rule, const char *why)
{
    struct join_who first, other;
    struct trail_stored *newest;
    bool one = true;

    if (j->n == 0) {
        return 0;
    }
    newest = j->found[j->n - 1];
    join_clear(j);
    if (join_person(j, &newest->event, &first) != 0) {
        return -1;
    }
    for (size_t i = 0; i < j->n; i++) {
        if (join_person(j, &j->found[i]->event, &other) != 0) {
            return -1;
        }
        add_candidate(j, &j->found[i]->event, &other);
        one = one && same(&newest->event, &first, &j->found[i]->event, &other);
    }
    if (one && j->n < JOIN_EVENTS) {
        take(j, newest, &first, grade, rule, why);
        return 1;
    }
    join_say(j, why);
    join_say(j, "more than one principal");
    j->v->grade = VERDICT_AMBIGUOUS;
    (void)snprintf(j->v->rule, sizeof j->v->rule, "%s", rule);
    (void)snprintf(j->v->way, sizeof j->v->way, "%s", j->way);
    return 1;
}

void join_name(struct join *j, const char *arn, enum verdict_grade grade, const char *rule,
               const char *why)
{
    struct verdict *v = j->v;

    join_clear(j);
    join_say(j, why);
    v->grade = grade;
    (void)snprintf(v->rule, sizeof v->rule, "%s", rule);
    (void)snprintf(v->way, sizeof v->way, "%s", j->way);
    (void)snprintf(v->arn, sizeof v->arn, "%s", arn);
    (void)snprintf(v->principal, sizeof v->principal, "%s", name_of_arn(arn));
}

/* ---- the order of the rules ---- */

static int nothing(struct join *j)
{
    j->v->grade = VERDICT_NONE;
    (void)snprintf(j->v->rule, sizeof j->v->rule, "nothing");
    (void)snprintf(j->v->way, sizeof j->v->way, "%s", j->way);
    if (j->c->read_us < j->s->opened_us + JOIN_LATE_US) {
        join_say(j, "the trail is not read that far yet");
    }
    return 1;
}

/* Nobody ended it but who opened it, unless the trail says so. */
static int who_ended(struct join *j)
{
    const struct trail_query q = {.kinds = 1U << TRAIL_TERMINATE, .session = j->s->ssm_session};

    if (j->s->ssm_session[0] == '\0') {
        return 0;
    }
    return j->from->events(j->from->user, &q, join_on_terminate, j, j->err) < 0 ? -1 : 0;
}

int join(const struct join_config *c, const struct trail_events *from, const struct subject *s,
         struct verdict *ret, struct error *err)
{
    static int (*const rules[])(struct join * j) = {
        join_local,         join_ssm,     join_signed_block, join_key,
        join_one_candidate, join_serial,  join_tunnel,       join_hop,
        join_certificate,   join_key_map, nothing,
    };
    struct join *j = calloc(1, sizeof *j);
    int rc = 0;

    memset(ret, 0, sizeof *ret);
    if (j == NULL) {
        return err_sys(err, "allocate");
    }
    *j = (struct join){.c = c, .from = from, .s = s, .v = ret, .err = err};
    memcpy(ret->subject, s->id, sizeof ret->subject);
    ret->decided_us = c->now_us;
    for (size_t i = 0; rc == 0 && i < sizeof rules / sizeof rules[0]; i++) {
        j->way = "";
        rc = rules[i](j);
    }
    if (rc == 1) {
        rc = who_ended(j);
    }
    join_forget(j);
    free(j);
    return rc < 0 ? -1 : 0;
}
