/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "aws/s3_private.h"
#include "aws/xml_fault.h"

enum sort_as { AS_RETRY, AS_DENIED, AS_USAGE, AS_CORRUPT, AS_ABSENT };

/* Codes that say more than their status.  Source: the S3 API reference's list of error responses.
 */
static const struct {
    const char *code;
    enum sort_as as;
    const char *hint;
} codes[] = {
    {"RequestTimeout", AS_RETRY, NULL},
    {"SlowDown", AS_RETRY, NULL},
    {"InternalError", AS_RETRY, NULL},
    {"ServiceUnavailable", AS_RETRY, NULL},
    {"OperationAborted", AS_RETRY, NULL},
    {"ConditionalRequestConflict", AS_RETRY, NULL},
    {"Throttling", AS_RETRY, NULL},
    {"ThrottlingException", AS_RETRY, NULL},
    {"RequestLimitExceeded", AS_RETRY, NULL},
    {"IncompleteBody", AS_RETRY, NULL},
    {"RequestTimeTooSkewed", AS_DENIED, "this host's clock is wrong"},
    {"ExpiredToken", AS_DENIED, "the credentials have expired and no newer ones were found"},
    {"ExpiredTokenException", AS_DENIED,
     "the credentials have expired and no newer ones were found"},
    {"TokenRefreshRequired", AS_DENIED, "the credentials have to be renewed"},
    {"InvalidToken", AS_DENIED, "the session token does not belong to these keys"},
    {"InvalidAccessKeyId", AS_DENIED, "the server does not know this access key"},
    {"SignatureDoesNotMatch", AS_DENIED, "the secret key is not this access key's"},
    {"BadDigest", AS_CORRUPT, "the body is not what its checksum says"},
    {"InvalidDigest", AS_CORRUPT, "the body is not what its checksum says"},
    {"XAmzContentSHA256Mismatch", AS_CORRUPT, "the body is not what its checksum says"},
    {"NoSuchBucket", AS_USAGE, "there is no such bucket"},
    {"NoSuchKey", AS_ABSENT, NULL},
    {"NoSuchVersion", AS_ABSENT, NULL},
    {"InvalidRange", AS_CORRUPT, "the object is shorter than it should be"},
};

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
    static const char *const keys[] = {"ExpiredToken",         "ExpiredTokenException",
                                       "TokenRefreshRequired", "InvalidAccessKeyId",
                                       "InvalidToken",         NULL};
    static const char *const clock[] = {"RequestTimeTooSkewed", "RequestExpired", NULL};
    struct xml_fault f;

    if (r->head.status != 400 && r->head.status != 401 && r->head.status != 403) {
        return S3_REMEDY_NONE;
    }
    fault_of(r, &f);
    return fault_is(&f, clock)  ? S3_REMEDY_CLOCK
           : fault_is(&f, keys) ? S3_REMEDY_KEYS
                                : S3_REMEDY_NONE;
}

static enum sort_as sort_status(int status)
{
    switch (status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return AS_RETRY;
    case 401:
    case 403:
        return AS_DENIED;
    case 404:
        return AS_ABSENT;
    default:
        return AS_USAGE;
    }
}

static int set_as(struct error *err, enum sort_as as, int status, const struct xml_fault *f,
                  const char *hint)
{
    static const enum err_kind kinds[] = {[AS_RETRY] = ERR_RETRY,
                                          [AS_DENIED] = ERR_DENIED,
                                          [AS_USAGE] = ERR_USAGE,
                                          [AS_CORRUPT] = ERR_CORRUPT,
                                          [AS_ABSENT] = ERR_SYSTEM};
    bool said = *hint != '\0';

    err_set(err, kinds[as], "%d%s%s%s%.100s%s", status, *f->code == '\0' ? "" : " ", f->code,
            said ? " (" : "", hint, said ? ")" : "");
    if (as == AS_ABSENT && err != NULL) {
        err->code = ENOENT;
    }
    return -1;
}

int s3_error_sort(const struct http_response *r, const char *right, struct error *err)
{
    static const char *const elsewhere[] = {"AuthorizationHeaderMalformed",
                                            "IllegalLocationConstraintException", NULL};
    struct xml_fault f;
    int status = r->head.status;

    fault_of(r, &f);
    /* Another region means another road, past the gateway endpoint: named, never followed. */
    if (*f.region != '\0' && (status / 100 == 3 || fault_is(&f, elsewhere))) {
        return err_set(err, ERR_USAGE, "%d %s (the bucket is in region %s: set [s3] region)",
                       status, f.code, f.region);
    }
    /* Whatever word comes with it: the trouble is the server's. */
    if (sort_status(status) == AS_RETRY) {
        return set_as(err, AS_RETRY, status, &f, "");
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(f.code, codes[i].code) == 0) {
            return set_as(err, codes[i].as, status, &f, codes[i].hint == NULL ? "" : codes[i].hint);
        }
    }
    if (strncmp(f.code, "KMS.", 4) == 0) {
        return set_as(err, AS_DENIED, status, &f, f.message);
    }
    if (status == 404 && *f.code == '\0' && *f.message == '\0') {
        return set_as(err, AS_ABSENT, status, &f, "no such bucket?");
    }
    /* AWS often says who may not do what, and why; others say nothing. */
    if (status == 403 && (*f.message == '\0' || strcmp(f.message, "Access Denied") == 0)) {
        (void)err_set(err, ERR_DENIED, "403%s%s (needs %s, and a bucket policy that allows it)",
                      *f.code == '\0' ? "" : " ", f.code, right);
        return -1;
    }
    return set_as(err, sort_status(status), status, &f, status / 100 == 5 ? "" : f.message);
}
