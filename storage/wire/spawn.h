/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a private writer: `ttytraild --private FD --db FILE` beside our own program, on a
 * socketpair. The writer detaches (setsid), ignores HUP INT QUIT TERM until end of file, has 0-2 on
 * /dev/null and stands in / (PITFALLS 15); we never wait for it.
 */
#ifndef TTYTRAIL_WIRE_SPAWN_H
#define TTYTRAIL_WIRE_SPAWN_H

#include <stddef.h>

#include "common/err.h"

/** spawn_sibling(name, elsewhere, ret, size, err): The path of another of our programs: in our own
 * directory, or in ${elsewhere}, relative to it. */
int spawn_sibling(const char *name, const char *elsewhere, char *ret, size_t size,
                  struct error *err);

/** spawn_writer(db, config_or_null, err): The connected descriptor (CLOEXEC), or -1.  ${db} must be
 * absolute. */
int spawn_writer(const char *db, const char *config_or_null, struct error *err);
/** spawn_default_path(ret, size, err): ${XDG_DATA_HOME:-~/.local/share}/ttytrail/evidence.db. */
int spawn_default_path(char *ret, size_t size, struct error *err);
/** spawn_default_db(ret, size, err): As spawn_default_path, and its directories are made. */
int spawn_default_db(char *ret, size_t size, struct error *err);

#endif
