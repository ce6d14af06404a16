/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session leaves running: the descendants of the recorder, which is their subreaper, once
 * the recorded process has ended.  Reads /proc alone; a name is what a process calls itself.
 */
#ifndef TTYTRAIL_RECORDER_LEFT_H
#define TTYTRAIL_RECORDER_LEFT_H

#include "common/buf.h"

#define LEFT_NAMED 32

/** left_list(out, err): How many live descendants this process has, and "pid name" of the first
 * LEFT_NAMED of them appended to ${out}, apart by commas.  Those that die of the terminal's end
 * just now are given 50 ms. */
unsigned left_list(struct buf *out, struct error *err);

#endif
