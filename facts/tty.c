/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/tty.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "common/clock.h"

#define SLAVE_MAJOR_FIRST 136U /* Unix98 pty slaves: Documentation/admin-guide/devices.txt */
#define SLAVE_MAJOR_LAST  143U
#define HOLDERS_MOST      256

static int look_at(int fd, struct stat *st, struct error *err)
{
    if (fd < 0 || fstat(fd, st) != 0) {
        return err_set(err, ERR_USAGE, "no descriptor was passed");
    }
    if (!S_ISCHR(st->st_mode) || major(st->st_rdev) < SLAVE_MAJOR_FIRST ||
        major(st->st_rdev) > SLAVE_MAJOR_LAST) {
        return err_set(err, ERR_DENIED, "what was passed is no pseudo-terminal");
    }
    return 0;
}

/* By its path, which may lead elsewhere: checked afterwards. */
static int open_again(const char *path, const struct stat *was, struct error *err)
{
    struct stat now;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return err_sys(err, "open %s", path);
    }
    if (fstat(fd, &now) != 0 || !S_ISCHR(now.st_mode) || now.st_rdev != was->st_rdev ||
        now.st_dev != was->st_dev || now.st_ino != was->st_ino) {
        close(fd);
        return err_set(err, ERR_DENIED, "%s is another terminal", path);
    }
    return fd;
}

int tty_hang_up(int fd, uid_t owner, struct error *err)
{
    struct stat st;
    char path[64];
    int probe, fresh;

    if (look_at(fd, &st, err) != 0) {
        return -1;
    }
    if (st.st_uid != owner) {
        return err_set(err, ERR_DENIED, "the terminal is of uid %lu, not of uid %lu",
                       (unsigned long)st.st_uid, (unsigned long)owner);
    }
    if (ttyname_r(fd, path, sizeof path) != 0) {
        return err_sys(err, "name the terminal");
    }
    /* Before anything is taken away: can it be had back? */
    probe = open_again(path, &st, err);
    if (probe < 0) {
        return -1;
    }
    /* Exclusive outlives the hang-up: nobody opens it between that and us. */
    if (ioctl(probe, TIOCEXCL) != 0 || ioctl(probe, TIOCVHANGUP) != 0) {
        err_sys(err, "hang up %s", path);
        close(probe);
        return -1;
    }
    close(probe);
    fresh = open_again(path, &st, err);
    if (fresh >= 0) {
        (void)ioctl(fresh, TIOCEXCL);
    }
    return fresh;
}

static bool holds(const char *pid, dev_t rdev, ino_t ino)
{
    char path[300];
    struct dirent *e;
    bool found = false;
    DIR *d;

    (void)snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    d = opendir(path);
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        struct stat st;

        found = isdigit((unsigned char)e->d_name[0]) && fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
                S_ISCHR(st.st_mode) && st.st_rdev == rdev && st.st_ino == ino;
    }
    if (d != NULL) {
        closedir(d);
    }
    return found;
}

int tty_holders(int fd, struct buf *ret, struct error *err)
{
    struct stat st;
    struct dirent *e;
    int n = 0, rc = 0;
    DIR *d;

    if (look_at(fd, &st, err) != 0) {
        return -1;
    }
    d = opendir("/proc");
    if (d == NULL) {
        return err_sys(err, "open /proc");
    }
    while (rc == 0 && n < HOLDERS_MOST && (e = readdir(d)) != NULL) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

        if (isdigit((unsigned char)e->d_name[0]) && pid != getpid() &&
            holds(e->d_name, st.st_rdev, st.st_ino)) {
            rc = buf_printf(ret, err, "%s%ld:%llu", n++ == 0 ? "" : " ", (long)pid,
                            (unsigned long long)clock_process_start(pid));
        }
    }
    closedir(d);
    return rc;
}
