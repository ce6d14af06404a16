/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/left.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

#define FAMILY_MAX 1024U /* looked at; a session with more has said enough */
#define LOOKS      5
#define LOOK_NS    10000000L

struct family {
    pid_t pid[FAMILY_MAX];
    size_t n;
};

static size_t read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* A process of several threads has children of each; those of its first are nearly all. */
static void add_children(struct family *f, pid_t pid)
{
    char path[64], text[8192], *at = text, *end;

    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
    (void)read_text(path, text, sizeof text);
    for (;;) {
        long child = strtol(at, &end, 10);

        /* A number at the end of a full buffer may be half of one. */
        if (end == at || *end != ' ' || f->n == FAMILY_MAX) {
            return;
        }
        f->pid[f->n++] = (pid_t)child;
        at = end;
    }
}

/* 1: alive, and its name; 0: gone, or as good as gone. */
static bool alive(pid_t pid, char name[80])
{
    char path[64], text[512], *open, *close;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    (void)read_text(path, text, sizeof text);
    open = strchr(text, '(');
    close = strrchr(text, ')');
    if (open == NULL || close == NULL || close < open || close[1] != ' ' || close[2] == 'Z' ||
        close[2] == 'X') {
        return false;
    }
    log_escape(open + 1, (size_t)(close - open - 1), name, 80);
    return true;
}

/* Whether there is anybody: the kernel's word, since what /proc shows may be gone a moment later (a
 * process that forks and ends, again and again) or looks dead (its first thread has ended). */
static bool look(struct family *f)
{
    char name[80];
    size_t live = 0;
    pid_t one;

    while ((one = waitpid(-1, NULL, WNOHANG | __WALL)) > 0) {
    }
    f->n = 0;
    add_children(f, getpid());
    for (size_t i = 0; i < f->n; i++) {
        add_children(f, f->pid[i]);
    }
    for (size_t i = 0; i < f->n; i++) {
        if (alive(f->pid[i], name)) {
            f->pid[live++] = f->pid[i];
        }
    }
    f->n = live;
    return one == 0;
}

unsigned left_list(struct buf *out, struct error *err)
{
    struct timespec pause = {.tv_nsec = LOOK_NS};
    struct family *f = calloc(1, sizeof *f);
    char name[80];
    bool any;
    unsigned n;

    if (f == NULL) {
        return 0;
    }
    any = look(f);
    for (int i = 0; i < LOOKS && any; i++) {
        (void)nanosleep(&pause, NULL);
        any = look(f);
    }
    for (size_t i = 0; i < f->n && i < LEFT_NAMED; i++) {
        if (alive(f->pid[i], name) && buf_printf(out, err, "%s%ld %s", out->len > 0 ? ", " : "",
                                                 (long)f->pid[i], name) != 0) {
            break;
        }
    }
    n = any && f->n == 0 ? 1 : (unsigned)f->n; /* at least one, that has no name */
    free(f);
    return n;
}
