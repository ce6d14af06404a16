/* SPDX-License-Identifier: Apache-2.0 */
#include "common/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void status_say(struct status_run *r, enum status_level level, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->say(r->user, r->name, level, text);
}

void status_all(const struct status_row *table, struct status_run *r)
{
    for (; table->name != NULL; table++) {
        r->name = table->name;
        table->run(r);
    }
}

enum status_level status_worse(enum status_level a, enum status_level b)
{
    static const int weight[] = {
        [STATUS_OK] = 0, [STATUS_UNKNOWN] = 1, [STATUS_WARNING] = 2, [STATUS_CRITICAL] = 3};

    return weight[a] >= weight[b] ? a : b;
}

enum status_level status_against(int64_t value, int64_t warn, int64_t crit)
{
    return value >= crit ? STATUS_CRITICAL : value >= warn ? STATUS_WARNING : STATUS_OK;
}

const char *status_s(int64_t n)
{
    return n == 1 ? "" : "s";
}
