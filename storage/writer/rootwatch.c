/* SPDX-License-Identifier: Apache-2.0 */
/* Root during a session: what was recorded until then is sealed and the shipper is called, since
 * nothing on this host is safe from root (PITFALLS 5).  By /proc, which all may read; a few
 * sessions at a time, so that nobody's key waits for it. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

#define AT_ONCE   8U      /* sessions in one step */
#define ROUND_US  1000000 /* each session once in it */
#define TREE_MOST 256     /* processes of a session that are looked at */

struct tree {
    pid_t pids[TREE_MOST];
    size_t n;
    bool more; /* than are looked at: among them root could hide */
};

static ssize_t read_text(int dir, const char *path, char *text, size_t size)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return n;
}

static void add_children(struct tree *t, int task, const char *thread)
{
    char path[300], text[4096], *p = text;

    (void)snprintf(path, sizeof path, "%.20s/children", thread);
    t->more = read_text(task, path, text, sizeof text) == (ssize_t)sizeof text - 1 || t->more;
    while (t->n < TREE_MOST && isdigit((unsigned char)*p)) {
        t->pids[t->n++] = (pid_t)strtol(p, &p, 10);
        p += strspn(p, " ");
    }
    t->more = t->more || isdigit((unsigned char)*p);
}

/* A process may have children by each of its threads. */
static void descend(struct tree *t, pid_t pid)
{
    struct dirent *e;
    char path[64];
    DIR *d;

    (void)snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    d = opendir(path);
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (isdigit((unsigned char)e->d_name[0])) {
            add_children(t, dirfd(d), e->d_name);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
}

static bool is_root(pid_t pid)
{
    char path[64], text[2048];
    const char *line;
    unsigned long effective = 1;

    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    (void)read_text(AT_FDCWD, path, text, sizeof text);
    line = strstr(text, "\nUid:"); /* real, effective, ... */
    if (line != NULL) {
        char *end = NULL;

        (void)strtoul(line + 5, &end, 10);
        effective = strtoul(end, NULL, 10);
    }
    return effective == 0;
}

/* *ret_more: it has more processes than are looked at. */
static bool has_root(const struct wsession *s, bool *ret_more)
{
    struct tree t = {.n = 0};

    descend(&t, (pid_t)s->recorder.pid);
    for (size_t i = 0; i < t.n; i++) {
        /* Looked at last: the number is still the recorder's. */
        if (is_root(t.pids[i])) {
            return clock_process_alive((pid_t)s->recorder.pid, (uint64_t)s->recorder.start);
        }
        descend(&t, t.pids[i]);
    }
    *ret_more = t.more;
    return false;
}

static bool is_watched(const struct wsession *s)
{
    return s->info.uid != 0 && s->connected && !s->closed && s->info.kind != NULL &&
           strcmp(s->info.kind, "host") != 0 && !session_row_imported(&s->info) && !s->root_seen;
}

/* A systemd path unit waits for this file, and the shipper removes it. */
static void call_shipper(const struct writer *w)
{
    char path[160];
    int fd;

    if (w->run_dir[0] == '\0') {
        return;
    }
    (void)snprintf(path, sizeof path, "%s/ship-now", w->run_dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        log_line(LOG_LEVEL_WARN, "ship-now-failed path=\"%s\"", path);
        return;
    }
    close(fd);
}

static void found(struct writer *w, struct wsession *s, const char *flag)
{
    if (wsession_add_flag(s, flag, NULL) == 0) {
        (void)store_session_flags(w->store, s->info.row, s->info.flags, NULL);
    }
    s->seal_asked = true;
    call_shipper(w);
    log_line(LOG_LEVEL_WARN, "session-%s row=%lld uid=%lld", flag, (long long)s->info.row,
             (long long)s->info.uid);
}

void rootwatch_step(struct writer *w, uint64_t now)
{
    size_t all = 0, at = 0, looked = 0;

    if (w->private || now < w->root_at_us) {
        return;
    }
    for (struct wsession *s = w->sessions; s != NULL; s = s->next, all++) {
        if (all < w->root_next || looked == AT_ONCE) {
            continue;
        }
        at = all + 1;
        if (is_watched(s)) {
            bool more = false;

            looked++;
            if (has_root(s, &more)) {
                s->root_seen = true;
                found(w, s, "root");
            } else if (more && !s->unwatched) {
                s->unwatched = true;
                found(w, s, "unwatched");
            }
        }
    }
    w->root_next = at >= all ? 0 : at;
    w->root_at_us = now + (all <= AT_ONCE ? ROUND_US : ROUND_US * AT_ONCE / all);
}
