/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "aws/s3_private.h"

static int absent(struct error *err)
{
    err_set(err, ERR_SYSTEM, "404 NoSuchKey");
    if (err != NULL) {
        err->code = ENOENT;
    }
    return -1;
}

/* A server that does not know Range answers 200 with the whole. */
static int take_range(const struct http_response *r, const struct buf *body, uint64_t offset,
                      uint64_t len, struct buf *ret, struct error *err)
{
    size_t from = r->head.status == 206 ? 0 : (size_t)offset;

    if (body->len < from || body->len - from < len || (r->head.status == 206 && body->len != len)) {
        return err_set(err, ERR_CORRUPT, "the object ends before byte %" PRIu64, offset + len);
    }
    return buf_append(ret, buf_data(body) + from, (size_t)len, err);
}

int s3_get(struct s3 *s, const char *key, const char *version_or_null, uint64_t offset,
           uint64_t len, size_t max_bytes, struct buf *ret, struct error *err)
{
    struct http_response response;
    struct buf query, body;
    char range[64];
    struct sigv4_header header = {"Range", range};
    struct s3_call call = {.method = "GET", .key = key, .sink = &body};
    int rc = -1;

    http_response_init(&response);
    buf_init(&query, S3_MAX_QUERY);
    buf_init(&body, max_bytes);
    if (len > max_bytes || offset > INT64_MAX) {
        err_set(err, ERR_LIMIT, "%" PRIu64 " bytes of at most %zu", len, max_bytes);
        goto out;
    }
    if (len > 0) {
        (void)snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, offset, offset + len - 1);
        call.headers = &header;
        call.header_count = 1;
    }
    if (version_or_null != NULL && *version_or_null != '\0') {
        if (s3_call_param(&query, "versionId", version_or_null, err) != 0) {
            goto out;
        }
        call.query = buf_text(&query, err);
        if (call.query == NULL) {
            goto out;
        }
    }
    if (s3_call_send(s, &call, &response, err) != 0) {
        goto out;
    }
    if (response.head.status == 200 || response.head.status == 206) {
        rc = len > 0 ? take_range(&response, &body, offset, len, ret, err)
                     : buf_append(ret, buf_data(&body), body.len, err);
    } else if (response.head.status == 405) {
        rc = absent(err); /* the version is a delete marker */
    } else {
        rc = s3_error_sort(&response, "s3:GetObject", err);
    }
out:
    if (rc != 0) {
        s3_call_wrap(s, "get", key, err);
    }
    buf_clear(&body);
    buf_clear(&query);
    http_response_clear(&response);
    return rc;
}
