/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/identity.h"

#include <stdio.h>
#include <string.h>

/* The last part of an ARN: "arn:aws:iam::1:user/team/alice" to "alice". */
static const char *last_of(const char *arn)
{
    const char *slash = strrchr(arn, '/'), *colon = strrchr(arn, ':');

    return slash != NULL ? slash + 1 : colon != NULL ? colon + 1 : arn;
}

static const char *first_of(const char *a, const char *b, const char *c, const char *d)
{
    return a[0] != '\0' ? a : b[0] != '\0' ? b : c[0] != '\0' ? c : d[0] != '\0' ? d : "unknown";
}

static const char *after_colon(const char *text)
{
    const char *colon = strchr(text, ':');

    return colon != NULL ? colon + 1 : "";
}

/* "okta/alice"; of a provider's ARN its last part. */
static void name_provided(const struct trail_identity *w, char *ret, size_t size)
{
    const char *who = first_of(w->user_name, after_colon(w->principal_id), w->principal_id, "");

    if (w->provider[0] == '\0') {
        (void)snprintf(ret, size, "%s", who);
    } else {
        (void)snprintf(ret, size, "%s/%s",
                       strncmp(w->provider, "arn:", 4) == 0 ? last_of(w->provider) : w->provider,
                       who);
    }
}

static void name_federated(const struct trail_identity *w, char *ret, size_t size)
{
    const char *who =
        first_of(after_colon(w->principal_id), w->user_name, last_of(w->arn), w->principal_id);

    if (w->issuer_arn[0] == '\0') {
        (void)snprintf(ret, size, "%s", who);
    } else {
        (void)snprintf(ret, size, "%s through %s", who, last_of(w->issuer_arn));
    }
}

static void name_account(const struct trail_identity *w, char *ret, size_t size)
{
    if (w->account[0] == '\0' || w->principal_id[0] == '\0') {
        (void)snprintf(ret, size, "%s", first_of(w->account, w->principal_id, w->arn, ""));
    } else {
        (void)snprintf(ret, size, "%s:%s", w->account, w->principal_id);
    }
}

void identity_name(const struct trail_identity *w, char *ret, size_t size)
{
    const char *t = w->type;

    if (w->source_identity[0] != '\0') {
        (void)snprintf(ret, size, "%s", w->source_identity);
    } else if (strcmp(t, "Root") == 0) {
        (void)snprintf(ret, size, "root");
    } else if (strcmp(t, "AssumedRole") == 0) {
        (void)snprintf(
            ret, size, "%s",
            first_of(w->session_name, last_of(w->arn), last_of(w->issuer_arn), w->principal_id));
    } else if (strcmp(t, "SAMLUser") == 0 || strcmp(t, "WebIdentityUser") == 0) {
        name_provided(w, ret, size);
    } else if (strcmp(t, "FederatedUser") == 0) {
        name_federated(w, ret, size);
    } else if (strcmp(t, "AWSService") == 0) {
        (void)snprintf(ret, size, "%s", first_of(w->invoked_by, w->principal_id, w->arn, ""));
    } else if (strcmp(t, "AWSAccount") == 0) {
        name_account(w, ret, size);
    } else if (strcmp(t, "IdentityCenterUser") == 0) {
        (void)snprintf(ret, size, "%s",
                       first_of(w->user_name, w->on_behalf_of, w->arn, w->principal_id));
    } else {
        (void)snprintf(ret, size, "%s",
                       first_of(w->user_name, last_of(w->arn), w->principal_id, w->invoked_by));
    }
}

void identity_role(const struct trail_identity *w, char *ret, size_t size)
{
    static const char sso[] = "AWSReservedSSO_", assumed[] = ":assumed-role/";
    const char *at = NULL, *end;

    ret[0] = '\0';
    if (strcmp(w->type, "AssumedRole") != 0) {
        return;
    }
    if (w->issuer_arn[0] != '\0') {
        at = last_of(w->issuer_arn);
        end = at + strlen(at);
    } else if ((at = strstr(w->arn, assumed)) != NULL) {
        at += sizeof assumed - 1;
        end = at + strcspn(at, "/");
    } else {
        return;
    }
    if (strncmp(at, sso, sizeof sso - 1) == 0) {
        const char *hash = strrchr(at, '_');

        at += sizeof sso - 1;
        if (hash > at && hash < end) {
            end = hash;
        }
    }
    (void)snprintf(ret, size, "%.*s", (int)(end - at), at);
}
