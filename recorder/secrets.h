/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for what is not decided yet: typed bytes, withheld output, the screen that they are held
 * against.  Regions of its own, locked as their pages are first touched, left out of dumps, empty
 * in forked children, wiped when freed.  Knows nothing of what lies in it.  Invariants: what is
 * free is zero; mlock may fail (PITFALLS 14), which is a flag and nothing more; all of it together
 * stays below SECRETS_MAX.
 */
#ifndef TTYTRAIL_RECORDER_SECRETS_H
#define TTYTRAIL_RECORDER_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#define SECRETS_MAX (96U * 1024 * 1024)

struct secrets_region;

struct secrets {
    struct secrets_region *regions;
    size_t total;  /* bytes mapped */
    bool unlocked; /* some region could not be locked */
};

/** secrets_alloc(s, size): Zeroed, aligned for anything; NULL when there is no more. */
void *secrets_alloc(struct secrets *s, size_t size);
/** secrets_free(s, p): Wipe and give back; NULL does nothing. */
void secrets_free(struct secrets *s, void *p);
/** secrets_close(s): Wipe and unmap everything; a zeroed ${s} is accepted. */
void secrets_close(struct secrets *s);

#endif
