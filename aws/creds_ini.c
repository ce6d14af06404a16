/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds_ini.h"

#include <string.h>

static const char name_alphabet[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/.%@:+";

struct reading {
    const struct creds_ini_handler *handler;
    bool config_file, in_section;
    bool in_property, taken; /* taken: it has a name that properties may have */
    bool nested;             /* its value is empty: what follows are settings */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct creds_ini_text trim(struct creds_ini_text t)
{
    while (t.len > 0 && is_blank(t.at[t.len - 1])) {
        t.len--;
    }
    while (t.len > 0 && is_blank(*t.at)) {
        t.at++;
        t.len--;
    }
    return t;
}

static bool is_name(struct creds_ini_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '\0' || strchr(name_alphabet, t.at[i]) == NULL) {
            return false;
        }
    }
    return t.len > 0;
}

/* Up to a comment, which begins the line, stands behind a blank, or (in section lines) anywhere. */
static struct creds_ini_text uncommented(struct creds_ini_text t, bool anywhere)
{
    for (size_t i = 0; i < t.len; i++) {
        if ((t.at[i] == '#' || t.at[i] == ';') && (anywhere || (i > 0 && is_blank(t.at[i - 1])))) {
            t.len = i;
        }
    }
    return t;
}

/* "NAME" or 'NAME', as other tools write names with blanks; those may hold anything printable. */
static bool unquote(struct creds_ini_text *t)
{
    if (t->len < 3 || (*t->at != '"' && *t->at != '\'') || t->at[t->len - 1] != *t->at) {
        return is_name(*t);
    }
    t->at++;
    t->len -= 2;
    for (size_t i = 0; i < t->len; i++) {
        if (t->at[i] < ' ' || t->at[i] > '~' || t->at[i] == '"' || t->at[i] == '\'') {
            return false;
        }
    }
    return true;
}

static enum creds_ini_kind section_kind(bool config_file, struct creds_ini_text *name)
{
    static const struct {
        const char *prefix;
        enum creds_ini_kind kind;
    } prefixes[] = {{"profile", CREDS_INI_PROFILE},
                    {"sso-session", CREDS_INI_SSO_SESSION},
                    {"services", CREDS_INI_SERVICES}};

    if (!config_file) {
        return unquote(name) ? CREDS_INI_PROFILE : CREDS_INI_OTHER;
    }
    if (name->len == 7 && memcmp(name->at, "default", 7) == 0) {
        return CREDS_INI_DEFAULT;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t n = strlen(prefixes[i].prefix);

        if (name->len > n && memcmp(name->at, prefixes[i].prefix, n) == 0 &&
            is_blank(name->at[n])) {
            *name = trim((struct creds_ini_text){name->at + n, name->len - n});
            return unquote(name) ? prefixes[i].kind : CREDS_INI_OTHER;
        }
    }
    return CREDS_INI_OTHER;
}

static int read_section(struct reading *r, struct creds_ini_text line, struct error *err)
{
    struct creds_ini_text name = trim(uncommented(line, true));
    enum creds_ini_kind kind;

    if (name.len < 2 || name.at[name.len - 1] != ']') {
        return err_set(err, ERR_USAGE, "a section's name does not end with ']'");
    }
    name = trim((struct creds_ini_text){name.at + 1, name.len - 2});
    kind = section_kind(r->config_file, &name);
    r->in_section = true;
    r->in_property = false;
    return r->handler->section(r->handler->user, kind, name, err);
}

/* "NAME = VALUE" */
static int split(struct creds_ini_text line, struct creds_ini_text *name,
                 struct creds_ini_text *value, struct error *err)
{
    const char *equals = memchr(line.at, '=', line.len);

    if (equals == NULL) {
        return err_set(err, ERR_USAGE, "a setting without '='");
    }
    *name = trim((struct creds_ini_text){line.at, (size_t)(equals - line.at)});
    *value = trim((struct creds_ini_text){equals + 1, line.len - (size_t)(equals - line.at) - 1});
    return name->len == 0 ? err_set(err, ERR_USAGE, "a setting without a name") : 0;
}

static int read_property(struct reading *r, struct creds_ini_text line, struct error *err)
{
    struct creds_ini_text name, value;

    if (!r->in_section) {
        return err_set(err, ERR_USAGE, "a setting before the first section");
    }
    if (split(uncommented(line, false), &name, &value, err) != 0) {
        return -1;
    }
    r->in_property = true;
    r->taken = is_name(name);
    r->nested = value.len == 0;
    return r->taken ? r->handler->property(r->handler->user, name, value, err) : 0;
}

static int read_more(struct reading *r, struct creds_ini_text line, struct error *err)
{
    struct creds_ini_text name, value;

    if (!r->in_section || !r->in_property) {
        return err_set(err, ERR_USAGE, "an indented line where a %s should begin",
                       r->in_section ? "setting" : "section");
    }
    if (r->nested && split(line, &name, &value, err) != 0) {
        return -1;
    }
    return r->taken ? r->handler->more(r->handler->user, trim(line), err) : 0;
}

static int read_line(struct reading *r, struct creds_ini_text line, struct error *err)
{
    if (line.len > 0 && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    if (trim(line).len == 0 || *line.at == '#' || *line.at == ';') {
        return 0;
    }
    return *line.at == '['      ? read_section(r, line, err)
           : is_blank(*line.at) ? read_more(r, line, err)
                                : read_property(r, line, err);
}

int creds_ini_read(const char *bytes, size_t len, bool config_file,
                   const struct creds_ini_handler *h, struct error *err)
{
    struct reading r = {.handler = h, .config_file = config_file};
    unsigned number = 0;

    if (len > 0 && memchr(bytes, '\0', len) != NULL) {
        return err_set(err, ERR_USAGE, "is no text");
    }
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* what some editors begin with */
        bytes += 3;
        len -= 3;
    }
    while (len > 0) {
        const char *eol = memchr(bytes, '\n', len);
        size_t n = eol == NULL ? len : (size_t)(eol - bytes);

        number++;
        if (read_line(&r, (struct creds_ini_text){bytes, n}, err) != 0) {
            return err_wrap(err, "line %u", number);
        }
        n += eol == NULL ? 0 : 1;
        bytes += n;
        len -= n;
    }
    return 0;
}
