/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By which way a session came in, from what the kernel tells of the recorder's ancestors and its
 * terminal; the environment has no say.  Also what sshd's forced command stands for.
 *
 * Weak, and known: an ancestor's name is that of the file that was executed, which a user chooses
 * among programs that run as root (a link to su may be called sshd); sftp-server may be asked for
 * as a command.  Neither makes a session unrecorded.
 */
#ifndef TTYTRAIL_RECORDER_WAY_H
#define TTYTRAIL_RECORDER_WAY_H

#include <stdbool.h>
#include <stddef.h>

#define WAY_PTS_FIRST 136U /* majors of Unix 98 ptys' slaves: admin-guide/devices.txt */
#define WAY_PTS_LAST  143U

struct way {
    const char *name; /* login command subsystem su sudo console ssm; a literal */
    unsigned depth;   /* recorders among the ancestors: processes with our effective group */
    bool entered;     /* a known way in lies between us and the nearest of them */
};

/** way_find(ret, command, tty): ${command}: of -c, NULL for none; ${tty}: the terminal, -1. */
void way_find(struct way *ret, const char *command, int tty);

/** way_of(ancestor, console, command): The rule alone: ${ancestor}, the nearest ancestor that runs
 * as root and is known, "" for none; ${console}: the terminal is no pseudoterminal. */
const char *way_of(const char *ancestor, bool console, const char *command);

/** way_forced(command, original, ret, size): Whether ${command} is this very program, as sshd's
 * ForceCommand says it.  Then ${ret} is what to run instead ("" for an interactive shell):
 * ${original} (NULL for none), with sftp-server's path for the bare word internal-sftp. */
bool way_forced(const char *command, const char *original, const char **ret);

#endif
