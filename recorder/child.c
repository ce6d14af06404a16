/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child that cannot go on says. */
struct report {
    int code;
    char what[24];
};

static _Noreturn void die(int line, const char *what)
{
    struct report r = {.code = errno};

    memcpy(r.what, what, strnlen(what, sizeof r.what - 1));
    (void)!send(line, &r, sizeof r, MSG_NOSIGNAL);
    _exit(127);
}

/* ${fds} may themselves lie among 0 to 2: first lift them all out of the way, then put them down.
 */
static void place_descriptors(int line, const int fds[3])
{
    int lifted[3];

    for (int i = 0; i < 3; i++) {
        lifted[i] = fds[i] == CHILD_CLOSED ? CHILD_CLOSED : fcntl(fds[i], F_DUPFD_CLOEXEC, 10);
        if (lifted[i] < 0 && fds[i] != CHILD_CLOSED) {
            die(line, "descriptors");
        }
    }
    for (int i = 0; i < 3; i++) {
        if (lifted[i] == CHILD_CLOSED) {
            close(i);
        } else if (dup2(lifted[i], i) < 0) {
            die(line, "descriptors");
        }
    }
}

int child_drop_group(void)
{
    gid_t r = getgid(), now[3];

    if (setresgid(r, r, r) != 0 || getresgid(&now[0], &now[1], &now[2]) != 0) {
        return -1;
    }
    if (now[0] != r || now[1] != r || now[2] != r) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static void prepare(const struct child_config *config, int line)
{
    if ((config->new_session || config->tty >= 0) && setsid() < 0) {
        die(line, "begin a session");
    }
    if (config->tty >= 0 && ioctl(config->tty, TIOCSCTTY, 0) != 0) {
        die(line, "take the terminal");
    }
    place_descriptors(line, config->fds);
    if (config->drop_group && child_drop_group() != 0) {
        die(line, "drop the group");
    }
    limits_restore(config->limits);
    if (config->shell != NULL && setenv("SHELL", config->shell, 1) != 0) {
        die(line, "set SHELL");
    }
}

/* Everything from 3 up but the line, which goes by itself when the exec succeeds. */
static void close_others(int line)
{
    if (line > 3) {
        (void)close_range(3, (unsigned)line - 1, 0);
    }
    (void)close_range((unsigned)line + 1, ~0U, 0);
}

/* The word to go on: a path, which may be empty, up to its NUL. */
static bool wait_for_go(int line, char path[CHILD_PATH_MAX])
{
    size_t len = 0;

    for (;;) {
        ssize_t n = read(line, path + len, CHILD_PATH_MAX - len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
        if (path[len - 1] == '\0' || len == CHILD_PATH_MAX) {
            return path[len - 1] == '\0';
        }
    }
}

/* A copy of ${argv} that begins with the name of ${shell}. */
static char **named_after(const char *shell, char *const *argv)
{
    const char *base = strrchr(shell, '/');
    size_t n = 0;
    char **copy;

    while (argv[n] != NULL) {
        n++;
    }
    copy = calloc(n + 2, sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 1; i < n; i++) {
        copy[i] = argv[i];
    }
    base = base != NULL ? base + 1 : shell;
    return asprintf(&copy[0], "%s%s", argv[0][0] == '-' ? "-" : "", base) < 0 ? NULL : copy;
}

void child_exec(const char *path, char *const *argv, const char *shell)
{
    if (shell != NULL) {
        argv = named_after(shell, argv);
        if (argv == NULL || setenv("SHELL", shell, 1) != 0) {
            errno = ENOMEM;
            return;
        }
        path = shell;
    }
    execvp(path, argv);
}

static _Noreturn void run(const struct child_config *config, int line)
{
    char shell[CHILD_PATH_MAX];
    int moved;

    /* Above everything that place_descriptors touches. */
    moved = fcntl(line, F_DUPFD_CLOEXEC, 20);
    if (moved < 0) {
        die(line, "descriptors");
    }
    line = moved;
    prepare(config, line);
    close_others(line);
    if (!wait_for_go(line, shell)) {
        _exit(127);
    }
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, config->ignore_chld ? SIG_IGN : SIG_DFL);
    signal(SIGXFSZ, config->ignore_xfsz ? SIG_IGN : SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, config->mask, NULL);
    child_exec(config->path, config->argv, shell[0] != '\0' ? shell : NULL);
    die(line, "");
}

int child_start(struct child *ret, const struct child_config *config, struct error *err)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return err_sys(err, "socketpair");
    }
    pid = fork();
    if (pid < 0) {
        err_sys(err, "fork");
        close(pair[0]);
        close(pair[1]);
        return -1;
    }
    if (pid == 0) {
        close(pair[0]);
        run(config, pair[1]);
    }
    close(pair[1]);
    ret->pid = pid;
    ret->line = pair[0];
    ret->gone = false;
    return 0;
}

static void reap(struct child *c)
{
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    c->pid = -1;
}

void child_go(struct child *c, const char *shell)
{
    /* A child that died on the way has sent its report already; EPIPE says nothing new. */
    if (!c->gone) {
        shell = shell != NULL ? shell : "";
        (void)!send(c->line, shell, strlen(shell) + 1, MSG_NOSIGNAL);
    }
    c->gone = true;
}

int child_release(struct child *c, const char *shell, const char *name, struct error *err)
{
    struct report r;
    ssize_t n;

    child_go(c, shell);
    do {
        n = recv(c->line, &r, sizeof r, MSG_WAITALL);
    } while (n < 0 && errno == EINTR);
    close(c->line);
    c->line = -1;
    if (n != (ssize_t)sizeof r) {
        return 0;
    }
    reap(c);
    r.what[sizeof r.what - 1] = '\0';
    err_set(err, ERR_USAGE, "run %.100s: %s%s%s", name, r.what, r.what[0] != '\0' ? ": " : "",
            strerror(r.code));
    err->code = r.code;
    return -1;
}

void child_abandon(struct child *c)
{
    if (c->line >= 0) {
        if (c->gone) {
            (void)kill(c->pid, SIGKILL);
        }
        close(c->line);
        c->line = -1;
        reap(c);
    }
}
