/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Format "cast": asciicast v2, the lines as they are stored, and what is not sealed yet as it would
 * be stored.  Where a segment cannot be read, a mark says so.
 */
#ifndef TTYTRAIL_REPLAY_EXPORT_CAST_H
#define TTYTRAIL_REPLAY_EXPORT_CAST_H

#include "replay/export/export.h"

int cast_run(const struct export_request *req, struct error *err);

#endif
