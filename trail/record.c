/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/record.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"

/* What is read by the way and is no member of the event. */
struct reading {
    struct trail_event *e;
    struct error *err;
    const char *too_long; /* the first path whose text was cut and should not be */
    char time[64], login[32], mfa_used[16], success[8], monitor[8], addendum[32], failure[8];
    char session[128]; /* that was asked for */
};

enum field_flag {
    WHOLE = 0, /* longer is refused */
    CUT = 1,   /* longer is cut: for people's eyes, or compared with shorter words only */
    IN_READING = 2
};
struct field {
    size_t at, size;
    unsigned flags;
};

#define EVENT(member)                                                                              \
    offsetof(struct trail_event, member), sizeof(((struct trail_event *)NULL)->member)
#define READING(member) offsetof(struct reading, member), sizeof(((struct reading *)NULL)->member)

/* One list, so that a path and its place cannot part.  Where two paths fill one member, the later
 * one that is there counts. */
#define FIELDS(X)                                                                                  \
    X("$.eventID", EVENT(id), WHOLE)                                                               \
    X("$.sharedEventID", EVENT(shared_id), WHOLE)                                                  \
    X("$.requestID", EVENT(request_id), WHOLE)                                                     \
    X("$.eventSource", EVENT(source), CUT)                                                         \
    X("$.eventName", EVENT(name), CUT)                                                             \
    X("$.eventTime", READING(time), CUT | IN_READING)                                              \
    X("$.awsRegion", EVENT(region), WHOLE)                                                         \
    X("$.recipientAccountId", EVENT(account), WHOLE)                                               \
    X("$.sourceIPAddress", EVENT(address), CUT)                                                    \
    X("$.userAgent", EVENT(user_agent), CUT)                                                       \
    X("$.errorMessage", READING(failure), CUT | IN_READING)                                        \
    X("$.errorCode", EVENT(error), CUT)                                                            \
    X("$.userIdentity.type", EVENT(who.type), WHOLE)                                               \
    X("$.userIdentity.arn", EVENT(who.arn), WHOLE)                                                 \
    X("$.userIdentity.principalId", EVENT(who.principal_id), WHOLE)                                \
    X("$.userIdentity.accountId", EVENT(who.account), WHOLE)                                       \
    X("$.userIdentity.accessKeyId", EVENT(who.access_key), WHOLE)                                  \
    X("$.userIdentity.userName", EVENT(who.user_name), WHOLE)                                      \
    X("$.userIdentity.invokedBy", EVENT(who.invoked_by), WHOLE)                                    \
    X("$.userIdentity.onBehalfOf.userId", EVENT(who.on_behalf_of), WHOLE)                          \
    X("$.userIdentity.sessionContext.webIdFederationData.federatedProvider", EVENT(who.provider),  \
      WHOLE)                                                                                       \
    X("$.userIdentity.identityProvider", EVENT(who.provider), WHOLE)                               \
    X("$.userIdentity.sessionContext.sessionIssuer.type", EVENT(who.issuer_type), WHOLE)           \
    X("$.userIdentity.sessionContext.sessionIssuer.arn", EVENT(who.issuer_arn), WHOLE)             \
    X("$.userIdentity.sessionContext.sourceIdentity", EVENT(who.source_identity), WHOLE)           \
    X("$.userIdentity.sessionContext.attributes.mfaAuthenticated", EVENT(who.mfa), WHOLE)          \
    X("$.additionalEventData.MFAUsed", READING(mfa_used), CUT | IN_READING)                        \
    X("$.requestParameters.instanceId", EVENT(instance), WHOLE)                                    \
    X("$.requestParameters.target", EVENT(instance), WHOLE)                                        \
    X("$.requestParameters.osUser", EVENT(os_user), WHOLE)                                         \
    X("$.requestParameters.instanceOSUser", EVENT(os_user), WHOLE)                                 \
    X("$.requestParameters.SSHKey.publicKey", EVENT(key), WHOLE)                                   \
    X("$.requestParameters.SSHPublicKey", EVENT(key), WHOLE)                                       \
    X("$.requestParameters.sSHPublicKey", EVENT(key), WHOLE)                                       \
    X("$.requestParameters.monitorMode", READING(monitor), CUT | IN_READING)                       \
    X("$.responseElements.success", READING(success), CUT | IN_READING)                            \
    X("$.requestParameters.sessionId", READING(session), IN_READING)                               \
    X("$.responseElements.sessionId", EVENT(session), WHOLE)                                       \
    X("$.requestParameters.documentName", EVENT(document), WHOLE)                                  \
    X("$.requestParameters.reason", EVENT(reason), CUT)                                            \
    X("$.requestParameters.privateIpAddress", EVENT(tunnel_address), WHOLE)                        \
    X("$.requestParameters.remotePort", EVENT(tunnel_port), WHOLE)                                 \
    X("$.requestParameters.instanceConnectEndpointId", EVENT(tunnel_endpoint), WHOLE)              \
    X("$.responseElements.credentials.accessKeyId", EVENT(issued_key), WHOLE)                      \
    X("$.responseElements.federatedUser.arn", EVENT(issued_arn), WHOLE)                            \
    X("$.responseElements.assumedRoleUser.arn", EVENT(issued_arn), WHOLE)                          \
    X("$.responseElements.ConsoleLogin", READING(login), CUT | IN_READING)                         \
    X("$.addendum.reason", READING(addendum), CUT | IN_READING)                                    \
    X("$.addendum.originalEventID", EVENT(amends), WHOLE)

static const char *const paths[] = {
#define X(path, place, flags) path,
    FIELDS(X)
#undef X
};
static const struct field fields[] = {
#define X(path, place, flags) {place, flags},
    FIELDS(X)
#undef X
};
#define N_FIELDS (sizeof paths / sizeof *paths)

static int take(void *user, size_t which, const char *text, size_t len)
{
    struct reading *r = user;
    const struct field *f = &fields[which];
    char *to = (f->flags & IN_READING) != 0 ? (char *)r + f->at : (char *)r->e + f->at;

    if (memchr(text, '\0', len) != NULL) {
        return err_set(r->err, ERR_CORRUPT, "a NUL in %s", paths[which] + 2);
    }
    if (len >= f->size) {
        if ((f->flags & CUT) == 0 && r->too_long == NULL) {
            r->too_long = paths[which] + 2;
        }
        len = f->size - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0U) == 0x80U) {
            len--; /* no half character */
        }
    }
    if (len > 0) { /* "" does not hide what another path has said */
        memcpy(to, text, len);
        to[len] = '\0';
    }
    return 0;
}

/* The documentation has "SendSSHPublicKey ". */
static void trim(char *text)
{
    size_t n = strlen(text), lead = strspn(text, " \t\r\n");

    while (n > lead && strchr(" \t\r\n", text[n - 1]) != NULL) {
        n--;
    }
    memmove(text, text + lead, n - lead);
    text[n - lead] = '\0';
}

static const struct {
    const char *source, *name;
    enum trail_kind kind;
} kinds[] = {
    {"ec2-instance-connect.amazonaws.com", "SendSSHPublicKey", TRAIL_PUSH},
    {"ec2-instance-connect.amazonaws.com", "SendSerialConsoleSSHPublicKey", TRAIL_SERIAL},
    {"ec2-instance-connect.amazonaws.com", "OpenTunnel", TRAIL_TUNNEL},
    {"ssm.amazonaws.com", "StartSession", TRAIL_START},
    {"ssm.amazonaws.com", "ResumeSession", TRAIL_RESUME},
    {"ssm.amazonaws.com", "TerminateSession", TRAIL_TERMINATE},
    {"sts.amazonaws.com", "AssumeRole", TRAIL_ASSUME},
    {"sts.amazonaws.com", "AssumeRoleWithSAML", TRAIL_ASSUME},
    {"sts.amazonaws.com", "AssumeRoleWithWebIdentity", TRAIL_ASSUME},
    {"sts.amazonaws.com", "AssumeRoot", TRAIL_ASSUME},
    {"sts.amazonaws.com", "GetFederationToken", TRAIL_ASSUME},
    {"sts.amazonaws.com", "GetSessionToken", TRAIL_ASSUME},
    {"signin.amazonaws.com", "ConsoleLogin", TRAIL_LOGIN},
};

/* Both, always: Athena has a StartSession too, and IoT an OpenTunnel. */
static enum trail_kind kind_of(const struct trail_event *e)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(e->source, kinds[i].source) == 0 && strcmp(e->name, kinds[i].name) == 0) {
            return kinds[i].kind;
        }
    }
    return TRAIL_NOISE;
}

/* A whole authorized_keys line to its type and base64; "" when the record hides the key. */
static void bare_key(char *key)
{
    static const char base64[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    size_t type, body;
    char *at;

    trim(key);
    type = strcspn(key, " \t");
    at = key + type + strspn(key + type, " \t");
    body = strspn(at, base64);
    if (body < 16 || (at[body] != '\0' && strchr(" \t\r\n", at[body]) == NULL) ||
        (strncmp(key, "ssh-", 4) != 0 && strncmp(key, "ecdsa-", 6) != 0 &&
         strncmp(key, "sk-", 3) != 0)) {
        key[0] = '\0';
        return;
    }
    key[type] = ' ';
    memmove(key + type + 1, at, body);
    key[type + 1 + body] = '\0';
}

/* UTC always, with a T or a blank, with and without its Z. */
static int64_t time_of(char *text, size_t size)
{
    int64_t us = 0;
    size_t n;

    trim(text);
    n = strlen(text);
    if (n < 19 || strchr(text, '-') == NULL) {
        return 0;
    }
    if (text[n - 1] != 'Z' && n + 1 < size) {
        text[n] = 'Z';
        text[n + 1] = '\0';
    }
    return clock_parse(text, &us, NULL) == 0 ? us : 0;
}

/* "AROA...:alice" */
static void session_of(struct trail_identity *w)
{
    const char *at = strchr(w->principal_id, ':');

    if (strcmp(w->type, "AssumedRole") != 0) {
        return;
    }
    if (at != NULL) {
        at++;
    } else if (strstr(w->arn, ":assumed-role/") != NULL) {
        at = strrchr(w->arn, '/') + 1;
    } else {
        at = "";
    }
    (void)snprintf(w->session_name, sizeof w->session_name, "%s", at);
}

static void set_failure(struct trail_event *e, const struct reading *r)
{
    const char *why = "";

    if (strcmp(r->login, "Failure") == 0) {
        why = "Failure";
    } else if (r->failure[0] != '\0') {
        why = "errorMessage";
    } else if (strcmp(r->success, "0") == 0 || strcmp(r->success, "false") == 0) {
        why = "success: false";
    }
    if (e->error[0] == '\0') {
        (void)snprintf(e->error, sizeof e->error, "%s", why);
    }
}

static void set_mfa(struct trail_event *e, const struct reading *r)
{
    char *mfa = e->who.mfa;
    bool yes = strcmp(mfa, "true") == 0 || strcmp(mfa, "1") == 0;

    if (e->kind == TRAIL_LOGIN && r->mfa_used[0] != '\0') {
        yes = strcmp(r->mfa_used, "Yes") == 0;
    } else if (mfa[0] == '\0') {
        return;
    }
    (void)snprintf(mfa, sizeof e->who.mfa, "%s", yes ? "true" : "false");
}

static void settle(struct trail_event *e, struct reading *r)
{
    char hex[65];

    trim(e->source);
    trim(e->name);
    e->kind = kind_of(e);
    e->time_us = time_of(r->time, sizeof r->time);
    e->monitor = strcmp(r->monitor, "1") == 0 || strcmp(r->monitor, "true") == 0;
    bare_key(e->key);
    session_of(&e->who);
    set_failure(e, r);
    set_mfa(e, r);
    if (e->session[0] == '\0' && e->kind != TRAIL_START) {
        memcpy(e->session, r->session, sizeof e->session);
    }
    if (e->id[0] == '\0') {
        (void)snprintf(e->id, sizeof e->id, "text-%.48s", io_hex(e->sha256, 32, hex));
    }
    if (strcmp(r->addendum, "UPDATED_DATA") == 0 && e->amends[0] == '\0') {
        memcpy(e->amends, e->id, sizeof e->amends);
    }
}

int record_read(struct json *j, const char *text, size_t len, struct trail_event *ret,
                struct error *err)
{
    struct reading r = {.e = ret, .err = err};
    size_t lead = 0;

    memset(ret, 0, sizeof *ret);
    while (lead < len && strchr(" \t\r\n", text[lead]) != NULL && text[lead] != '\0') {
        lead++;
    }
    if (len > RECORD_MAX) {
        return err_set(err, ERR_CORRUPT, "record of %zu bytes", len);
    }
    if (lead == len || text[lead] != '{' || memchr(text, '\0', len) != NULL) {
        return err_set(err, ERR_CORRUPT, "record: no JSON object");
    }
    SHA256((const unsigned char *)text, len, ret->sha256);
    if (json_many(j, text, len, paths, N_FIELDS, take, &r, err) != 0) {
        return err_wrap(err, "record");
    }
    settle(ret, &r);
    if (r.too_long != NULL && ret->kind != TRAIL_NOISE) {
        return err_set(err, ERR_CORRUPT, "record: %s is longer than AWS allows", r.too_long);
    }
    return 0;
}

const char *record_kind_word(enum trail_kind kind)
{
    static const char *const words[] = {
        [TRAIL_NOISE] = "noise",         [TRAIL_PUSH] = "push",     [TRAIL_SERIAL] = "serial",
        [TRAIL_TUNNEL] = "tunnel",       [TRAIL_START] = "start",   [TRAIL_RESUME] = "resume",
        [TRAIL_TERMINATE] = "terminate", [TRAIL_ASSUME] = "assume", [TRAIL_LOGIN] = "login",
        [TRAIL_CALL] = "call",
    };

    return (unsigned)kind < sizeof words / sizeof *words ? words[kind] : "noise";
}

bool trail_event_is_access(const struct trail_event *e)
{
    if (e->error[0] != '\0') {
        return false;
    }
    switch (e->kind) {
    case TRAIL_PUSH:
    case TRAIL_SERIAL:
    case TRAIL_TUNNEL:
    case TRAIL_RESUME:
        return true;
    case TRAIL_START:
        return e->session[0] != '\0';
    default:
        return false;
    }
}
