/* SPDX-License-Identifier: Apache-2.0 */
/* The shared credentials and config files.  Source: the AWS SDKs and Tools Reference Guide, "Shared
 * config and credentials files". */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/creds_private.h"
#include "common/io.h"

#define MAX_FILE ((size_t)1024 * 1024)

/* What inih calls back with. */
struct parsing {
    const char *at, *end; /* what is left of the file */
    bool in_line;         /* the last piece ended inside a line... */
    bool continued;       /* ...and this one goes on with it */
    bool split;           /* some line was: inih's line numbers are off */
    bool indented;        /* nested below the setting before, and so none of ours */
    bool config_file;
    const char *name;
    struct creds_profile *profile;
    char *value; /* of the setting that continued pieces belong to; NULL when it is none of ours */
    size_t value_size;
    bool overlong;
};

/* inih reads lines of at most 200 bytes and session tokens are longer.  So a long line is handed on
 * in pieces, each with a blank in front: inih takes those for continuations of the value. */
static char *read_piece(char *line, int size, void *user)
{
    struct parsing *p = user;
    const char *eol;
    size_t room = (size_t)size - 2, n, left, used = 0;

    if (p->at == p->end || size < 16) {
        return NULL;
    }
    eol = memchr(p->at, '\n', (size_t)(p->end - p->at));
    n = (size_t)((eol == NULL ? p->end : eol + 1) - p->at);
    p->continued = p->in_line;
    if (p->continued) {
        line[used++] = ' ';
        p->split = true;
    } else {
        p->indented = *p->at == ' ' || *p->at == '\t';
    }
    left = n > room - used ? room - used : n;
    memcpy(line + used, p->at, left);
    line[used + left] = '\0';
    /* The rest of a comment would be taken for the value before it. */
    p->in_line = left < n && (p->continued || strchr("#;[", line[strspn(line, " \t")]) == NULL);
    p->at += p->in_line ? left : n;
    return line;
}

static bool is_section(const struct parsing *p, const char *section)
{
    size_t n = strlen(p->name);

    if (!p->config_file) {
        return strcmp(section, p->name) == 0;
    }
    if (strncmp(section, "profile", 7) != 0 || (section[7] != ' ' && section[7] != '\t')) {
        return strcmp(section, "default") == 0 && strcmp(p->name, "default") == 0;
    }
    section += 7 + strspn(section + 7, " \t");
    if (*section == '"' || *section == '\'') {
        return strncmp(section + 1, p->name, n) == 0 && section[n + 1] == *section &&
               section[n + 2] == '\0';
    }
    return strcmp(section, p->name) == 0;
}

static void choose(struct parsing *p, const char *name)
{
    /* Sources of later issues; ignoring them would quietly use another identity. */
    static const char *const foreign[] = {"role_arn", "credential_process", "sso_session",
                                          "sso_start_url", "web_identity_token_file"};
    struct creds_profile *to = p->profile;

    p->value = NULL;
    if (strcasecmp(name, "aws_access_key_id") == 0) {
        p->value = to->keys.access_key;
        p->value_size = sizeof to->keys.access_key;
    } else if (strcasecmp(name, "aws_secret_access_key") == 0) {
        p->value = to->keys.secret_key;
        p->value_size = sizeof to->keys.secret_key;
    } else if (strcasecmp(name, "aws_session_token") == 0) {
        p->value = to->keys.token;
        p->value_size = sizeof to->keys.token;
    } else if (strcasecmp(name, "region") == 0) {
        p->value = to->region;
        p->value_size = sizeof to->region;
    }
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (strcasecmp(name, foreign[i]) == 0) {
            (void)snprintf(to->needs, sizeof to->needs, "%s", name);
        }
    }
}

static int on_setting(void *user, const char *section, const char *name, const char *value)
{
    struct parsing *p = user;
    size_t have, n = strcspn(value, " \t"); /* none of ours holds a blank: a comment follows */

    if (!is_section(p, section) || p->indented) {
        p->value = NULL;
        return 1;
    }
    p->profile->exists = true;
    if (!p->continued) {
        choose(p, name);
        if (p->value != NULL) {
            p->value[0] = '\0';
        }
    }
    if (p->value == NULL) {
        return 1;
    }
    have = strlen(p->value);
    if (n >= p->value_size - have) {
        p->overlong = true;
        return 1;
    }
    memcpy(p->value + have, value, n);
    p->value[have + n] = '\0';
    return 1;
}

int creds_profile_parse(const char *bytes, size_t len, bool config_file, const char *name,
                        struct creds_profile *p, struct error *err)
{
    struct parsing state = {
        .at = bytes, .end = bytes + len, .config_file = config_file, .name = name, .profile = p};
    int line = ini_parse_stream(read_piece, &state, on_setting, &state);

    if (line < 0) {
        return err_set(err, ERR_SYSTEM, "out of memory");
    }
    if (line > 0) {
        return state.split ? err_set(err, ERR_USAGE, "is no INI file")
                           : err_set(err, ERR_USAGE, "line %d: is no setting", line);
    }
    return state.overlong ? err_set(err, ERR_LIMIT, "an overlong value") : 0;
}

void creds_profile_clear(struct creds_profile *p)
{
    explicit_bzero(p, sizeof *p);
}

/* "~/" and the default are below HOME; false when there is nothing to read. */
static bool find_file(const char *variable, const char *below_home, char ret[PATH_MAX])
{
    const char *set = creds_env_get(variable), *home = creds_env_get("HOME");
    char path[PATH_MAX];
    bool in_home = *set == '\0' || strncmp(set, "~/", 2) == 0;
    int n;

    if (in_home && *home == '\0') {
        return false;
    }
    n = snprintf(path, sizeof path, "%s%s%s", in_home ? home : "", in_home ? "/" : "",
                 *set == '\0' ? below_home : (in_home ? set + 2 : set));
    /* People keep these behind symbolic links; io_read_file opens none. */
    return n > 0 && n < (int)sizeof path && realpath(path, ret) != NULL;
}

static int load_file(const char *path, bool config_file, const char *name, struct creds_profile *p,
                     struct error *err)
{
    struct buf text;
    uint8_t *room;
    int rc = -1;

    buf_init(&text, MAX_FILE);
    /* Room at once for what is usual: growing would leave copies of the keys behind. */
    if (buf_reserve(&text, 65536, &room, err) == 0 &&
        io_read_file(AT_FDCWD, path, MAX_FILE, &text, err) == 0) {
        rc =
            creds_profile_parse((const char *)buf_data(&text), text.len, config_file, name, p, err);
        if (rc != 0) {
            err_wrap(err, "%.150s", path);
        }
    }
    if (text.mem != NULL) {
        explicit_bzero(text.mem, text.cap);
    }
    buf_clear(&text);
    return rc;
}

int creds_profile_load(struct creds_profile *p, const char **ret_name, struct error *err)
{
    const char *name = creds_env_get("AWS_PROFILE");
    char path[PATH_MAX];

    memset(p, 0, sizeof *p);
    name = *name == '\0' ? creds_env_get("AWS_DEFAULT_PROFILE") : name;
    name = *name == '\0' ? "default" : name;
    if (strlen(name) > CREDS_MAX_PROFILE) {
        return err_set(err, ERR_LIMIT, "a profile's name of more than %d bytes", CREDS_MAX_PROFILE);
    }
    *ret_name = name;
    /* The credentials file last: its keys win. */
    if (find_file("AWS_CONFIG_FILE", ".aws/config", path) &&
        load_file(path, true, name, p, err) != 0) {
        return -1;
    }
    if (find_file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", path) &&
        load_file(path, false, name, p, err) != 0) {
        return -1;
    }
    return 0;
}

static int judge(const struct creds_profile *p, const char *name, bool named, struct error *err)
{
    bool access = p->keys.access_key[0] != '\0', secret = p->keys.secret_key[0] != '\0';

    if (!p->exists && named) {
        return err_set(err, ERR_USAGE, "AWS_PROFILE names '%s', which no file has", name);
    }
    if (p->needs[0] != '\0') {
        return err_set(err, ERR_DENIED, "'%s' has %s, which is not built yet", name, p->needs);
    }
    if (access != secret) {
        return err_set(err, ERR_USAGE, "'%s' has one key without the other", name);
    }
    if (!access) {
        err_set(err, ERR_DENIED, "no keys for '%s'", name);
        return 0;
    }
    return 1;
}

static int find(struct creds_context *x, struct creds_keys *ret, struct error *err)
{
    struct creds_profile p;
    const char *name = "";
    bool named =
        *creds_env_get("AWS_PROFILE") != '\0' || *creds_env_get("AWS_DEFAULT_PROFILE") != '\0';
    int rc;

    (void)x;
    rc = creds_profile_load(&p, &name, err);
    if (rc == 0) {
        rc = judge(&p, name, named, err);
    }
    if (rc == 1) {
        *ret = p.keys;
        (void)snprintf(ret->source, sizeof ret->source, "profile %s", name);
    }
    creds_profile_clear(&p);
    return rc;
}

const struct creds_provider creds_profile_provider = {.name = "profile", .find = find};
