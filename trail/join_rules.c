/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, each by itself: docs/DESIGN.md section 12. */
#include <stdio.h>
#include <string.h>

#include "storage/seal/chain.h"
#include "storage/wire/witness.h"
#include "trail/join_impl.h"

#define SECOND_US INT64_C(1000000) /* eventTime is cut to it */

static int64_t skew(const struct join *j)
{
    return j->c->skew_us + (j->s->clock_error_us > 0 ? j->s->clock_error_us : 0);
}

/* Type and base64, without whatever follows. */
static bool same_key(const char *a, const char *b)
{
    size_t type = strcspn(a, " "), blob;

    if (a[0] == '\0' || a[type] != ' ' || strncmp(a, b, type + 1) != 0) {
        return false;
    }
    blob = strcspn(a + type + 1, " \t\r\n");
    return blob > 0 && strncmp(a + type + 1, b + type + 1, blob) == 0 &&
           strchr(" \t\r\n", b[type + 1 + blob]) != NULL;
}

void join_fingerprint(const char *key, char ret[52])
{
    struct witness_auth auth;
    char line[8400];
    uint8_t hash[CHAIN_HASH];
    int n = snprintf(line, sizeof line, "publickey %s", key);

    ret[0] = '\0';
    if (n > 0 && (size_t)n < sizeof line && witness_auth(line, (size_t)n, &auth) &&
        auth.blob_len > 0) {
        chain_sha256(auth.blob, auth.blob_len, hash);
        witness_fingerprint(hash, ret);
    }
}

int join_local(struct join *j)
{
    if (j->s->way != SUBJECT_LOCAL) {
        return 0;
    }
    j->v->grade = VERDICT_NONE;
    (void)snprintf(j->v->rule, sizeof j->v->rule, "local");
    return 1;
}

/* ---- Session Manager ---- */

static bool is_session(const struct join *j, const struct trail_event *e)
{
    return (e->kind == TRAIL_START || e->kind == TRAIL_RESUME) &&
           strcmp(e->session, j->s->ssm_session) == 0 &&
           (e->instance[0] == '\0' || j->s->instance[0] == '\0' ||
            strcmp(e->instance, j->s->instance) == 0);
}

static bool owner_differs(const struct join *j)
{
    for (size_t i = 0; j->s->ssm_owner[0] != '\0' && i < j->n; i++) {
        if (strcmp(j->found[i]->event.who.arn, j->s->ssm_owner) != 0) {
            return true;
        }
    }
    return false;
}

int join_ssm(struct join *j)
{
    const struct trail_query q = {.kinds = 1U << TRAIL_START | 1U << TRAIL_RESUME,
                                  .session = j->s->ssm_session};
    int rc;

    if (j->s->ssm_session[0] == '\0') {
        return 0;
    }
    j->way = j->s->way == SUBJECT_SSM_SSH ? "SSH over Session Manager" : "Session Manager";
    if (join_look(j, &q, is_session) != 0) {
        return -1;
    }
    rc = join_decide(j, VERDICT_EXACT, "ssm-session", "same session id");
    if (rc == 1 && j->v->grade != VERDICT_AMBIGUOUS && owner_differs(j)) {
        join_contradict(j, "ssm-session", j->s->ssm_owner,
                        "the agent on the host names another owner than the record");
    }
    if (rc == 0 && j->s->ssm_owner[0] != '\0') {
        join_name(j, j->s->ssm_owner, VERDICT_STRONG, "ssm-session",
                  j->c->read_us < j->s->opened_us + JOIN_LATE_US
                      ? "the agent on the host says so, the record has not come yet"
                      : "the agent on the host says so, no record does");
        rc = 1;
    } else if (rc == 0) {
        join_say(j, "no record of its Session Manager session");
    }
    return rc;
}

int join_on_terminate(void *user, const struct trail_stored *stored)
{
    struct join *j = user;
    const struct trail_event *e = &stored->event;
    struct join_who w;

    if (e->kind != TRAIL_TERMINATE || e->error[0] != '\0' ||
        strcmp(e->session, j->s->ssm_session) != 0 || strcmp(e->who.arn, j->v->arn) == 0) {
        return 0;
    }
    if (join_person(j, e, &w) != 0) {
        return -1;
    }
    if (strcmp(w.name, j->v->principal) != 0) {
        (void)snprintf(j->v->ended_by, sizeof j->v->ended_by, "%s", w.name);
    }
    return 0;
}

/* ---- Instance Connect ---- */

/* A key that was accepted, or at least nothing that says it was none. */
static bool by_key(const struct join *j)
{
    return j->s->way == SUBJECT_SSH &&
           (j->s->method[0] == '\0' || strcmp(j->s->method, "publickey") == 0);
}

static bool is_push_here(const struct join *j, const struct trail_event *e)
{
    return e->kind == TRAIL_PUSH && strcmp(e->instance, j->s->instance) == 0 &&
           strcmp(e->os_user, j->s->os_user) == 0;
}

static bool is_same_key(const struct join *j, const struct trail_event *e)
{
    return is_push_here(j, e) && same_key(e->key, j->s->key);
}

static bool is_hidden_key(const struct join *j, const struct trail_event *e)
{
    return is_push_here(j, e) && (e->key[0] == '\0' || j->s->key[0] == '\0');
}

static bool is_request(const struct join *j, const struct trail_event *e)
{
    return is_push_here(j, e) && strcmp(e->request_id, j->s->eic_request) == 0;
}

static bool is_callers(const struct join *j, const struct trail_event *e)
{
    return is_same_key(j, e) && strcmp(e->who.arn, j->s->eic_caller) == 0;
}

static struct trail_query pushes(const struct join *j)
{
    return (struct trail_query){.kinds = 1U << TRAIL_PUSH,
                                .from_us = j->s->opened_us - JOIN_KEY_LIFE_US - skew(j) - SECOND_US,
                                .to_us = j->s->opened_us + skew(j),
                                .instance = j->s->instance};
}

static bool is_tunnel_here(const struct join *j, const struct trail_event *e)
{
    const char *ours = j->s->private_ip[0] != '\0' ? j->s->private_ip : j->s->server_address;

    return e->kind == TRAIL_TUNNEL && ours[0] != '\0' && strcmp(e->tunnel_address, ours) == 0 &&
           strcmp(e->tunnel_port, j->s->server_port) == 0;
}

/* An endpoint's tunnel to this address and port just before: the key came through it. */
static int name_way(struct join *j)
{
    struct trail_query q = pushes(j);

    q.kinds = 1U << TRAIL_TUNNEL;
    q.instance = NULL;
    if (join_look(j, &q, is_tunnel_here) != 0) {
        return -1;
    }
    j->way = j->n > 0 ? "Instance Connect Endpoint" : "Instance Connect";
    return 0;
}

int join_signed_block(struct join *j)
{
    const struct subject *s = j->s;
    struct trail_query q = pushes(j);
    int rc;

    if (s->eic_caller[0] == '\0' || !by_key(j)) {
        return 0;
    }
    /* In force at the authentication: a block that was kept from another login is not. */
    if (s->opened_us > s->eic_expires_us + skew(j) ||
        s->opened_us < s->eic_expires_us - JOIN_KEY_LIFE_US - skew(j) - SECOND_US) {
        join_say(j, "the signed block was not in force at the login");
        return 0;
    }
    if (name_way(j) != 0 ||
        join_look(j, &q, s->eic_request[0] != '\0' ? is_request : is_callers) != 0) {
        return -1;
    }
    if (j->n == 0 && join_look(j, &q, is_callers) != 0) {
        return -1;
    }
    for (size_t i = 0; i < j->n; i++) {
        if (strcmp(j->found[i]->event.who.arn, s->eic_caller) != 0) {
            join_contradict(j, "signed-block", s->eic_caller,
                            "the signed block and the record of its request name two callers");
            return 1;
        }
    }
    rc = join_decide(j, VERDICT_EXACT, "signed-block", "same request in a block that AWS signed");
    if (rc == 1 && j->v->grade == VERDICT_WEAK) {
        j->v->grade = VERDICT_STRONG; /* the block stands without its record */
    }
    if (rc == 0) {
        join_name(j, s->eic_caller, VERDICT_STRONG, "signed-block",
                  j->c->read_us < s->opened_us + JOIN_LATE_US
                      ? "a block that AWS signed says so, the record has not come yet"
                      : "a block that AWS signed says so, no record does");
        rc = 1;
    }
    return rc;
}

int join_key(struct join *j)
{
    const struct trail_query q = pushes(j);
    bool sure = j->s->key_from_witness && !j->s->key_standing;

    if (j->s->key[0] == '\0' || j->s->instance[0] == '\0' || !by_key(j)) {
        return 0;
    }
    if (name_way(j) != 0 || join_look(j, &q, is_same_key) != 0) {
        return -1;
    }
    if (j->n == 0) {
        join_say(j, "nobody pushed its key in the minute before");
        return 0;
    }
    return join_decide(j,
                       sure                     ? VERDICT_EXACT
                       : j->s->key_from_witness ? VERDICT_STRONG
                                                : VERDICT_WEAK,
                       sure ? "key" : "key-standing",
                       sure ? "same key"
                       : j->s->key_from_witness
                           ? "same key, which may stand in authorized_keys too"
                           : "same key, by the word of the user's environment");
}

int join_one_candidate(struct join *j)
{
    const struct trail_query q = pushes(j);
    bool told = j->s->key[0] != '\0';

    if (j->s->instance[0] == '\0' || !by_key(j)) {
        return 0;
    }
    if (name_way(j) != 0 || join_look(j, &q, is_hidden_key) != 0) {
        return -1;
    }
    return join_decide(j, j->s->key_standing ? VERDICT_WEAK : VERDICT_STRONG, "one-candidate",
                       j->s->key_standing
                           ? "one push in the key's life whose key the record hides; but the key "
                             "stands in authorized_keys"
                       : told ? "the only push in the key's life; the record hides its key"
                              : "the only push in the key's life; the host could not tell the key");
}

/* ---- windows ---- */

static bool is_serial_here(const struct join *j, const struct trail_event *e)
{
    return e->kind == TRAIL_SERIAL && !e->monitor && strcmp(e->instance, j->s->instance) == 0;
}

int join_serial(struct join *j)
{
    const struct trail_query q = {.kinds = 1U << TRAIL_SERIAL,
                                  .from_us = j->s->opened_us - JOIN_SERIAL_US - skew(j),
                                  .to_us = j->s->opened_us + skew(j),
                                  .instance = j->s->instance};

    if (j->s->way != SUBJECT_SERIAL || j->s->instance[0] == '\0') {
        return 0;
    }
    j->way = "serial console";
    if (join_look(j, &q, is_serial_here) != 0) {
        return -1;
    }
    return join_decide(j, VERDICT_WEAK, "window", "only who may use the console in that hour");
}

int join_tunnel(struct join *j)
{
    struct trail_query q = pushes(j);

    if (j->s->way != SUBJECT_SSH) {
        return 0;
    }
    q.kinds = 1U << TRAIL_TUNNEL;
    q.instance = NULL;
    j->way = "Instance Connect Endpoint";
    if (join_look(j, &q, is_tunnel_here) != 0) {
        return -1;
    }
    return join_decide(j, VERDICT_WEAK, "window",
                       "only who opened a tunnel to here in that minute");
}

/* ---- without AWS ---- */

int join_hop(struct join *j)
{
    struct verdict *v = j->v, from;

    if (j->s->hop_from[0] == '\0' || j->c->verdict == NULL ||
        !j->c->verdict(j->c->user, j->s->hop_from, &from) || from.grade < VERDICT_WEAK) {
        return 0;
    }
    memcpy(from.subject, v->subject, sizeof from.subject);
    from.decided_us = v->decided_us;
    from.grade = from.grade == VERDICT_EXACT ? VERDICT_STRONG : VERDICT_WEAK;
    from.ended_by[0] = '\0';
    *v = from;
    v->reasons[0] = '\0';
    (void)snprintf(v->rule, sizeof v->rule, "hop");
    join_say(j, "through a recorded session of another host");
    return 1;
}

int join_certificate(struct join *j)
{
    if (j->s->cert_key_id[0] == '\0') {
        return 0;
    }
    join_name(j, "", VERDICT_STRONG, "certificate", "an SSH certificate's key id");
    (void)snprintf(j->v->principal, sizeof j->v->principal, "%s", j->s->cert_key_id);
    (void)snprintf(j->v->way, sizeof j->v->way, "SSH certificate");
    return 1;
}

int join_key_map(struct join *j)
{
    char print[52], owner[512];

    join_fingerprint(j->s->key, print);
    if (print[0] == '\0' || j->c->owner == NULL ||
        !j->c->owner(j->c->user, print, owner, sizeof owner)) {
        return 0;
    }
    join_name(j, "", VERDICT_STRONG, "key-map", "whose key it is by the list of this host");
    (void)snprintf(j->v->principal, sizeof j->v->principal, "%s", owner);
    (void)snprintf(j->v->way, sizeof j->v->way, "static key");
    return 1;
}
