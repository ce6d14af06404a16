/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_lines.h"

#include <ctype.h>
#include <string.h>

#include "common/log.h"

static bool is_blank(char c)
{
    return isspace((unsigned char)c) != 0;
}

static void trim(const char **p, size_t *len)
{
    while (*len > 0 && is_blank(**p)) {
        (*p)++;
        (*len)--;
    }
    while (*len > 0 && is_blank((*p)[*len - 1])) {
        (*len)--;
    }
}

static int check_section(const char *p, size_t len, bool (*known)(const char *), struct error *err)
{
    const char *end = memchr(p, ']', len);
    char name[CONF_LINE_MAX + 1], shown[64];
    size_t n;

    if (end == NULL) {
        return err_set(err, ERR_USAGE, "']' is missing");
    }
    if (end != p + len - 1) {
        return err_set(err, ERR_USAGE,
                       "nothing goes behind ']': a comment needs a line of its own");
    }
    n = (size_t)(end - p) - 1;
    memcpy(name, p + 1, n);
    name[n] = '\0';
    if (!known(name)) {
        return err_set(err, ERR_USAGE, "unknown section [%s]; see ttytrail.conf(5)",
                       log_escape(name, n < 40 ? n : 40, shown, sizeof shown));
    }
    return 0;
}

static int check_pair(const char *p, size_t len, bool in_section, struct error *err)
{
    const char *equals = memchr(p, '=', len);

    if (equals == NULL || equals == p || memchr(p, ':', (size_t)(equals - p)) != NULL) {
        /* With a ':' too: inih would split there. */
        return err_set(err, ERR_USAGE, "neither [section] nor key = value");
    }
    if (!in_section) {
        char shown[64];

        return err_set(err, ERR_USAGE, "'%s' stands outside any section",
                       log_escape(p, len < 40 ? len : 40, shown, sizeof shown));
    }
    for (const char *c = equals + 1; c < p + len; c++) {
        if ((*c == '#' || *c == ';') && is_blank(c[-1])) {
            return err_set(err, ERR_USAGE,
                           "'%c' behind the value: a comment needs a line of its own", *c);
        }
    }
    return 0;
}

static int check_line(const char *p, size_t len, bool (*known)(const char *), bool *in_section,
                      struct error *err)
{
    if (len == 0 || *p == '#' || *p == ';') {
        return 0;
    }
    if (len > CONF_LINE_MAX) {
        return err_set(err, ERR_USAGE, "longer than %u bytes", CONF_LINE_MAX);
    }
    if (memchr(p, '\0', len) != NULL) {
        return err_set(err, ERR_USAGE, "a NUL is no text");
    }
    if (*p == '[') {
        *in_section = true;
        return check_section(p, len, known, err);
    }
    return check_pair(p, len, *in_section, err);
}

int conf_lines(const struct buf *in, bool (*known)(const char *section), struct buf *out,
               int *ret_line, struct error *err)
{
    const char *p = (const char *)buf_data(in), *end = p + in->len;
    bool in_section = false;

    if (in->len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3; /* the mark with which some editors begin UTF-8 */
    }
    for (*ret_line = 1; p < end; (*ret_line)++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *line = p;
        size_t len = (size_t)((newline == NULL ? end : newline) - p);

        p = newline == NULL ? end : newline + 1;
        trim(&line, &len);
        if (check_line(line, len, known, &in_section, err) != 0) {
            return -1;
        }
        /* Comments may be of any length: inih sees none. */
        if ((len > 0 && *line != '#' && *line != ';' && buf_append(out, line, len, err) != 0) ||
            buf_putc(out, '\n', err) != 0) {
            return -1;
        }
    }
    return 0;
}
