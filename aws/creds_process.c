/* SPDX-License-Identifier: Apache-2.0 */
/* credential_process.  Source: the SDKs and Tools Reference Guide, "Process credential provider".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/creds_json.h"
#include "aws/creds_source.h"
#include "common/clock.h"

extern char **environ;

struct words {
    const char *at;
    char *out, *end;
    char quote; /* inside of which */
    struct error *err;
};

/* One character of a word into ${w}->out: 1, 0 at the word's end, -1. */
static int next_char(struct words *w)
{
    char c = *w->at;

    if (c == '\0') {
        return w->quote == '\0' ? 0 : err_set(w->err, ERR_USAGE, "an open quote");
    }
    if (w->quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
        return 0;
    }
    w->at++;
    if (c == w->quote || (w->quote == '\0' && (c == '"' || c == '\''))) {
        w->quote = c == w->quote ? '\0' : c;
        return 1;
    }
    /* Between double quotes a backslash stands for itself but before these two. */
    if (c == '\\' && w->quote != '\'' && (w->quote == '\0' || *w->at == '"' || *w->at == '\\')) {
        if (*w->at == '\0') {
            return err_set(w->err, ERR_USAGE, "a backslash at the end");
        }
        c = *w->at++;
    }
    if (w->out + 1 >= w->end) {
        return err_set(w->err, ERR_LIMIT, "more than %d bytes", CREDS_PROCESS_BYTES);
    }
    *w->out++ = c;
    return 1;
}

int creds_process_split(const char *command, char store[CREDS_PROCESS_BYTES],
                        char *argv[CREDS_PROCESS_WORDS + 1], struct error *err)
{
    struct words w = {.at = command, .out = store, .end = store + CREDS_PROCESS_BYTES, .err = err};
    int count = 0, rc;

    for (;;) {
        w.at += strspn(w.at, " \t\n");
        if (*w.at == '\0') {
            break;
        }
        if (count == CREDS_PROCESS_WORDS) {
            return err_set(err, ERR_LIMIT, "more than %d words", CREDS_PROCESS_WORDS);
        }
        argv[count++] = w.out;
        do {
            rc = next_char(&w);
        } while (rc == 1);
        if (rc < 0) {
            return -1;
        }
        if (w.out + 1 >= w.end) {
            return err_set(err, ERR_LIMIT, "more than %d bytes", CREDS_PROCESS_BYTES);
        }
        *w.out++ = '\0';
    }
    argv[count] = NULL;
    return count == 0 ? err_set(err, ERR_USAGE, "no command") : count;
}

/* In the child: only what is safe between fork and exec.  It says why it cannot into ${report}. */
static _Noreturn void become(char *const argv[], int out, int report, pid_t parent)
{
    sigset_t none;
    int code;

    /* Above what it is to have, which may be what these are; then ${report} alone is kept. */
    out = fcntl(out, F_DUPFD_CLOEXEC, 4);
    report = fcntl(report, F_DUPFD_CLOEXEC, 4);
    for (int s = 1; s < NSIG; s++) {
        (void)signal(s, SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        dup2(out, 1) == 1 && dup3(report, 3, O_CLOEXEC) == 3 && close_range(4, ~0U, 0) == 0) {
        close(0);
        close(2);
        if (open("/dev/null", O_RDONLY) == 0 && open("/dev/null", O_WRONLY) == 2) {
            execvp(argv[0], argv);
        }
        report = 3;
    }
    code = errno;
    (void)!write(report, &code, sizeof code);
    _exit(127);
}

/* In a group of its own, with nothing of ours but the environment and the pipe, and no longer there
 * than we are. */
static int start(char *const argv[], int out, pid_t *ret, struct error *err)
{
    pid_t parent = getpid();
    int report[2], code = 0;
    ssize_t n;

    if (pipe2(report, O_CLOEXEC) != 0) {
        return err_sys(err, "pipe");
    }
    *ret = fork();
    if (*ret == 0) {
        become(argv, out, report[1], parent);
    }
    close(report[1]);
    if (*ret < 0) {
        close(report[0]);
        return err_sys(err, "fork");
    }
    do {
        n = read(report[0], &code, sizeof code);
    } while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n == (ssize_t)sizeof code) {
        while (waitpid(*ret, NULL, 0) < 0 && errno == EINTR) {
        }
        errno = code;
        return err_sys(err, "cannot run %.100s", argv[0]);
    }
    return 0;
}

static int read_all(int fd, uint64_t until_us, struct buf *ret, struct error *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint64_t now = clock_boot_us();
        uint8_t piece[4096];
        ssize_t n;
        int rc;

        if (now >= until_us || poll(&p, 1, (int)((until_us - now) / 1000 + 1)) == 0) {
            return err_set(err, ERR_DENIED,
                           "it took too long: it is asked again with the next run");
        }
        n = read(fd, piece, sizeof piece);
        if (n == 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return err_sys(err, "read its output");
        }
        rc = n < 0 ? 0 : buf_append(ret, piece, (size_t)n, err);
        explicit_bzero(piece, sizeof piece);
        if (rc != 0) {
            return err_set(err, ERR_LIMIT, "it wrote more than %zu bytes", ret->max);
        }
    }
}

/* It closed its output; a moment is left for its end. */
static int reap(pid_t pid, bool killed, uint64_t until_us)
{
    int status = 0;
    pid_t got;

    while ((got = waitpid(pid, &status, killed ? 0 : WNOHANG)) <= 0) {
        if (got < 0 && errno != EINTR) {
            return 0; /* somebody ignores SIGCHLD: nobody can know */
        }
        if (got == 0 && clock_boot_us() >= until_us) {
            (void)kill(-pid, SIGKILL);
            killed = true;
        } else if (got == 0) {
            (void)poll(NULL, 0, 5);
        }
    }
    return status;
}

static int run(char *const argv[], unsigned patience_ms, struct buf *ret, struct error *err)
{
    uint64_t until_us = clock_boot_us() + (uint64_t)patience_ms * 1000;
    int fds[2], rc, status;
    pid_t pid = -1;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return err_sys(err, "pipe");
    }
    rc = start(argv, fds[1], &pid, err);
    close(fds[1]);
    if (rc == 0) {
        rc = read_all(fds[0], until_us, ret, err);
        if (rc != 0) {
            (void)kill(-pid, SIGKILL);
        }
        status = reap(pid, rc != 0, until_us);
        if (rc == 0 && status != 0) {
            rc = err_set(err, ERR_DENIED, "it ended with %s %d",
                         WIFSIGNALED(status) ? "signal" : "status",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
    close(fds[0]);
    return rc;
}

int creds_process_find(const char *command, unsigned patience_ms, struct creds_keys *ret,
                       struct error *err)
{
    char store[CREDS_PROCESS_BYTES], *argv[CREDS_PROCESS_WORDS + 1];
    struct buf out;
    int rc = -1;

    creds_secret_init(&out, CREDS_MAX_DOCUMENT);
    if (creds_process_split(command, store, argv, err) > 0 &&
        creds_secret_room(&out, CREDS_MAX_DOCUMENT, err) == 0 &&
        run(argv, patience_ms, &out, err) == 0) {
        rc = creds_json_keys((const char *)buf_data(&out), out.len, CREDS_JSON_PROCESS, ret, err);
    }
    creds_secret_clear(&out);
    explicit_bzero(store, sizeof store); /* people put keys on command lines */
    return rc != 0 ? err_wrap(err, "credential_process") : 1;
}
