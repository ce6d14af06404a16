/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per event, "key=value" after a short word, to stderr or syslog.  Only programs log;
 * libraries return errors.  Values are made printable (C escapes), so that what a terminal sent can
 * never reach an operator's terminal raw.  Never session bytes, keys, tokens or signatures.
 */
#ifndef TTYTRAIL_COMMON_LOG_H
#define TTYTRAIL_COMMON_LOG_H

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_NOBODY };

/** log_open(program, target, level): Once, in main. ${program} is borrowed for ever. */
void log_open(const char *program, enum log_target target, enum log_level level);
/** log_line(level, fmt, ...): One event; control characters in the result are escaped. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** log_escape(text, len, out, size): ${text} made printable: controls, DEL and bytes that are not
 * UTF-8 become \xNN, always terminated; returns ${out}. */
char *log_escape(const char *text, size_t len, char *out, size_t size);

#endif
