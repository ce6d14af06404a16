/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A full disk.  The installed writer keeps a file of reserve_mib beside its database; when a commit
 * finds no room the file is given up, so that what recorders had sent, and the ends of their
 * sessions, still fit.  They are told (FULL) and go by on_disk_full; when there is room for the
 * reserve and more, it is made again and they are told that, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

#define MIB           ((uint64_t)1024 * 1024)
#define SLACK         (4 * MIB) /* room beyond the reserve, before it counts as room */
#define MAKE_EVERY_US 60000000U

static void reserve_path(const struct writer *w, char *path, size_t size)
{
    (void)snprintf(path, size, "%s-reserve", w->config->db);
}

static uint64_t reserve_bytes(const struct writer *w)
{
    return w->private ? 0 : (uint64_t)w->conf->reserve_mib * MIB;
}

static uint64_t free_bytes(const struct writer *w)
{
    struct statvfs v;

    /* The database's own file system; what is kept for root is not ours. */
    return statvfs(w->config->db, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

/* True when it is there in its whole size. */
static bool make_reserve(const struct writer *w)
{
    uint64_t size = reserve_bytes(w);
    char path[4200];
    struct stat st;
    bool made;
    int fd;

    reserve_path(w, path, sizeof path);
    if (size == 0) {
        (void)unlink(path);
        return true;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &st) == 0 && st.st_size > (off_t)size) {
        (void)!ftruncate(fd, (off_t)size);
    }
    made = posix_fallocate(fd, 0, (off_t)size) == 0;
    if (!made) {
        (void)!ftruncate(fd, 0);
    }
    close(fd);
    return made;
}

static void tell_all(struct writer *w, uint8_t type)
{
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->session != NULL && !p->control && (p->state == PEER_LIVE || p->state == PEER_BYE)) {
            peer_send(p, type, NULL, 0);
        }
    }
}

bool disk_is_full(const struct error *err)
{
    return err->code == ENOSPC || err->code == EDQUOT;
}

void disk_full(struct writer *w)
{
    char path[4200];
    bool given;

    if (w->full) {
        return;
    }
    reserve_path(w, path, sizeof path);
    given = reserve_bytes(w) > 0 && truncate(path, 0) == 0;
    w->full = true;
    w->reserved = false;
    w->retry_at_us = given ? 0 : w->retry_at_us;
    log_line(LOG_LEVEL_ERROR, "disk-full db=\"%s\" reserve=%s", w->config->db,
             given ? "given-up" : "none");
    tell_all(w, FRAME_FULL);
}

static void over(struct writer *w)
{
    w->full = false;
    log_line(LOG_LEVEL_INFO, "disk-full-over db=\"%s\"", w->config->db);
    tell_all(w, FRAME_FULL_OVER);
    ring_import_soon(w);
}

void disk_tick(struct writer *w, uint64_t now_us)
{
    if (w->full) {
        uint64_t wait_us = 0;
        /* A commit that fails says more than free bytes do, if there is any to be tried again. */
        bool fails = w->failing_since_us != 0 && turn_due(w, UINT64_MAX / 2, &wait_us);

        if (!fails && free_bytes(w) >= reserve_bytes(w) + SLACK && make_reserve(w)) {
            w->reserved = true;
            over(w);
        }
        return;
    }
    if (w->private || w->reserved || now_us < w->reserve_at_us) {
        return;
    }
    w->reserved = make_reserve(w);
    w->reserve_at_us = now_us + MAKE_EVERY_US;
    if (!w->reserved) {
        log_line(LOG_LEVEL_WARN, "reserve-missing db=\"%s\" mib=%lld", w->config->db,
                 (long long)w->conf->reserve_mib);
    }
}
