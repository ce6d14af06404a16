/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits and timers that the caller left behind: a recorder that dies of its user's limits
 * records nothing.  Each soft limit goes up to its hard one for the recorder alone and comes back
 * in the recorded process.  A hard limit that is too low still fails somewhere, and refuses the
 * session.
 */
#ifndef TTYTRAIL_RECORDER_LIMITS_H
#define TTYTRAIL_RECORDER_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

#define LIMITS_KINDS 8

struct limits {
    struct rlimit was[LIMITS_KINDS];
    bool known[LIMITS_KINDS];
    int subreaper; /* of the caller, which survives exec(2) */
};

/** limits_raise(ret): Raise all; no core dump of the recorder itself. */
void limits_raise(struct limits *ret);
/** limits_restore(l): What the caller had; async-signal-safe. */
void limits_restore(const struct limits *l);
/** limits_resume(l): The same for the recorder itself, before its place is taken. */
void limits_resume(const struct limits *l);
/** limits_reap(l): What the recorded process leaves behind comes to us. */
void limits_reap(struct limits *l);
/** limits_stop_timers(): Interval timers and the parent's death signal survive exec(2). */
void limits_stop_timers(void);

#endif
