/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dialect of AWS's shared config and credentials files, as a stream of sections, properties and
 * continued lines.  Not inih's: values may be continued and nested, comments need a blank before
 * them, lines are of any length, and names are checked.  Knows nothing of what they mean.  No error
 * quotes a line: it may hold a key.  Source: the SDKs and Tools Reference Guide, "Shared config and
 * credentials files", and the SDKs' own test cases (profile-parser-tests.json).
 */
#ifndef TTYTRAIL_AWS_CREDS_INI_H
#define TTYTRAIL_AWS_CREDS_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum creds_ini_kind {
    CREDS_INI_OTHER, /* nobody's: its properties are handed on as those of any section */
    CREDS_INI_PROFILE,
    CREDS_INI_DEFAULT, /* [default] of the config file, which [profile default] overrides */
    CREDS_INI_SSO_SESSION,
    CREDS_INI_SERVICES,
};

struct creds_ini_text {
    const char *at; /* not terminated */
    size_t len;
};

/* Each returns 0, or -1 with ${err} set. */
struct creds_ini_handler {
    int (*section)(void *user, enum creds_ini_kind kind, struct creds_ini_text name,
                   struct error *err);
    int (*property)(void *user, struct creds_ini_text name, struct creds_ini_text value,
                    struct error *err);
    /* One more line of the last property's value. */
    int (*more)(void *user, struct creds_ini_text line, struct error *err);
    void *user;
};

/** creds_ini_read(bytes, len, config_file, h, err): In the config file sections are called "profile
 * NAME", "sso-session NAME", "services NAME" and "default"; in the credentials file they are names
 * of profiles.  USAGE, with the line's number, for what is no such file. */
int creds_ini_read(const char *bytes, size_t len, bool config_file,
                   const struct creds_ini_handler *h, struct error *err);

#endif
