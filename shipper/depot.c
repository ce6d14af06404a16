/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/depot.h"

#include <poll.h>
#include <string.h>

bool depot_is_url(const char *text)
{
    return strncmp(text, "file://", 7) == 0 || strncmp(text, "s3://", 5) == 0;
}

static int open_bucket(struct depot **ret, const char *rest, const struct conf *conf,
                       struct depot *beside, struct error *err)
{
    size_t n = strcspn(rest, "/");
    const char *prefix = rest[n] == '/' ? rest + n + 1 : "";
    char bucket[64];

    if (n < 3 || n >= sizeof bucket) {
        return err_set(err, ERR_USAGE, "s3://%.80s: no name of a bucket", rest);
    }
    memcpy(bucket, rest, n);
    bucket[n] = '\0';
    return depot_s3_open(ret, bucket, prefix, conf, beside, err);
}

int depot_open(struct depot **ret, const char *url, const struct conf *conf, struct error *err)
{
    return depot_open_beside(ret, NULL, url, conf, err);
}

int depot_open_beside(struct depot **ret, struct depot *s, const char *url, const struct conf *conf,
                      struct error *err)
{
    if (strncmp(url, "s3://", 5) == 0) {
        return open_bucket(ret, url + 5, conf, s != NULL && s->type == &depot_s3_type ? s : NULL,
                           err);
    }
    if (strncmp(url, "file://", 7) == 0) {
        if (url[7] != '/') {
            return err_set(err, ERR_USAGE, "%.80s: file URLs have three slashes and a whole path",
                           url);
        }
        return depot_file_open(ret, url + 7, err);
    }
    if (url[0] == '/') {
        return depot_file_open(ret, url, err);
    }
    return err_set(err, ERR_USAGE, "%.80s: neither file:///DIR nor s3://BUCKET/PREFIX", url);
}

void depot_close(struct depot *s)
{
    if (s != NULL) {
        s->type->close(s);
    }
}

int depot_put(struct depot *s, const struct depot_put *put, enum depot_put_result *ret,
              struct error *err)
{
    return s->type->put(s, put, ret, err);
}

int depot_start(struct depot *s, const struct depot_put *put, depot_done_fn *done, void *user,
                struct error *err)
{
    struct depot_answer a = {.rc = 0};

    if (s->type->start != NULL) {
        return s->type->start(s, put, done, user, err);
    }
    a.rc = s->type->put(s, put, &a.result, &a.err);
    done(user, &a);
    return 0;
}

int depot_wait(struct depot *s, int fd, int timeout_ms, struct error *err)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (s->type->wait != NULL) {
        return s->type->wait(s, fd, timeout_ms, err);
    }
    (void)poll(&p, fd < 0 ? 0 : 1, timeout_ms);
    return 0;
}

void depot_cancel(struct depot *s)
{
    if (s->type->cancel != NULL) {
        s->type->cancel(s);
    }
}

bool depot_wants_md5(const struct depot *s)
{
    return s->type->wants_md5 != NULL && s->type->wants_md5(s);
}

int64_t depot_skew_us(const struct depot *s)
{
    return s->type->skew_us == NULL ? 0 : s->type->skew_us(s);
}

int64_t depot_seen_skew_us(const struct depot *s)
{
    return s->type->seen_skew_us == NULL ? 0 : s->type->seen_skew_us(s);
}

int depot_get(struct depot *s, const char *name, const char *version_or_null, size_t max_bytes,
              struct buf *ret, struct error *err)
{
    return s->type->get(s, name, version_or_null, max_bytes, ret, err);
}

int depot_get_range(struct depot *s, const char *name, const char *version_or_null, uint64_t offset,
                    size_t len, struct buf *ret, struct error *err)
{
    return s->type->get_range(s, name, version_or_null, offset, len, ret, err);
}

int depot_list(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
               struct error *err)
{
    return s->type->list(s, prefix, cb, user, err);
}

struct after {
    const char *name;
    depot_list_fn *cb;
    void *user;
};

static int those_after(void *user, const struct depot_item *item)
{
    const struct after *a = user;

    return strcmp(item->name, a->name) > 0 ? a->cb(a->user, item) : 0;
}

int depot_list_after(struct depot *s, const char *prefix, const char *after, depot_list_fn *cb,
                     void *user, struct error *err)
{
    struct after a = {after, cb, user};

    return s->type->list_after != NULL ? s->type->list_after(s, prefix, after, cb, user, err)
                                       : s->type->list(s, prefix, those_after, &a, err);
}

int depot_list_versions(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
                        struct error *err)
{
    if (s->type->list_versions == NULL) {
        return 1;
    }
    return s->type->list_versions(s, prefix, cb, user, err);
}
