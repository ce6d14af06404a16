/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted HTTP server for unit tests: a child process on 127.0.0.1 and a port of the kernel's
 * choice. For each request it gives the first answer whose text occurs in the request and which is
 * not used up, and keeps the request for the test to look at.  One connection at a time; a new one
 * replaces it.
 */
#ifndef TTYTRAIL_TESTS_UNIT_HTTPD_H
#define TTYTRAIL_TESTS_UNIT_HTTPD_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HTTPD_MAX 65536

struct httpd_answer {
    const char *match; /* in the request's head or body; "" any */
    unsigned times;    /* 0: always */
    const char *reply; /* head without Content-Length and body, "\n\n" between; NULL: hang up */
};

struct httpd_log {
    unsigned requests, connections;
    char last[HTTPD_MAX], all[HTTPD_MAX * 4];
};

struct httpd {
    pid_t pid;
    struct httpd_log *log; /* shared with the child */
    char url[64];
};

static void httpd_reply(int fd, const char *reply)
{
    const char *body = strstr(reply, "\n\n");
    char out[HTTPD_MAX];
    size_t n = 0;

    for (const char *p = reply; p < body && n + 2 < sizeof out; p++) {
        if (*p == '\n') {
            out[n++] = '\r';
        }
        out[n++] = *p;
    }
    n += (size_t)snprintf(out + n, sizeof out - n, "\r\nContent-Length: %zu\r\n\r\n%s",
                          strlen(body + 2), body + 2);
    if (send(fd, out, n, MSG_NOSIGNAL) < 0) {
        _exit(2);
    }
}

/* One request into log->last; false at the connection's end. */
static bool httpd_read(int fd, struct httpd_log *log)
{
    size_t n = 0, want = 0, used;

    memset(log->last, 0, sizeof log->last);
    while (want == 0 || n < want) {
        ssize_t got = recv(fd, log->last + n, sizeof log->last - 1 - n, 0);
        const char *end, *length;

        if (got <= 0) {
            return false;
        }
        n += (size_t)got;
        end = strstr(log->last, "\r\n\r\n");
        if (want == 0 && end != NULL) {
            length = strcasestr(log->last, "\r\ncontent-length:");
            want = (size_t)(end + 4 - log->last);
            want += length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
        }
    }
    log->requests++;
    used = strlen(log->all);
    n = strlen(log->last);
    if (n < sizeof log->all - used) {
        memcpy(log->all + used, log->last, n + 1);
    }
    return true;
}

/* True while the connection is kept. */
static bool httpd_serve(int fd, struct httpd_answer *answers, size_t count, struct httpd_log *log)
{
    if (!httpd_read(fd, log)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct httpd_answer *a = &answers[i];

        if (strstr(log->last, a->match) == NULL || a->times == 1000) {
            continue;
        }
        if (a->times > 0 && --a->times == 0) {
            a->times = 1000; /* used up */
        }
        if (a->reply == NULL) {
            return false;
        }
        httpd_reply(fd, a->reply);
        return true;
    }
    httpd_reply(fd, "HTTP/1.1 599 No Answer In Script\n\n");
    return true;
}

static void httpd_loop(int listener, struct httpd_answer *answers, size_t count,
                       struct httpd_log *log)
{
    int fd = -1;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        struct pollfd p[2] = {{.fd = listener, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

        if (poll(p, 2, -1) < 0) {
            _exit(1);
        }
        if ((p[0].revents & POLLIN) != 0) {
            close(fd);
            fd = accept(listener, NULL, NULL);
            log->connections++;
        } else if (p[1].revents != 0 && !httpd_serve(fd, answers, count, log)) {
            close(fd);
            fd = -1;
        }
    }
}

static void httpd_start(struct httpd *h, const struct httpd_answer *answers, size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct httpd_answer *copy = calloc(count + 1, sizeof *copy);

    h->log = mmap(NULL, sizeof *h->log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (listener < 0 || copy == NULL || h->log == MAP_FAILED ||
        bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) != 0) {
        perror("httpd");
        abort();
    }
    memcpy(copy, answers, count * sizeof *copy);
    (void)snprintf(h->url, sizeof h->url, "http://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    h->pid = fork();
    if (h->pid == 0) {
        httpd_loop(listener, copy, count, h->log);
    }
    free(copy);
    close(listener);
}

static void httpd_stop(struct httpd *h)
{
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
    munmap(h->log, sizeof *h->log);
}

#endif
