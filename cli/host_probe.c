/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login tried out before anybody's shell is changed: the recorder is started as sshd starts it,
 * as a user without rights, once with pipes and once on a terminal; what it prints must come
 * through, and the session must be in the database.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/host.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "recorder/pty.h"
#include "storage/db/reader.h"

#define PROBE_US INT64_C(30000000)
#define SEEN_US  INT64_C(10000000)
#define OUT_MAX  65536U

struct probe {
    struct check_run *run;
    const struct passwd *who;
    char shell[256];
    char nonce[33];
    char command[64];
    bool tty;
    struct buf out;
    int status;
};

/* In the child, for good; what is wrong is its status. */
static void become(const struct probe *p, int in, int out)
{
    char home[300], name[300], shell[300];
    static char path[] = "PATH=/usr/bin:/bin", term[] = "TERM=xterm";
    char *env[] = {path, term, home, name, shell, NULL};
    char *argv[] = {shell + sizeof "SHELL=" - 1, (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)p->command, NULL};

    (void)snprintf(home, sizeof home, "HOME=%s", p->who->pw_dir);
    (void)snprintf(name, sizeof name, "USER=%s", p->who->pw_name);
    (void)snprintf(shell, sizeof shell, "SHELL=%s", p->shell);
    if (setsid() < 0 || (p->tty && ioctl(in, TIOCSCTTY, 0) != 0) || dup2(in, 0) != 0 ||
        dup2(out, 1) != 1 || dup2(out, 2) != 2 ||
        (geteuid() == 0 && (initgroups(p->who->pw_name, p->who->pw_gid) != 0 ||
                            setresgid(p->who->pw_gid, p->who->pw_gid, p->who->pw_gid) != 0 ||
                            setresuid(p->who->pw_uid, p->who->pw_uid, p->who->pw_uid) != 0)) ||
        chdir("/") != 0) {
        _exit(124);
    }
    (void)close_range(3, ~0U, 0);
    (void)execve(p->shell, argv, env);
    _exit(123);
}

/* Until its end, or until it is killed for taking too long. */
static void listen_to(struct probe *p, int fd, pid_t pid)
{
    int64_t end = (int64_t)clock_boot_us() + PROBE_US;
    char piece[4096];
    bool open = true, done = false;

    while (!done) {
        struct pollfd f = {.fd = open ? fd : -1, .events = POLLIN};
        ssize_t n;

        if ((int64_t)clock_boot_us() > end) {
            (void)kill(pid, SIGKILL);
            while (waitpid(pid, &p->status, 0) < 0 && errno == EINTR) {
            }
            p->status = -1;
            return;
        }
        (void)poll(&f, 1, 50);
        n = open ? read(fd, piece, sizeof piece) : 0;
        if (n > 0) {
            open = buf_append(&p->out, piece, (size_t)n, NULL) == 0;
        } else if (open && (n == 0 || (errno != EINTR && errno != EAGAIN))) {
            open = p->tty && waitpid(pid, &p->status, WNOHANG) == 0; /* EIO before it opened */
            done = !open && p->tty;
        }
        if (!open && !done) {
            done = waitpid(pid, &p->status, WNOHANG) != 0;
        }
    }
}

static int start_pipes(struct probe *p, struct error *err)
{
    int ends[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid = -1;

    if (null < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        err_sys(err, "pipe");
        if (null >= 0) {
            close(null);
        }
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        become(p, null, ends[1]);
    }
    close(null);
    close(ends[1]);
    if (pid > 0) {
        (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
        listen_to(p, ends[0], pid);
    }
    close(ends[0]);
    return pid > 0 ? 0 : err_sys(err, "fork");
}

static int start_tty(struct probe *p, struct error *err)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct pty pty;
    pid_t pid;

    if (pty_open(&pty, NULL, &size, err) != 0) {
        return -1;
    }
    if (geteuid() == 0 && fchown(pty.slave, p->who->pw_uid, (gid_t)-1) != 0) {
        err_sys(err, "give the pty to %s", p->who->pw_name);
        pty_close(&pty);
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        become(p, pty.slave, pty.slave);
    }
    pty_close_slave(&pty);
    if (pid > 0) {
        listen_to(p, pty.master, pid);
    }
    pty_close(&pty);
    return pid > 0 ? 0 : err_sys(err, "fork");
}

/* ---- whether it was recorded ---- */

struct wanted {
    const char *nonce;
    char id[33];
    bool dropped; /* it stands there, and policy says that it is not recorded */
};

static int on_session(void *user, const struct session_row *s)
{
    struct wanted *w = user;

    if (strstr(s->command, w->nonce) == NULL) {
        return 0;
    }
    io_hex(s->id, sizeof s->id, w->id);
    w->dropped = strstr(s->flags, "not-recorded") != NULL;
    return 1;
}

static int look_for(const char *db, struct wanted *w, struct error *err)
{
    int64_t end = (int64_t)clock_boot_us() + SEEN_US;
    struct reader *reader = NULL;
    int rc = reader_open(&reader, db, err);

    while (rc == 0 && (int64_t)clock_boot_us() < end) {
        struct pollfd none = {.fd = -1};

        rc = reader_sessions(reader, on_session, w, err);
        if (rc == 0) {
            (void)poll(&none, 1, 50);
        }
    }
    reader_close(reader);
    return rc;
}

static void say_recorded(struct probe *p, const char *how)
{
    struct wanted w = {.nonce = p->nonce};
    struct error err = {.kind = ERR_NONE};
    int rc = look_for(p->run->db, &w, &err);

    if (rc < 0) {
        check_say(p->run, CHECK_BLIND, "run this as root", "whether the login was recorded: %s",
                  err.text);
    } else if (rc == 0) {
        check_say(p->run, CHECK_FINDING,
                  host_service(
                      "look whether ttytraild writes another database: 'systemctl cat ttytraild'",
                      "look whether ttytraild writes another database: /etc/init.d/ttytraild"),
                  "a login of %s %s works, but %s does not have it", p->who->pw_name, how,
                  p->run->db);
    } else {
        check_say(p->run, w.dropped ? CHECK_NOTE : CHECK_OK, NULL, "a login of %s %s works%s %s",
                  p->who->pw_name, how,
                  w.dropped ? "; by policy it is not recorded:" : " and is recorded:", w.id);
    }
}

static void say_broken(struct probe *p, const char *how)
{
    char text[300], line[640];
    size_t n = p->out.len < sizeof text ? p->out.len : sizeof text;

    memcpy(text, buf_data(&p->out), n);
    log_escape(text, n, line, sizeof line);
    check_say(p->run, CHECK_FINDING, "change nobody's shell before this works",
              "a login of %s %s does not work (%s %d): %s", p->who->pw_name, how,
              p->status < 0          ? "no end within 30 s, killed"
              : WIFEXITED(p->status) ? "status"
                                     : "signal",
              p->status < 0          ? SIGKILL
              : WIFEXITED(p->status) ? WEXITSTATUS(p->status)
                                     : WTERMSIG(p->status),
              line);
}

static void try_one(struct probe *p, bool tty)
{
    static const char *const hows[] = {"with pipes", "on a terminal"};
    uint8_t random[16];
    struct error err = {.kind = ERR_NONE};

    p->tty = tty;
    p->status = 0;
    buf_reset(&p->out);
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return;
    }
    io_hex(random, sizeof random, p->nonce);
    (void)snprintf(p->command, sizeof p->command, "echo %s", p->nonce);
    if ((tty ? start_tty(p, &err) : start_pipes(p, &err)) != 0) {
        check_say(p->run, CHECK_BLIND, "try again", "%s", err.text);
    } else if (p->status != 0 || p->out.len < 32 ||
               memmem(buf_data(&p->out), p->out.len, p->nonce, 32) == NULL) {
        say_broken(p, hows[tty]);
    } else {
        say_recorded(p, hows[tty]);
    }
}

void host_probe(struct check_run *r, const char *user)
{
    struct probe p = {.run = r};
    char text[16384];
    struct passwd entry, *found = NULL;

    r->name = "login probe";
    if (getpwnam_r(user, &entry, text, sizeof text, &found) != 0 || found == NULL) {
        check_say(r, CHECK_FINDING, "name another user: --login-probe=USER", "there is no user %s",
                  user);
        return;
    }
    if (geteuid() != 0 && geteuid() != entry.pw_uid) {
        check_say(r, CHECK_BLIND, "run this as root", "only root can log %s in", user);
        return;
    }
    if (!host_shell_any(p.shell, sizeof p.shell)) {
        check_say(r, CHECK_FINDING, "'add-shell /usr/bin/ttytrail-shell-bin-bash'",
                  "%s lists no %s", HOST_SHELLS, HOST_SHELL);
        return;
    }
    p.who = &entry;
    buf_init(&p.out, OUT_MAX);
    try_one(&p, false);
    try_one(&p, true);
    buf_clear(&p.out);
}
