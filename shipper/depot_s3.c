/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/creds.h"
#include "aws/s3.h"
#include "shipper/depot.h"

struct depot_s3 {
    struct depot head;
    struct s3 *s3;
    struct creds *creds;
    char *prefix; /* "" or with its final slash */
};

static int key_of(const struct depot_s3 *t, const char *name, char ret[DEPOT_NAME_MAX + 1],
                  struct error *err)
{
    size_t p = strlen(t->prefix), n = strlen(name);

    if (p + n > DEPOT_NAME_MAX) {
        return err_set(err, ERR_LIMIT, "name of an object is longer than S3 allows");
    }
    memcpy(ret, t->prefix, p);
    memcpy(ret + p, name, n + 1);
    return 0;
}

/* What is wrong with settings and surroundings is a failure; the words of a command are not. */
static int failed(int rc, struct error *err)
{
    if (rc == -1 && err != NULL && err->kind == ERR_USAGE) {
        err->kind = ERR_SYSTEM;
        err->code = 0;
    }
    return rc;
}

static struct s3_put put_of(const struct depot_put *put, const char *key)
{
    return (struct s3_put){.key = key,
                           .bytes = put->bytes,
                           .len = put->len,
                           .stream = put->stream,
                           .sha256 = put->sha256,
                           .md5 = put->md5,
                           .content_type = put->content_type,
                           .fresh = put->fresh,
                           .bytes_s = put->bytes_s};
}

static enum depot_put_result result_of(enum s3_put_result r)
{
    return r == S3_PUT_CONFIRMED ? DEPOT_PUT_CONFIRMED : DEPOT_PUT_EXISTS;
}

static int bucket_put(struct depot *s, const struct depot_put *put, enum depot_put_result *ret,
                      struct error *err)
{
    struct depot_s3 *t = (struct depot_s3 *)s;
    char key[DEPOT_NAME_MAX + 1] = "";
    struct s3_put p = put_of(put, key);
    enum s3_put_result r;

    if (key_of(t, put->name, key, err) != 0 || s3_put(t->s3, &p, &r, err) != 0) {
        return failed(-1, err);
    }
    *ret = result_of(r);
    return 0;
}

/* One of many: its key lives as long as it. */
struct sending {
    depot_done_fn *done;
    void *user;
    char key[DEPOT_NAME_MAX + 1];
};

static void sent(void *user, const struct s3_put_answer *a)
{
    struct sending *x = user;
    struct depot_answer answer = {.rc = a->rc,
                                  .result = result_of(a->result),
                                  .err = a->err,
                                  .slow = a->slow,
                                  .asked_us = a->asked_us};

    (void)failed(answer.rc, &answer.err);
    x->done(x->user, &answer);
    free(x);
}

static int bucket_start(struct depot *s, const struct depot_put *put, depot_done_fn *done,
                        void *user, struct error *err)
{
    struct depot_s3 *t = (struct depot_s3 *)s;
    struct sending *x = calloc(1, sizeof *x);
    struct s3_put p;

    if (x == NULL) {
        return err_sys(err, "allocate");
    }
    p = put_of(put, x->key);
    x->done = done;
    x->user = user;
    if (key_of(t, put->name, x->key, err) != 0 || s3_put_start(t->s3, &p, sent, x, err) != 0) {
        free(x);
        return failed(-1, err);
    }
    return 0;
}

static int bucket_wait(struct depot *s, int fd, int timeout_ms, struct error *err)
{
    return s3_wait(((struct depot_s3 *)s)->s3, fd, timeout_ms, err);
}

static void bucket_cancel(struct depot *s)
{
    s3_cancel(((struct depot_s3 *)s)->s3);
}

static bool bucket_wants_md5(const struct depot *s)
{
    return s3_wants_md5(((const struct depot_s3 *)s)->s3);
}

static int64_t bucket_skew_us(const struct depot *s)
{
    return s3_sign_skew_us(((const struct depot_s3 *)s)->s3);
}

static int64_t bucket_seen_skew_us(const struct depot *s)
{
    return s3_skew_us(((const struct depot_s3 *)s)->s3);
}

static int bucket_get(struct depot *s, const char *name, const char *version, size_t max_bytes,
                      struct buf *ret, struct error *err)
{
    struct depot_s3 *t = (struct depot_s3 *)s;
    char key[DEPOT_NAME_MAX + 1];

    if (key_of(t, name, key, err) != 0) {
        return -1;
    }
    return failed(s3_get(t->s3, key, version, 0, 0, max_bytes, ret, err), err);
}

static int bucket_get_range(struct depot *s, const char *name, const char *version, uint64_t offset,
                            size_t len, struct buf *ret, struct error *err)
{
    struct depot_s3 *t = (struct depot_s3 *)s;
    char key[DEPOT_NAME_MAX + 1];
    size_t before = ret->len;

    if (key_of(t, name, key, err) != 0 ||
        s3_get(t->s3, key, version, offset, len, before + len, ret, err) != 0) {
        return failed(-1, err);
    }
    return ret->len == before + len ? 0 : err_set(err, ERR_CORRUPT, "shorter than it was listed");
}

struct listing {
    size_t skip; /* bytes of the prefix */
    depot_list_fn *cb;
    void *user;
};

static int pass_on(void *user, const struct s3_item *i)
{
    struct listing *l = user;
    struct depot_item item = {.name = i->key + l->skip,
                              .version = i->version,
                              .size = i->size,
                              .modified_us = i->modified_us,
                              .delete_marker = i->delete_marker};

    return strlen(i->key) < l->skip ? 0 : l->cb(l->user, &item);
}

static int bucket_list(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
                       struct error *err)
{
    struct depot_s3 *t = (struct depot_s3 *)s;
    struct listing l = {strlen(t->prefix), cb, user};
    char key[DEPOT_NAME_MAX + 1];

    if (key_of(t, prefix, key, err) != 0) {
        return -1;
    }
    return failed(s3_list(t->s3, key, NULL, pass_on, &l, err), err);
}

static int bucket_list_after(struct depot *s, const char *prefix, const char *after,
                             depot_list_fn *cb, void *user, struct error *err)
{
    struct depot_s3 *t = (struct depot_s3 *)s;
    struct listing l = {strlen(t->prefix), cb, user};
    char key[DEPOT_NAME_MAX + 1], start[DEPOT_NAME_MAX + 1];

    if (key_of(t, prefix, key, err) != 0 || key_of(t, after, start, err) != 0) {
        return -1;
    }
    return failed(s3_list(t->s3, key, *after == '\0' ? NULL : start, pass_on, &l, err), err);
}

static int bucket_list_versions(struct depot *s, const char *prefix, depot_list_fn *cb, void *user,
                                struct error *err)
{
    struct depot_s3 *t = (struct depot_s3 *)s;
    struct listing l = {strlen(t->prefix), cb, user};
    char key[DEPOT_NAME_MAX + 1];
    int rc;

    if (key_of(t, prefix, key, err) != 0) {
        return -1;
    }
    rc = failed(s3_list_versions(t->s3, key, pass_on, &l, err), err);
    /* A right of its own that auditors may lack: then we see what a plain listing shows. */
    return rc == -1 && err->kind == ERR_DENIED ? 1 : rc;
}

static void bucket_close(struct depot *s)
{
    struct depot_s3 *t = (struct depot_s3 *)s;

    if (t->s3 != NULL) {
        s3_close(t->s3);
    }
    if (t->creds != NULL) {
        creds_close(t->creds);
    }
    free(t->prefix);
    free(t);
}

const struct depot_type depot_s3_type = {
    .scheme = "s3",
    .put = bucket_put,
    .get = bucket_get,
    .get_range = bucket_get_range,
    .list = bucket_list,
    .list_versions = bucket_list_versions,
    .list_after = bucket_list_after,
    .close = bucket_close,
    .start = bucket_start,
    .wait = bucket_wait,
    .cancel = bucket_cancel,
    .wants_md5 = bucket_wants_md5,
    .skew_us = bucket_skew_us,
    .seen_skew_us = bucket_seen_skew_us,
};

/* "a/b" and "a/b/" become "a/b/". */
static char *prefix_of(const char *text)
{
    size_t n = strlen(text);
    char *ret;

    while (n > 0 && text[n - 1] == '/') {
        n--;
    }
    ret = calloc(1, n + 2);
    if (ret != NULL && n > 0) {
        memcpy(ret, text, n);
        ret[n] = '/';
    }
    return ret;
}

int depot_s3_open(struct depot **ret, const char *bucket, const char *prefix,
                  const struct conf *conf, struct depot *beside, struct error *err)
{
    static const char *const locks[] = {[CONF_LOCK_BUCKET] = "",
                                        [CONF_LOCK_GOVERNANCE] = "GOVERNANCE",
                                        [CONF_LOCK_COMPLIANCE] = "COMPLIANCE"};
    struct depot_s3 *t = calloc(1, sizeof *t);
    struct s3_config config = {
        .endpoint = conf->s3_endpoint,
        .region = conf->s3_region,
        .bucket = bucket,
        .path_style = conf->s3_path_style != 0,
        .expected_owner = conf->s3_expected_owner,
        .kms_key = conf->s3_kms_key,
        .sse_s3 = conf->s3_sse == CONF_SSE_S3,
        .sse_kms = conf->s3_sse == CONF_SSE_KMS,
        .bucket_key = conf->s3_bucket_key != 0,
        .storage_class = conf->s3_storage_class,
        .tags = conf->s3_tags,
        .lock_mode = locks[conf->s3_lock_mode],
        .lock_days = conf->s3_lock_days,
        .legal_hold = conf->s3_legal_hold != 0,
        .confirm_head = conf->confirm == CONF_CONFIRM_HEAD,
        .ca_file = conf->s3_ca_file,
    };

    if (conf->s3_lock_mode != CONF_LOCK_BUCKET && conf->s3_lock_days == 0) {
        free(t);
        return err_set(err, ERR_USAGE, "[s3] lock_mode needs lock_days");
    }
    if (t == NULL || (t->prefix = prefix_of(prefix)) == NULL) {
        free(t);
        return err_sys(err, "allocate");
    }
    t->head.type = &depot_s3_type;
    if ((beside == NULL ? creds_open(&t->creds, err)
                        : creds_share(((struct depot_s3 *)beside)->creds, &t->creds, err)) != 0) {
        bucket_close(&t->head);
        return failed(-1, err);
    }
    config.creds = t->creds;
    if (s3_open(&t->s3, &config, err) != 0) {
        bucket_close(&t->head);
        return failed(-1, err);
    }
    *ret = &t->head;
    return 0;
}
