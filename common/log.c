/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/utf8.h"

static struct {
    const char *program;
    enum log_target target;
    enum log_level level;
} log_state = {"ttytrail", LOG_TO_STDERR, LOG_LEVEL_INFO};

void log_open(const char *program, enum log_target target, enum log_level level)
{
    log_state.program = program;
    log_state.target = target;
    log_state.level = level;
    if (target == LOG_TO_SYSLOG) {
        openlog(program, LOG_PID, LOG_AUTHPRIV);
    }
}

char *log_escape(const char *text, size_t len, char *out, size_t size)
{
    size_t o = 0, i = 0;

    while (i < len && o + 5 < size) {
        size_t n = utf8_printable((const uint8_t *)text + i, len - i);

        if (n > 0 && o + n < size) {
            memcpy(out + o, text + i, n);
            o += n;
            i += n;
        } else {
            o += (size_t)snprintf(out + o, size - o, "\\x%02x", (unsigned char)text[i]);
            i++;
        }
    }
    if (size > 0) {
        out[o] = '\0';
    }
    return out;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const int priority[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    char raw[768], line[1024];
    va_list ap;
    int n;

    if (level > log_state.level || log_state.target == LOG_TO_NOBODY) {
        return;
    }
    va_start(ap, fmt);
    n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return;
    }
    log_escape(raw, strlen(raw), line, sizeof line);
    if (log_state.target == LOG_TO_SYSLOG) {
        syslog(priority[level], "%s", line);
    } else {
        dprintf(STDERR_FILENO, "%s: %s\n", log_state.program, line);
    }
}
