/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own: made below TMPDIR, removed with all that lies in it. */
#ifndef TTYTRAIL_TESTS_UNIT_TEMPDIR_H
#define TTYTRAIL_TESTS_UNIT_TEMPDIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Returns 0, and the path in ${ret}. */
static inline int tempdir_make(char *ret, size_t size)
{
    const char *base = getenv("TMPDIR");

    (void)snprintf(ret, size, "%s/ttytrail-unit-XXXXXX", base != NULL ? base : P_tmpdir);
    return mkdtemp(ret) == NULL ? -1 : 0;
}

static inline int tempdir_entry(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

static inline int tempdir_drop(const char *path)
{
    return nftw(path, tempdir_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
