/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_boot_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U;
}

int64_t clock_unix_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Small files of /proc are read whole in one call. */
static ssize_t read_small(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n;

    if (fd < 0) {
        return -1;
    }
    n = read(fd, to, size - 1);
    close(fd);
    if (n >= 0) {
        to[n] = '\0';
    }
    return n;
}

void clock_boot_id(char ret[33])
{
    char text[64];
    size_t n = 0;

    memset(ret, '0', 32);
    ret[32] = '\0';
    if (read_small("/proc/sys/kernel/random/boot_id", text, sizeof text) <= 0) {
        return;
    }
    for (const char *p = text; *p != '\0' && n < 32; p++) {
        if (isxdigit((unsigned char)*p)) {
            ret[n++] = *p;
        }
    }
}

/* Field 22, the start time, and field 3, the state, of /proc/PID/stat. */
static bool process_stat(pid_t pid, uint64_t *ret_start, char *ret_state)
{
    char path[64], text[1024], *p;
    int field = 2;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (read_small(path, text, sizeof text) <= 0) {
        return false;
    }
    /* The command's name may hold blanks and parentheses: count fields from the last ')'. */
    p = strrchr(text, ')');
    for (; p != NULL && *p != '\0'; p++) {
        if (*p != ' ') {
            continue;
        }
        if (++field == 3) {
            *ret_state = p[1];
        } else if (field == 22) {
            *ret_start = strtoull(p + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

uint64_t clock_process_start(pid_t pid)
{
    uint64_t start = 0;
    char state = '?';

    return process_stat(pid, &start, &state) ? start : 0;
}

bool clock_process_alive(pid_t pid, uint64_t start)
{
    uint64_t found = 0;
    char state = '?';

    return process_stat(pid, &found, &state) && found == start && state != 'Z' && state != 'X';
}

void clock_format_utc(int64_t unix_us, const char *fmt, char *ret, size_t size)
{
    time_t t = (time_t)(unix_us / 1000000 - (unix_us % 1000000 < 0));
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL) {
        (void)snprintf(ret, size, "?");
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored                                                                     \
    "-Wformat-nonliteral" /* the attribute in the header checks callers */
    if (strftime(ret, size, fmt, &tm) == 0) {
        (void)snprintf(ret, size, "?");
    }
#pragma GCC diagnostic pop
}

static int parse_fraction(const char **p)
{
    int us = 0, digits = 0;

    if (**p != '.') {
        return 0;
    }
    for ((*p)++; isdigit((unsigned char)**p); (*p)++) {
        if (digits++ < 6) {
            us = us * 10 + (**p - '0');
        }
    }
    for (; digits < 6; digits++) {
        us *= 10;
    }
    return us;
}

int clock_parse(const char *text, int64_t *ret_unix_us, struct error *err)
{
    struct tm tm = {.tm_isdst = -1};
    const char *p = text;
    char *end = NULL;
    int us;
    time_t t;

    errno = 0;
    if (isdigit((unsigned char)*text) && strspn(text, "0123456789.") == strlen(text)) {
        long long s = strtoll(text, &end, 10);

        p = end;
        us = parse_fraction(&p);
        if (errno != 0 || *p != '\0' || s > INT64_MAX / 2000000) {
            return err_set(err, ERR_USAGE, "'%.40s' is no time", text);
        }
        *ret_unix_us = (int64_t)s * 1000000 + us;
        return 0;
    }
    p = strptime(text, "%Y-%m-%d", &tm);
    us = 0;
    if (p != NULL && (*p == 'T' || *p == ' ')) {
        const char *clock = p + 1;

        p = strptime(clock, "%H:%M:%S", &tm);
        if (p == NULL) {
            p = strptime(clock, "%H:%M", &tm);
        } else {
            us = parse_fraction(&p);
        }
    }
    if (p == NULL || (*p != '\0' && strcmp(p, "Z") != 0)) {
        return err_set(err, ERR_USAGE,
                       "'%.40s' is no time: write 2026-11-22, 2026-11-22T05:40[:31][Z] or seconds "
                       "since 1970",
                       text);
    }
    t = *p == 'Z' ? timegm(&tm) : mktime(&tm);
    *ret_unix_us = (int64_t)t * 1000000 + us;
    return 0;
}
