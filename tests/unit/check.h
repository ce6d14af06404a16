/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of common and storage share: cmocka with all that it needs included before it,
 * calls that must not fail, and numbers that look random but are the same in every run. */
#ifndef TTYTRAIL_TESTS_UNIT_CHECK_H
#define TTYTRAIL_TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

/* ${call} reports into the variable `err` and must not return below 0. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        err_clear(&err);                                                                           \
        if ((call) < 0) {                                                                          \
            fail_msg("%s: %s", #call, err.text);                                                   \
        }                                                                                          \
    } while (0)

/* ${call} must fail with ${want}, and say why in one line. */
#define REFUSES(call, want)                                                                        \
    do {                                                                                           \
        err_clear(&err);                                                                           \
        if ((call) >= 0) {                                                                         \
            fail_msg("%s: did not fail", #call);                                                   \
        }                                                                                          \
        if (err.kind != (want) || err.text[0] == '\0' || strchr(err.text, '\n') != NULL) {         \
            fail_msg("%s: kind %d, %s", #call, (int)err.kind, err.text);                           \
        }                                                                                          \
    } while (0)

static inline uint32_t check_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static inline char *check_copy(const char *text)
{
    char *copy = strdup(text);

    assert_non_null(copy);
    return copy;
}

#endif
