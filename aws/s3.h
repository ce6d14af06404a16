/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3 as the shipper and the verifier need it: put one object that must not exist, get, list.  Signs
 * with aws/sigv4, sends with aws/http, gets keys from aws/creds.  Errors are sorted once, here,
 * into RETRY, DENIED, CORRUPT, SYSTEM and USAGE.  Knows nothing of sessions, batches or manifests.
 * Puts may be many at once; all else is one call at a time, but a listing's callback may make other
 * calls on the same struct s3.  No redirect is followed: another region is another road, past the
 * gateway endpoint.
 */
#ifndef TTYTRAIL_AWS_S3_H
#define TTYTRAIL_AWS_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/source.h"

struct s3;
struct creds; /* aws/creds.h */

/* "" or NULL for unset.  s3_open copies the strings; the creds are borrowed until s3_close. */
struct s3_config {
    const char *endpoint; /* "https://host[:port]"; unset: https://s3.REGION.amazonaws.com */
    const char *region;   /* unset: AWS_REGION, AWS_DEFAULT_REGION, the profile's, IMDS */
    const char *bucket;
    bool path_style; /* always so for bucket names with dots, addresses and one-label hosts */
    const char *expected_owner, *kms_key, *ca_file;
    /* What every object is stored with; unset: as the bucket has it. */
    bool sse_s3, sse_kms;      /* AES256; aws:kms, which a kms_key means too */
    bool bucket_key;           /* under KMS: by the bucket's own data keys */
    const char *storage_class; /* "STANDARD_IA" */
    const char *tags;          /* "name=value&name=value", encoded as a query is */
    const char *lock_mode;     /* "GOVERNANCE" or "COMPLIANCE", for lock_days from now */
    int64_t lock_days;
    bool legal_hold;
    bool confirm_head; /* after each put: look whether it is there, which needs s3:GetObject */
    struct creds *creds;
};

int s3_open(struct s3 **ret, const struct s3_config *config, struct error *err);
void s3_close(struct s3 *s);

enum s3_put_result {
    S3_PUT_CONFIRMED, /* 200 and our checksum came back, or (echo absent) the body was hashed by the
                         signature and ETag/checksum do not contradict it */
    S3_PUT_EXISTS,    /* 412: an object of this name exists; proves nothing about its content */
};

struct s3_put {
    const char *key;
    const void *bytes;
    const struct source *stream; /* instead of bytes and len: read as it is sent */
    size_t len;
    const uint8_t *sha256;                       /* of the body, 32 */
    const uint8_t *md5;                          /* 16; NULL: not known */
    const char *content_type, *content_encoding; /* NULL for none */
    bool fresh;      /* an attempt before failed: on a new connection, to a fresh address */
    int64_t bytes_s; /* bound of this transfer; 0: none */
};
/** s3_put(s, put, ret, err): PutObject with If-None-Match: *, x-amz-checksum-sha256 and the content
 * hash. One attempt: retries are the caller's, who must note attempts first.  A server that answers
 * 501 to a header is asked again without that header (first If-None-Match, then the checksum),
 * which is remembered for ${s}; what this costs stands in docs/DESIGN.md section 6. */
int s3_put(struct s3 *s, const struct s3_put *put, enum s3_put_result *ret, struct error *err);

struct s3_put_answer {
    int rc; /* as s3_put's */
    enum s3_put_result result;
    struct error err;
    bool slow;        /* it asks us to slow down */
    int64_t asked_us; /* and to wait so long */
};
typedef void s3_put_fn(void *user, const struct s3_put_answer *answer);
/** s3_put_start(s, put, done, user, err): Begin one of many.  What ${put} points to is borrowed
 * until ${done} was called, once, from s3_wait (or another call that waits).  -1: it did not begin.
 */
int s3_put_start(struct s3 *s, const struct s3_put *put, s3_put_fn *done, void *user,
                 struct error *err);
/** s3_wait(s, fd, timeout_ms, err): Let them go on until one has ended, ${fd} (-1: none) is
 * readable, or the time is over. */
int s3_wait(struct s3 *s, int fd, int timeout_ms, struct error *err);
/** s3_cancel(s): End all that is under way; each done is called with RETRY. */
void s3_cancel(struct s3 *s);
/** s3_wants_md5(s): Whether this server says no checksums back, so that an MD5 of the body is what
 * its answer can be held against. */
bool s3_wants_md5(const struct s3 *s);

/** s3_get(s, key, version_or_null, offset, len, max_bytes, ret, err): Append the object (or the
 * range, when
 * ${len} is not 0) to ${ret}.  SYSTEM with code ENOENT when there is none. */
int s3_get(struct s3 *s, const char *key, const char *version_or_null, uint64_t offset,
           uint64_t len, size_t max_bytes, struct buf *ret, struct error *err);

struct s3_item {
    const char *key, *version; /* version "" outside s3_list_versions */
    uint64_t size;
    int64_t modified_us; /* unix */
    bool latest, delete_marker;
};
typedef int s3_list_fn(void *user, const struct s3_item *item);
/** s3_list(s, prefix, start_after_or_null, cb, user, err): ListObjectsV2, all pages, in order of
 * key;
 * ${cb}'s non-zero result ends it and is returned. */
int s3_list(struct s3 *s, const char *prefix, const char *start_after_or_null, s3_list_fn *cb,
            void *user, struct error *err);
/** s3_list_versions(s, prefix, cb, user, err): ListObjectVersions, all pages. */
int s3_list_versions(struct s3 *s, const char *prefix, s3_list_fn *cb, void *user,
                     struct error *err);

/** s3_host(s), s3_region(s): Whom requests go to (with its port), and the region they are signed
 * for; borrowed. */
const char *s3_host(const struct s3 *s);
const char *s3_region(const struct s3 *s);
/** s3_skew_us(s): Server's clock minus ours as last seen in a Date header; 0 when none was. */
int64_t s3_skew_us(const struct s3 *s);
/** s3_sign_skew_us(s): What is added to our clock for signing since a server refused it; else 0. */
int64_t s3_sign_skew_us(const struct s3 *s);

#endif
