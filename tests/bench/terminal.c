/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal: the far end of a benchmark.
 *   terminal relay CMD...        a relay that records nothing: what ratios are taken to
 *   terminal run CMD...          run CMD on a fresh pty, read all it shows; one line: wall_s cpu_s
 * bytes terminal keys N CMD...       the echo of N keys through CMD, which must run `terminal
 * echo`; µs a line terminal echo                raw echo of single bytes until ^D
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put(int fd, const char *p, ssize_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, (size_t)n);

        if (w < 0 && errno != EINTR) {
            return;
        }
        p += w > 0 ? w : 0;
        n -= w > 0 ? w : 0;
    }
}

static pid_t start(char **argv, const struct termios *modes, int *master)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    pid_t pid = forkpty(master, NULL, modes, &size);

    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void raw(struct termios *saved)
{
    struct termios t;

    tcgetattr(0, saved);
    t = *saved;
    cfmakeraw(&t);
    tcsetattr(0, TCSANOW, &t);
}

static int relay(char **argv)
{
    static char b[65536];
    struct termios saved;
    int master, status;
    pid_t pid;

    raw(&saved);
    pid = start(argv, &saved, &master);
    struct pollfd f[2] = {{.fd = 0, .events = POLLIN}, {.fd = master, .events = POLLIN}};
    for (;;) {
        ssize_t n;

        if (poll(f, 2, -1) < 0) {
            continue;
        }
        if (f[1].revents != 0) {
            n = read(master, b, sizeof b);
            if (n <= 0) {
                break;
            }
            put(1, b, n);
        }
        if (f[0].revents != 0) {
            n = read(0, b, sizeof b);
            put(master, b, n);
        }
    }
    status = status_of(pid);
    tcsetattr(0, TCSANOW, &saved);
    return status;
}

static int run(char **argv)
{
    static char b[65536];
    struct rusage u;
    long long bytes = 0;
    double begin = now(), wall;
    int master;
    ssize_t n;
    pid_t pid;

    /* A private writer outlives its recorder: its CPU counts as well. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = start(argv, NULL, &master);
    while ((n = read(master, b, sizeof b)) > 0) {
        bytes += n;
    }
    (void)status_of(pid);
    wall = now() - begin;
    while (waitpid(-1, NULL, 0) > 0) {
    }
    getrusage(RUSAGE_CHILDREN, &u);
    printf("%.4f %.4f %lld\n", wall,
           (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
           bytes);
    return 0;
}

static int keys(int count, char **argv)
{
    char b[4096];
    int master;
    pid_t pid = start(argv, NULL, &master);

    for (char c = 0; c != '!';) { /* `echo` says when it is ready */
        if (read(master, &c, 1) != 1) {
            return 1;
        }
    }
    for (int i = 0; i < count; i++) {
        struct timespec pause = {0, 1000000 + i % 7 * 100000};
        char c = (char)('a' + i % 26);
        double t = now();

        put(master, &c, 1);
        do {
            ssize_t n = read(master, b, sizeof b);

            if (n <= 0) {
                return 1;
            }
            t = memchr(b, c, (size_t)n) != NULL ? now() - t : t;
        } while (t > 1e3);
        printf("%.1f\n", t * 1e6);
        nanosleep(&pause, NULL);
    }
    put(master, "\4", 1);
    while (read(master, b, sizeof b) > 0) {
    }
    return status_of(pid);
}

static int echo(void)
{
    struct termios saved;
    char b[256];
    ssize_t n;

    raw(&saved);
    put(1, "!", 1);
    while ((n = read(0, b, sizeof b)) > 0 && memchr(b, 4, (size_t)n) == NULL) {
        put(1, b, n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "echo") == 0) {
        return echo();
    }
    if (argc >= 3 && strcmp(argv[1], "relay") == 0) {
        return relay(argv + 2);
    }
    if (argc >= 3 && strcmp(argv[1], "run") == 0) {
        return run(argv + 2);
    }
    if (argc >= 4 && strcmp(argv[1], "keys") == 0) {
        return keys((int)strtol(argv[2], NULL, 10), argv + 3);
    }
    fprintf(stderr, "terminal: relay, run, keys N or echo\n");
    return 2;
}
