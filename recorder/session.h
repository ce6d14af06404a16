/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the recorder tells the writer when a session opens: facts about who, where and how, each as
 * the kernel has it; what the user could have forged is named `env.`.  Knows nothing of relaying.
 */
#ifndef TTYTRAIL_RECORDER_SESSION_H
#define TTYTRAIL_RECORDER_SESSION_H

#include <sys/ioctl.h>

#include "common/buf.h"
#include "common/err.h"
#include "recorder/recorder.h"

enum session_kind { SESSION_TTY, SESSION_STREAM, SESSION_MIXED };

/** session_facts(out, config, kind, tty, size, err): Append all facts to ${out}.  ${tty}: the
 * descriptor of the outer terminal, -1 for none; ${size} then unset. */
int session_facts(struct buf *out, const struct recorder_config *config, enum session_kind kind,
                  int tty, const struct winsize *size, struct error *err);

/** session_command(out, argv, err): ${argv} as a JSON array of strings, for the facts.  Never too
 * long: what goes beyond SESSION_COMMAND_MAX bytes is left out, and a last element says so. */
#define SESSION_COMMAND_MAX 16384U
int session_command(struct buf *out, char *const *argv, struct error *err);

#endif
