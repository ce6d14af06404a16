/* SPDX-License-Identifier: Apache-2.0 */
/* What the evidence database and its disk tell; status_ship.c asks ship.db. */
#include "shipper/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/conf.h"
#include "storage/db/reader.h"

#define MIB INT64_C(1048576)

const struct status_row shipper_status[] = {
    {"backlog", status_backlog},   {"shipped", status_shipped},
    {"batches", status_batches},   {"withheld", status_withheld},
    {"alarms", status_alarms},     {"clock", status_clock},
    {"epoch", status_epoch},       {"disk", status_disk},
    {"sessions", status_sessions}, {NULL, NULL},
};

/* NULL, and said: nothing was recorded yet, or it cannot be read. */
static struct reader *open_evidence(struct status_run *r)
{
    struct reader *evidence = NULL;
    struct error err = {.kind = ERR_NONE};

    if (reader_open(&evidence, r->db, &err) != 0) {
        if (err.kind == ERR_SYSTEM && err.code == ENOENT) {
            status_say(r, STATUS_UNKNOWN,
                       "there is no database %s: record something, or name another with --db",
                       r->db);
        } else {
            status_say(r, STATUS_UNKNOWN, "%s", err.text);
        }
        return NULL;
    }
    return evidence;
}

/* ---- backlog ---- */

struct backlog {
    int64_t segments, bytes, oldest_us;
};

static int one_waits(void *user, const struct unshipped *u)
{
    (void)user;
    (void)u;
    return 1;
}

bool status_any_waits(const struct status_run *r)
{
    struct reader *evidence = NULL;
    bool any = false;

    if (reader_open(&evidence, r->db, NULL) == 0) {
        any = reader_unshipped(evidence, INT64_MAX, one_waits, NULL, NULL) == 1;
        reader_close(evidence);
    }
    return any;
}

static int add_waiting(void *user, const struct unshipped *u)
{
    struct backlog *b = user;

    b->segments++;
    b->bytes += u->size;
    if (b->oldest_us == 0 || u->sealed_us < b->oldest_us) {
        b->oldest_us = u->sealed_us;
    }
    return 0;
}

void status_backlog(struct status_run *r)
{
    const struct conf *c = r->conf;
    struct reader *evidence = open_evidence(r);
    struct error err = {.kind = ERR_NONE};
    struct backlog b = {.segments = 0};
    enum status_level level;
    int64_t age;

    if (evidence == NULL) {
        return;
    }
    if (reader_unshipped(evidence, INT64_MAX, add_waiting, &b, &err) != 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
        reader_close(evidence);
        return;
    }
    reader_close(evidence);
    age = b.oldest_us == 0 || b.oldest_us > r->now_us ? 0 : (r->now_us - b.oldest_us) / 1000000;
    level = c->ship_to[0] == '\0' ? STATUS_OK
                                  : status_against(age, c->backlog_warn_s, c->backlog_crit_s);
    if (b.segments == 0) {
        status_say(r, level, "nothing sealed waits");
    } else {
        status_say(r, level,
                   "%" PRId64 " segment%s wait%s, %" PRId64 " bytes, the oldest for %" PRId64
                   " s%s",
                   b.segments, status_s(b.segments), b.segments == 1 ? "s" : "", b.bytes, age,
                   c->ship_to[0] == '\0' ? " (nowhere to ship to is configured)" : "");
    }
    r->value(r->user, "segments", "", b.segments, -1, -1);
    r->value(r->user, "bytes", "B", b.bytes, -1, -1);
    r->value(r->user, "oldest", "s", age, c->backlog_warn_s, c->backlog_crit_s);
}

/* ---- disk ---- */

static int64_t size_of(const char *db, const char *suffix)
{
    char path[4200];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s%s", db, suffix);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

void status_disk(struct status_run *r)
{
    const struct conf *c = r->conf;
    enum status_level level = STATUS_OK;
    int64_t free_bytes, db = size_of(r->db, ""), wal = size_of(r->db, "-wal");
    struct statvfs vfs;

    if (statvfs(r->db, &vfs) != 0) {
        if (errno != ENOENT) {
            status_say(r, STATUS_UNKNOWN, "%s: %s", r->db, strerror(errno));
        }
        return;
    }
    free_bytes = (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
    if (free_bytes < c->disk_crit_mib * MIB) {
        level = STATUS_CRITICAL;
    } else if (free_bytes < c->disk_warn_mib * MIB) {
        level = STATUS_WARNING;
    }
    status_say(r, level,
               "%" PRId64 " MiB are free; the database has %" PRId64 " MiB, its WAL %" PRId64,
               free_bytes / MIB, db / MIB, wal / MIB);
    r->value(r->user, "free", "B", free_bytes, -1, -1);
    r->value(r->user, "database", "B", db, -1, -1);
    r->value(r->user, "wal", "B", wal, -1, -1);
}

/* ---- sessions ---- */

struct sessions {
    int64_t all, open, dead, oldest_us;
};

static int add_session(void *user, const struct session_row *s)
{
    struct sessions *n = user;

    n->all++;
    if (s->state != SESSION_OPEN) {
        return 0;
    }
    if (session_row_dead(s)) {
        n->dead++;
        return 0;
    }
    n->open++;
    if (n->oldest_us == 0 || s->started_us < n->oldest_us) {
        n->oldest_us = s->started_us;
    }
    return 0;
}

void status_sessions(struct status_run *r)
{
    struct reader *evidence = open_evidence(r);
    struct error err = {.kind = ERR_NONE};
    struct sessions n = {.all = 0};

    if (evidence == NULL) {
        return;
    }
    if (reader_sessions(evidence, add_session, &n, &err) != 0) {
        status_say(r, STATUS_UNKNOWN, "%s", err.text);
    } else {
        status_say(r, STATUS_OK, "%" PRId64 " open, of %" PRId64 "%s", n.open, n.all,
                   n.dead > 0 ? "; some were cut and are not closed yet" : "");
        r->value(r->user, "open", "", n.open, -1, -1);
        r->value(r->user, "all", "", n.all, -1, -1);
        r->value(r->user, "cut_not_closed", "", n.dead, -1, -1);
    }
    reader_close(evidence);
}
