/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "aws/creds.h"
#include "aws/s3_private.h"
#include "common/clock.h"

#define SHOWN_OF_A_KEY 72 /* an error's text is short, and its end is what matters */

int s3_call_param(struct buf *query, const char *name, const char *value, struct error *err)
{
    if (query->len > 0 && buf_putc(query, '&', err) != 0) {
        return -1;
    }
    if (sigv4_encode(query, name, strlen(name), false, err) != 0 ||
        buf_putc(query, '=', err) != 0) {
        return -1;
    }
    return sigv4_encode(query, value, strlen(value), false, err);
}

int s3_call_wrap(const struct s3 *s, const char *verb, const char *key, struct error *err)
{
    bool whole = strlen(key) <= SHOWN_OF_A_KEY;

    return err_wrap(err, "%s s3://%s/%.*s%s", verb, s->config.bucket, SHOWN_OF_A_KEY, key,
                    whole ? "" : "...");
}

/* A Date of whole seconds is half a second old on average. */
static void note_skew(struct s3 *s, const struct http_response *r)
{
    int64_t server_us;

    if (http_head_time(http_head_get(&r->head, "date"), &server_us) == 0) {
        s->seen_skew_us = server_us + 500000 - clock_unix_us();
    }
}

static int send_once(struct s3 *s, const struct s3_call *call, struct s3_tried *tried,
                     struct http_response *ret, struct error *err)
{
    struct http_request req;
    struct s3_draft d;
    int rc = -1;

    s3_draft_init(&d);
    if (s3_draft_make(&d, s, call, err) == 0 && s3_draft_request(&d, call, &req, err) == 0 &&
        http_send(s->http, &req, ret, err) == 0) {
        note_skew(s, ret);
        rc = 0;
    }
    tried->generation = d.generation;
    s3_draft_clear(&d);
    return rc;
}

/* Whether the call is worth making again, now that what the server complained of is put right. */
static bool remedied(struct s3 *s, const struct http_response *r, struct s3_tried *tried)
{
    enum s3_remedy remedy = r->head.status / 100 == 2 ? S3_REMEDY_NONE : s3_error_remedy(r);

    if (remedy == S3_REMEDY_CLOCK && !tried->clock) {
        tried->clock = true;
        s->sign_skew_us = s->seen_skew_us;
        return true;
    }
    if (remedy == S3_REMEDY_KEYS && !tried->keys) {
        tried->keys = true;
        creds_refused(s->config.creds, tried->generation);
        return true;
    }
    return false;
}

int s3_call_send(struct s3 *s, const struct s3_call *call, struct http_response *ret,
                 struct error *err)
{
    struct s3_tried tried = {.clock = false};

    do {
        if (send_once(s, call, &tried, ret, err) != 0) {
            return -1;
        }
    } while (remedied(s, ret, &tried));
    return 0;
}

static void ended(void *user, int rc, const struct error *err)
{
    struct s3_flight *f = user;
    struct error again;

    f->tried.generation = f->draft.generation;
    s3_draft_clear(&f->draft);
    if (rc == 0) {
        note_skew(f->s, &f->response);
        if (remedied(f->s, &f->response, &f->tried)) {
            if (s3_flight_start(f, &again) == 0) {
                return;
            }
            rc = -1;
            err = &again;
        }
    }
    f->done(f, rc, err);
}

int s3_flight_start(struct s3_flight *f, struct error *err)
{
    struct http_request req;

    s3_draft_init(&f->draft);
    if (s3_draft_make(&f->draft, f->s, &f->call, err) == 0 &&
        s3_draft_request(&f->draft, &f->call, &req, err) == 0 &&
        http_start(f->s->http, &req, &f->response, ended, f, err) == 0) {
        return 0;
    }
    s3_draft_clear(&f->draft);
    return -1;
}
