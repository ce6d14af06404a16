/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sources of credentials share: the keys they find, what they are asked with, and the
 * interface that each of them implements.  Included by aws/creds*.c and their tests.
 */
#ifndef TTYTRAIL_AWS_CREDS_PRIVATE_H
#define TTYTRAIL_AWS_CREDS_PRIVATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/creds_files.h"
#include "aws/http.h"
#include "aws/imds.h"
#include "common/buf.h"
#include "common/err.h"

#define CREDS_MAX_TOKEN    8191
#define CREDS_MAX_DOCUMENT 32768                   /* any answer that holds keys */
#define CREDS_PATIENCE_US  (INT64_C(60) * 1000000) /* all sources together, at most */

/* All the secrets there are; wiped by creds_keys_clear. */
struct creds_keys {
    char access_key[129], secret_key[257], token[CREDS_MAX_TOKEN + 1];
    int64_t expires_us; /* 0 for never */
    char source[64];
};
void creds_keys_clear(struct creds_keys *k);

struct creds;
/* As http_send: what carries the requests, where it is not aws/http. */
typedef int creds_send_fn(void *user, const struct http_request *req, struct http_response *ret,
                          struct error *err);

/* What sources are asked with beside the environment; each part is opened when first needed. */
struct creds_context {
    creds_send_fn *send; /* NULL: aws/http */
    void *user;
    struct http *direct, *outside; /* without, and with the environment's proxy and CA */
    char ca_file[PATH_MAX];
    struct imds *imds;
    bool imds_ill; /* it answered badly or not at all, when it was last asked for keys */
    struct creds_files files;
    bool files_loaded;
    uint64_t until_us; /* of the boot clock: when the asking has to end */
    int64_t skew_us;   /* of STS's clock against ours, once it complained */
};
/** creds_context_imds(x, err): Borrowed; NULL with ${err} set when there can be none. */
struct imds *creds_context_imds(struct creds_context *x, struct error *err);
/** creds_context_files(x, err): The shared files, borrowed, read once until they are forgotten. */
const struct creds_files *creds_context_files(struct creds_context *x, struct error *err);
/** creds_context_profile(x): The selected profile, NULL where there is none (or no file). */
const struct creds_section *creds_context_profile(struct creds_context *x);
/** creds_context_region(x, ret, size): Of the environment, the profile, or IMDS; "" when unknown.
 */
void creds_context_region(struct creds_context *x, char *ret, size_t size);
/** creds_context_forget(x): Wipe what was read of the files. */
void creds_context_forget(struct creds_context *x);
void creds_context_close(struct creds_context *x);

/** creds_wire_send(x, direct, req, ret, err): As http_send, in the time that is left; 5xx, 429 and
 * no answer are tried three times.  Not through a proxy when ${direct}. */
int creds_wire_send(struct creds_context *x, bool direct, const struct http_request *req,
                    struct http_response *ret, struct error *err);

struct creds_provider {
    const char *name;
    /* 1 with ${ret} filled; 0 when this source has none, with why in ${err}; -1 when it is set up
     * wrongly or fails for now: no later source is asked then. */
    int (*find)(struct creds_context *x, struct creds_keys *ret, struct error *err);
};
extern const struct creds_provider creds_env_provider;       /* creds_env.c */
extern const struct creds_provider creds_profile_provider;   /* creds_profile.c */
extern const struct creds_provider creds_web_provider;       /* creds_web.c */
extern const struct creds_provider creds_container_provider; /* creds_container.c */
extern const struct creds_provider creds_imds_provider;      /* creds_imds.c */

/** creds_env_get(name): The environment's value, "" when unset or blank (or in a setuid program).
 */
const char *creds_env_get(const char *name);
/** creds_env_true(name): "true" in any case. */
bool creds_env_true(const char *name);

/** creds_open_over(ret, send, user, err): As creds_open, for tests. */
int creds_open_over(struct creds **ret, creds_send_fn *send, void *user, struct error *err);

/* creds_text.c: bytes that may be secret. */
/** creds_put(ret, size, bytes, len, what, err): Copy a key, a token or a name of the outer world:
 * printable ASCII without blanks.  CORRUPT or LIMIT, naming ${what} and quoting nothing. */
int creds_put(char *ret, size_t size, const void *bytes, size_t len, const char *what,
              struct error *err);
/** creds_time(text, ret_us): "2026-01-02T03:04:05[.6][Z|+00:00|UTC]", UTC where it does not say;
 * -1 for what is no time. */
int creds_time(const char *text, int64_t *ret_us);
void creds_secret_init(struct buf *b, size_t max);
/** creds_secret_room(b, n, err): Room for all that is usual: growing would leave copies behind. */
int creds_secret_room(struct buf *b, size_t n, struct error *err);
/** creds_secret_clear(b): Wipe and free. */
void creds_secret_clear(struct buf *b);

#endif
