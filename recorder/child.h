/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorded process: forked early, prepared, held before exec until the recording stands, and a
 * failed exec reported.  Knows nothing of the writer or of relaying.  Invariants: whatever goes
 * wrong between fork and exec ends the child without a byte of output; from descriptor 3 up nothing
 * is inherited; with drop_group the real gid is all that is left (PITFALLS 6).
 */
#ifndef TTYTRAIL_RECORDER_CHILD_H
#define TTYTRAIL_RECORDER_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "recorder/limits.h"

#define CHILD_PATH_MAX 256
#define CHILD_CLOSED   (-1) /* in fds: the descriptor is to be closed */

struct child_config {
    char *const *argv;
    const char *path;  /* what to execute, searched in PATH when it has no slash */
    const char *shell; /* SHELL in its environment; NULL: unchanged */
    int fds[3];        /* what become its 0 to 2; borrowed */
    int tty;           /* the slave that becomes its controlling terminal; -1 for none */
    bool new_session;
    bool drop_group;
    const sigset_t *mask; /* the caller's own, restored (PITFALLS 9) */
    bool ignore_chld;     /* the caller had ignored SIGCHLD: restored too */
    bool ignore_xfsz;
    const struct limits *limits; /* the caller's own, restored */
};

struct child {
    pid_t pid; /* -1: none */
    int line;  /* our end of the line to the child before its exec */
    bool gone; /* child_go was called */
};

/** child_start(ret, config, err): Fork, and let the child prepare itself up to its exec. */
int child_start(struct child *ret, const struct child_config *config, struct error *err);
/** child_go(c, shell): Let it exec; child_release tells what came of it.  ${shell}: another path
 * than at the start, as by child_exec; NULL: the same. */
void child_go(struct child *c, const char *shell);
/** child_release(c, shell, name, err): Let it exec, if child_go has not.  On failure it is reaped
 * and err is USAGE with code errno (ENOENT and EACCES are what shells tell apart). */
int child_release(struct child *c, const char *shell, const char *name, struct error *err);
/** child_abandon(c): End a child whose exec was not asked for by child_release, and reap it. */
void child_abandon(struct child *c);

/** child_exec(path, argv, shell): Exec ${path}; or ${shell} unless NULL, with its name in argv[0]
 * and in SHELL.  Returns only on failure (errno). */
void child_exec(const char *path, char *const *argv, const char *shell);
/** child_drop_group(): The real gid for all three; 0 when that is so (else errno). */
int child_drop_group(void);

#endif
