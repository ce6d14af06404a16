/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/retry.h"

#include <stddef.h>
#include <string.h>

#include "aws/http_head.h"

#define BASE_US      100000
#define BASE_SLOW_US 500000
#define MOST_US      5000000
#define MOST_SLOW_US 20000000

/* Codes that say more than their status. */
static const struct {
    const char *code;
    enum retry_sort sort;
    const char *hint;
} codes[] = {
    {"RequestTimeout", RETRY_AGAIN, NULL},
    {"SlowDown", RETRY_SLOW, NULL},
    {"InternalError", RETRY_AGAIN, NULL},
    {"ServiceUnavailable", RETRY_SLOW, NULL},
    {"OperationAborted", RETRY_AGAIN, NULL},
    {"ConditionalRequestConflict", RETRY_AGAIN, NULL},
    {"Throttling", RETRY_SLOW, NULL},
    {"ThrottlingException", RETRY_SLOW, NULL},
    {"RequestLimitExceeded", RETRY_SLOW, NULL},
    {"RequestThrottled", RETRY_SLOW, NULL},
    {"IncompleteBody", RETRY_AGAIN, NULL},
    {"RequestTimeTooSkewed", RETRY_CLOCK, "this host's clock is wrong"},
    {"RequestExpired", RETRY_CLOCK, "this host's clock is wrong"},
    {"ExpiredToken", RETRY_REFRESH, "the credentials have expired and no newer ones were found"},
    {"ExpiredTokenException", RETRY_REFRESH,
     "the credentials have expired and no newer ones were found"},
    {"TokenRefreshRequired", RETRY_REFRESH, "the credentials have to be renewed"},
    {"InvalidToken", RETRY_REFRESH, "the session token does not belong to these keys"},
    {"InvalidAccessKeyId", RETRY_REFRESH, "the server does not know this access key"},
    {"SignatureDoesNotMatch", RETRY_REFUSE, "the secret key is not this access key's"},
    {"BadDigest", RETRY_TAMPER, "the body is not what its checksum says"},
    {"InvalidDigest", RETRY_TAMPER, "the body is not what its checksum says"},
    {"XAmzContentSHA256Mismatch", RETRY_TAMPER, "the body is not what its checksum says"},
    {"NoSuchBucket", RETRY_WRONG, "there is no such bucket"},
    {"NoSuchKey", RETRY_ABSENT, NULL},
    {"NoSuchVersion", RETRY_ABSENT, NULL},
    {"InvalidRange", RETRY_TAMPER, "the object is shorter than it should be"},
};

static enum retry_sort sort_status(int status)
{
    switch (status) {
    case 0:
    case 408:
    case 500:
    case 502:
    case 504:
        return RETRY_AGAIN;
    case 429:
    case 503:
        return RETRY_SLOW;
    case 401:
    case 403:
        return RETRY_REFUSE;
    case 404:
        return RETRY_ABSENT;
    default:
        return RETRY_WRONG;
    }
}

enum retry_sort retry_sort(int status, const char *code, const char **ret_hint)
{
    enum retry_sort by_status = sort_status(status);

    if (ret_hint != NULL) {
        *ret_hint = NULL;
    }
    /* Whatever word comes with it: the trouble is the server's. */
    if (by_status == RETRY_AGAIN || by_status == RETRY_SLOW) {
        return by_status;
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(code, codes[i].code) == 0) {
            if (ret_hint != NULL) {
                *ret_hint = codes[i].hint;
            }
            return codes[i].sort;
        }
    }
    return strncmp(code, "KMS.", 4) == 0 ? RETRY_REFUSE : by_status;
}

int64_t retry_wait_us(unsigned try_number, bool slow, uint32_t random, int64_t asked_us)
{
    int64_t bound = slow ? BASE_SLOW_US : BASE_US, most = slow ? MOST_SLOW_US : MOST_US, wait;

    for (unsigned i = 0; i < try_number && bound < most; i++) {
        bound *= 2;
    }
    bound = bound > most ? most : bound;
    wait = (int64_t)(((uint64_t)random * (uint64_t)bound) >> 32);
    return wait < asked_us ? asked_us : wait;
}

int64_t retry_after_us(const char *text, int64_t now_us)
{
    int64_t us = 0;

    if (http_head_time(text, &us) == 0) {
        us -= now_us;
    } else {
        for (; *text >= '0' && *text <= '9' && us < RETRY_ASKED_MAX_US; text++) {
            us = us * 10 + (*text - '0') * INT64_C(1000000);
        }
        us = *text == '\0' || us >= RETRY_ASKED_MAX_US ? us : 0;
    }
    us = us < 0 ? 0 : us;
    return us > RETRY_ASKED_MAX_US ? RETRY_ASKED_MAX_US : us;
}

bool retry_take(struct retry_bucket *b)
{
    if (b->spent + RETRY_COST > RETRY_BUCKET) {
        return false;
    }
    b->spent += RETRY_COST;
    return true;
}

void retry_give(struct retry_bucket *b, bool after_retry)
{
    b->spent -= after_retry ? RETRY_COST : 1;
    b->spent = b->spent < 0 ? 0 : b->spent;
}
