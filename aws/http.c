/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "aws/http_private.h"

#define MAX_ERROR_BODY  65536
#define DEAD_AFTER_S    60L /* without a byte in either direction */
#define KEEP_IDLE_S     3L  /* S3 closes idle connections after a few seconds */
#define DNS_KEPT_S      60L
#define UPLOAD_BUFFER   131072L
#define DEFAULT_CONNECT 10000L

int http_open(struct http **ret, const struct http_config *config, struct error *err)
{
    struct http *h = calloc(1, sizeof *h);

    if (h == NULL) {
        return err_sys(err, "allocate");
    }
    h->config = *config;
    if (http_library_load(&h->lib, err) != 0) {
        http_close(h);
        return -1;
    }
    h->easy = h->lib.easy_init();
    if (h->easy == NULL) {
        http_close(h);
        return err_set(err, ERR_SYSTEM, "libcurl: out of memory");
    }
    *ret = h;
    return 0;
}

void http_close(struct http *h)
{
    if (h == NULL) {
        return;
    }
    http_cancel(h);
    http_multi_close(h);
    if (h->easy != NULL) {
        h->lib.easy_cleanup(h->easy);
    }
    if (h->lib.handle != NULL) {
        dlclose(h->lib.handle);
    }
    free(h);
}

void http_response_init(struct http_response *r)
{
    http_head_init(&r->head);
    buf_init(&r->body, MAX_ERROR_BODY);
}

void http_response_clear(struct http_response *r)
{
    http_head_clear(&r->head);
    buf_clear(&r->body);
}

/* Servers that write head and body apart wait for our acknowledgement of the head (Nagle), which
 * the kernel likes to delay by 40 ms on a kept connection; see tcp(7), TCP_QUICKACK.  Measured with
 * radosgw: GETs of 44 ms become 1 ms. */
static void acknowledge(const struct http_exchange *x)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    int one = 1;

    if (x->http->lib.getinfo(x->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
    }
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    struct http_exchange *x = user;

    if (http_head_line(&x->response->head, line, size * n, &x->err) != 0) {
        x->refused = true;
        return 0;
    }
    if (size * n <= 2) { /* the head's end */
        acknowledge(x);
    }
    return size * n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct http_exchange *x = user;
    struct buf *rest = &x->response->body;
    size_t len = size * n, left = rest->max - rest->len;

    if (x->req.sink != NULL && x->response->head.status / 100 == 2) {
        if (buf_append(x->req.sink, bytes, len, &x->err) != 0) {
            x->refused = true;
            return 0;
        }
    } else if (buf_append(rest, bytes, len < left ? len : left, &x->err) != 0) {
        x->refused = true;
        return 0;
    }
    return len;
}

/* libcurl sends a request again by itself when a kept connection turns out to be closed; whether
 * the first one was done nobody knows then, so the caller decides. */
static int on_send(void *user, char *ip, char *local_ip, int port, int local_port)
{
    struct http_exchange *x = user;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    return x->sent++ > 0 && !x->req.repeatable ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* A body that is not in memory is read as it is sent. */
static size_t on_read(char *to, size_t size, size_t n, void *user)
{
    struct http_exchange *x = user;
    const struct source *from = x->req.stream;
    size_t left = from->len - x->offset, max = size * n < left ? size * n : left;
    ssize_t got;

    if (max == 0) {
        return 0;
    }
    got = from->read(from->user, x->offset, to, max, &x->err);
    if (got <= 0) {
        x->refused = true;
        return CURL_READFUNC_ABORT;
    }
    x->offset += (size_t)got;
    return (size_t)got;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct http_exchange *x = user;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > x->req.stream->len) {
        return CURL_SEEKFUNC_FAIL;
    }
    x->offset = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static struct curl_slist *header_list(struct http *h, const struct http_request *req)
{
    struct curl_slist *list = NULL;
    /* What libcurl would add by itself. */
    static const char *const unwanted[] = {"Expect:", "Accept:", "Content-Type:"};

    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0] + req->header_count; i++) {
        bool own = i < sizeof unwanted / sizeof unwanted[0];
        const char *line =
            own ? unwanted[i] : req->headers[i - sizeof unwanted / sizeof unwanted[0]];
        struct curl_slist *longer = h->lib.slist_append(list, line);

        if (longer == NULL) {
            h->lib.slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static CURLcode set_transport(struct http_exchange *x)
{
    struct http *h = x->http;
    const struct http_request *req = &x->req;
    CURLcode (*set)(CURL *, CURLoption, ...) = h->lib.set;
    CURL *e = x->easy;
    long connect_ms =
        req->connect_timeout_ms == 0 ? DEFAULT_CONNECT : (long)req->connect_timeout_ms;
    bool fresh = h->fresh || req->fresh;
    CURLcode rc = CURLE_OK;

    /* On a library older than its header an unknown option fails, and so do we: none is
     * dispensable. */
#if LIBCURL_VERSION_NUM >= 0x075500
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_NOSIGNAL, 1L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_FOLLOWLOCATION, 0L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_SSL_VERIFYPEER, 1L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_SSL_VERIFYHOST, 2L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_TIMEOUT_MS, (long)req->total_timeout_ms);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_LOW_SPEED_TIME, DEAD_AFTER_S);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_DNS_CACHE_TIMEOUT, fresh ? 0L : DNS_KEPT_S);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)req->bytes_s);
    if (rc == CURLE_OK && h->config.ca_file != NULL && h->config.ca_file[0] != '\0') {
        rc = set(e, CURLOPT_CAINFO, h->config.ca_file);
    }
    if (rc == CURLE_OK && h->config.no_proxy) {
        rc = set(e, CURLOPT_NOPROXY, "*");
    }
    return rc;
}

static CURLcode set_body(struct http_exchange *x)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = x->http->lib.set;
    CURL *e = x->easy;
    CURLcode rc = CURLE_OK;

    if (x->req.stream != NULL) {
        rc = rc != CURLE_OK ? rc : set(e, CURLOPT_UPLOAD, 1L);
        rc = rc != CURLE_OK ? rc : set(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->req.stream->len);
        rc = rc != CURLE_OK ? rc : set(e, CURLOPT_READFUNCTION, on_read);
        rc = rc != CURLE_OK ? rc : set(e, CURLOPT_READDATA, x);
        rc = rc != CURLE_OK ? rc : set(e, CURLOPT_SEEKFUNCTION, on_seek);
        rc = rc != CURLE_OK ? rc : set(e, CURLOPT_SEEKDATA, x);
        return rc != CURLE_OK ? rc : set(e, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    }
    if (x->req.body != NULL) {
        rc = set(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->req.body_len);
        return rc != CURLE_OK ? rc : set(e, CURLOPT_POSTFIELDS, (const char *)x->req.body);
    }
    return strcmp(x->req.method, "HEAD") == 0 ? set(e, CURLOPT_NOBODY, 1L) : CURLE_OK;
}

static CURLcode set_request(struct http_exchange *x)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = x->http->lib.set;
    CURL *e = x->easy;
    CURLcode rc = CURLE_OK;

    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_URL, x->req.url);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_ERRORBUFFER, x->detail);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PATH_AS_IS, 1L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_USERAGENT, "ttytrail/" TTYTRAIL_VERSION);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_HTTPHEADER, x->headers);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_HEADERFUNCTION, on_header);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_HEADERDATA, x);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_WRITEFUNCTION, on_body);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_WRITEDATA, x);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PREREQFUNCTION, on_send);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PREREQDATA, x);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PRIVATE, x);
    rc = rc != CURLE_OK ? rc : set_body(x);
    return rc != CURLE_OK ? rc : set(e, CURLOPT_CUSTOMREQUEST, x->req.method);
}

/* libcurl's own words ("Failed to connect to ..."), made one printable line; they may quote a
 * server. */
static const char *detail_of(CURLcode rc, struct http_exchange *x)
{
    for (char *p = x->detail; *p != '\0'; p++) {
        *p = *p >= ' ' && *p <= '~' ? *p : '?';
    }
    return x->detail[0] != '\0' ? x->detail : x->http->lib.text(rc);
}

/* RETRY against the rest, once and for all. */
static int sort_error(CURLcode rc, struct http_exchange *x, struct error *err)
{
    const char *detail = detail_of(rc, x);

    if (x->refused) {
        if (err != NULL) {
            *err = x->err;
        }
        return -1;
    }
    switch (rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return err_set(err, ERR_DENIED, "%.120s (ca_file may name the server's CA)", detail);
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(err, ERR_USAGE, "ca_file %.150s cannot be read",
                       x->http->config.ca_file == NULL ? "" : x->http->config.ca_file);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return err_set(err, ERR_USAGE, "%.120s", detail);
    case CURLE_OUT_OF_MEMORY:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_NOT_BUILT_IN:
        return err_set(err, ERR_SYSTEM, "libcurl: %.120s", detail);
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(err, ERR_RETRY, "connection closed before the answer");
    default:
        return err_set(err, ERR_RETRY, "%.120s", detail);
    }
}

int http_exchange_begin(struct http_exchange *x, struct error *err)
{
    struct http *h = x->http;
    CURLcode rc;

    x->headers = header_list(h, &x->req);
    if (x->headers == NULL) {
        return err_set(err, ERR_SYSTEM, "libcurl: out of memory");
    }
    x->had = x->req.sink == NULL ? 0 : x->req.sink->len;
    http_head_reset(&x->response->head);
    buf_reset(&x->response->body);
    /* Keeps the connections, forgets all else. */
    h->lib.easy_reset(x->easy);
    rc = set_transport(x);
    if (rc == CURLE_OK) {
        rc = set_request(x);
    }
    return rc == CURLE_OK ? 0 : http_exchange_end(x, rc, err);
}

int http_exchange_end(struct http_exchange *x, CURLcode rc, struct error *err)
{
    x->http->lib.slist_free_all(x->headers);
    x->headers = NULL;
    x->http->fresh = rc != CURLE_OK;
    if (rc == CURLE_OK) {
        return 0;
    }
    if (x->req.sink != NULL) {
        x->req.sink->len = x->had;
    }
    return sort_error(rc, x, err);
}

int http_send(struct http *h, const struct http_request *req, struct http_response *ret,
              struct error *err)
{
    struct http_exchange x = {.http = h, .easy = h->easy, .req = *req, .response = ret};

    if (http_exchange_begin(&x, err) != 0) {
        return -1;
    }
    return http_exchange_end(&x, h->lib.perform(h->easy), err);
}
