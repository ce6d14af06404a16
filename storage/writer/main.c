/* SPDX-License-Identifier: Apache-2.0 */
/* ttytraild: options, sockets, then the loop. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/io.h"
#include "common/log.h"
#include "storage/wire/ring.h"
#include "storage/writer/writer.h"

struct options {
    const char *db, *socket, *control, *config, *ring;
    int private_fd;
    bool syslog;
};

static const char help[] =
    "Usage: ttytraild --db FILE --socket PATH [--control PATH] [--config FILE]\n\n"
    "The writer: takes events from recorders and keeps them in the evidence database.\n\n"
    "  --db FILE       the evidence database; made if it does not exist\n"
    "  --socket PATH   where recorders connect (mode 0660)\n"
    "  --control PATH  where commands connect (mode 0666); default PATH of --socket + '.control'\n"
    "  --ring DIR      where recorders that had no writer left their sessions; for a database "
    "below\n"
    "                  /var/lib/ttytrail the default is /var/lib/ttytrail/ring, else none\n"
    "  --config FILE   instead of /etc/ttytrail/ttytrail.conf\n"
    "  --syslog        log there, not to standard error\n\n"
    "With systemd's socket activation the socket named 'writer', or the first, is the recorders'\n"
    "and the other the commands'.  SIGHUP reloads the configuration, SIGTERM ends in order.\n\n"
    "Example:\n"
    "  ttytraild --db /var/lib/ttytrail/evidence/evidence.db --socket /run/ttytrail/writer.sock\n";

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"db", required_argument, NULL, 'd'},      {"socket", required_argument, NULL, 's'},
        {"control", required_argument, NULL, 'c'}, {"config", required_argument, NULL, 'f'},
        {"private", required_argument, NULL, 'p'}, {"ring", required_argument, NULL, 'r'},
        {"syslog", no_argument, NULL, 'l'},        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0}};
    int opt;

    *o = (struct options){.private_fd = -1};
    while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (opt) {
        case 'd':
            o->db = optarg;
            break;
        case 's':
            o->socket = optarg;
            break;
        case 'c':
            o->control = optarg;
            break;
        case 'f':
            o->config = optarg;
            break;
        case 'r':
            o->ring = optarg;
            break;
        case 'p':
            o->private_fd = (int)strtol(optarg, NULL, 10);
            break;
        case 'l':
            o->syslog = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return 0;
        case 'v':
            (void)printf("ttytraild %s\n", TTYTRAIL_VERSION);
            return 0;
        default:
            return 2;
        }
    }
    if (o->db == NULL || optind != argc) {
        (void)fprintf(stderr, "ttytraild: %s; try 'ttytraild --help'\n",
                      o->db == NULL ? "--db is missing" : "too many words");
        return 2;
    }
    return -1;
}

/* A socket that nobody listens on is a left-over and goes; one that somebody answers on stays. */
static int remove_stale(const struct sockaddr_un *a, struct error *err)
{
    struct stat st;
    int fd;

    if (lstat(a->sun_path, &st) != 0) {
        return 0;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0) {
        close(fd);
        return err_set(err, ERR_USAGE, "a writer answers on %s already", a->sun_path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return err_set(err, ERR_USAGE, "%s exists and is no socket", a->sun_path);
    }
    return unlink(a->sun_path) == 0 ? 0 : err_sys(err, "remove %s", a->sun_path);
}

static int listen_on(const char *path, mode_t mode, struct error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    mode_t old;
    int fd, rc;

    if (strlen(path) >= sizeof a.sun_path) {
        return err_set(err, ERR_USAGE, "socket's path is longer than %zu bytes",
                       sizeof a.sun_path - 1);
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (remove_stale(&a, err) != 0) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return err_sys(err, "socket");
    }
    old = umask(0777 & ~mode);
    rc = bind(fd, (struct sockaddr *)&a, sizeof a);
    umask(old);
    if (rc != 0 || listen(fd, 1024) != 0) {
        err_sys(err, "listen on %s", path);
        close(fd);
        return -1;
    }
    return fd;
}

/* sd_listen_fds(3), without its library. */
static int activated_sockets(void)
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

    if (pid == NULL || n == NULL || strtol(pid, NULL, 10) != (long)getpid()) {
        return 0;
    }
    return (int)strtol(n, NULL, 10);
}

/* Two units hand over one socket each, in whatever order: their names tell. */
static bool control_is_first(int n)
{
    const char *names = getenv("LISTEN_FDNAMES");

    return n > 1 && names != NULL && strncmp(names, "control:", 8) == 0;
}

static int open_sockets(const struct options *o, struct writer_config *c, struct error *err)
{
    int n = activated_sockets();
    char control[sizeof((struct sockaddr_un *)0)->sun_path];

    if (n > 0) {
        for (int i = 0; i < n; i++) {
            (void)fcntl(3 + i, F_SETFD, FD_CLOEXEC);
            (void)fcntl(3 + i, F_SETFL, O_NONBLOCK);
        }
        c->listen_fd = control_is_first(n) ? 4 : 3;
        c->control_fd = n > 1 ? 7 - c->listen_fd : -1;
        return 0;
    }
    if (o->socket == NULL) {
        return err_set(err, ERR_USAGE, "--socket is missing");
    }
    c->listen_fd = listen_on(o->socket, 0660, err);
    if (c->listen_fd < 0) {
        return -1;
    }
    (void)snprintf(control, sizeof control, "%s.control", o->socket);
    c->control_fd = listen_on(o->control != NULL ? o->control : control, 0666, err);
    return c->control_fd < 0 ? -1 : 0;
}

static int open_signals(struct error *err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? err_sys(err, "signalfd") : fd;
}

static void ignore_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};

    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        (void)signal(ignored[i], SIG_IGN);
    }
}

static const char *ring_of(const struct options *o)
{
    static const char installed[] = "/var/lib/ttytrail/";

    return o->ring != NULL                                        ? o->ring
           : strncmp(o->db, installed, sizeof installed - 1) == 0 ? RING_DIR
                                                                  : NULL;
}

/* The C library reads how names are found at their first use, and crashes without memory then: not
 * while there are sessions. */
static void load_names(void)
{
    struct passwd pw, *found;
    char text[4096];

    (void)getpwuid_r(geteuid(), &pw, text, sizeof text, &found);
}

static int run(const struct options *o, struct error *err)
{
    struct error refused;
    struct rlimit files;
    struct conf conf;
    struct writer_config c = {.db = o->db,
                              .listen_fd = -1,
                              .control_fd = -1,
                              .private_fd = o->private_fd,
                              .signal_fd = -1,
                              .ring_dir = ring_of(o),
                              .config_path = o->config,
                              .conf = &conf};
    int rc;

    if (conf_open(&conf, o->config, err) != 0) {
        /* It must lock nobody out (PITFALLS 28); but `record --config FILE` wants that file. */
        log_line(LOG_LEVEL_ERROR, "configuration-refused why=\"%s\"", err->text);
        refused = *err;
        c.refuse = o->private_fd >= 0 && o->config != NULL ? &refused : NULL;
        c.unreadable = true;
        if (conf_init(&conf, err) != 0) {
            return -1;
        }
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (o->private_fd >= 0) {
        (void)fcntl(o->private_fd, F_SETFD, FD_CLOEXEC);
        ignore_signals();
        rc = 0;
    } else {
        (void)signal(SIGPIPE, SIG_IGN);
        load_names();
        c.signal_fd = open_signals(err);
        rc = c.signal_fd < 0 ? -1 : open_sockets(o, &c, err);
    }
    if (rc == 0) {
        rc = writer_run(&c, err);
    }
    conf_clear(&conf);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o;
    struct error err;
    int rc = parse(argc, argv, &o);

    if (rc >= 0) {
        return rc;
    }
    /* What it holds is on its way to a database that its user may read, or may not: no other
     * process of that user looks at it meanwhile, and no dump keeps it. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    log_open("ttytraild", o.private_fd >= 0 || o.syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR,
             LOG_LEVEL_INFO);
    /* Segments' buffers are some hundred KiB: mapping and zeroing them anew for each was 7 % of all
     * CPU under bulk output. */
    (void)mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
    (void)mallopt(M_ARENA_MAX, 1);
    err_clear(&err);
    if (run(&o, &err) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", err.text);
        return err.kind == ERR_USAGE ? 2 : 1;
    }
    return 0;
}
