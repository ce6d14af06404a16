/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Format "raw": the bytes of one stream of a session, exactly as they passed, and nothing else.
 * Marks (redactions among them) are no bytes of a stream.
 */
#ifndef TTYTRAIL_REPLAY_EXPORT_RAW_H
#define TTYTRAIL_REPLAY_EXPORT_RAW_H

#include "replay/export/export.h"

int raw_run(const struct export_request *req, struct error *err);

#endif
