/* SPDX-License-Identifier: Apache-2.0 */
/* ttytrail-facts: answers the writer, and root, what only root can see.  One request a connection,
 * one after the other: none of them waits for anybody. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "facts/answer.h"
#include "facts/rights.h"
#include "storage/wire/pass.h"

#define WRITER_USER "ttytrail"
#define REQUEST_MS  200

static const char help[] =
    "Usage: ttytrail-facts [--socket PATH] [--user NAME]\n\n"
    "Answers ttytraild what only root can see, and hangs up a login's terminal for it.\n\n"
    "  --socket PATH  where to listen (mode 0600), unless systemd hands a socket over;\n"
    "                 default /run/ttytrail/facts.sock\n"
    "  --user NAME    whom to answer beside root; default " WRITER_USER "\n\n"
    "Example:\n  ttytrail-facts --socket /run/ttytrail/facts.sock\n";

struct options {
    const char *socket, *user;
};

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"socket", required_argument, NULL, 's'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    int opt;

    *o = (struct options){.user = WRITER_USER};
    while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (opt) {
        case 's':
            o->socket = optarg;
            break;
        case 'u':
            o->user = optarg;
            break;
        case 'h':
            return fputs(help, stdout) < 0;
        case 'v':
            return printf("ttytrail-facts %s\n", TTYTRAIL_VERSION) < 0;
        default:
            return 2;
        }
    }
    return optind == argc ? -1 : 2;
}

/* sd_listen_fds(3), without its library. */
static bool activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

    return pid != NULL && n != NULL && strtol(pid, NULL, 10) == (long)getpid() &&
           strtol(n, NULL, 10) >= 1;
}

static int listen_on(const char *path, uid_t owner, struct error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    mode_t old;
    int fd, rc;

    if (strlen(path) >= sizeof a.sun_path) {
        return err_set(err, ERR_USAGE, "path of the socket is too long");
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        (void)unlink(path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_sys(err, "socket");
    }
    old = umask(0177);
    rc = bind(fd, (struct sockaddr *)&a, sizeof a);
    umask(old);
    if (rc != 0 || lchown(path, owner, (gid_t)-1) != 0 || listen(fd, 256) != 0) {
        err_sys(err, "listen on %s", path);
        close(fd);
        return -1;
    }
    return fd;
}

static bool may_ask(int fd, uid_t writer)
{
    struct ucred cred;
    socklen_t len = sizeof cred;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
           (cred.uid == 0 || cred.uid == writer);
}

/* A whole frame, within REQUEST_MS: 1, or not. */
static int receive(int fd, struct buf *in, struct frame *f, int *ret_fd)
{
    uint64_t end = clock_boot_us() + REQUEST_MS * 1000, now;
    size_t used;
    int rc;

    while ((rc = frame_next(buf_data(in), in->len, f, &used, NULL)) == 0 &&
           (now = clock_boot_us()) < end) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint8_t bytes[256];
        ssize_t n;

        if (poll(&p, 1, (int)((end - now) / 1000) + 1) <= 0) {
            return 0;
        }
        n = pass_receive(fd, bytes, sizeof bytes, MSG_DONTWAIT, ret_fd);
        if (n <= 0 || buf_append(in, bytes, (size_t)n, NULL) != 0) {
            return 0;
        }
    }
    return rc;
}

static void serve(int fd, uid_t writer)
{
    int passed = -1, fresh = -1;
    struct frame f;
    struct buf in, out;

    if (!may_ask(fd, writer)) {
        log_line(LOG_LEVEL_WARN, "refused why=\"neither root nor the writer\"");
        return;
    }
    buf_init(&in, 1024);
    buf_init(&out, FRAME_HEADER + FRAME_MAX_BODY);
    /* Withdrawn: a hang-up now would be one that nobody expects any more. */
    if (receive(fd, &in, &f, &passed) == 1 && !pass_gone(fd)) {
        answer(&f, passed, &out, &fresh);
        (void)pass_send(fd, buf_data(&out), out.len, fresh);
    }
    if (passed >= 0) {
        close(passed);
    }
    if (fresh >= 0) {
        close(fresh);
    }
    buf_clear(&in);
    buf_clear(&out);
}

static int run(const struct options *o, struct error *err)
{
    const struct passwd *writer = getpwnam(o->user);
    uid_t uid = writer == NULL ? 0 : writer->pw_uid;
    const char *path = o->socket != NULL ? o->socket : "/run/ttytrail/facts.sock";
    int fd = activated() ? 3 : listen_on(path, uid, err);

    if (fd < 0 || rights_drop(err) != 0) {
        return -1;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, 0);
    for (;;) {
        int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        if (one >= 0) {
            serve(one, uid);
            close(one);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
            (void)poll(NULL, 0, 10);
        } else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
            return err_sys(err, "accept");
        }
    }
}

int main(int argc, char **argv)
{
    struct options o;
    struct error err = {.kind = ERR_NONE};
    int rc = parse(argc, argv, &o);

    if (rc >= 0) {
        return rc;
    }
    (void)prctl(PR_SET_DUMPABLE, 0);
    /* The terminals that it hangs up are nobody's controlling one here, and none becomes it. */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    log_open("ttytrail-facts", LOG_TO_STDERR, LOG_LEVEL_INFO);
    if (run(&o, &err) != 0) {
        log_line(LOG_LEVEL_ERROR, "failed why=\"%s\"", err.text);
        return err.kind == ERR_USAGE ? 2 : 1;
    }
    return 0;
}
