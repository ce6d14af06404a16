/* SPDX-License-Identifier: Apache-2.0 */
#include "common/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void check_say(struct check_run *r, enum check_result result, const char *advice, const char *fmt,
               ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->say(r->user, r->name, result, text, advice);
}

void check_all(const struct check *table, struct check_run *r)
{
    for (; table->name != NULL; table++) {
        r->name = table->name;
        table->run(r);
    }
}
