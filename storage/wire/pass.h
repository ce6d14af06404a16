/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes with a descriptor on a Unix socket (SCM_RIGHTS).  Who receives takes one descriptor at
 * most: any other that comes along is closed, so that nobody can fill up another's table.  Knows
 * nothing of frames.
 */
#ifndef TTYTRAIL_WIRE_PASS_H
#define TTYTRAIL_WIRE_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** pass_send(sock, bytes, len, fd): As send(2) with MSG_NOSIGNAL | MSG_DONTWAIT; ${fd} (-1: none)
 * goes with the first byte and stays the caller's. */
ssize_t pass_send(int sock, const void *bytes, size_t len, int fd);
/** pass_receive(sock, to, max, flags, fd): As recv(2); a descriptor that comes along replaces -1
 * in ${*fd}, close-on-exec. */
ssize_t pass_receive(int sock, void *to, size_t max, int flags, int *fd);
/** pass_gone(sock): Whether the other end has closed, or will send nothing more. */
bool pass_gone(int sock);

#endif
