/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 as a transport, and nothing more: bytes of a request out, status, headers and body in.
 * The one place that knows libcurl, which is loaded at the first http_open (its thirty libraries
 * would cost every start of a program that never ships several milliseconds).  Knows nothing of
 * signatures, S3 or credentials.  No redirect is followed; connections are kept and reused; TLS
 * is 1.2 at least and always verified.  A request leaves at most once unless it says it may be
 * repeated.  Bodies that are streamed are in memory by pieces alone.
 */
#ifndef TTYTRAIL_AWS_HTTP_H
#define TTYTRAIL_AWS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/http_head.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/source.h"

struct http;

struct http_config {
    const char *ca_file; /* NULL or "": the system's; borrowed until http_close */
    bool no_proxy;       /* never through a proxy of the environment: link-local addresses */
};

/* All borrowed until http_send returns, or http_start's done was called (the struct itself is
 * copied). */
struct http_request {
    const char *method;
    const char *url;            /* sent as it stands: no dot segments are resolved */
    const char *const *headers; /* lines "Name: value", without line ends */
    size_t header_count;
    const void *body; /* NULL for none; with body_len 0: Content-Length: 0 */
    size_t body_len;
    const struct source *stream;                   /* instead of body: read as it is sent */
    unsigned connect_timeout_ms, total_timeout_ms; /* 0: 10 s, and no total but 1 B/s over 60 s */
    bool repeatable;  /* may be sent again on a new connection when a kept one turns out dead */
    bool fresh;       /* on a new connection, to an address asked for anew */
    int64_t bytes_s;  /* at most so many a second go out; 0: no bound */
    struct buf *sink; /* what a 2xx answer's body is appended to, to its ceiling; NULL: as others */
};

struct http_response {
    struct http_head head; /* status and headers */
    struct buf body;       /* of any other answer, its first 64 KiB */
};

/** http_open(ret, config, err): SYSTEM when libcurl is not installed. */
int http_open(struct http **ret, const struct http_config *config, struct error *err);
void http_close(struct http *h);

void http_response_init(struct http_response *r);
void http_response_clear(struct http_response *r);

/** http_send(h, req, ret, err): One request and its answer, whatever its status, into the
 * initialised
 * ${ret}, which is emptied first.  RETRY when there was no (whole) answer: nobody knows then
 * whether the request was done.  DENIED for a certificate that is not trusted, LIMIT for a body
 * above the sink's ceiling.  On failure the sink is as it was.  After a failure the next one
 * connects anew. */
int http_send(struct http *h, const struct http_request *req, struct http_response *ret,
              struct error *err);

/* Many at once. */
/* ${rc} and ${err} as http_send has them. */
typedef void http_done_fn(void *user, int rc, const struct error *err);
/** http_start(h, req, ret, done, user, err): Begin one; ${done} is called once, from http_wait, and
 * may start others.  -1: it did not begin, ${done} is not called.  How many may be under way is the
 * caller's to bound. */
int http_start(struct http *h, const struct http_request *req, struct http_response *ret,
               http_done_fn *done, void *user, struct error *err);
/** http_wait(h, fd, timeout_ms, err): Let all that is under way go on until one of them has ended,
 * ${fd} (-1: none) is readable, or the time is over. */
int http_wait(struct http *h, int fd, int timeout_ms, struct error *err);
/** http_cancel(h): End all that is under way: each done is called with RETRY.  http_close does so.
 */
void http_cancel(struct http *h);

#endif
