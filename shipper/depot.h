/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A depot is where batches go: a directory (file:///dir) or a bucket (s3://bucket/prefix), behind
 * one table of functions.  Names are relative to the prefix, so that everything that is hashed or
 * signed stays true when a bucket is copied.  It knows nothing of batches, keys or retries: every
 * call is one attempt.
 */
#ifndef TTYTRAIL_SHIPPER_DEPOT_H
#define TTYTRAIL_SHIPPER_DEPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/conf.h"
#include "common/err.h"
#include "common/source.h"

#define DEPOT_NAME_MAX 1024 /* of an object's name, as S3 has it */

enum depot_put_result {
    DEPOT_PUT_CONFIRMED, /* these bytes are stored under this name */
    DEPOT_PUT_EXISTS     /* something is: it may be ours from an attempt before, or not */
};

struct depot_put {
    const char *name;
    const void *bytes;
    size_t len;
    const struct source *stream; /* instead of bytes and len: read as it is stored */
    const uint8_t *sha256;       /* of the bytes, 32 */
    const uint8_t *md5;          /* 16; NULL: not known */
    const char *content_type;
    bool fresh;      /* an attempt before failed: over a new connection */
    int64_t bytes_s; /* at most so many a second; 0: no bound */
};

struct depot_answer { /* of one of many puts */
    int rc;           /* as depot_put's */
    enum depot_put_result result;
    struct error err;
    bool slow;        /* the store asks us to slow down */
    int64_t asked_us; /* and to wait so long */
};
typedef void depot_done_fn(void *user, const struct depot_answer *answer);

struct depot_item {
    const char *name, *version; /* version "" outside list_versions */
    uint64_t size;
    int64_t modified_us; /* unix, as the store's clock has it */
    bool delete_marker;
};
typedef int depot_list_fn(void *user, const struct depot_item *item);

struct depot;

struct depot_type {
    const char *scheme;
    int (*put)(struct depot *s, const struct depot_put *put, enum depot_put_result *ret,
               struct error *err);
    int (*get)(struct depot *s, const char *name, const char *version, size_t max_bytes,
               struct buf *ret, struct error *err);
    int (*get_range)(struct depot *s, const char *name, const char *version, uint64_t offset,
                     size_t len, struct buf *ret, struct error *err);
    int (*list)(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
                struct error *err);
    int (*list_versions)(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
                         struct error *err); /* NULL: has none */
    void (*close)(struct depot *s);
    /* NULL: a listing of all is filtered. */
    int (*list_after)(struct depot *s, const char *prefix, const char *after, depot_list_fn *cb,
                      void *user, struct error *err);
    /* NULL, all of them: a put is over when it returns. */
    int (*start)(struct depot *s, const struct depot_put *put, depot_done_fn *done, void *user,
                 struct error *err);
    int (*wait)(struct depot *s, int fd, int timeout_ms, struct error *err);
    void (*cancel)(struct depot *s);
    bool (*wants_md5)(const struct depot *s);
    int64_t (*skew_us)(const struct depot *s);
    int64_t (*seen_skew_us)(const struct depot *s);
};
extern const struct depot_type depot_file_type, depot_s3_type;

/* The head of every store. */
struct depot {
    const struct depot_type *type;
};

/** depot_open(ret, url, conf, err): "file:///dir", "/dir" or "s3://bucket[/prefix]"; USAGE for
 * others.
 * ${conf} (borrowed) holds [s3]. */
int depot_open(struct depot **ret, const char *url, const struct conf *conf, struct error *err);
/** depot_open_beside(ret, s, url, conf, err): As depot_open, for another thread than ${s}'s:
 * credentials are found once for both.  Each is closed by itself. */
int depot_open_beside(struct depot **ret, struct depot *s, const char *url, const struct conf *conf,
                      struct error *err);
/** depot_close(s): NULL does nothing. */
void depot_close(struct depot *s);
/** depot_is_url(text): Whether depot_open would take it for a store rather than a file's name. */
bool depot_is_url(const char *text);

/** depot_put(s, put, ret, err): Store one object that must not exist.  Nothing is ever overwritten.
 * Errors: RETRY when it is worth another attempt (nothing is known of this one), DENIED and others
 * not. */
int depot_put(struct depot *s, const struct depot_put *put, enum depot_put_result *ret,
              struct error *err);
/** depot_start(s, put, done, user, err): Begin one of many.  What ${put} points to is borrowed
 * until
 * ${done} was called, once: from here, or from depot_wait.  -1: it did not begin. */
int depot_start(struct depot *s, const struct depot_put *put, depot_done_fn *done, void *user,
                struct error *err);
/** depot_wait(s, fd, timeout_ms, err): Let them go on until one has ended, ${fd} (-1: none) is
 * readable, or the time is over. */
int depot_wait(struct depot *s, int fd, int timeout_ms, struct error *err);
/** depot_cancel(s): End all that is under way; each done is called with RETRY. */
void depot_cancel(struct depot *s);
/** depot_wants_md5(s): Whether an MD5 of the bytes helps to tell whether they arrived. */
bool depot_wants_md5(const struct depot *s);
/** depot_skew_us(s): The store's clock minus ours, when the store refused our clock; else 0. */
int64_t depot_skew_us(const struct depot *s);
/** depot_seen_skew_us(s): The same as its last answer told, refused or not; 0 when none did. */
int64_t depot_seen_skew_us(const struct depot *s);
/** depot_get(s, name, version_or_null, max_bytes, ret, err): Append the object to ${ret}.  SYSTEM
 * with code ENOENT when there is none. */
int depot_get(struct depot *s, const char *name, const char *version_or_null, size_t max_bytes,
              struct buf *ret, struct error *err);
/** depot_get_range(s, name, version_or_null, offset, len, ret, err): As depot_get, ${len} bytes
 * from
 * ${offset} on; CORRUPT when there are fewer.  ${len} is not 0. */
int depot_get_range(struct depot *s, const char *name, const char *version_or_null, uint64_t offset,
                    size_t len, struct buf *ret, struct error *err);
/** depot_list(s, prefix, cb, user, err): Every object below ${prefix} ("" for all); the order is
 * the store's own.  ${cb}'s non-zero result ends it and is returned. */
int depot_list(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
               struct error *err);
/** depot_list_after(s, prefix, after, cb, user, err): As depot_list, those whose names sort after
 * ${after} (bytes, as S3 has it); a bucket gives them in that order and is asked for no others. */
int depot_list_after(struct depot *s, const char *prefix, const char *after, depot_list_fn *cb,
                     void *user, struct error *err);
/** depot_list_versions(s, prefix, cb, user, err): As depot_list, with every version of each.  1
 * when the store keeps none or will not tell: nothing was called. */
int depot_list_versions(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
                        struct error *err);

/* For depot_open: each implementation's own opening.  ${beside} is a bucket, or NULL. */
int depot_file_open(struct depot **ret, const char *dir, struct error *err);
int depot_s3_open(struct depot **ret, const char *bucket, const char *prefix,
                  const struct conf *conf, struct depot *beside, struct error *err);

#endif
