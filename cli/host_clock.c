/* SPDX-License-Identifier: Apache-2.0 */
/* The disk that evidence lies on, and whether the clock is set by anybody. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "cli/host.h"
#include "common/conf.h"

#define MIB INT64_C(1048576)

static const char *lost_with(unsigned long type)
{
    switch (type) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
        return "memory: it is gone with the next start";
    case NFS_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
        return "the network: SQLite's write-ahead log needs a local disk";
    default:
        return NULL;
    }
}

void host_check_disk(struct check_run *r)
{
    char dir[4096];
    struct statfs fs;
    int64_t free_mib;
    const char *lost;

    (void)snprintf(dir, sizeof dir, "%s", r->db);
    if (statfs(dirname(dir), &fs) != 0) {
        if (errno != ENOENT) {
            check_say(r, CHECK_BLIND, "run this as root", "%s: %s", dir, strerror(errno));
        }
        return;
    }
    free_mib = (int64_t)fs.f_bavail * (int64_t)fs.f_bsize / MIB;
    lost = lost_with((unsigned long)fs.f_type);
    if (lost != NULL && host_installed()) {
        check_say(r, CHECK_FINDING, "put the database on a local disk", "%s lies in %s", dir, lost);
    } else if (fs.f_flags & ST_RDONLY) {
        check_say(r, CHECK_FINDING, "mount it for writing", "%s is mounted read-only", dir);
    } else if (free_mib < r->conf->reserve_mib) {
        check_say(r, CHECK_FINDING, "make room: 'ttytrail prune', or a larger disk",
                  "%" PRId64 " MiB are free at %s, less than reserve_mib = %" PRId64, free_mib, dir,
                  r->conf->reserve_mib);
    } else {
        check_say(r, CHECK_OK, NULL, "%" PRId64 " MiB are free at %s", free_mib, dir);
    }
}

/* adjtimex(2): the kernel knows whether somebody disciplines its clock. */
void host_check_clock(struct check_run *r)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);

    if (state < 0) {
        check_say(r, CHECK_BLIND, "run this as root", "the clock's state: %s", strerror(errno));
    } else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0) {
        check_say(r, host_installed() ? CHECK_FINDING : CHECK_NOTE,
                  host_installed() ? "run chrony; on EC2 against 169.254.169.123" : NULL,
                  "nobody sets this clock: times of recordings are as good as it is");
    } else {
        check_say(r, CHECK_OK, NULL, "it is set; its error is at most %ld ms", t.maxerror / 1000);
    }
}
