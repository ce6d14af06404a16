/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of aws/http share and nobody else includes: libcurl, one exchange with it, and
 * the exchanges under way. */
#ifndef TTYTRAIL_AWS_HTTP_PRIVATE_H
#define TTYTRAIL_AWS_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "aws/http.h"

/* What is used of libcurl; the names are curl's without "curl_". */
struct http_library {
    void *handle;
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *);
    void (*easy_reset)(CURL *);
    CURLcode (*set)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    const char *(*text)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *);
    CURLMcode (*multi_set)(CURLM *, CURLMoption, ...);
    CURLMcode (*multi_add)(CURLM *, CURL *);
    CURLMcode (*multi_remove)(CURLM *, CURL *);
    CURLMcode (*multi_perform)(CURLM *, int *);
    CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
    CURLMsg *(*multi_info)(CURLM *, int *);
};

/** http_library_load(lib, err): SYSTEM when libcurl is not installed or too old. */
int http_library_load(struct http_library *lib, struct error *err);

/* One request and its answer, as libcurl's callbacks see them. */
struct http_exchange {
    struct http *http;
    CURL *easy;
    struct http_request req; /* what it points to is the caller's */
    struct http_response *response;
    struct curl_slist *headers;
    size_t had;    /* in the sink before */
    size_t offset; /* next byte of the body that is read */
    unsigned sent;
    bool refused; /* a callback of ours said no, and err says why */
    struct error err;
    char detail[CURL_ERROR_SIZE];
    /* only where it is one of many */
    http_done_fn *done;
    void *user;
    struct http_exchange *next;
};

struct http {
    struct http_library lib;
    CURL *easy; /* of http_send */
    CURLM *multi;
    struct http_config config;
    struct http_exchange *active, *idle; /* idle: kept for their handles */
    unsigned n_active;
    bool fresh; /* the last request failed: connect anew, ask for the address anew */
};

/** http_exchange_begin(x, err): Empty the response, set everything up on x->easy. */
int http_exchange_begin(struct http_exchange *x, struct error *err);
/** http_exchange_end(x, rc, err): What libcurl's result means, as http_send has it. */
int http_exchange_end(struct http_exchange *x, CURLcode rc, struct error *err);
/** http_multi_close(h): After http_cancel: free what is kept. */
void http_multi_close(struct http *h);

#endif
