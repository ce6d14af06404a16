/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats that are written event by event, one file each.  All are streams: what a format has no
 * word for (marks in ttyrec) is left out.
 */
#ifndef TTYTRAIL_REPLAY_EXPORT_FORMATS_H
#define TTYTRAIL_REPLAY_EXPORT_FORMATS_H

#include "replay/export/export.h"

/** cast3_run: asciicast v3 (docs.asciinema.org/manual/asciicast/v3): times are intervals, an exit
 * status is a number.  A line that is no UTF-8 is followed by our 'b' line with its exact bytes. */
int cast3_run(const struct export_request *req, struct error *err);
/** json_run: One object a line; the first says what the session is. */
int json_run(const struct export_request *req, struct error *err);
/** ttyrec_run: Output alone, each piece behind seconds, microseconds and length, 32 bits
 * little-endian each (ttyrec(1)). */
int ttyrec_run(const struct export_request *req, struct error *err);
/** script_run: A typescript of all streams, and to req->timing_fd the multi-stream timing file of
 * util-linux (scriptreplay(1)). */
int script_run(const struct export_request *req, struct error *err);
/** tlog_run: Messages of tlog, version 2.3, as its file writer has them (tlog-rec(8)). */
int tlog_run(const struct export_request *req, struct error *err);
/** text_run: What was seen, as a terminal with a history without end would have it: each line that
 * left the main screen, then the screen at the end; no colours, no control characters.  Of a
 * session without a terminal its output. */
int text_run(const struct export_request *req, struct error *err);

#endif
