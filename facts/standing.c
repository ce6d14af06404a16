/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/standing.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

#define CONFIG  "/etc/ssh/sshd_config"
#define DROPINS "/etc/ssh/sshd_config.d"
#define MOST    262144U /* of a file that is looked at */
#define KEY_MAX 8192

/* ---- sshd's settings ---- */

static bool is_word(const char *word, size_t len, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strlen(*list) == len && strncmp(*list, word, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool files_are_usual(const char *value, size_t len)
{
    static const char *const usual[] = {".ssh/authorized_keys",
                                        ".ssh/authorized_keys2",
                                        "%h/.ssh/authorized_keys",
                                        "%h/.ssh/authorized_keys2",
                                        "none",
                                        NULL};
    const char *end = value + len;

    while (value < end) {
        size_t n = 0;

        value += strspn(value, " \t\"");
        while (value + n < end && strchr(" \t\"\r", value[n]) == NULL) {
            n++;
        }
        if (n > 0 && !is_word(value, n, usual)) {
            return false;
        }
        value += n > 0 ? n : 1;
    }
    return true;
}

static bool command_is_usual(const char *value, size_t len)
{
    static const char *const usual[] = {"none",
                                        "/usr/share/ec2-instance-connect/eic_run_authorized_keys",
                                        "/opt/aws/bin/eic_run_authorized_keys", NULL};
    size_t n = 0;

    while (n < len && strchr(" \t\"\r", value[n]) == NULL) {
        n++;
    }
    return is_word(value, n, usual);
}

/* One setting, "Keyword value" or "Keyword=value". */
static bool setting_is_usual(const char *line, size_t len)
{
    size_t key, at;

    while (len > 0 && isspace((unsigned char)*line)) {
        line++;
        len--;
    }
    for (key = 0; key < len && isalnum((unsigned char)line[key]); key++) {
    }
    for (at = key; at < len && strchr(" \t=\"", line[at]) != NULL; at++) {
    }
    if (key == 18 && strncasecmp(line, "AuthorizedKeysFile", key) == 0) {
        return files_are_usual(line + at, len - at);
    }
    if (key == 21 && strncasecmp(line, "AuthorizedKeysCommand", key) == 0) {
        return command_is_usual(line + at, len - at);
    }
    if (key == 7 && strncasecmp(line, "Include", key) == 0) {
        return len - at >= 29 && strncmp(line + at, DROPINS "/*.conf", 29) == 0;
    }
    return true;
}

bool standing_settings(const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((feed != NULL ? feed : end) - text);

        if (!setting_is_usual(text, n)) {
            return false;
        }
        text += n + 1;
    }
    return true;
}

bool standing_listener(const char *args, size_t len)
{
    char text[4096];
    size_t n = len < sizeof text - 1 ? len : sizeof text - 1;

    for (size_t i = 0; i < n; i++) {
        text[i] = args[i] == '\0' ? ' ' : args[i];
    }
    text[n] = '\0';
    /* Other settings, or a file of them: of those that are given one by one Instance Connect's are
     * known. */
    if (strstr(text, " -f") != NULL || len >= sizeof text) {
        return false;
    }
    for (const char *p = text; (p = strstr(p, " -o")) != NULL; p += 3) {
        const char *value = p + 3 + strspn(p + 3, " ");
        char line[512];
        size_t used = strcspn(value, " =");

        used += strspn(value + used, " =");
        used += strcspn(value + used, " ");
        (void)snprintf(line, sizeof line, "%.*s", (int)(used < 500 ? used : 500), value);
        if (!setting_is_usual(line, strlen(line))) {
            return false;
        }
    }
    return true;
}

/* ---- files ---- */

/* Regular, of bounded size, not through a last link, without waiting: what it holds, owned; NULL.
 * *ret_absent: there is none. */
static char *read_whole(const char *path, size_t *ret_len, bool *ret_absent)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;
    char *text = NULL;
    ssize_t n = 0;

    *ret_len = 0;
    *ret_absent = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)MOST ||
        (text = malloc(MOST + 1)) == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    while (*ret_len <= MOST && (n = read(fd, text + *ret_len, MOST + 1 - *ret_len)) > 0) {
        *ret_len += (size_t)n;
    }
    close(fd);
    if (n < 0 || *ret_len > MOST) {
        free(text);
        return NULL;
    }
    return text;
}

static bool settings_file(const char *path, bool may_be_absent)
{
    size_t len;
    bool absent, good;
    char *text = read_whole(path, &len, &absent);

    good = text != NULL ? standing_settings(text, len) : absent && may_be_absent;
    free(text);
    return good;
}

static bool settings_are_usual(void)
{
    char path[512];
    struct dirent *e;
    bool good = settings_file(CONFIG, false);
    DIR *d = opendir(DROPINS);

    while (good && d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, DROPINS "/%.255s", e->d_name);
            good = settings_file(path, true);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return good;
}

/* The monitor's parent listens; its title holds the arguments. */
static bool listener_is_usual(pid_t monitor)
{
    pid_t listener = clock_process_parent(monitor, clock_process_start(monitor));
    char path[64], args[4096];
    ssize_t n = -1;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)listener);
    fd = listener > 1 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        n = read(fd, args, sizeof args);
        close(fd);
    }
    return n > 0 && standing_listener(args, (size_t)n);
}

bool standing_file(const char *text, size_t len, const char *base64)
{
    size_t n = strlen(base64);
    const char *at = text, *end = text + len;

    while (n > 0 && at < end && (at = memmem(at, (size_t)(end - at), base64, n)) != NULL) {
        bool begins = at == text || isspace((unsigned char)at[-1]);
        bool ends = at + n == end || isspace((unsigned char)at[n]);

        if (begins && ends) {
            return true;
        }
        at++;
    }
    return false;
}

/* With the user's own rights, as sshd reads it. */
static const char *in_files(const struct passwd *pw, const char *base64)
{
    static const char *const names[] = {".ssh/authorized_keys", ".ssh/authorized_keys2"};
    const char *word = "no";
    uid_t uid = (uid_t)setfsuid(pw->pw_uid);
    gid_t gid = (gid_t)setfsgid(pw->pw_gid);

    for (size_t i = 0; i < 2 && strcmp(word, "no") == 0; i++) {
        char path[4096];
        size_t len;
        bool absent;
        char *text;

        (void)snprintf(path, sizeof path, "%.3900s/%s", pw->pw_dir, names[i]);
        text = read_whole(path, &len, &absent);
        word = text != NULL ? (standing_file(text, len, base64) ? "yes" : "no")
               : absent     ? "no"
                            : "unknown";
        free(text);
    }
    (void)setfsgid(gid);
    (void)setfsuid(uid);
    return word;
}

/* The last "publickey TYPE BASE64" of sshd's lines. */
static bool take_blob(const char *info, char *ret, size_t size)
{
    bool found = false;

    for (const char *line = info; *line != '\0';) {
        size_t len = strcspn(line, "\n"), type, blob;

        if (strncmp(line, "publickey ", 10) == 0) {
            type = 10 + strcspn(line + 10, " \n");
            if (type < len) {
                blob = strcspn(line + type + 1, " \n");
                if (blob > 0 && blob < size) {
                    (void)snprintf(ret, size, "%.*s", (int)blob, line + type + 1);
                    found = true;
                }
            }
        }
        line += len + (line[len] == '\n');
    }
    return found;
}

const char *standing_word(const char *user, const char *auth_info, pid_t monitor)
{
    char base64[KEY_MAX], text[16384];
    struct passwd pw, *found = NULL;

    if (!take_blob(auth_info, base64, sizeof base64) || !settings_are_usual() ||
        !listener_is_usual(monitor) || getpwnam_r(user, &pw, text, sizeof text, &found) != 0 ||
        found == NULL) {
        return "unknown";
    }
    return in_files(&pw, base64);
}
