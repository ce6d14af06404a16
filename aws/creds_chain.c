/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds_chain.h"

#include <string.h>

#define SHOWN 60 /* of a name, in errors */

static bool has(const struct creds_section *s, const char *name)
{
    return *creds_files_get(s, name) != '\0';
}

/* 1, 0 for neither, -1 for half of them. */
static int static_keys(const struct creds_section *s, struct error *err)
{
    bool access = has(s, "aws_access_key_id"), secret = has(s, "aws_secret_access_key");

    if (access != secret) {
        return err_set(err, ERR_USAGE, "'%.*s' has no aws_%s, but the other one", SHOWN, s->name,
                       access ? "secret_access_key" : "access_key_id");
    }
    if (!access) {
        err_set(err, ERR_DENIED, "no keys for '%.*s'", SHOWN, s->name);
    }
    return access ? 1 : 0;
}

static int named_source(const struct creds_section *s, struct creds_chain *ret, struct error *err)
{
    static const struct {
        const char *name;
        enum creds_base base;
    } table[] = {{"Environment", CREDS_BASE_ENVIRONMENT},
                 {"EcsContainer", CREDS_BASE_CONTAINER},
                 {"Ec2InstanceMetadata", CREDS_BASE_IMDS}};
    const char *source = creds_files_get(s, "credential_source");

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(source, table[i].name) == 0) {
            ret->base = table[i].base;
            return 1;
        }
    }
    return err_set(err, ERR_USAGE,
                   "credential_source of '%.*s' is none of Environment, EcsContainer and "
                   "Ec2InstanceMetadata",
                   SHOWN, s->name);
}

static int sso_session(const struct creds_files *f, const struct creds_section *s,
                       struct creds_chain *ret, struct error *err)
{
    static const char *const theirs[] = {"sso_region", "sso_start_url"};
    const char *name = creds_files_get(s, "sso_session");

    ret->session = creds_files_find(f, CREDS_INI_SSO_SESSION, name);
    if (ret->session == NULL) {
        return err_set(err, ERR_USAGE, "'%.*s' names the sso-session '%.*s', which no file has",
                       SHOWN, s->name, SHOWN, name);
    }
    for (size_t i = 0; i < 2; i++) {
        const char *own = creds_files_get(s, theirs[i]);

        if (*own != '\0' && strcmp(own, creds_files_get(ret->session, theirs[i])) != 0) {
            return err_set(err, ERR_USAGE, "'%.*s' has another %s than its sso-session", SHOWN,
                           s->name, theirs[i]);
        }
        if (!has(ret->session, theirs[i])) {
            return err_set(err, ERR_USAGE, "the sso-session '%.*s' has no %s", SHOWN,
                           ret->session->name, theirs[i]);
        }
    }
    return 1;
}

static int sso(const struct creds_files *f, const struct creds_section *s, struct creds_chain *ret,
               struct error *err)
{
    static const char *const needed[] = {"sso_account_id", "sso_role_name", "sso_region",
                                         "sso_start_url"};

    ret->base = CREDS_BASE_SSO;
    if (has(s, "sso_session")) {
        return sso_session(f, s, ret, err);
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!has(s, needed[i])) {
            return err_set(err, ERR_USAGE, "'%.*s' has sso settings, but no %s", SHOWN, s->name,
                           needed[i]);
        }
    }
    return 1;
}

static int find_base(const struct creds_files *f, const struct creds_section *s,
                     struct creds_chain *ret, struct error *err)
{
    ret->profile = s;
    if (has(s, "credential_source")) {
        return named_source(s, ret, err);
    }
    if (has(s, "web_identity_token_file")) {
        ret->base = CREDS_BASE_WEB_IDENTITY;
        return has(s, "role_arn")
                   ? 1
                   : err_set(err, ERR_USAGE, "'%.*s' has web_identity_token_file, but no role_arn",
                             SHOWN, s->name);
    }
    if (has(s, "sso_session") || has(s, "sso_account_id") || has(s, "sso_role_name")) {
        return sso(f, s, ret, err);
    }
    if (has(s, "credential_process")) {
        ret->base = CREDS_BASE_PROCESS;
        return 1;
    }
    ret->base = CREDS_BASE_KEYS;
    return static_keys(s, err);
}

/* The profile that a role is assumed from: NULL with ${err} set, or ${s} for "itself". */
static const struct creds_section *source_of(const struct creds_files *f,
                                             const struct creds_section *s, struct error *err)
{
    const char *source = creds_files_get(s, "source_profile");
    const struct creds_section *next;

    if (has(s, "mfa_serial")) {
        (void)err_set(err, ERR_DENIED,
                      "'%.*s' has mfa_serial: nobody is there to type a code; use a "
                      "credential_process or the instance's role",
                      SHOWN, s->name);
        return NULL;
    }
    if (*source != '\0' && has(s, "credential_source")) {
        (void)err_set(err, ERR_USAGE, "'%.*s' has both source_profile and credential_source", SHOWN,
                      s->name);
        return NULL;
    }
    if (*source == '\0' && !has(s, "credential_source")) {
        (void)err_set(err, ERR_USAGE,
                      "'%.*s' has role_arn, but neither source_profile nor credential_source",
                      SHOWN, s->name);
        return NULL;
    }
    next = *source == '\0' ? s : creds_files_find(f, CREDS_INI_PROFILE, source);
    if (next == NULL) {
        (void)err_set(err, ERR_USAGE, "'%.*s' names the source_profile '%.*s', which no file has",
                      SHOWN, s->name, SHOWN, source);
    }
    return next;
}

static void reverse(struct creds_chain *c)
{
    for (size_t i = 0; i < c->role_count / 2; i++) {
        const struct creds_section *s = c->roles[i];

        c->roles[i] = c->roles[c->role_count - 1 - i];
        c->roles[c->role_count - 1 - i] = s;
    }
}

static bool visited(const struct creds_chain *c, const struct creds_section *s)
{
    for (size_t i = 0; i < c->role_count; i++) {
        if (c->roles[i] == s) {
            return true;
        }
    }
    return false;
}

/* Follows role_arn and source_profile from ${s}; each role goes on the list. */
static int follow(const struct creds_files *f, const struct creds_section *s,
                  struct creds_chain *ret, struct error *err)
{
    for (;;) {
        const struct creds_section *next;

        /* A source's own keys are meant, whatever role it has too; the first profile's are not. */
        if (ret->role_count > 0 && static_keys(s, NULL) == 1) {
            ret->profile = s;
            ret->base = CREDS_BASE_KEYS;
            return 1;
        }
        if (!has(s, "role_arn") || has(s, "web_identity_token_file")) {
            return find_base(f, s, ret, err);
        }
        if (ret->role_count == CREDS_CHAIN_MAX) {
            return err_set(err, ERR_LIMIT, "more than %d roles, one from the other",
                           CREDS_CHAIN_MAX);
        }
        next = source_of(f, s, err);
        if (next == NULL) {
            return -1;
        }
        ret->roles[ret->role_count++] = s;
        if (next == s) {
            return find_base(f, s, ret, err);
        }
        if (visited(ret, next)) {
            return err_set(err, ERR_USAGE, "the source_profile of '%.*s' leads back to '%.*s'",
                           SHOWN, s->name, SHOWN, next->name);
        }
        s = next;
    }
}

int creds_chain_make(const struct creds_files *f, const char *name, bool named,
                     struct creds_chain *ret, struct error *err)
{
    const struct creds_section *s = creds_files_find(f, CREDS_INI_PROFILE, name);
    int rc;

    memset(ret, 0, sizeof *ret);
    if (s == NULL && named) {
        return err_set(err, ERR_USAGE, "AWS_PROFILE names '%.*s', which no file has", SHOWN, name);
    }
    if (s == NULL) {
        err_set(err, ERR_DENIED, "no keys for '%.*s'", SHOWN, name);
        return 0;
    }
    rc = follow(f, s, ret, err);
    reverse(ret);
    /* A role without anything to assume it from is a mistake; a profile of settings alone is none.
     */
    return rc == 0 && ret->role_count > 0 ? -1 : rc;
}
