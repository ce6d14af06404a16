/* SPDX-License-Identifier: Apache-2.0 */
/* Many exchanges at once, over as many kept connections. */
#include <poll.h>
#include <stdlib.h>

#include "aws/http_private.h"

#define CONNECTIONS_KEPT 64L

static int fail(struct error *err)
{
    return err_set(err, ERR_SYSTEM, "libcurl: out of memory");
}

static int open_multi(struct http *h, struct error *err)
{
    if (h->multi != NULL) {
        return 0;
    }
    h->multi = h->lib.multi_init();
    if (h->multi == NULL ||
        h->lib.multi_set(h->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT) != CURLM_OK ||
        h->lib.multi_set(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK) {
        return fail(err);
    }
    return 0;
}

static struct http_exchange *take_idle(struct http *h)
{
    struct http_exchange *x = h->idle;

    if (x != NULL) {
        h->idle = x->next;
        return x;
    }
    x = calloc(1, sizeof *x);
    if (x != NULL) {
        x->easy = h->lib.easy_init();
        if (x->easy == NULL) {
            free(x);
            x = NULL;
        }
    }
    return x;
}

static void put_idle(struct http *h, struct http_exchange *x)
{
    x->next = h->idle;
    h->idle = x;
}

int http_start(struct http *h, const struct http_request *req, struct http_response *ret,
               http_done_fn *done, void *user, struct error *err)
{
    struct http_exchange *x;
    CURL *easy;

    if (open_multi(h, err) != 0) {
        return -1;
    }
    x = take_idle(h);
    if (x == NULL) {
        return fail(err);
    }
    easy = x->easy;
    *x = (struct http_exchange){
        .http = h, .easy = easy, .req = *req, .response = ret, .done = done, .user = user};
    if (http_exchange_begin(x, err) != 0) {
        put_idle(h, x);
        return -1;
    }
    if (h->lib.multi_add(h->multi, easy) != CURLM_OK) {
        (void)http_exchange_end(x, CURLE_OUT_OF_MEMORY, NULL);
        put_idle(h, x);
        return fail(err);
    }
    x->next = h->active;
    h->active = x;
    h->n_active++;
    return 0;
}

static void unlink_active(struct http *h, struct http_exchange *x)
{
    struct http_exchange **at = &h->active;

    while (*at != NULL && *at != x) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = x->next;
        h->n_active--;
    }
}

/* How many have ended. */
static unsigned collect(struct http *h)
{
    unsigned n = 0;
    CURLMsg *m;
    int left;

    while ((m = h->lib.multi_info(h->multi, &left)) != NULL) {
        struct http_exchange *x = NULL;
        struct error err = {.kind = ERR_NONE};
        CURLcode rc = m->data.result;
        http_done_fn *done;
        void *user;
        int ended;

        if (m->msg != CURLMSG_DONE ||
            h->lib.getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x) != CURLE_OK ||
            x == NULL) {
            continue;
        }
        (void)h->lib.multi_remove(h->multi, x->easy);
        unlink_active(h, x);
        n++;
        done = x->done;
        user = x->user;
        ended = http_exchange_end(x, rc, &err);
        put_idle(h, x); /* what done starts may take it again */
        done(user, ended, &err);
    }
    return n;
}

static int until_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    (void)poll(&p, fd < 0 ? 0 : 1, timeout_ms);
    return 0;
}

int http_wait(struct http *h, int fd, int timeout_ms, struct error *err)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int running;

    if (h->active == NULL) {
        return until_readable(fd, timeout_ms);
    }
    for (int turn = 0; turn < 2; turn++) {
        if (h->lib.multi_perform(h->multi, &running) != CURLM_OK) {
            return fail(err);
        }
        if (collect(h) > 0 || turn > 0) {
            return 0;
        }
        if (h->lib.multi_poll(h->multi, &extra, fd < 0 ? 0 : 1, timeout_ms, NULL) != CURLM_OK) {
            return fail(err);
        }
    }
    return 0;
}

void http_cancel(struct http *h)
{
    while (h->active != NULL) {
        struct http_exchange *x = h->active;
        struct error err;

        (void)err_set(&err, ERR_RETRY, "given up");
        (void)h->lib.multi_remove(h->multi, x->easy);
        unlink_active(h, x);
        (void)http_exchange_end(x, CURLE_OK, NULL);
        put_idle(h, x);
        x->done(x->user, -1, &err);
    }
}

void http_multi_close(struct http *h)
{
    struct http_exchange *x = h->idle;

    while (x != NULL) {
        struct http_exchange *next = x->next;

        h->lib.easy_cleanup(x->easy);
        free(x);
        x = next;
    }
    h->idle = NULL;
    if (h->multi != NULL) {
        (void)h->lib.multi_cleanup(h->multi);
        h->multi = NULL;
    }
}
