/* SPDX-License-Identifier: Apache-2.0 */
/* One request of the writer's, and its answer: docs/FORMAT.md, "Questions to ttytrail-facts". */
#ifndef TTYTRAIL_FACTS_ANSWER_H
#define TTYTRAIL_FACTS_ANSWER_H

#include "common/buf.h"
#include "storage/wire/frame.h"

/** answer(f, fd, out, ret_fd): The frame that answers ${f}, which came with ${fd} (-1: none),
 * appended to ${out}; *ret_fd: a descriptor that goes with it, or -1. */
void answer(const struct frame *f, int fd, struct buf *out, int *ret_fd);

#endif
