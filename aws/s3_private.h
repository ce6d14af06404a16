/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of S3 share among themselves and nobody else includes: where a bucket is reached,
 * one signed call, the listings, and the sorting of errors.
 */
#ifndef TTYTRAIL_AWS_S3_PRIVATE_H
#define TTYTRAIL_AWS_S3_PRIVATE_H

#include "aws/http.h"
#include "aws/s3.h"
#include "aws/sigv4.h"

#define S3_MAX_KEY     1024
#define S3_MAX_PAGE    ((size_t)16 * 1024 * 1024)
#define S3_MAX_QUERY   16384
#define S3_MAX_HEADERS 24

/* s3_place.c: how a bucket is addressed. */
struct s3_place {
    char origin[300]; /* "https://bucket.s3.eu-west-1.amazonaws.com:8443" */
    char host[290];   /* what the Host header says: default ports left out */
    char path[80];    /* "" or "/bucket" */
};

/** s3_place_make(ret, config, region, err): Virtual-hosted unless told otherwise or the name cannot
 * be one (dots break the certificate's wildcard; addresses and names of one label have no
 * subdomains).  USAGE for what is no endpoint or no bucket name. */
int s3_place_make(struct s3_place *ret, const struct s3_config *config, const char *region,
                  struct error *err);

struct s3 {
    struct s3_config config; /* its strings are ${s}'s own */
    char region[64];
    struct s3_place place;
    struct http *http;
    int64_t seen_skew_us; /* as the last Date header told */
    int64_t sign_skew_us; /* applied to signatures; only after the server complained */
    bool no_if_none_match, no_checksum; /* this server answered 501 to them */
    bool no_echo;                       /* it does not say checksums back */
};

/* s3_call.c: one signed request, alone or as one of many. */
struct s3_call {
    const char *method;
    const char *key;                    /* NULL: the bucket itself */
    const char *query;                  /* canonical, as built by s3_call_param; NULL for none */
    const struct sigv4_header *headers; /* beside host, date, content hash, token, owner */
    size_t header_count;
    const void *body;
    size_t body_len;
    const struct source *stream; /* instead of body */
    const uint8_t *sha256;       /* of the body; NULL when there is none */
    struct buf *sink;            /* for the body of a 2xx answer */
    bool fresh;                  /* as http_request has it, and bytes_s */
    int64_t bytes_s;
};

/** s3_call_param(query, name, value, err): Append "name=value", encoded, with '&' before all but
 * the first. */
int s3_call_param(struct buf *query, const char *name, const char *value, struct error *err);
/** s3_call_send(s, call, ret, err): Sign and send; again at most once with the clock put right and
 * once with fresh keys if the server asks for that.  0 for any answer, -1 for none. */
int s3_call_send(struct s3 *s, const struct s3_call *call, struct http_response *ret,
                 struct error *err);
/* What was put right during one call. */
struct s3_tried {
    bool clock, keys;
    unsigned generation; /* of the keys that the last request was signed with */
};

/* s3_draft.c: what is signed is what is sent. */
struct s3_draft {
    struct buf path, url, lines; /* lines: the header lines, each with its NUL */
    struct sigv4_header headers[S3_MAX_HEADERS];
    const char *line[S3_MAX_HEADERS + 1];
    size_t count;
    char date[17], hash[65];
    unsigned generation; /* of the keys, see creds_refused */
};
void s3_draft_init(struct s3_draft *d);
/** s3_draft_clear(d): Also wipes the token and the signature. */
void s3_draft_clear(struct s3_draft *d);
/** s3_draft_make(d, s, call, err): Address, headers and signature of ${call}, with the credentials
 * and the clock of now. */
int s3_draft_make(struct s3_draft *d, struct s3 *s, const struct s3_call *call, struct error *err);
/** s3_draft_request(d, call, ret, err): The same for the transport; borrows from ${d} and ${call}.
 */
int s3_draft_request(struct s3_draft *d, const struct s3_call *call, struct http_request *ret,
                     struct error *err);

/* One call of many, in its caller's memory until done is called. */
struct s3_flight {
    struct s3 *s;
    struct s3_call call;
    struct http_response response; /* initialised and cleared by the caller */
    /* As s3_call_send: 0 for any answer, -1 for none. */
    void (*done)(struct s3_flight *f, int rc, const struct error *err);
    struct s3_tried tried;
    struct s3_draft draft;
};
/** s3_flight_start(f, err): Begin; done comes from http_wait.  -1: it did not begin. */
int s3_flight_start(struct s3_flight *f, struct error *err);
/** s3_call_wrap(s, verb, key, err): Put "verb s3://bucket/key: " before ${err}; returns -1. */
int s3_call_wrap(const struct s3 *s, const char *verb, const char *key, struct error *err);

/* s3_xml.c: the listings, with bounds: no document type, depth, lengths. */
struct s3_page {
    bool truncated, url_encoded;
    char token[2048];                    /* NextContinuationToken */
    char key_marker[S3_MAX_KEY * 3 + 1]; /* decoded */
    char version_marker[S3_MAX_KEY + 1];
};
/** s3_xml_page(bytes, len, ret, cb, user, err): A page of either listing.  It is read whole before
 * the first call of ${cb}; a non-zero result of which is returned.  CORRUPT for what is no listing.
 */
int s3_xml_page(const void *bytes, size_t len, struct s3_page *ret, s3_list_fn *cb, void *user,
                struct error *err);

/* s3_error.c */
enum s3_remedy { S3_REMEDY_NONE, S3_REMEDY_CLOCK, S3_REMEDY_KEYS };
/** s3_error_remedy(r): What may help against an answer that is no success. */
enum s3_remedy s3_error_remedy(const struct http_response *r);
/** s3_error_slow(r): Whether the server asks us to slow down. */
bool s3_error_slow(const struct http_response *r);
/** s3_error_sort(r, right, err): Fill ${err} from such an answer; ${right} is the permission that
 * the call needs ("s3:PutObject"), for people.  Returns -1. */
int s3_error_sort(const struct http_response *r, const char *right, struct error *err);

#endif
