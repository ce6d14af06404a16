/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/creds_files.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/creds_private.h"
#include "common/io.h"

struct building {
    struct creds_files *files;
    struct creds_section *section; /* NULL in one that is nobody's */
    struct creds_setting *setting;
};

static void drop(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

static char *copy(struct creds_ini_text t)
{
    char *p = malloc(t.len + 1);

    if (p != NULL) {
        memcpy(p, t.at, t.len);
        p[t.len] = '\0';
    }
    return p;
}

static void forget_settings(struct creds_section *s)
{
    for (size_t i = 0; i < s->count; i++) {
        drop(s->settings[i].name);
        drop(s->settings[i].value);
    }
    free(s->settings);
    s->settings = NULL;
    s->count = 0;
}

void creds_files_clear(struct creds_files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        forget_settings(&f->sections[i]);
        free(f->sections[i].name);
    }
    free(f->sections);
    memset(f, 0, sizeof *f);
}

static struct creds_section *find(const struct creds_files *f, enum creds_ini_kind kind,
                                  struct creds_ini_text name)
{
    for (size_t i = 0; i < f->count; i++) {
        struct creds_section *s = &f->sections[i];

        if (s->kind == kind && strlen(s->name) == name.len &&
            memcmp(s->name, name.at, name.len) == 0) {
            return s;
        }
    }
    return NULL;
}

/* Room for one more, by powers of two: the pointers hold no secret, what they point to stays. */
static void *grow(void *array, size_t count, size_t size, struct error *err)
{
    void *longer = array;

    if ((count & (count - 1)) == 0) {
        longer = reallocarray(array, count == 0 ? 1 : count * 2, size);
        if (longer == NULL) {
            (void)err_sys(err, "allocate");
        }
    }
    return longer;
}

static int on_section(void *user, enum creds_ini_kind kind, struct creds_ini_text name,
                      struct error *err)
{
    struct building *b = user;
    struct creds_files *f = b->files;
    struct creds_section *longer;

    b->setting = NULL;
    b->section = kind == CREDS_INI_OTHER ? NULL : find(f, kind, name);
    if (kind == CREDS_INI_OTHER || b->section != NULL) {
        return 0;
    }
    if (f->count == CREDS_FILES_SECTIONS) {
        return err_set(err, ERR_LIMIT, "more than %d sections", CREDS_FILES_SECTIONS);
    }
    longer = grow(f->sections, f->count, sizeof *longer, err);
    if (longer == NULL) {
        return -1;
    }
    f->sections = longer;
    b->section = &f->sections[f->count];
    *b->section = (struct creds_section){.kind = kind, .name = copy(name)};
    if (b->section->name == NULL) {
        return err_sys(err, "allocate");
    }
    f->count++;
    return 0;
}

static struct creds_setting *setting_of(struct creds_section *s, struct creds_ini_text name,
                                        struct error *err)
{
    struct creds_setting *longer;
    char *own;

    for (size_t i = 0; i < s->count; i++) {
        if (strlen(s->settings[i].name) == name.len &&
            strncasecmp(s->settings[i].name, name.at, name.len) == 0) {
            return &s->settings[i];
        }
    }
    if (s->count == CREDS_FILES_SETTINGS) {
        (void)err_set(err, ERR_LIMIT, "more than %d settings", CREDS_FILES_SETTINGS);
        return NULL;
    }
    longer = grow(s->settings, s->count, sizeof *longer, err);
    if (longer == NULL) {
        return NULL;
    }
    s->settings = longer;
    own = copy(name);
    if (own == NULL) {
        (void)err_sys(err, "allocate");
        return NULL;
    }
    for (char *p = own; *p != '\0'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    s->settings[s->count] = (struct creds_setting){.name = own};
    return &s->settings[s->count++];
}

static int on_property(void *user, struct creds_ini_text name, struct creds_ini_text value,
                       struct error *err)
{
    struct building *b = user;
    char *own;

    b->setting = NULL;
    if (b->section == NULL) {
        return 0;
    }
    own = copy(value);
    b->setting = own == NULL ? NULL : setting_of(b->section, name, err);
    if (b->setting == NULL) {
        drop(own);
        return own == NULL ? err_sys(err, "allocate") : -1;
    }
    drop(b->setting->value);
    b->setting->value = own;
    return 0;
}

static int on_more(void *user, struct creds_ini_text line, struct error *err)
{
    struct building *b = user;
    size_t had;
    char *longer;

    if (b->setting == NULL) {
        return 0;
    }
    had = strlen(b->setting->value);
    longer = had + line.len > CREDS_MAX_TOKEN * 2 ? NULL : malloc(had + line.len + 2);
    if (longer == NULL) {
        return err_set(err, ERR_LIMIT, "an overlong value");
    }
    memcpy(longer, b->setting->value, had);
    longer[had] = '\n';
    memcpy(longer + had + 1, line.at, line.len);
    longer[had + 1 + line.len] = '\0';
    drop(b->setting->value);
    b->setting->value = longer;
    return 0;
}

/* Of the config file's two ways to write it, [profile default] is heard alone. */
static void settle_default(struct creds_files *f)
{
    static const struct creds_ini_text name = {"default", 7};
    struct creds_section *plain = find(f, CREDS_INI_DEFAULT, name);

    if (plain != NULL && find(f, CREDS_INI_PROFILE, name) != NULL) {
        plain->kind = CREDS_INI_OTHER;
        forget_settings(plain);
    } else if (plain != NULL) {
        plain->kind = CREDS_INI_PROFILE;
    }
}

int creds_files_add(struct creds_files *f, const char *bytes, size_t len, bool config_file,
                    struct error *err)
{
    struct building b = {.files = f};
    struct creds_ini_handler h = {
        .section = on_section, .property = on_property, .more = on_more, .user = &b};
    int rc = creds_ini_read(bytes, len, config_file, &h, err);

    settle_default(f);
    return rc;
}

/* "~/" and the default are below HOME. */
static void find_file(const char *variable, const char *below_home, char *ret)
{
    const char *set = creds_env_get(variable), *home = creds_env_get("HOME");
    bool in_home = *set == '\0' || strncmp(set, "~/", 2) == 0;
    int n = snprintf(ret, PATH_MAX, "%s%s%s", in_home ? home : "", in_home ? "/" : "",
                     *set == '\0' ? below_home : (in_home ? set + 2 : set));

    if (n < 0 || n >= PATH_MAX || (in_home && *home == '\0')) {
        ret[0] = '\0';
    }
}

void creds_files_paths(char *config, char *credentials)
{
    find_file("AWS_CONFIG_FILE", ".aws/config", config);
    find_file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", credentials);
}

static int load_file(struct creds_files *f, const char *path, bool config_file, struct error *err)
{
    char real[PATH_MAX];
    struct buf text;
    int rc = -1;

    /* People keep these behind symbolic links. */
    if (*path == '\0' || realpath(path, real) == NULL) {
        return 0;
    }
    creds_secret_init(&text, CREDS_FILES_MAX);
    if (creds_secret_room(&text, 65536, err) == 0 &&
        io_read_file(AT_FDCWD, real, CREDS_FILES_MAX, &text, err) == 0) {
        rc = creds_files_add(f, (const char *)buf_data(&text), text.len, config_file, err);
        if (rc != 0) {
            err_wrap(err, "%.150s", real);
        }
    }
    creds_secret_clear(&text);
    return rc;
}

int creds_files_load(struct creds_files *f, struct error *err)
{
    char config[PATH_MAX], credentials[PATH_MAX];

    creds_files_paths(config, credentials);
    /* The credentials file last: its keys win. */
    return load_file(f, config, true, err) == 0 && load_file(f, credentials, false, err) == 0 ? 0
                                                                                              : -1;
}

const struct creds_section *creds_files_find(const struct creds_files *f, enum creds_ini_kind kind,
                                             const char *name)
{
    return find(f, kind, (struct creds_ini_text){name, strlen(name)});
}

const char *creds_files_get(const struct creds_section *s, const char *name)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        if (strcmp(s->settings[i].name, name) == 0) {
            return s->settings[i].value;
        }
    }
    return "";
}

void creds_files_nested(const struct creds_section *s, const char *name, const char *inner,
                        char *ret, size_t size)
{
    const char *line = creds_files_get(s, name);
    size_t n = strlen(inner);

    ret[0] = '\0';
    /* The value is "" and then a line each, trimmed. */
    for (line = strchr(line, '\n'); line != NULL; line = strchr(line, '\n')) {
        const char *p = ++line;

        if (strncasecmp(p, inner, n) == 0) {
            p += n + strspn(p + n, " \t");
            if (*p == '=') {
                p += 1 + strspn(p + 1, " \t");
                (void)snprintf(ret, size, "%.*s", (int)strcspn(p, "\n"), p);
            }
        }
    }
}

const char *creds_files_profile(bool *ret_named)
{
    const char *name = creds_env_get("AWS_PROFILE");

    name = *name == '\0' ? creds_env_get("AWS_DEFAULT_PROFILE") : name;
    *ret_named = *name != '\0';
    return *ret_named ? name : "default";
}
