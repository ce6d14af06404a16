/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error idiom: a function that can fail returns int 0 or -1 (or a pointer) and fills a
 * caller-owned struct error.  `kind` is for machines and the only member that is branched on;
 * `text` is for people, reads outside-in ("ship batch 42: put s3://b/k: 403 AccessDenied"), is one
 * line and never holds session bytes, keys, tokens or signatures.  Knows nothing of any other
 * module.
 */
#ifndef TTYTRAIL_COMMON_ERR_H
#define TTYTRAIL_COMMON_ERR_H

enum err_kind {
    ERR_NONE = 0,
    ERR_SYSTEM,  /* the operating system said no; code is errno */
    ERR_RETRY,   /* may succeed later without anybody's doing */
    ERR_DENIED,  /* somebody has to grant something */
    ERR_CORRUPT, /* foreign bytes are not what they claim to be */
    ERR_LIMIT,   /* a bound of ours was reached */
    ERR_USAGE    /* the caller or the user asked for something that makes no sense */
};

struct error {
    enum err_kind kind;
    int code;
    char text[512];
};

/** err_clear(err): Make ${err} say that nothing went wrong.  NULL is allowed everywhere. */
void err_clear(struct error *err);

/** err_set(err, kind, fmt, ...): Fill ${err}; returns -1, so `return err_set(...)` is one line. */
int err_set(struct error *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** err_sys(err, fmt, ...): As err_set with kind SYSTEM, code errno and ": <errno's text>" added. */
int err_sys(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** err_wrap(err, fmt, ...): Put "<fmt>: " before the text of ${err} on its way up; returns -1. */
int err_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
