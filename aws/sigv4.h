/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4 as pure functions: bytes in, bytes out; time, region and service are
 * parameters.  Knows nothing of HTTP libraries, of S3's operations and of where keys come from.
 * Every header handed in is signed, so the caller sends exactly those.  What is derived from the
 * secret key is wiped before returning.  Source: AWS's "Signature Version 4" pages; the published
 * vectors are replayed by tests/unit/test_sigv4.c.
 */
#ifndef TTYTRAIL_AWS_SIGV4_H
#define TTYTRAIL_AWS_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define SIGV4_MAX_HEADERS  64
#define SIGV4_MAX_BYTES    65536 /* of a canonical request */
#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* How the path of the request line becomes the canonical one. */
enum sigv4_path {
    SIGV4_PATH_S3,      /* as it is sent: the caller encoded each segment once */
    SIGV4_PATH_ENCODE,  /* encoded once more */
    SIGV4_PATH_GENERIC, /* "." , ".." and "//" resolved, then encoded once more */
};

struct sigv4_header {
    const char *name, *value; /* any case, any blanks: made canonical here */
};

/* All borrowed. */
struct sigv4_request {
    const char *method;
    const char *path;  /* as on the request line; "" counts as "/" */
    const char *query; /* as on the request line, without '?'; NULL for none */
    enum sigv4_path path_rule;
    const struct sigv4_header *headers;
    size_t header_count;
    const char *payload_hash; /* lower-case hex, or a word such as UNSIGNED-PAYLOAD */
};

struct sigv4_scope {
    int64_t unix_us;
    const char *region, *service;
};

/** sigv4_encode(out, bytes, len, keep_slash, err): Percent-encode all but A-Za-z0-9-._~ (and '/'
 * when
 * ${keep_slash}) with upper-case hex, appended to ${out}. */
int sigv4_encode(struct buf *out, const void *bytes, size_t len, bool keep_slash,
                 struct error *err);
/** sigv4_amz_date(unix_us, ret): "20150830T123600Z". */
void sigv4_amz_date(int64_t unix_us, char ret[17]);
/** sigv4_sha256_hex(bytes, len, ret): Lower-case hex of SHA-256. */
void sigv4_sha256_hex(const void *bytes, size_t len, char ret[65]);

/** sigv4_canonical_path(out, path, rule, err): Append the canonical form of ${path}. */
int sigv4_canonical_path(struct buf *out, const char *path, enum sigv4_path rule,
                         struct error *err);
/** sigv4_canonical_query(out, query, err): Append ${query} decoded, encoded, sorted by name, then
 * value. A '+' means itself.  LIMIT above 64 parameters. */
int sigv4_canonical_query(struct buf *out, const char *query, struct error *err);
/** sigv4_canonical(req, ret, ret_signed, err): Append the canonical request to ${ret} and the list
 * of signed headers ("host;x-amz-date") to ${ret_signed}.  LIMIT above SIGV4_MAX_HEADERS. */
int sigv4_canonical(const struct sigv4_request *req, struct buf *ret, struct buf *ret_signed,
                    struct error *err);

/** sigv4_string_to_sign(scope, canonical, len, ret, err): Append it to ${ret}. */
int sigv4_string_to_sign(const struct sigv4_scope *scope, const void *canonical, size_t len,
                         struct buf *ret, struct error *err);
/** sigv4_chunk_string(scope, previous, chunk, len, ret, err): The string to sign of one chunk of an
 * aws-chunked body; ${previous} is the signature of the seed or of the chunk before. */
int sigv4_chunk_string(const struct sigv4_scope *scope, const char *previous, const void *chunk,
                       size_t len, struct buf *ret, struct error *err);
/** sigv4_signature(secret, scope, text, len, ret, err): Hex signature of a string to sign. */
int sigv4_signature(const char *secret, const struct sigv4_scope *scope, const void *text,
                    size_t len, char ret[65], struct error *err);

/** sigv4_authorization(req, scope, access_key, secret, ret, err): The whole of it: append the value
 * of the Authorization header to ${ret}. */
int sigv4_authorization(const struct sigv4_request *req, const struct sigv4_scope *scope,
                        const char *access_key, const char *secret, struct buf *ret,
                        struct error *err);

#endif
