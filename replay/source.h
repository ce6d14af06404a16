/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a .cast file: plain or gzip (of any number of members), from a path or from standard
 * input, read piece by piece.  Knows nothing of asciicast.  What comes after the last whole gzip
 * member and is none itself is an error, as is a member that ends early.
 */
#ifndef TTYTRAIL_REPLAY_SOURCE_H
#define TTYTRAIL_REPLAY_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SOURCE_PIECE 65536U /* at most this many bytes a call */

struct source;

/** source_open(ret, path, err): "-" is standard input, which stays open. */
int source_open(struct source **ret, const char *path, struct error *err);
void source_close(struct source *s);
/** source_fd(s): To poll for POLLIN where source_ready says no. */
int source_fd(const struct source *s);
/** source_ready(s): Whether source_read would not wait: 1 or 0. */
int source_ready(const struct source *s);
/** source_read(s, ret, ret_len, err): The next piece (borrowed until the next call): 1; 0 at the
 * end; -1. */
int source_read(struct source *s, const uint8_t **ret, size_t *ret_len, struct error *err);

#endif
