/* SPDX-License-Identifier: Apache-2.0 */
/* Rights: what the installed system's promises hang on (docs/DESIGN.md section 2, Paths). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/host.h"
#include "storage/wire/control.h"
#include "storage/wire/policy_rules.h"

#define CONF_DIR "/etc/ttytrail"

struct place {
    const char *path;
    mode_t type, mode;
    const char *user, *group; /* NULL: anybody's */
    bool needed;
};

static const struct place places[] = {
    {"/var/lib/ttytrail", S_IFDIR, 0711, "root", NULL, true},
    {"/var/lib/ttytrail/evidence", S_IFDIR, 02750, "ttytrail", "ttytrail-audit", true},
    {"/var/lib/ttytrail/ship", S_IFDIR, 0700, "ttytrail", NULL, true},
    {"/var/lib/ttytrail/ring", S_IFDIR, 01730, "ttytrail", "ttytrail", true},
    {"/run/ttytrail", S_IFDIR, 0755, NULL, NULL, true},
    {"/run/ttytrail/writer.sock", S_IFSOCK, 0660, NULL, "ttytrail", true},
    {HOST_CONTROL, S_IFSOCK, 0666, NULL, NULL, true},
    {"/run/ttytrail/facts.sock", S_IFSOCK, 0600, "ttytrail", NULL, false},
    {"/run/ttytrail/policy", S_IFREG, 0640, "ttytrail", "ttytrail", false},
};

static bool user_is(const char *name, uid_t uid)
{
    char text[16384];
    struct passwd entry, *found = NULL;

    return name == NULL || (getpwnam_r(name, &entry, text, sizeof text, &found) == 0 &&
                            found != NULL && found->pw_uid == uid);
}

static bool group_is(const char *name, gid_t gid)
{
    gid_t group = 0;

    return name == NULL || (policy_group_id(name, &group) && group == gid);
}

static bool absent(struct check_run *r, const struct place *p)
{
    if (errno == EACCES) {
        check_say(r, CHECK_BLIND, "run this as root", "%s may not be looked at", p->path);
    } else if (p->needed) {
        check_say(r, CHECK_FINDING,
                  "'systemd-tmpfiles --create ttytrail.conf'; for a socket, start ttytraild.socket "
                  "or ttytraild",
                  "%s: %s", p->path, strerror(errno));
    } else {
        return false;
    }
    return true;
}

/* Whether something was said. */
static bool judge(struct check_run *r, const struct place *p)
{
    struct stat st;
    char advice[200];

    if (lstat(p->path, &st) != 0) {
        return absent(r, p);
    }
    if ((st.st_mode & S_IFMT) == p->type && (st.st_mode & 07777) == p->mode &&
        user_is(p->user, st.st_uid) && group_is(p->group, st.st_gid)) {
        return false;
    }
    (void)snprintf(advice, sizeof advice,
                   "find out who changed it; then 'chown %s:%s %s; chmod %o %s'",
                   p->user != NULL ? p->user : "", p->group != NULL ? p->group : "", p->path,
                   (unsigned)p->mode, p->path);
    check_say(r, CHECK_FINDING, advice, "%s has mode %o, uid %ld, gid %ld; it should be %o, %s:%s",
              p->path, (unsigned)(st.st_mode & 07777), (long)st.st_uid, (long)st.st_gid,
              (unsigned)p->mode, p->user != NULL ? p->user : "any",
              p->group != NULL ? p->group : "any");
    return true;
}

/* Who can write the settings is who decides what is recorded. */
static bool judge_setting(struct check_run *r, const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0 || (st.st_uid == 0 && (S_ISLNK(st.st_mode) || !(st.st_mode & 022)))) {
        return false;
    }
    check_say(r, CHECK_FINDING, "'chown root:root' and 'chmod go-w' it, after reading it",
              "%s can be changed by others than root", path);
    return true;
}

static int judge_settings(struct check_run *r)
{
    static const char *const dirs[] = {CONF_DIR, CONF_DIR "/conf.d"};
    char path[600];
    int said = 0;

    for (size_t i = 0; i < 2; i++) {
        DIR *d = opendir(dirs[i]);

        said += judge_setting(r, dirs[i]);
        for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
            if (e->d_name[0] != '.') {
                (void)snprintf(path, sizeof path, "%s/%s", dirs[i], e->d_name);
                said += judge_setting(r, path);
            }
        }
        if (d != NULL) {
            (void)closedir(d);
        }
    }
    return said;
}

/* Evidence and the key: no bit for others. */
static int judge_private(struct check_run *r)
{
    static const char *const paths[] = {
        "/var/lib/ttytrail/evidence/evidence.db", "/var/lib/ttytrail/evidence/evidence.db-wal",
        "/var/lib/ttytrail/evidence/evidence.db-shm", "/var/lib/ttytrail/ship/ship.db",
        "/var/lib/ttytrail/ship/host.key"};
    int said = 0;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct stat st;

        if (lstat(paths[i], &st) == 0 &&
            ((st.st_mode & 027) != 0 || !user_is("ttytrail", st.st_uid))) {
            check_say(r, CHECK_FINDING, "'chown ttytrail' and 'chmod o=,g-w' it",
                      "%s has mode %o and uid %ld: others may write or read it", paths[i],
                      (unsigned)(st.st_mode & 07777), (long)st.st_uid);
            said++;
        }
    }
    return said;
}

/* The recorder must get its group: PITFALLS 6. */
static int judge_shell(struct check_run *r)
{
    char path[256];
    struct stat st;
    struct statvfs fs;

    if (!host_shell_any(path, sizeof path)) {
        check_say(r, CHECK_FINDING, "'add-shell /usr/bin/ttytrail-shell-bin-bash'",
                  "%s lists no ttytrail-shell: su and chsh refuse it", HOST_SHELLS);
        return 1;
    }
    if (stat(path, &st) != 0 || statvfs(path, &fs) != 0) {
        check_say(r, CHECK_FINDING, "install ttytrail again", "%s: %s", path, strerror(errno));
        return 1;
    }
    if ((st.st_mode & 07777) != 02755 || st.st_uid != 0 || !group_is(HOST_GROUP, st.st_gid)) {
        check_say(
            r, CHECK_FINDING,
            "'dpkg-statoverride --update --force-all --add root ttytrail 2755 PATH', with the "
            "path of the program itself",
            "%s has mode %o, uid %ld, gid %ld; it should be 2755, root:ttytrail: sessions are "
            "refused",
            path, (unsigned)(st.st_mode & 07777), (long)st.st_uid, (long)st.st_gid);
        return 1;
    }
    if (fs.f_flag & ST_NOSUID) {
        check_say(r, CHECK_FINDING, "mount it without nosuid, or install elsewhere",
                  "%s lies on a file system mounted nosuid: sessions are refused", path);
        return 1;
    }
    return 0;
}

void host_check_paths(struct check_run *r)
{
    int said = 0;

    if (!host_installed()) {
        check_say(r, CHECK_NOTE, NULL,
                  "not installed for logins (there is no group %s): only 'ttytrail record' records",
                  HOST_GROUP);
        return;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        said += judge(r, &places[i]);
    }
    said += judge_settings(r) + judge_private(r) + judge_shell(r);
    if (said == 0) {
        check_say(r, CHECK_OK, NULL, "directories, sockets, settings and the recorder have theirs");
    }
}

void host_check_writer(struct check_run *r)
{
    struct control *c = NULL;
    struct error err = {.kind = ERR_NONE};

    if (!host_installed()) {
        return;
    }
    if (control_open(&c, HOST_CONTROL, NULL, &err) != 0) {
        check_say(r, CHECK_FINDING,
                  host_service("look at 'systemctl status ttytraild.socket ttytraild' and its "
                               "journal: logins go by on_writer_loss meanwhile",
                               "look at '/etc/init.d/ttytraild status' and the system's log: "
                               "logins go by on_writer_loss meanwhile"),
                  "nobody answers on %s: %s", HOST_CONTROL, err.text);
        return;
    }
    control_close(c);
    check_say(r, CHECK_OK, NULL, "it listens");
}
