/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SQLite VFS over the system's own that writes the WAL frames of one transaction with one pwrite.
 * SQLite writes each frame in two calls, 24 bytes and a page; for 64 MiB of terminal output that
 * was 86,000 calls and a fifth of the writer's CPU.
 *
 * Invariants: nothing is held back beyond the frame that commits a transaction, so an error is
 * reported where SQLite can still roll back; every other operation on the WAL writes out first what
 * is held. Only the writer's connection uses it.  Source: https://sqlite.org/fileformat2.html, "WAL
 * File Format".
 */
#ifndef TTYTRAIL_DB_WALVFS_H
#define TTYTRAIL_DB_WALVFS_H

/** walvfs_name(): Register the VFS at the first call; its name, or NULL (the system's own serves
 * then). */
const char *walvfs_name(void);

#endif
