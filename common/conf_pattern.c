/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_pattern.h"

#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- how large it is, before anything is compiled ---- */

struct size {
    size_t group[CONF_PATTERN_GROUPS + 1]; /* characters so far, of each open group */
    size_t depth, last;                    /* ${last}: of what a repeat would repeat */
};

/* Behind the ']' of what begins at the '[' ${p}; the string's end if there is none. */
static const char *skip_bracket(const char *p)
{
    p++;
    p += *p == '^';
    p += *p == ']';
    while (*p != '\0' && *p != ']') {
        if (*p == '[' && p[1] != '\0' && strchr(":.=", p[1]) != NULL) {
            const char end[] = {p[1], ']', '\0'}, *found = strstr(p + 2, end);

            p = found != NULL ? found + 1 : p;
        }
        p++;
    }
    return *p == '\0' ? p : p + 1;
}

/* How often {n}, {n,} or {n,m} repeats at most; 1 where it is none. */
static size_t repeats(const char *p)
{
    size_t most = 0;

    for (p++; *p != '\0' && *p != '}'; p++) {
        if (*p == ',') {
            most = isdigit((unsigned char)p[1]) ? 0 : most + 1;
        } else if (!isdigit((unsigned char)*p)) {
            return 1;
        } else if (most < CONF_PATTERN_ATOMS) {
            most = most * 10 + (size_t)(*p - '0');
        }
    }
    return most == 0 ? 1 : most;
}

static void add(struct size *s, size_t n)
{
    s->last = n;
    s->group[s->depth] += n;
}

/* One step on from ${p}, which is neither a group's begin nor its end. */
static const char *step(struct size *s, const char *p)
{
    /* To regcomp(3) x+ is xx*, and of an x that may be empty each one more, in a row or around a
     * group, takes four times as long. */
    if (*p == '{' || *p == '+') {
        size_t times = *p == '+' ? 4 : repeats(p);

        /* At most 20,000 of at most 200,000: less than 2^32. */
        s->group[s->depth] += s->last * (times - 1);
        s->last *= times;
        return p + 1;
    }
    if (*p == '[') {
        add(s, 1);
        return skip_bracket(p);
    }
    if (strchr("*?|", *p) == NULL) {
        add(s, 1);
    }
    return p + (*p == '\\' && p[1] != '\0' ? 2 : 1);
}

static bool is_too_large(const char *p)
{
    struct size s = {.depth = 0};

    while (*p != '\0') {
        if (*p == '(') {
            if (s.depth == CONF_PATTERN_GROUPS) {
                return true;
            }
            s.group[++s.depth] = 0;
            p++;
        } else if (*p == ')' && s.depth > 0) {
            s.depth--;
            add(&s, s.group[s.depth + 1]);
            p++;
        } else {
            p = step(&s, p);
        }
        if (s.group[s.depth] > CONF_PATTERN_ATOMS) {
            return true;
        }
    }
    return false;
}

/* ---- what it says ---- */

/* Two repeats in a row, as "a*+": undefined in POSIX (9.4.6), and regcomp(3) takes them for repeats
 * of repeats, in time that no size tells. */
static bool repeats_repeats(const char *p)
{
    bool repeat = false;

    while (*p != '\0') {
        bool again = strchr("*+?{", *p) != NULL;

        if (again && repeat) {
            return true;
        }
        repeat = again;
        if (*p == '{') {
            p = strchr(p, '}') != NULL ? strchr(p, '}') + 1 : p + 1;
        } else {
            p = *p == '[' ? skip_bracket(p) : p + (*p == '\\' && p[1] != '\0' ? 2 : 1);
        }
    }
    return false;
}

static bool refers_back(const char *p)
{
    for (; *p != '\0'; p++) {
        if (*p == '\\' && *++p >= '1' && *p <= '9') {
            return true;
        }
        if (*p == '\0') {
            return false;
        }
    }
    return false;
}

static int compile(const char *pattern, struct error *err)
{
    regex_t compiled;
    char why[120];
    bool everywhere;
    int code = regcomp(&compiled, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB | REG_NEWLINE);

    if (code != 0) {
        (void)regerror(code, &compiled, why, sizeof why);
        return err_set(err, ERR_USAGE, "no regular expression (regex(7)): %s", why);
    }
    everywhere = regexec(&compiled, "", 0, NULL, 0) == 0;
    regfree(&compiled);
    return everywhere ? err_set(err, ERR_USAGE, "matches the empty text, and so every text") : 0;
}

int conf_pattern_check(const char *pattern, struct error *err)
{
    if (strlen(pattern) >= CONF_PATTERN_MAX) {
        return err_set(err, ERR_USAGE, "longer than %u bytes", CONF_PATTERN_MAX - 1);
    }
    if (refers_back(pattern)) {
        return err_set(err, ERR_USAGE, "\\1 to \\9 are not for patterns");
    }
    if (repeats_repeats(pattern)) {
        return err_set(err, ERR_USAGE, "two repeats in a row mean nothing");
    }
    if (is_too_large(pattern)) {
        return err_set(err, ERR_USAGE, "repeats too much, or has too many groups in one another");
    }
    return compile(pattern, err);
}

int conf_pattern_join(const char *old, const char *more, char **ret, struct error *err)
{
    size_t size = strlen(old) + strlen(more) + 2;
    char *all;

    /* By itself first: the parts of two lines must not make one expression. */
    if (conf_pattern_check(more, err) != 0) {
        return -1;
    }
    all = malloc(size);
    if (all == NULL) {
        return err_sys(err, "allocate");
    }
    (void)snprintf(all, size, "%s%s%s", old, *old == '\0' ? "" : "|", more);
    if (conf_pattern_check(all, err) != 0) {
        free(all);
        return -1;
    }
    *ret = all;
    return 0;
}
