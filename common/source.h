/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that are read when they are needed and lie in nobody's memory as a whole: what is uploaded.
 * Readable from any place and as often as wanted.  Knows nothing of where they come from.
 */
#ifndef TTYTRAIL_COMMON_SOURCE_H
#define TTYTRAIL_COMMON_SOURCE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

struct source {
    size_t len;
    /* Copy at most ${max} bytes from ${offset} (below len) to ${to}: how many, at least one; -1. */
    ssize_t (*read)(void *user, size_t offset, void *to, size_t max, struct error *err);
    void *user;
};

#endif
