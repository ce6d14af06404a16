/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How sshd is set up, as `sshd -T` says it (sshd(8)), for nobody in particular and, where there are
 * Match blocks, for each user who is to be recorded.
 */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/host.h"
#include "common/io.h"

#define SSHD      "/usr/sbin/sshd"
#define SSHD_MAX  (256U * 1024)
#define USERS_MAX 32

typedef void said(void *user, const char *text, const char *advice);

/* ${key}'s value in the output of sshd -T, which has one "key value" a line, in small letters; the
 * n-th of several.  "" when there is none. */
static const char *setting(const struct buf *b, const char *key, int nth, char *ret, size_t size)
{
    const char *text = (const char *)buf_data(b);
    size_t len = strlen(key);

    ret[0] = '\0';
    for (size_t at = 0; at < b->len;) {
        const char *end = memchr(text + at, '\n', b->len - at);
        size_t n = end != NULL ? (size_t)(end - text) - at : b->len - at;

        if (n > len && strncasecmp(text + at, key, len) == 0 && text[at + len] == ' ' &&
            nth-- == 0) {
            (void)snprintf(ret, size, "%.*s", (int)(n - len - 1), text + at + len + 1);
            break;
        }
        at += n + 1;
    }
    return ret;
}

static int settings_of(const char *user, struct buf *ret, struct error *err)
{
    static char program[] = SSHD, test[] = "-T", with[] = "-C";
    char who[160];
    char *argv[] = {program, test, user != NULL ? with : NULL, who, NULL};
    int status;

    (void)snprintf(who, sizeof who, "user=%s,host=localhost,addr=127.0.0.1", user);
    if (access(SSHD, X_OK) != 0) {
        return err_set(err, ERR_SYSTEM, "there is no %s", SSHD);
    }
    buf_reset(ret);
    status = host_tool(argv, ret, err);
    if (status < 0) {
        return -1;
    }
    return status == 0 ? 0 : err_set(err, ERR_DENIED, "'%s -T' ended with status %d", SSHD, status);
}

/* Whether the one word is the file server within sshd, which starts no shell. */
static bool is_internal(const char *command)
{
    return strncmp(command, "internal-sftp", 13) == 0;
}

struct look {
    said *say;
    void *user;
    const char *who; /* NULL: everybody */
    int found;
};

static void __attribute__((format(printf, 3, 4)))
found(struct look *l, const char *advice, const char *fmt, ...)
{
    char text[500];
    int n = 0;
    va_list ap;

    if (l->who != NULL) {
        n = snprintf(text, sizeof text, "user %s: ", l->who);
    }
    va_start(ap, fmt);
    (void)vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    l->say(l->user, text, advice);
    l->found++;
}

static void bypass(struct look *l, const struct buf *b)
{
    char value[600], name[64];

    for (int i = 0; setting(b, "subsystem", i, value, sizeof value)[0] != '\0'; i++) {
        if (sscanf(value, "%63s", name) == 1 && is_internal(value + strlen(name) + 1)) {
            found(l, "'Subsystem sftp /usr/lib/openssh/sftp-server'",
                  "bypassable: sshd's own file server (internal-sftp) starts no shell and is not "
                  "recorded");
        }
    }
    setting(b, "forcecommand", 0, value, sizeof value);
    if (is_internal(value)) {
        found(l, "force the external sftp-server, or no command",
              "bypassable: 'ForceCommand internal-sftp' starts no shell and is not recorded");
    } else if (value[0] != '\0' && strcmp(value, "none") != 0) {
        char *blank = strchr(value, ' ');

        if (blank != NULL) {
            *blank = '\0';
        }
        if (host_is_ours(value)) {
            found(l, "make ttytrail-shell the users' shell in passwd, and leave ForceCommand out",
                  "bypassable: with ForceCommand the user's own shell runs first and reads what "
                  "the user wrote (~/.bashrc), unless that is ttytrail-shell too");
        }
    }
    setting(b, "chrootdirectory", 0, value, sizeof value);
    if (value[0] != '\0' && strcmp(value, "none") != 0) {
        found(l, "leave ChrootDirectory out for users who are to be recorded",
              "bypassable: below ChrootDirectory there is no recorder and no writer");
    }
    if (strcmp(setting(b, "permituserenvironment", 0, value, sizeof value), "no") != 0 &&
        value[0] != '\0') {
        found(l, "'PermitUserEnvironment no'",
              "users set the environment of their login (PermitUserEnvironment %.60s)", value);
    }
}

/* ---- users ---- */

static bool has_match(const char *path)
{
    struct buf b;
    bool match = false;
    char line[64];

    buf_init(&b, SSHD_MAX);
    if (io_read_file(-1, path, SSHD_MAX, &b, NULL) == 0) {
        const char *text = (const char *)buf_data(&b);

        for (size_t at = 0; at < b.len && !match;) {
            const char *end = memchr(text + at, '\n', b.len - at);
            size_t n = end != NULL ? (size_t)(end - text) - at : b.len - at;

            (void)snprintf(line, sizeof line, "%.*s", n < 60 ? (int)n : 60, text + at);
            match = strncasecmp(line + strspn(line, " \t"), "match", 5) == 0;
            at += n + 1;
        }
    }
    buf_clear(&b);
    return match;
}

static bool any_match(void)
{
    static const char dir[] = "/etc/ssh/sshd_config.d";
    bool match = has_match("/etc/ssh/sshd_config");
    DIR *d = opendir(dir);
    char path[400];

    for (struct dirent *e = d != NULL && !match ? readdir(d) : NULL; e != NULL && !match;
         e = readdir(d)) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        match = e->d_name[0] != '.' && has_match(path);
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return match;
}

/* A setting that holds for everybody was said already. */
static void bypass_users(struct look *all, struct buf *b)
{
    struct passwd *p;
    int n = 0;

    setpwent();
    while (n < USERS_MAX && (p = getpwent()) != NULL) {
        char name[64];
        struct look one = *all;

        if (!host_is_ours(p->pw_shell) || strlen(p->pw_name) >= sizeof name ||
            strpbrk(p->pw_name, ",=") != NULL) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s", p->pw_name);
        n++;
        if (settings_of(name, b, NULL) == 0) {
            one.who = name;
            one.found = 0;
            bypass(&one, b);
            all->found += one.found;
        }
    }
    endpwent();
}

int host_bypass(said *say, void *user, struct error *err)
{
    struct look l = {.say = say, .user = user};
    struct buf b;
    int rc;

    buf_init(&b, SSHD_MAX);
    rc = settings_of(NULL, &b, err);
    if (rc == 0) {
        bypass(&l, &b);
        if (l.found == 0 && any_match()) {
            bypass_users(&l, &b);
        }
    }
    buf_clear(&b);
    return rc == 0 ? l.found : -1;
}

/* ---- the check ---- */

static void on_bypass(void *user, const char *text, const char *advice)
{
    check_say(user, CHECK_FINDING, advice, "%s", text);
}

static int wiring(struct check_run *r, struct error *err)
{
    struct buf b;
    char value[64];
    int rc;

    buf_init(&b, SSHD_MAX);
    rc = settings_of(NULL, &b, err);
    if (rc == 0 && strcmp(setting(&b, "usepam", 0, value, sizeof value), "yes") != 0) {
        check_say(
            r, CHECK_FINDING, "'UsePAM yes'",
            "sshd does not use PAM: no witness says which key a login used, and nothing tells "
            "of logins without a recording");
        rc = 1;
    }
    if (rc >= 0 && strcmp(setting(&b, "permituserrc", 0, value, sizeof value), "no") != 0) {
        check_say(r, CHECK_NOTE, NULL,
                  "~/.ssh/rc runs before a session begins; it is recorded, but 'PermitUserRC no' "
                  "is plainer");
    }
    if (rc >= 0 && strcmp(setting(&b, "allowtcpforwarding", 0, value, sizeof value), "no") != 0) {
        check_say(r, CHECK_NOTE, NULL,
                  "forwarded ports carry what no terminal shows: the witness tells that they were "
                  "there; 'AllowTcpForwarding no' is plainer");
    }
    if (rc >= 0 && strcmp(setting(&b, "exposeauthinfo", 0, value, sizeof value), "yes") != 0) {
        check_say(
            r, CHECK_NOTE, NULL,
            "without 'ExposeAuthInfo yes' the key of a login is known from the witness alone");
    }
    buf_clear(&b);
    return rc;
}

void host_check_sshd(struct check_run *r)
{
    struct error err = {.kind = ERR_NONE};
    int wired, around;

    if (!host_installed()) {
        return;
    }
    if (access(SSHD, F_OK) != 0) {
        check_say(r, CHECK_NOTE, NULL, "there is no %s here", SSHD);
        return;
    }
    wired = wiring(r, &err);
    around = wired < 0 ? -1 : host_bypass(on_bypass, r, &err);
    if (around < 0) {
        check_say(r, CHECK_BLIND, "run this as root, and look what 'sshd -t' says", "%s", err.text);
    } else if (wired + around == 0) {
        check_say(r, CHECK_OK, NULL, "no setting leads past the recorder");
    }
}
