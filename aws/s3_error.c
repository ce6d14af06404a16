/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "aws/retry.h"
#include "aws/s3_private.h"
#include "aws/xml_fault.h"

static bool fault_is(const struct xml_fault *f, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(f->code, *list) == 0) {
            return true;
        }
    }
    return false;
}

static void fault_of(const struct http_response *r, struct xml_fault *ret)
{
    const char *region = http_head_get(&r->head, "x-amz-bucket-region");

    xml_fault_read(buf_data(&r->body), r->body.len, ret);
    if (*region != '\0' && strlen(region) < sizeof ret->region &&
        region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0') {
        memcpy(ret->region, region, strlen(region) + 1);
    }
}

enum s3_remedy s3_error_remedy(const struct http_response *r)
{
    struct xml_fault f;

    if (r->head.status != 400 && r->head.status != 401 && r->head.status != 403) {
        return S3_REMEDY_NONE;
    }
    fault_of(r, &f);
    switch (retry_sort(r->head.status, f.code, NULL)) {
    case RETRY_CLOCK:
        return S3_REMEDY_CLOCK;
    case RETRY_REFRESH:
        return S3_REMEDY_KEYS;
    default:
        return S3_REMEDY_NONE;
    }
}

bool s3_error_slow(const struct http_response *r)
{
    struct xml_fault f;

    fault_of(r, &f);
    return retry_sort(r->head.status, f.code, NULL) == RETRY_SLOW;
}

static int set_as(struct error *err, enum retry_sort sort, int status, const struct xml_fault *f,
                  const char *hint)
{
    static const enum err_kind kinds[] = {
        [RETRY_AGAIN] = ERR_RETRY,    [RETRY_SLOW] = ERR_RETRY,    [RETRY_CLOCK] = ERR_DENIED,
        [RETRY_REFRESH] = ERR_DENIED, [RETRY_REFUSE] = ERR_DENIED, [RETRY_WRONG] = ERR_USAGE,
        [RETRY_ABSENT] = ERR_SYSTEM,  [RETRY_TAMPER] = ERR_CORRUPT};
    bool said = *hint != '\0';

    err_set(err, kinds[sort], "%d%s%s%s%.100s%s", status, *f->code == '\0' ? "" : " ", f->code,
            said ? " (" : "", hint, said ? ")" : "");
    if (sort == RETRY_ABSENT && err != NULL) {
        err->code = ENOENT;
    }
    return -1;
}

int s3_error_sort(const struct http_response *r, const char *right, struct error *err)
{
    static const char *const keys[] = {"NoSuchKey", "NoSuchVersion", NULL};
    static const char *const elsewhere[] = {"AuthorizationHeaderMalformed",
                                            "IllegalLocationConstraintException", NULL};
    struct xml_fault f;
    int status = r->head.status;
    const char *hint;
    enum retry_sort sort;

    fault_of(r, &f);
    /* Another region means another road, past the gateway endpoint: named, never followed. */
    if (*f.region != '\0' && (status / 100 == 3 || fault_is(&f, elsewhere))) {
        return err_set(err, ERR_USAGE, "%d %s (the bucket is in region %s: set [s3] region)",
                       status, f.code, f.region);
    }
    sort = retry_sort(status, f.code, &hint);
    if (sort == RETRY_AGAIN || sort == RETRY_SLOW) {
        return set_as(err, sort, status, &f, "");
    }
    if (hint != NULL) {
        return set_as(err, sort, status, &f, hint);
    }
    if (status == 404 && *f.code == '\0' && *f.message == '\0') {
        return set_as(err, sort, status, &f, "no such bucket?");
    }
    if (fault_is(&f, keys)) {
        return set_as(err, sort, status, &f, "");
    }
    /* AWS often says who may not do what, and why; others say nothing. */
    if (status == 403 && (*f.message == '\0' || strcmp(f.message, "Access Denied") == 0)) {
        (void)err_set(err, ERR_DENIED, "403%s%s (needs %s, and a bucket policy that allows it)",
                      *f.code == '\0' ? "" : " ", f.code, right);
        return -1;
    }
    return set_as(err, sort, status, &f, status / 100 == 5 ? "" : f.message);
}
