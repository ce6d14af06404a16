/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorders within sessions (docs/DESIGN.md section 11).  What says that a process is recorded
 * already is a fact of the kernel: its terminal is the pty of a session that is open, whose
 * recorder has shown that it holds the master; or it has no terminal and a session's recorder is
 * among its ancestors.  And both are the same user's: a session of another uid is one of its own.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

#define ANCESTORS_MOST 64

struct device {
    uint64_t dev, rdev;
    uid_t owner;
};

void nested_drop_passed(struct peer *p)
{
    int fd = p->state == PEER_NEW ? -1 : peer_take_passed(p);

    if (fd >= 0) {
        close(fd);
    }
}

/* Without asking the file system, which may be its user's own and never answer. */
static bool look(int fd, struct device *ret)
{
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_UID, &st) != 0 ||
        !S_ISCHR(st.stx_mode)) {
        return false;
    }
    ret->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
    ret->rdev = makedev(st.stx_rdev_major, st.stx_rdev_minor);
    ret->owner = st.stx_uid;
    return true;
}

/* A recorder that is there, with a session that is recorded. */
static bool is_live(const struct peer *p)
{
    return p->state == PEER_LIVE && !p->control && !p->waiting && p->session != NULL &&
           !p->session->closed && clock_process_alive(p->pid, p->start);
}

/* ---- the question ---- */

static struct peer *by_terminal(struct writer *w, const struct peer *asks, int fd)
{
    struct device d;

    if (!look(fd, &d) || isatty(fd) != 1) {
        return NULL;
    }
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->session != NULL && p->session->inner_rdev == d.rdev &&
            p->session->inner_dev == d.dev && p->uid == asks->uid && is_live(p)) {
            return p;
        }
    }
    return NULL;
}

static struct peer *recorder(struct writer *w, pid_t pid, uint64_t start, uid_t uid)
{
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->pid == pid && p->start == start && p->uid == uid && is_live(p)) {
            return p;
        }
    }
    return NULL;
}

/* The nearest one.  A parent that began after its child is another process of the same number. */
static struct peer *by_ancestors(struct writer *w, const struct peer *asks)
{
    pid_t pid = asks->pid;
    uint64_t start = asks->start;
    struct peer *found = NULL;

    for (int i = 0; i < ANCESTORS_MOST && found == NULL; i++) {
        pid_t parent = clock_process_parent(pid, start);
        uint64_t began = parent > 0 ? clock_process_start(parent) : 0;

        if (began == 0 || began > start || clock_process_parent(pid, start) != parent) {
            return NULL;
        }
        found = recorder(w, parent, began, asks->uid);
        pid = parent;
        start = began;
    }
    return found != NULL && clock_process_start(asks->pid) == asks->start ? found : NULL;
}

static int answer_yes(struct writer *w, struct peer *p, struct peer *outer, struct error *err)
{
    const struct session_row *row = &outer->session->info;
    struct facts f = {.bytes = buf_data(&row->facts), .len = row->facts.len};
    struct policy policy;
    struct buf body;
    uint8_t pid[4];
    int rc;

    opening_policy(w, p, &f, &policy);
    buf_init(&body, FRAME_MAX_BODY);
    rc =
        buf_append(&body, row->id, sizeof row->id, err) != 0 || policy_put(&body, &policy, err) != 0
            ? -1
            : 0;
    if (rc == 0) {
        io_put_be32(pid, (uint32_t)p->pid);
        peer_send(outer, FRAME_NESTED_IN, pid, sizeof pid);
        peer_send(p, FRAME_NESTING, buf_data(&body), body.len);
    }
    buf_clear(&body);
    return rc;
}

int nested_ask(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    struct peer *outer;
    int fd = peer_take_passed(p);

    if (opening_version(f, err) != 0 || f->len != 4 || p->asked) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, ERR_CORRUPT, "message %u out of turn", (unsigned)f->type);
    }
    p->asked = true;
    outer = w->private ? NULL : fd >= 0 ? by_terminal(w, p, fd) : by_ancestors(w, p);
    if (fd >= 0) {
        close(fd);
    }
    if (outer != NULL) {
        return answer_yes(w, p, outer, err);
    }
    peer_send(p, FRAME_NESTING, NULL, 0);
    return 0;
}

/* ---- which terminals are sessions' own ---- */

/* Only a master has a peer, and only who made it has the master. */
static bool peer_of_master(int master, struct device *ret)
{
    struct device d;
    unsigned number;
    bool known;
    int slave;

    if (!look(master, &d) || ioctl(master, TIOCGPTN, &number) != 0) {
        return false;
    }
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    known = slave >= 0 && look(slave, ret);
    if (slave >= 0) {
        close(slave);
    }
    return known;
}

/* Numbers are used again: a session whose recorder is gone holds none. */
static bool is_taken(const struct writer *w, const struct peer *p, const struct device *d)
{
    for (const struct peer *q = w->peers; q != NULL; q = q->next) {
        if (q != p && q->session != NULL && q->session != p->session &&
            q->session->inner_rdev == d->rdev && q->session->inner_dev == d->dev && is_live(q)) {
            return true;
        }
    }
    return false;
}

int nested_inner(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    struct wsession *s = p->session;
    struct device d = {.dev = 0};
    int fd = peer_take_passed(p);
    bool known;

    if (fd < 0 || f->len != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, ERR_CORRUPT, "message %u out of turn", (unsigned)f->type);
    }
    known = !w->private && peer_of_master(fd, &d);
    close(fd);
    /* Unknown, it makes sessions of nested shells: no reason to end this one. */
    if (known && d.owner == p->uid && s->inner_rdev == 0 && !is_taken(w, p, &d)) {
        s->inner_dev = d.dev;
        s->inner_rdev = d.rdev;
    } else if (!w->private && (!known || s->inner_rdev != d.rdev || s->inner_dev != d.dev)) {
        log_line(LOG_LEVEL_WARN, "inner-tty-unknown pid=%ld uid=%ld", (long)p->pid, (long)p->uid);
    }
    return 0;
}
