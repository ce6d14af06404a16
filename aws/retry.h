/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to ask again: every answer of S3 sorted once into what helps against it, how long to wait,
 * and how often in all.  Pure: no clock, no randomness, no transport of its own.  Sources: the S3
 * API reference's list of error responses; the AWS SDKs' "standard" retry mode.
 */
#ifndef TTYTRAIL_AWS_RETRY_H
#define TTYTRAIL_AWS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum retry_sort {
    RETRY_AGAIN,   /* the server's or the network's trouble: the same again, later */
    RETRY_SLOW,    /* the same, and it asks us to slow down */
    RETRY_CLOCK,   /* again, with the clock put right */
    RETRY_REFRESH, /* again, with fresh credentials */
    RETRY_REFUSE,  /* somebody has to grant something */
    RETRY_WRONG,   /* refused too: what was asked makes no sense there */
    RETRY_ABSENT,  /* refused too: there is no such object */
    RETRY_TAMPER   /* what arrived is not what was sent */
};

/** retry_sort(status, code, ret_hint): An answer that is no success by its status and S3's code
 * ("": none); status 0: there was no answer.  *ret_hint (NULL allowed) gets words for people, or
 * NULL. */
enum retry_sort retry_sort(int status, const char *code, const char **ret_hint);

/** retry_wait_us(try_number, slow, random, asked_us): How long to wait before try ${try_number}
 * (from 1): full jitter, ${random} of 2^32, below 100 ms * 2^try_number, at most 5 s (500 ms and
 * 20 s when told to slow down); never less than the server asked for. */
int64_t retry_wait_us(unsigned try_number, bool slow, uint32_t random, int64_t asked_us);

#define RETRY_ASKED_MAX_US INT64_C(300000000)
/** retry_after_us(text, now_us): A Retry-After header: seconds or a date, as time from ${now_us}
 * (unix); 0 for none or nonsense, at most RETRY_ASKED_MAX_US. */
int64_t retry_after_us(const char *text, int64_t now_us);

/* What all retries together may cost while nothing succeeds: a store that is down is not asked by
 * every object as often as by one. */
#define RETRY_BUCKET 500
#define RETRY_COST   5
struct retry_bucket {
    int spent; /* of RETRY_BUCKET */
};
/** retry_take(b): Whether one more retry is allowed; it is paid for then. */
bool retry_take(struct retry_bucket *b);
/** retry_give(b, after_retry): Something succeeded: its retry's price comes back, or a little. */
void retry_give(struct retry_bucket *b, bool after_retry);

#endif
