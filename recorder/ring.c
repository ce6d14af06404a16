/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "storage/wire/event.h"
#include "storage/wire/ring.h"

#define NAMES_MOST 1000U

struct ring {
    int fd[2];
    size_t size, at; /* of a half; where its next frame goes */
    uint64_t turn, seq;
    int64_t started_us;
    struct buf facts, out;
};

/* A recorder may need several: whenever the writer goes away once more. */
static void name_half(char *name, size_t size, unsigned n, int half)
{
    char boot[33];
    pid_t pid = getpid();

    clock_boot_id(boot);
    (void)snprintf(name, size, "%ld-%s-%ld-%llu-%u.%d", (long)geteuid(), boot, (long)pid,
                   (unsigned long long)clock_process_start(pid), n, half);
}

static int make_half(struct ring *r, int dir, unsigned n, int half)
{
    char name[160];
    int fd;

    name_half(name, sizeof name, n, half);
    fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) {
        return -1;
    }
    r->fd[half] = fd;
    /* Locked as long as it is written to.  The writer reads it as a member of its group. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fchmod(fd, 0640) != 0) {
        return -1;
    }
    errno = posix_fallocate(fd, 0, (off_t)r->size);
    if (errno != 0) {
        int saved = errno;

        (void)unlinkat(dir, name, 0);
        errno = saved;
        return -1;
    }
    return 0;
}

static int make_both(struct ring *r, const char *path, struct error *err)
{
    int dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = -1;
    unsigned n = 0;

    if (dir < 0) {
        return err_sys(err, "open %s", path);
    }
    while ((rc = make_half(r, dir, n, 0)) != 0 && errno == EEXIST && n < NAMES_MOST) {
        n++;
    }
    rc = rc == 0 ? make_half(r, dir, n, 1) : -1;
    if (rc != 0) {
        err_sys(err, "make a ring in %s", path);
    }
    if (rc != 0 && r->fd[0] >= 0) {
        char name[160];

        name_half(name, sizeof name, n, 0);
        (void)unlinkat(dir, name, 0);
    }
    close(dir);
    return rc;
}

/* What is in r->out, and the end behind it; the next frame goes over that end. */
static int write_out(struct ring *r, struct error *err)
{
    static const uint8_t end[RING_END];
    size_t len = r->out.len;

    if (buf_append(&r->out, end, sizeof end, err) != 0) {
        return -1;
    }
    if (pwrite(r->fd[r->turn % 2], buf_data(&r->out), r->out.len, (off_t)r->at) !=
        (ssize_t)r->out.len) {
        return err_sys(err, "write to the ring");
    }
    r->at += len;
    return 0;
}

static int begin_half(struct ring *r, struct error *err)
{
    struct ring_half h = {.turn = r->turn, .first_seq = r->seq + 1, .started_us = r->started_us};

    h.facts = (struct facts){buf_data(&r->facts), r->facts.len};
    r->at = 0;
    buf_reset(&r->out);
    return ring_put_header(&r->out, &h, err) != 0 ? -1 : write_out(r, err);
}

int ring_open(struct ring **ret, const struct ring_config *config, struct error *err)
{
    struct ring *r = calloc(1, sizeof *r);
    uint32_t kib = config->kib < RING_KIB_LEAST  ? RING_KIB_LEAST
                   : config->kib > RING_KIB_MOST ? RING_KIB_MOST
                                                 : config->kib;

    if (r == NULL) {
        return err_sys(err, "allocate");
    }
    r->fd[0] = r->fd[1] = -1;
    r->size = (size_t)kib * 512;
    r->started_us = config->started_us;
    buf_init(&r->facts, FACTS_MAX);
    buf_init(&r->out, RING_HEADER + FACTS_MAX + EVENT_MAX_BYTES + 256);
    if (buf_append(&r->facts, buf_data(config->facts), config->facts->len, err) != 0 ||
        make_both(r, config->dir, err) != 0 || begin_half(r, err) != 0) {
        ring_close(r);
        return -1;
    }
    *ret = r;
    return 0;
}

static int put_one(struct ring *r, struct event *ev, struct error *err)
{
    size_t len = FRAME_HEADER + EVENT_HEADER + ev->len + RING_END;

    if (r->at + len > r->size) {
        /* This half is full: ask for it to be written, which waits for nothing. */
        (void)sync_file_range(r->fd[r->turn % 2], 0, 0, SYNC_FILE_RANGE_WRITE);
        r->turn++;
        if (begin_half(r, err) != 0) {
            return -1;
        }
    }
    ev->seq = ++r->seq;
    buf_reset(&r->out);
    return event_put(&r->out, ev, err) != 0 ? -1 : write_out(r, err);
}

int ring_put(struct ring *r, char kind, uint64_t t_us, const void *bytes, size_t len,
             struct error *err)
{
    const uint8_t *p = bytes;

    do {
        struct event ev = {.t_us = t_us, .kind = kind, .bytes = p};

        ev.len = len < EVENT_MAX_BYTES ? len : EVENT_MAX_BYTES;
        if (put_one(r, &ev, err) != 0) {
            return -1;
        }
        p += ev.len;
        len -= ev.len;
    } while (len > 0);
    return 0;
}

int ring_put_frames(struct ring *r, const uint8_t *frames, size_t len, struct error *err)
{
    struct frame f;
    size_t used = 0;

    for (; frame_next(frames, len, &f, &used, NULL) == 1; frames += used, len -= used) {
        struct event ev;

        if (f.type == FRAME_EVENT &&
            (event_next(frames, used, &ev, &used, err) != 1 || put_one(r, &ev, err) != 0)) {
            return -1;
        }
    }
    return 0;
}

void ring_close(struct ring *r)
{
    if (r == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (r->fd[i] >= 0) {
            (void)fdatasync(r->fd[i]);
            close(r->fd[i]);
        }
    }
    buf_clear(&r->facts);
    buf_clear(&r->out);
    free(r);
}
