/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON documents that hold credentials, each as its service writes it.  Pure: bytes in, keys
 * out. No error quotes a document.  SQLite reads them and does not wipe its own memory.
 */
#ifndef TTYTRAIL_AWS_CREDS_JSON_H
#define TTYTRAIL_AWS_CREDS_JSON_H

#include <stdint.h>

#include "aws/creds_private.h"

enum creds_json_form {
    CREDS_JSON_INSTANCE,  /* IMDS: Code, and all four of the rest */
    CREDS_JSON_CONTAINER, /* the same without Code */
    CREDS_JSON_PROCESS,   /* Version 1; SessionToken and Expiration may be absent */
    CREDS_JSON_SSO,       /* roleCredentials, in milliseconds */
};

/** creds_json_keys(doc, len, form, ret, err): CORRUPT for what is no such document, DENIED where it
 * says that there are none.  Leaves the source as it is. */
int creds_json_keys(const char *doc, size_t len, enum creds_json_form form, struct creds_keys *ret,
                    struct error *err);

struct creds_sso_token {
    char token[CREDS_MAX_TOKEN + 1];
    int64_t expires_us;
};
/** creds_json_sso_token(doc, len, ret, err): What 'aws sso login' left in its cache. */
int creds_json_sso_token(const char *doc, size_t len, struct creds_sso_token *ret,
                         struct error *err);

#endif
