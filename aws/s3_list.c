/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "aws/s3_private.h"

/* Where a listing stands between two pages. */
struct cursor {
    bool versions;
    const char *prefix, *start_after;
    struct s3_page page; /* of the page before; empty at first */
};

/* In order of name, as the signature wants them. */
static int make_query(const struct cursor *c, struct buf *query, struct error *err)
{
    const struct s3_page *p = &c->page;
    const struct {
        const char *name, *value;
        bool wanted;
    } params[] = {
        {"continuation-token", p->token, *p->token != '\0'},
        {"encoding-type", "url", true},
        {"key-marker", p->key_marker, *p->key_marker != '\0'},
        {"list-type", "2", !c->versions},
        {"max-keys", "1000", true},
        {"prefix", c->prefix, *c->prefix != '\0'},
        {"start-after", c->start_after, *c->start_after != '\0'},
        {"version-id-marker", p->version_marker, *p->version_marker != '\0'},
        {"versions", "", c->versions},
    };

    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        if (params[i].wanted && s3_call_param(query, params[i].name, params[i].value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* A server that gives the same page again and again would keep us here for ever. */
static int check_progress(const struct cursor *c, const struct s3_page *next, struct error *err)
{
    bool same = strcmp(c->page.token, next->token) == 0 &&
                strcmp(c->page.key_marker, next->key_marker) == 0 &&
                strcmp(c->page.version_marker, next->version_marker) == 0;

    return next->truncated && same
               ? err_set(err, ERR_CORRUPT, "the listing does not go on where it was cut")
               : 0;
}

static int list_page(struct s3 *s, struct cursor *c, s3_list_fn *cb, void *user, struct error *err)
{
    struct http_response response;
    struct buf query, body;
    struct s3_page next = {0};
    struct s3_call call = {.method = "GET", .sink = &body};
    int rc = -1;

    http_response_init(&response);
    buf_init(&query, S3_MAX_QUERY);
    buf_init(&body, S3_MAX_PAGE);
    if (make_query(c, &query, err) != 0 || (call.query = buf_text(&query, err)) == NULL ||
        s3_call_send(s, &call, &response, err) != 0) {
        goto out;
    }
    if (response.head.status != 200) {
        s3_error_sort(&response, c->versions ? "s3:ListBucketVersions" : "s3:ListBucket", err);
        goto out;
    }
    rc = s3_xml_page(buf_data(&body), body.len, &next, cb, user, err);
    if (rc == 0) {
        rc = check_progress(c, &next, err);
        c->page = next;
    }
out:
    buf_clear(&body);
    buf_clear(&query);
    http_response_clear(&response);
    return rc;
}

static int list_all(struct s3 *s, bool versions, const char *prefix, const char *start_after,
                    s3_list_fn *cb, void *user, struct error *err)
{
    struct cursor *c = calloc(1, sizeof *c);
    struct error local = {0};
    int rc;

    if (c == NULL) {
        return err_sys(err, "allocate");
    }
    c->versions = versions;
    c->prefix = prefix == NULL ? "" : prefix;
    c->start_after = start_after == NULL ? "" : start_after;
    do {
        rc = list_page(s, c, cb, user, &local);
    } while (rc == 0 && c->page.truncated);
    /* What the callback returned goes up as it is; err is set by whoever failed. */
    if (local.kind != ERR_NONE && err != NULL) {
        *err = local;
        s3_call_wrap(s, "list", c->prefix, err);
    }
    free(c);
    return rc;
}

int s3_list(struct s3 *s, const char *prefix, const char *start_after_or_null, s3_list_fn *cb,
            void *user, struct error *err)
{
    return list_all(s, false, prefix, start_after_or_null, cb, user, err);
}

int s3_list_versions(struct s3 *s, const char *prefix, s3_list_fn *cb, void *user,
                     struct error *err)
{
    return list_all(s, true, prefix, NULL, cb, user, err);
}
