/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real shell in the recorder's place: where nothing is to be recorded here, or is recorded by
 * another recorder already.  Same process, same terminal, same descriptors 0 to 2; without the
 * recorder's group (verified), its descriptors, its limits.  Knows nothing of why.
 */
#ifndef TTYTRAIL_RECORDER_INPLACE_H
#define TTYTRAIL_RECORDER_INPLACE_H

#include "common/err.h"
#include "recorder/limits.h"
#include "recorder/recorder.h"

/** inplace_exec(config, shell, limits, err): Exec the command of ${config}; ${shell}: another path,
 * NULL for its own.  The terminal and the signals are as the caller left them already.  Returns
 * only on failure, -1 (USAGE as child_release, or DENIED: the group is still ours). */
int inplace_exec(const struct recorder_config *config, const char *shell,
                 const struct limits *limits, struct error *err);

#endif
