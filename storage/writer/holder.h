/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who else holds locks on a database (PITFALLS 18), by the kernel's table of locks: asking for them
 * through the files would mean opening these, and closing them again drops our own locks
 * (fcntl(2)).
 */
#ifndef TTYTRAIL_WRITER_HOLDER_H
#define TTYTRAIL_WRITER_HOLDER_H

#include <stddef.h>

/** holder_text(db, ret, size): "123 python3, 456 sqlite3": processes other than this one with a
 * lock on ${db}, its -wal or -shm, with the names they give themselves; "" for none, or where
 * /proc/locks cannot be read.  Returns ${ret}. */
char *holder_text(const char *db, char *ret, size_t size);

#endif
