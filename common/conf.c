/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/conf_groups.h"
#include "common/conf_lines.h"

#define TEXT_MAX (1024U * 1024)

int conf_init(struct conf *c, struct error *err)
{
    const struct conf_key *k;

    memset(c, 0, sizeof *c);
    for (size_t i = 0; (k = conf_key_at(i)) != NULL; i++) {
        if (conf_key_set(c, k, k->fallback, err) != 0) {
            conf_clear(c);
            return -1;
        }
    }
    return 0;
}

void conf_clear(struct conf *c)
{
    const struct conf_key *k;

    for (size_t i = 0; (k = conf_key_at(i)) != NULL; i++) {
        if (k->type == TYPE_TEXT || k->type == TYPE_PATTERN) {
            char **at = (char **)((char *)c + k->offset);

            free(*at);
            *at = NULL;
        }
    }
    conf_groups_clear(c);
}

static int take(struct conf *c, const char *section, const char *name, const char *value,
                struct error *err)
{
    const char *group = conf_group_name(section);
    const struct conf_key *k =
        group != NULL ? conf_key_of_group(name) : conf_key_find(section, name);

    if (k == NULL) {
        return err_set(err, ERR_USAGE, "unknown key %.40s in [%.40s]; see ttytrail.conf(5)", name,
                       section);
    }
    return group != NULL ? conf_groups_add(c, group, k, value, err)
                         : conf_groups_host(c, k, value, err);
}

struct load {
    struct conf *conf;
    struct error first;
};

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
    struct load *l = user;

    if (l->first.kind != ERR_NONE) {
        return 0;
    }
    return take(l->conf, section, name, value == NULL ? "" : value, &l->first) == 0;
}

static bool known_section(const char *section)
{
    const struct conf_key *k;

    for (size_t i = 0; (k = conf_key_at(i)) != NULL; i++) {
        if (strcmp(k->section, section) == 0) {
            return true;
        }
    }
    return conf_group_name(section) != NULL;
}

/* A pipe is as good as a file: `--config <(...)`. */
static int read_all(const char *path, struct buf *ret, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    ssize_t n = 1;
    int rc = 0;

    if (fd < 0) {
        return err_sys(err, "open %s", path);
    }
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        rc = err_set(err, ERR_USAGE, "%s is a directory, not a configuration", path);
    }
    while (rc == 0 && n > 0) {
        uint8_t *room;

        rc = buf_reserve(ret, 4096, &room, err);
        if (rc == 0) {
            n = read(fd, room, 4096);
            if (n > 0) {
                buf_commit(ret, (size_t)n);
            } else if (n < 0 && errno == EINTR) {
                n = 1;
            } else if (n < 0) {
                rc = err_sys(err, "read %s", path);
            }
        } else {
            (void)err_wrap(err, "%s", path);
        }
    }
    close(fd);
    return rc;
}

/* What is wrong first is told: a line that inih would misread, or a pair before it. */
static int load_text(struct conf *c, const char *path, const struct buf *text, struct error *err)
{
    struct load l = {.conf = c};
    struct error line_err;
    struct buf lines;
    const char *clean;
    int line, bad_line, checked, result = -1;

    buf_init(&lines, TEXT_MAX);
    err_clear(&line_err);
    checked = conf_lines(text, known_section, &lines, &bad_line, &line_err);
    clean = buf_text(&lines, err);
    if (clean == NULL) {
        goto out;
    }
    line = ini_parse_string(clean, on_pair, &l);
    if (line < 0) {
        (void)err_set(err, ERR_SYSTEM, "no memory for %s", path);
    } else if (line > 0) {
        (void)err_set(err, ERR_USAGE, "%s:%d: %s", path, line,
                      l.first.kind != ERR_NONE ? l.first.text
                                               : "neither [section] nor key = value");
    } else if (checked != 0) {
        (void)err_set(err, line_err.kind, "%s:%d: %s", path, bad_line, line_err.text);
    } else {
        result = 0;
    }
out:
    buf_clear(&lines);
    return result;
}

static int load_file(struct conf *c, const char *path, struct error *err)
{
    struct buf text;
    int rc;

    buf_init(&text, TEXT_MAX);
    rc = read_all(path, &text, err);
    if (rc == 0) {
        rc = load_text(c, path, &text, err);
    }
    buf_clear(&text);
    return rc;
}

static int is_conf(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".conf") == 0;
}

int conf_load(struct conf *c, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct dirent **names = NULL;
    char dir[4096];
    int n, rc;

    rc = load_file(c, path, err);
    if (rc != 0) {
        return rc;
    }
    n = snprintf(dir, sizeof dir, "%.*sconf.d", slash == NULL ? 0 : (int)(slash + 1 - path), path);
    if (n < 0 || (size_t)n >= sizeof dir) {
        return err_set(err, ERR_USAGE, "path of the configuration is too long");
    }
    n = scandir(dir, &names, is_conf, alphasort);
    if (n < 0 && errno != ENOENT && errno != ENOTDIR) {
        return err_sys(err, "read %s", dir);
    }
    for (int i = 0; i < n; i++) {
        char one[4096 + 300];

        (void)snprintf(one, sizeof one, "%s/%s", dir, names[i]->d_name);
        if (rc == 0) {
            rc = load_file(c, one, err);
        }
        free(names[i]);
    }
    free(names);
    return rc;
}

bool conf_default_path(char *ret, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    (void)snprintf(ret, size, "/etc/ttytrail/ttytrail.conf");
    if (access(ret, R_OK) == 0) {
        return true;
    }
    if (base != NULL && base[0] == '/') {
        (void)snprintf(ret, size, "%s/ttytrail/ttytrail.conf", base);
    } else {
        (void)snprintf(ret, size, "%s/.config/ttytrail/ttytrail.conf", home == NULL ? "" : home);
    }
    return access(ret, R_OK) == 0;
}

int conf_open(struct conf *c, const char *path_or_null, struct error *err)
{
    char found[4096] = "";
    int rc = 0;

    if (conf_init(c, err) != 0) {
        return -1;
    }
    if (path_or_null != NULL) {
        rc = conf_load(c, path_or_null, err);
    } else if (conf_default_path(found, sizeof found)) {
        rc = conf_load(c, found, err);
    }
    conf_groups_mode(c);
    if (rc == 0 && c->backlog_warn_s > c->backlog_crit_s) {
        rc = err_set(
            err, ERR_USAGE,
            "%s: backlog_warn_s of [status] is %" PRId64 ", more than backlog_crit_s, %" PRId64,
            path_or_null != NULL ? path_or_null : found, c->backlog_warn_s, c->backlog_crit_s);
    }
    if (rc != 0) {
        conf_clear(c);
    }
    return rc;
}
