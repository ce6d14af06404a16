/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_ERROR_BODY  65536
#define DEAD_AFTER_S    60L /* without a byte in either direction */
#define KEEP_IDLE_S     3L  /* S3 closes idle connections after a few seconds */
#define DEFAULT_CONNECT 10000L

/* What is used of libcurl; the names are curl's without "curl_". */
struct library {
    void *handle;
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *);
    void (*easy_reset)(CURL *);
    CURLcode (*set)(CURL *, CURLoption, ...);
    CURLcode (*perform)(CURL *);
    const char *(*text)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};

struct http {
    struct library lib;
    CURL *easy;
    struct http_config config;
    curl_socket_t fd; /* made last: the connection's */
    bool fresh;       /* the last request failed: connect anew */
};

/* One http_send, as libcurl's callbacks see it. */
struct exchange {
    struct http *http;
    const struct http_request *req;
    struct http_response *response;
    unsigned sent;
    bool refused; /* a callback of ours said no, and err says why */
    struct error err;
    char detail[CURL_ERROR_SIZE];
};

typedef void any_fn(void);

static any_fn *find(const struct library *lib, const char *name, const char **missing)
{
    void *p = dlsym(lib->handle, name);
    any_fn *fn = NULL;

    memcpy(&fn, &p, sizeof p); /* ISO C has no cast for that */
    if (fn == NULL) {
        *missing = name;
    }
    return fn;
}

#define FIND(member, name) lib->member = (__typeof__(lib->member))find(lib, name, &missing)

static int load(struct library *lib, struct error *err)
{
    const char *missing = NULL;

    /* NODELETE: OpenSSL inside it registers exit handlers and must not vanish before them. */
    lib->handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (lib->handle == NULL) {
        (void)err_set(err, ERR_SYSTEM, "libcurl.so.4 cannot be loaded: install libcurl4");
        return -1;
    }
    FIND(global_init, "curl_global_init");
    FIND(easy_init, "curl_easy_init");
    FIND(easy_cleanup, "curl_easy_cleanup");
    FIND(easy_reset, "curl_easy_reset");
    FIND(set, "curl_easy_setopt");
    FIND(perform, "curl_easy_perform");
    FIND(text, "curl_easy_strerror");
    FIND(slist_append, "curl_slist_append");
    FIND(slist_free_all, "curl_slist_free_all");
    if (missing != NULL) {
        (void)err_set(err, ERR_SYSTEM, "libcurl.so.4 has no %s", missing);
        return -1;
    }
    if (lib->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return err_set(err, ERR_SYSTEM, "libcurl cannot start");
    }
    return 0;
}

int http_open(struct http **ret, const struct http_config *config, struct error *err)
{
    struct http *h = calloc(1, sizeof *h);

    if (h == NULL) {
        return err_sys(err, "allocate");
    }
    h->config = *config;
    h->fd = CURL_SOCKET_BAD;
    if (load(&h->lib, err) != 0) {
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
static void acknowledge(const struct http *h)
{
    int one = 1;

    (void)setsockopt(h->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

static int on_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    struct http *h = user;

    (void)purpose;
    h->fd = fd;
    return CURL_SOCKOPT_OK;
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    struct exchange *x = user;

    if (http_head_line(&x->response->head, line, size * n, &x->err) != 0) {
        x->refused = true;
        return 0;
    }
    if (size * n <= 2) { /* the head's end */
        acknowledge(x->http);
    }
    return size * n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    struct buf *rest = &x->response->body;
    size_t len = size * n, left = rest->max - rest->len;

    if (x->req->sink != NULL && x->response->head.status / 100 == 2) {
        if (buf_append(x->req->sink, bytes, len, &x->err) != 0) {
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
    struct exchange *x = user;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    return x->sent++ > 0 && !x->req->repeatable ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
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

static CURLcode set_transport(struct http *h, const struct http_request *req)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = h->lib.set;
    CURL *e = h->easy;
    long connect_ms =
        req->connect_timeout_ms == 0 ? DEFAULT_CONNECT : (long)req->connect_timeout_ms;
    CURLcode rc = CURLE_OK;

    /* On a library older than its header an unknown option fails, and so do we: none is
     * dispensable. */
#if LIBCURL_VERSION_NUM >= 0x075500
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_SOCKOPTFUNCTION, on_socket);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_SOCKOPTDATA, h);
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
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_FRESH_CONNECT, h->fresh ? 1L : 0L);
    if (rc == CURLE_OK && h->config.ca_file != NULL && h->config.ca_file[0] != '\0') {
        rc = set(e, CURLOPT_CAINFO, h->config.ca_file);
    }
    if (rc == CURLE_OK && h->config.no_proxy) {
        rc = set(e, CURLOPT_NOPROXY, "*");
    }
    return rc;
}

static CURLcode set_request(struct http *h, struct exchange *x, struct curl_slist *headers)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = h->lib.set;
    CURL *e = h->easy;
    const struct http_request *req = x->req;
    CURLcode rc = CURLE_OK;

    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_URL, req->url);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_ERRORBUFFER, x->detail);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PATH_AS_IS, 1L);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_USERAGENT, "ttytrail/" TTYTRAIL_VERSION);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_HTTPHEADER, headers);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_HEADERFUNCTION, on_header);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_HEADERDATA, x);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_WRITEFUNCTION, on_body);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_WRITEDATA, x);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PREREQFUNCTION, on_send);
    rc = rc != CURLE_OK ? rc : set(e, CURLOPT_PREREQDATA, x);
    if (rc == CURLE_OK && req->body != NULL) {
        rc = set(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
        rc = rc != CURLE_OK ? rc : set(e, CURLOPT_POSTFIELDS, (const char *)req->body);
    } else if (rc == CURLE_OK && strcmp(req->method, "HEAD") == 0) {
        rc = set(e, CURLOPT_NOBODY, 1L);
    }
    return rc != CURLE_OK ? rc : set(e, CURLOPT_CUSTOMREQUEST, req->method);
}

/* libcurl's own words ("Failed to connect to ..."), made one printable line; they may quote a
 * server. */
static const char *detail_of(const struct http *h, CURLcode rc, struct exchange *x)
{
    for (char *p = x->detail; *p != '\0'; p++) {
        *p = *p >= ' ' && *p <= '~' ? *p : '?';
    }
    return x->detail[0] != '\0' ? x->detail : h->lib.text(rc);
}

/* RETRY against the rest, once and for all. */
static int sort_error(const struct http *h, CURLcode rc, struct exchange *x, struct error *err)
{
    const char *detail = detail_of(h, rc, x);

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
                       h->config.ca_file == NULL ? "" : h->config.ca_file);
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

int http_send(struct http *h, const struct http_request *req, struct http_response *ret,
              struct error *err)
{
    struct exchange x = {.http = h, .req = req, .response = ret};
    struct curl_slist *headers = header_list(h, req);
    size_t had = req->sink == NULL ? 0 : req->sink->len;
    CURLcode rc;

    if (headers == NULL) {
        return err_set(err, ERR_SYSTEM, "libcurl: out of memory");
    }
    http_head_reset(&ret->head);
    buf_reset(&ret->body);
    /* Keeps the connections, forgets all else. */
    h->lib.easy_reset(h->easy);
    rc = set_transport(h, req);
    if (rc == CURLE_OK) {
        rc = set_request(h, &x, headers);
    }
    if (rc == CURLE_OK) {
        rc = h->lib.perform(h->easy);
    }
    h->lib.slist_free_all(headers);
    h->fresh = rc != CURLE_OK;
    if (rc == CURLE_OK) {
        return 0;
    }
    if (req->sink != NULL) {
        req->sink->len = had;
    }
    return sort_error(h, rc, &x, err);
}
