/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/way.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ANCESTORS_MAX 8192 /* more than max_depth can need; whoever has more is too deep */
#define PLAIN         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t-_./,:=@+%"

static const char *const sftp_servers[] = {"/usr/lib/openssh/sftp-server",
                                           "/usr/libexec/openssh/sftp-server",
                                           "/usr/lib/ssh/sftp-server", "/usr/lib/sftp-server"};

/* As /proc/PID/comm has them, 15 bytes at the most. */
static const struct {
    const char *comm, *way;
} known[] = {
    {"su", "su"},     {"sudo", "sudo"},         {"login", "console"},  {"agetty", "console"},
    {"sshd", "sshd"}, {"sshd-session", "sshd"}, {"sshd-auth", "sshd"}, {"ssm-session-wor", "ssm"},
};

struct process {
    char comm[64];
    long parent, uid, egid;
};

static const char *field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL ? at + strlen(name) : "";
}

/* The first line is the name, with newlines escaped: what follows it can be searched. */
static bool read_process(long pid, struct process *ret)
{
    char path[48], text[4096];
    const char *end;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/%ld/status", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    end = strchr(text, '\n');
    if (end == NULL || strncmp(text, "Name:\t", 6) != 0) {
        return false;
    }
    (void)snprintf(ret->comm, sizeof ret->comm, "%.*s", (int)(end - text - 6), text + 6);
    ret->parent = strtol(field(end, "\nPPid:\t"), NULL, 10);
    if (sscanf(field(end, "\nUid:\t"), "%*d %ld", &ret->uid) != 1 ||
        sscanf(field(end, "\nGid:\t"), "%*d %ld", &ret->egid) != 1) {
        return false;
    }
    return true;
}

static const char *known_name(const char *comm)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(comm, known[i].comm) == 0) {
            return known[i].way;
        }
    }
    return "";
}

static bool is_console(int tty)
{
    struct stat st;
    unsigned kind;

    if (tty < 0 || fstat(tty, &st) != 0 || !S_ISCHR(st.st_mode)) {
        return false;
    }
    kind = major(st.st_rdev);
    return kind < WAY_PTS_FIRST || kind > WAY_PTS_LAST;
}

/* With nothing that a shell would make a second command of: what is believed to be no shell may be
 * let go unrecorded (`ways`). */
static bool is_sftp(const char *command)
{
    size_t len = strcspn(command, " \t");

    if (command[strspn(command, PLAIN)] != '\0') {
        return false;
    }
    for (size_t i = 0; i < sizeof sftp_servers / sizeof sftp_servers[0]; i++) {
        if (strlen(sftp_servers[i]) == len && strncmp(command, sftp_servers[i], len) == 0) {
            return true;
        }
    }
    return false;
}

const char *way_of(const char *ancestor, bool console, const char *command)
{
    if (ancestor[0] != '\0' && strcmp(ancestor, "sshd") != 0) {
        return ancestor;
    }
    if (ancestor[0] == '\0' && console) {
        return "console";
    }
    if (command == NULL) {
        return "login";
    }
    return ancestor[0] != '\0' && is_sftp(command) ? "subsystem" : "command";
}

void way_find(struct way *ret, const char *command, int tty)
{
    const char *ancestor = "";
    struct process p;
    long pid = getppid();
    int i;

    *ret = (struct way){.depth = 0};
    for (i = 0; i < ANCESTORS_MAX && pid > 0 && read_process(pid, &p); i++, pid = p.parent) {
        /* Nobody but this program has the group; its members reach the writer all the same. */
        ret->depth += getegid() != getgid() && p.egid == (long)getegid();
        if (ancestor[0] == '\0' && p.uid == 0) {
            ancestor = known_name(p.comm);
            ret->entered = ancestor[0] != '\0' && ret->depth == 0;
        }
    }
    ret->depth = i == ANCESTORS_MAX ? ANCESTORS_MAX : ret->depth;
    ret->name = way_of(ancestor, is_console(tty), command);
}

/* ---- forced commands ---- */

bool way_forced(const char *command, const char *original, const char **ret)
{
    struct stat own, named;

    if (command[0] != '/' || stat(command, &named) != 0 || stat("/proc/self/exe", &own) != 0 ||
        own.st_dev != named.st_dev || own.st_ino != named.st_ino) {
        return false;
    }
    *ret = original != NULL ? original : "";
    if (strcmp(*ret, "internal-sftp") == 0) {
        for (size_t i = 0; i < sizeof sftp_servers / sizeof sftp_servers[0]; i++) {
            if (access(sftp_servers[i], X_OK) == 0) {
                *ret = sftp_servers[i];
                break;
            }
        }
    }
    return true;
}
