/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/wire/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"

#define WRITER "ttytraild"

extern char **environ;

int spawn_sibling(const char *name, const char *elsewhere, char *ret, size_t size,
                  struct error *err)
{
    const char *const places[] = {".", elsewhere};
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n < 0) {
        return err_sys(err, "find our own program");
    }
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int len = snprintf(ret, size, "%s/%s/%s", self, places[i], name);

        if (len > 0 && (size_t)len < size && access(ret, X_OK) == 0) {
            return 0;
        }
    }
    return err_set(err, ERR_SYSTEM, "no %s beside %s: is ttytrail installed completely?", name,
                   self);
}

/* posix_spawn uses vfork semantics: no page tables are copied, which is most of a fork's time. */
static int spawn(const char *path, char *const argv[], int fd, struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    static const int usual[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD, SIGALRM};
    sigset_t none, reset;
    pid_t pid;
    int rc;

    sigemptyset(&none);
    sigemptyset(&reset);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        sigaddset(&reset, usual[i]);
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_adddup2(&actions, fd, 3);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &reset);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    rc = posix_spawn(&pid, path, &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        errno = rc;
        return err_sys(err, "start %s", path);
    }
    return 0;
}

int spawn_writer(const char *db, const char *config_or_null, struct error *err)
{
    char path[4352];
    char *argv[] = {
        (char *)WRITER,     (char *)"--private",    (char *)"3", (char *)"--db", (char *)db,
        (char *)"--config", (char *)config_or_null, NULL};
    int pair[2], high;

    if (config_or_null == NULL) {
        argv[5] = NULL;
    }
    if (spawn_sibling(WRITER, "../sbin", path, sizeof path, err) != 0) {
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return err_sys(err, "socketpair");
    }
    /* Descriptor 3 is where the writer gets its end: ours must not lie there, and an end that
     * lies there already would stay CLOEXEC, since dup2 onto itself does nothing. */
    high = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
    close(pair[1]);
    if (pair[0] < 4 && high >= 0) {
        int moved = fcntl(pair[0], F_DUPFD_CLOEXEC, 10);

        close(pair[0]);
        pair[0] = moved;
    }
    if (high < 0 || pair[0] < 0) {
        err_sys(err, "descriptor");
    } else if (spawn(path, argv, high, err) == 0) {
        close(high);
        return pair[0];
    }
    if (high >= 0) {
        close(high);
    }
    if (pair[0] >= 0) {
        close(pair[0]);
    }
    return -1;
}

int spawn_default_path(char *ret, size_t size, struct error *err)
{
    const char *base = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    char dir[4096];
    int n;

    if (base != NULL && base[0] == '/') {
        n = snprintf(dir, sizeof dir, "%s/ttytrail", base);
    } else if (home != NULL && home[0] == '/') {
        n = snprintf(dir, sizeof dir, "%s/.local/share/ttytrail", home);
    } else {
        return err_set(err, ERR_USAGE, "HOME is not set: say --db FILE");
    }
    if (n < 0 || (size_t)n >= sizeof dir) {
        return err_set(err, ERR_USAGE, "HOME is too long");
    }
    n = snprintf(ret, size, "%s/evidence.db", dir);
    return n < 0 || (size_t)n >= size ? err_set(err, ERR_USAGE, "HOME is too long") : 0;
}

int spawn_default_db(char *ret, size_t size, struct error *err)
{
    char *slash;
    int rc;

    if (spawn_default_path(ret, size, err) != 0) {
        return -1;
    }
    slash = strrchr(ret, '/');
    *slash = '\0';
    rc = io_mkdirs(ret, 0700, err);
    *slash = '/';
    return rc;
}
