/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users' names and groups, asked of NSS in a thread of its own: a directory service that hangs must
 * hold up nobody's commit.  Who is asked for is known for NAMES_FRESH_US; without an answer after
 * NAMES_WAIT_US what was known before counts, and if nothing was, the user has a number for a name
 * and is in no group.  Knows nothing of sessions or policies; one caller's thread.
 */
#ifndef TTYTRAIL_WRITER_NAMES_H
#define TTYTRAIL_WRITER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

#define NAMES_FRESH_US 30000000U
#define NAMES_WAIT_US  2000000U
#define NAMES_MOST     4096U /* users remembered */

struct names;

/** names_open(ret, done_fd, err): ${done_fd} is an eventfd that is bumped for each answer; -1: no
 * thread, every question is answered while it is asked. */
int names_open(struct names **ret, int done_fd, struct error *err);
/** names_close(n): A question that hangs is left to its thread.  NULL does nothing. */
void names_close(struct names *n);
/** names_groups(n, groups, err): Of these (names, blanks between) it is asked who is in them; what
 * was known is forgotten. */
int names_groups(struct names *n, const char *groups, struct error *err);

/** names_ready(n, uid): Whether there is an answer, or waiting is over; else it is being asked. */
bool names_ready(struct names *n, uid_t uid);
/** names_user(n, uid, ret, size): Returns ${ret}. */
char *names_user(struct names *n, uid_t uid, char *ret, size_t size);
/** names_member(n, uid, group): ${group} is one of names_groups. */
bool names_member(struct names *n, uid_t uid, const char *group);

#endif
