/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void err_clear(struct error *err)
{
    if (err != NULL) {
        memset(err, 0, sizeof *err);
    }
}

int err_set(struct error *err, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL) {
        return -1;
    }
    err->kind = kind;
    err->code = 0;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return -1;
}

int err_sys(struct error *err, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    size_t n;

    if (err == NULL) {
        return -1;
    }
    err->kind = ERR_SYSTEM;
    err->code = saved;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    (void)snprintf(err->text + n, sizeof err->text - n, ": %s", strerror(saved));
    errno = saved;
    return -1;
}

int err_wrap(struct error *err, const char *fmt, ...)
{
    char inner[sizeof err->text];
    va_list ap;
    size_t n;

    if (err == NULL) {
        return -1;
    }
    memcpy(inner, err->text, sizeof inner);
    inner[sizeof inner - 1] = '\0';
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    (void)snprintf(err->text + n, sizeof err->text - n, ": %s", inner);
    return -1;
}
