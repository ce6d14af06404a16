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

/* Field 22, the start time, fields 3 and 4, the state and the parent, of /proc/PID/stat. */
static bool process_stat(pid_t pid, uint64_t *ret_start, char *ret_state, pid_t *ret_parent)
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
        } else if (field == 4) {
            *ret_parent = (pid_t)strtol(p + 1, NULL, 10);
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
    pid_t parent = 0;

    return process_stat(pid, &start, &state, &parent) ? start : 0;
}

pid_t clock_process_parent(pid_t pid, uint64_t start)
{
    uint64_t found = 0;
    char state = '?';
    pid_t parent = 0;

    return process_stat(pid, &found, &state, &parent) && found == start ? parent : 0;
}

bool clock_process_alive(pid_t pid, uint64_t start)
{
    uint64_t found = 0;
    char state = '?';
    pid_t parent = 0;

    return process_stat(pid, &found, &state, &parent) && found == start && state != 'Z' &&
           state != 'X';
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

/* Exactly ${n} digits. */
static bool take_digits(const char **p, int n, int *ret)
{
    *ret = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (!isdigit((unsigned char)**p)) {
            return false;
        }
        *ret = *ret * 10 + (**p - '0');
    }
    return true;
}

/* ".5" and the like, as microseconds; *ret_span is 1 then. */
static bool take_fraction(const char **p, int *ret_us, int64_t *ret_span)
{
    int digits = 0;

    *ret_us = 0;
    if (**p != '.') {
        return true;
    }
    for ((*p)++; isdigit((unsigned char)**p); (*p)++) {
        if (digits++ < 6) {
            *ret_us = *ret_us * 10 + (**p - '0');
        }
    }
    *ret_span = 1;
    for (int i = digits; i < 6; i++) {
        *ret_us *= 10;
    }
    return digits > 0;
}

/* YYYY-MM-DD[T ]HH:MM[:SS[.frac]]; whether such a day and time exist is not looked at. */
static bool take_calendar(const char **p, struct tm *tm, int *ret_us, int64_t *ret_span)
{
    *ret_us = 0;
    *ret_span = 0; /* a day, which is not always 24 hours */
    if (!take_digits(p, 4, &tm->tm_year) || *(*p)++ != '-' || !take_digits(p, 2, &tm->tm_mon) ||
        *(*p)++ != '-' || !take_digits(p, 2, &tm->tm_mday)) {
        return false;
    }
    tm->tm_year -= 1900;
    tm->tm_mon--;
    if (**p != 'T' && **p != ' ') {
        return true;
    }
    (*p)++;
    *ret_span = INT64_C(60000000);
    if (!take_digits(p, 2, &tm->tm_hour) || *(*p)++ != ':' || !take_digits(p, 2, &tm->tm_min)) {
        return false;
    }
    if (**p != ':') {
        return true;
    }
    (*p)++;
    *ret_span = INT64_C(1000000);
    return take_digits(p, 2, &tm->tm_sec) && take_fraction(p, ret_us, ret_span);
}

/* timegm carries the 30th of February over into March. */
static bool exists(const struct tm *tm)
{
    struct tm t = *tm;

    return timegm(&t) != -1 && t.tm_year == tm->tm_year && t.tm_mon == tm->tm_mon &&
           t.tm_mday == tm->tm_mday && t.tm_hour == tm->tm_hour && t.tm_min == tm->tm_min &&
           t.tm_sec == tm->tm_sec;
}

static int64_t point_us(struct tm tm, bool utc)
{
    return (int64_t)(utc ? timegm(&tm) : mktime(&tm)) * 1000000;
}

static int parse_seconds(const char *text, int64_t *ret_from, int64_t *ret_to, struct error *err)
{
    size_t digits = strspn(text, "0123456789");
    int64_t span = 1000000;
    const char *p = text + digits;
    int us;

    if (!take_fraction(&p, &us, &span) || *p != '\0') {
        return err_set(err, ERR_USAGE, "'%.40s' is no time", text);
    }
    /* Nine digits begin in 1973, eleven end in 5138: others are dates without their dashes. */
    if (digits < 9 || digits > 11) {
        return err_set(err, ERR_USAGE,
                       "'%.40s' is no time: seconds since 1970 have 9 to 11 digits, and a day is "
                       "written 2026-11-22",
                       text);
    }
    *ret_from = strtoll(text, NULL, 10) * INT64_C(1000000) + us;
    *ret_to = *ret_from + span - 1;
    return 0;
}

int clock_parse_span(const char *text, int64_t *ret_from, int64_t *ret_to, struct error *err)
{
    struct tm tm = {.tm_isdst = -1};
    const char *p = text;
    int64_t span;
    bool utc;
    int us;

    if (isdigit((unsigned char)*text) && strspn(text, "0123456789.") == strlen(text)) {
        return parse_seconds(text, ret_from, ret_to, err);
    }
    if (!take_calendar(&p, &tm, &us, &span) || (*p != '\0' && strcmp(p, "Z") != 0)) {
        return err_set(err, ERR_USAGE,
                       "'%.40s' is no time: write 2026-11-22, 2026-11-22T05:40[:31][Z] or seconds "
                       "since 1970",
                       text);
    }
    if (!exists(&tm)) {
        return err_set(err, ERR_USAGE, "'%.40s': there is no such day or time", text);
    }
    utc = *p == 'Z';
    *ret_from = point_us(tm, utc) + us;
    if (span > 0) {
        *ret_to = *ret_from + span - 1;
    } else {
        tm.tm_mday++;
        *ret_to = point_us(tm, utc) - 1;
    }
    return 0;
}

int clock_parse(const char *text, int64_t *ret_unix_us, struct error *err)
{
    int64_t to;

    return clock_parse_span(text, ret_unix_us, &to, err);
}
