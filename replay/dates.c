/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/dates.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/clock.h"

#define SECOND_US INT64_C(1000000)
#define DAY_S     86400
#define WORD      16
#define WORDS     4
#define MOST      1000000 /* of a unit */

static const struct unit {
    const char *names[4];
    int64_t s;
} units[] = {
    {{"s", "sec", "second", "seconds"}, 1},      {{"m", "min", "minute", "minutes"}, 60},
    {{"h", "hr", "hour", "hours"}, 3600},        {{"d", "", "day", "days"}, DAY_S},
    {{"w", "wk", "week", "weeks"}, 7 * DAY_S},   {{"", "", "month", "months"}, 30 * DAY_S},
    {{"y", "yr", "year", "years"}, 365 * DAY_S},
};

static const char *const weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};

struct split {
    char word[WORDS][WORD];
    int n;
};

/* False when there are more words, or longer ones, than any date has. */
static bool split(const char *text, struct split *s)
{
    memset(s, 0, sizeof *s);
    while (*(text += strspn(text, " \t")) != '\0') {
        size_t len = strcspn(text, " \t");

        if (s->n == WORDS || len >= WORD) {
            return false;
        }
        for (size_t i = 0; i < len; i++) {
            s->word[s->n][i] = (char)tolower((unsigned char)text[i]);
        }
        s->n++;
        text += len;
    }
    return s->n > 0;
}

static int64_t unit_s(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        for (int k = 0; k < 4; k++) {
            if (*name != '\0' && strcmp(units[i].names[k], name) == 0) {
                return units[i].s;
            }
        }
    }
    return 0;
}

/* "90", "90m", "-2d" as one word; ${text} is left at what follows the number. */
static bool take_number(const char **text, int64_t *ret)
{
    char *end;
    const char *p = *text + (**text == '-');

    if (!isdigit((unsigned char)*p)) {
        return false;
    }
    *ret = strtoll(p, &end, 10);
    *text = end;
    return *ret <= MOST;
}

static bool length_of(const struct split *s, int64_t *ret_s)
{
    const char *p = s->word[0];
    int64_t n, unit;

    if (!take_number(&p, &n)) {
        n = strcmp(p, "a") == 0 || strcmp(p, "an") == 0 || strcmp(p, "one") == 0 ? 1 : 0;
        if (n == 0 || s->n < 2) {
            return false;
        }
        p = "";
    }
    if (s->n == 1 || *p != '\0') {
        unit = *p == '\0' ? 1 : unit_s(p);
        *ret_s = n * unit;
        return unit > 0 && s->n == 1;
    }
    unit = unit_s(s->word[1]);
    *ret_s = n * unit;
    return unit > 0 && s->n == 2;
}

int dates_length(const char *text, int64_t *ret_us, struct error *err)
{
    struct split s;
    int64_t length;

    if (!split(text, &s) || s.word[0][0] == '-' || !length_of(&s, &length)) {
        return err_set(err, ERR_USAGE, "'%.40s' is no length of time: write 90s, 10m, 2h or 1d",
                       text);
    }
    *ret_us = length * SECOND_US;
    return 0;
}

/* ---- days ---- */

static int64_t start_of_day(int64_t now_us, int days)
{
    time_t t = (time_t)(now_us / SECOND_US);
    struct tm tm;

    localtime_r(&t, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday += days;
    tm.tm_isdst = -1;
    return (int64_t)mktime(&tm) * SECOND_US;
}

static int weekday_of(const char *word)
{
    for (int i = 0; i < 7; i++) {
        size_t len = strlen(word);

        if (len >= 3 && strncmp(weekdays[i], word, len) == 0) {
            return i;
        }
    }
    return -1;
}

/* How many days from today; the newest ${weekday} before today, or today unless it has to be
 * ${last} week's. */
static int days_back(int64_t now_us, int weekday, bool last)
{
    time_t t = (time_t)(now_us / SECOND_US);
    struct tm tm;
    int back;

    localtime_r(&t, &tm);
    back = (tm.tm_wday - weekday + 7) % 7;
    return -(last && back == 0 ? 7 : back);
}

/* A day by ${s}'s first words: how many words it took; 0 for none. */
static int day_of(const struct split *s, int64_t now_us, int *ret_days)
{
    static const struct {
        const char *word;
        int days;
    } names[] = {{"today", 0}, {"midnight", 0}, {"yesterday", -1}, {"tomorrow", 1}};
    bool last = strcmp(s->word[0], "last") == 0;
    int weekday = weekday_of(s->word[last ? 1 : 0]);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].word, s->word[0]) == 0) {
            *ret_days = names[i].days;
            return 1;
        }
    }
    if (weekday < 0) {
        return 0;
    }
    *ret_days = days_back(now_us, weekday, last);
    return last ? 2 : 1;
}

/* HH:MM or HH:MM:SS of a day. */
static bool time_of(const char *word, int64_t day_us, int64_t *ret_from, int64_t *ret_to)
{
    time_t t = (time_t)(day_us / SECOND_US);
    struct tm tm;
    int h, m, s = 0, end = 0, fields = sscanf(word, "%2d:%2d%n:%2d%n", &h, &m, &end, &s, &end);

    if (fields < 2 || word[end] != '\0' || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60) {
        return false;
    }
    localtime_r(&t, &tm);
    tm.tm_hour = h;
    tm.tm_min = m;
    tm.tm_sec = s;
    tm.tm_isdst = -1;
    *ret_from = (int64_t)mktime(&tm) * SECOND_US;
    *ret_to = *ret_from + (fields == 3 ? 1 : 60) * SECOND_US - 1;
    return true;
}

static bool ago(const struct split *s, int64_t now_us, int64_t *ret)
{
    struct split length = *s;
    int64_t n;

    if (s->n == 2 && strcmp(s->word[0], "last") == 0 && unit_s(s->word[1]) > 0) {
        *ret = now_us - unit_s(s->word[1]) * SECOND_US;
        return true;
    }
    if (s->n > 1 && strcmp(s->word[s->n - 1], "ago") == 0) {
        length.n--;
    } else if (s->n > 1 || isdigit((unsigned char)s->word[0][strlen(s->word[0]) - 1])) {
        return false; /* a bare number is seconds since 1970, or a mistake */
    }
    if (!length_of(&length, &n)) {
        return false;
    }
    *ret = now_us - n * SECOND_US;
    return true;
}

static bool people(const struct split *s, int64_t now_us, int64_t *ret_from, int64_t *ret_to)
{
    int days = 0, used = day_of(s, now_us, &days);

    if ((s->n == 1 && strcmp(s->word[0], "now") == 0) || ago(s, now_us, ret_from)) {
        *ret_from = strcmp(s->word[0], "now") == 0 ? now_us : *ret_from;
        *ret_to = *ret_from;
        return true;
    }
    if (used == s->n) {
        *ret_from = start_of_day(now_us, days);
        *ret_to = start_of_day(now_us, days + 1) - 1;
        return true;
    }
    return used == s->n - 1 && time_of(s->word[used], start_of_day(now_us, days), ret_from, ret_to);
}

int dates_span(const char *text, int64_t now_us, int64_t *ret_from, int64_t *ret_to,
               struct error *err)
{
    struct split s;

    if (split(text, &s) && people(&s, now_us, ret_from, ret_to)) {
        return 0;
    }
    if (clock_parse_span(text, ret_from, ret_to, err) == 0) {
        return 0;
    }
    return err->kind != ERR_USAGE || strstr(err->text, "is no time: write") == NULL
               ? -1
               : err_set(
                     err, ERR_USAGE,
                     "'%.40s' is no time: write 2026-11-22, 2026-11-22T05:40[:31][Z], yesterday, "
                     "10:30, '2 hours ago', 90m or seconds since 1970",
                     text);
}
