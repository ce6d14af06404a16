/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings that recorders left behind become sessions.  Whose it is says the file's owner; all that is
 * in it is his word, checked as what comes over a socket is.  The ring's name is remembered in the
 * transaction that takes it in: a writer that dies before it has removed the files does not take
 * them twice.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/wire/event.h"
#include "storage/wire/ring.h"
#include "storage/writer/writer_impl.h"

#define EVERY_US 60000000U
#define SOON_US  2000000U

struct found {
    char base[140]; /* the name without its half */
    char boot[33];
    long long uid, pid;
    unsigned long long start;
    uint8_t *bytes[2];
    struct ring_half half[2];
    bool there[2];
    int first, last; /* which half is the older one; the same when there is one */
    uint64_t lost;   /* events */
};

static bool parse_name(const char *name, struct found *f)
{
    unsigned n;
    int half;
    char again[160];

    memset(f, 0, sizeof *f);
    if (strlen(name) >= sizeof f->base ||
        sscanf(name, "%lld-%32[0-9a-f]-%lld-%llu-%u.%d", &f->uid, f->boot, &f->pid, &f->start, &n,
               &half) != 6 ||
        half < 0 || half > 1) {
        return false;
    }
    (void)snprintf(f->base, sizeof f->base, "%lld-%s-%lld-%llu-%u", f->uid, f->boot, f->pid,
                   f->start, n);
    (void)snprintf(again, sizeof again, "%s.%d", f->base, half);
    return strcmp(again, name) == 0 && strlen(f->boot) == 32;
}

/* ---- the files ---- */

static int read_half(struct found *f, int dir, int i, struct error *err)
{
    char name[160];
    struct stat st;
    ssize_t n = -1;
    int fd;

    (void)snprintf(name, sizeof name, "%s.%d", f->base, i);
    fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : err_sys(err, "open %s", name);
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (long long)st.st_uid == f->uid &&
        st.st_size > 0 && st.st_size <= (off_t)RING_HALF_BYTES &&
        (f->bytes[i] = malloc((size_t)st.st_size)) != NULL) {
        n = pread(fd, f->bytes[i], (size_t)st.st_size, 0);
    }
    close(fd);
    if (n <= 0) {
        return err_set(err, ERR_CORRUPT, "%s cannot be read, or is not its user's", name);
    }
    /* One that was never begun: its recorder died while it made it, or never came so far. */
    if (f->bytes[i][0] == 0) {
        return 0;
    }
    if (ring_read(f->bytes[i], (size_t)n, &f->half[i], err) != 0) {
        return -1;
    }
    f->there[i] = f->half[i].len > 0;
    return 0;
}

/* Which comes first, and what went round.  Halves that do not fit together are not of one ring: the
 * newer one stands. */
static void put_in_order(struct found *f)
{
    const struct ring_half *a, *b;

    f->first = f->there[0] ? 0 : 1;
    f->last = f->there[1] ? 1 : 0;
    if (f->there[0] && f->there[1]) {
        f->first = f->half[0].turn < f->half[1].turn ? 0 : 1;
        f->last = !f->first;
        a = &f->half[f->first];
        b = &f->half[f->last];
        f->first = a->turn + 1 == b->turn && a->last_seq + 1 == b->first_seq ? f->first : f->last;
    }
    f->lost = f->half[f->first].first_seq - 1;
}

/* 1 with events; 0: there are none; -1 it is no ring. */
static int read_ring(struct found *f, int dir, struct error *err)
{
    struct error why[2] = {{.kind = ERR_NONE}, {.kind = ERR_NONE}};
    int bad = 0;

    for (int i = 0; i < 2; i++) {
        bad += read_half(f, dir, i, &why[i]) != 0;
    }
    if (!f->there[0] && !f->there[1]) {
        *err = why[0].kind != ERR_NONE ? why[0] : why[1];
        return bad > 0 ? -1 : 0;
    }
    put_in_order(f);
    return 1;
}

/* The recorder is dead, or has let go of it. */
static bool is_left(const struct writer *w, const struct found *f, int dir)
{
    char name[160];
    bool left = false;
    uint8_t head[8];
    int fd;

    if (strcmp(f->boot, w->self.boot) != 0 ||
        !clock_process_alive((pid_t)f->pid, (uint64_t)f->start)) {
        return true;
    }
    (void)snprintf(name, sizeof name, "%s.0", f->base);
    fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        /* Locked before its first byte is written, until the last. */
        left = flock(fd, LOCK_SH | LOCK_NB) == 0 &&
               pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && head[0] != 0;
        close(fd);
    }
    return left;
}

static void remove_files(struct writer *w, const struct found *f, int dir)
{
    char name[160], key[160];
    int failed = 0;

    for (int i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "%s.%d", f->base, i);
        failed += unlinkat(dir, name, 0) != 0 && faccessat(dir, name, F_OK, 0) == 0;
    }
    (void)snprintf(key, sizeof key, "ring.%s", f->base);
    if (failed == 0) {
        (void)store_meta_delete(w->store, key, NULL);
    }
}

/* ---- the session ---- */

static char *fact(const struct facts *f, const char *key)
{
    char text[32768];

    return strdup(facts_text(f, key, text, sizeof text));
}

static char *owner(const struct writer *w, const struct found *f)
{
    char name[512];

    return strdup(names_user(w->names, (uid_t)f->uid, name, sizeof name));
}

static int64_t began(const struct ring_half *h)
{
    int64_t now = clock_unix_us();

    return h->started_us > 0 && h->started_us <= now ? h->started_us : now;
}

static int fill_row(struct writer *w, const struct found *f, struct session_row *r,
                    struct error *err)
{
    const struct ring_half *h = &f->half[f->last];
    char kind[8];

    facts_text(&h->facts, "kind", kind, sizeof kind);
    r->kind = strdup(strcmp(kind, "stream") == 0 || strcmp(kind, "mixed") == 0 ? kind : "tty");
    r->host = strdup(w->host);
    r->user = owner(w, f);
    r->title = fact(&h->facts, "title");
    r->tty = fact(&h->facts, "tty");
    r->command = fact(&h->facts, "command");
    r->exit = strdup("");
    r->flags = strdup(f->lost > 0 ? "ring ring-lost" : "ring");
    if (r->kind == NULL || r->host == NULL || r->user == NULL || r->title == NULL ||
        r->tty == NULL || r->command == NULL || r->exit == NULL || r->flags == NULL) {
        return err_sys(err, "allocate");
    }
    if (getrandom(r->id, sizeof r->id, 0) != (ssize_t)sizeof r->id) {
        return err_sys(err, "random numbers");
    }
    memcpy(r->epoch, w->epoch, sizeof r->epoch);
    r->uid = f->uid;
    r->cols = facts_int(&h->facts, "cols", 0);
    r->rows = facts_int(&h->facts, "rows", 0);
    r->started_us = began(h);
    chain_start(r->host, r->epoch, r->id, r->head);
    memcpy(r->tail_base, r->head, CHAIN_HASH);
    memcpy(r->writer_boot, w->self.boot, sizeof r->writer_boot);
    memcpy(r->recorder_boot, f->boot, sizeof r->recorder_boot);
    r->writer_pid = w->self.pid;
    r->writer_start = w->self.start;
    r->recorder_pid = f->pid;
    r->recorder_start = (int64_t)f->start;
    return buf_append(&r->facts, h->facts.bytes, h->facts.len, err);
}

/* What a recorder's events tell of its session, as on the socket. */
static int note_events(struct wsession *s, const struct ring_half *h, bool *ret_over,
                       struct error *err)
{
    struct event ev;
    size_t at = 0, used = 0;

    while (event_next(h->frames + at, h->len - at, &ev, &used, err) == 1) {
        at += used;
        if (messages_note(s, &ev, err) != 0) {
            return -1;
        }
        *ret_over = ev.kind == 'x';
    }
    return 0;
}

static int stage_lost(struct writer *w, struct wsession *s, const struct found *f,
                      struct error *err)
{
    const struct ring_half *h = &f->half[f->first];
    struct event ev;
    size_t used = 0;
    char text[64];

    if (f->lost == 0 || event_next(h->frames, h->len, &ev, &used, err) != 1) {
        return 0;
    }
    (void)snprintf(text, sizeof text, "ring lost %llu events", (unsigned long long)f->lost);
    s->seq = f->lost - 1;
    return wsession_mark(s, w->store, ev.t_us, text, err);
}

static int stage(struct writer *w, struct wsession *s, const struct found *f, struct error *err)
{
    char id[33], key[160];
    bool over = false;
    uint64_t last = 0;

    (void)snprintf(key, sizeof key, "ring.%s", f->base);
    if (store_session_insert(w->store, &s->info, err) != 0 ||
        store_meta_set(w->store, key, io_hex(s->info.id, sizeof s->info.id, id), err) != 0 ||
        stage_lost(w, s, f, err) != 0) {
        return -1;
    }
    for (int n = 0, i = f->first; n < 2; n++, i = f->last) {
        const struct ring_half *h = &f->half[i];

        if ((n == 1 && f->first == f->last)) {
            break;
        }
        if (note_events(s, h, &over, err) != 0 ||
            wsession_stage(s, w->store, h->frames, h->len, h->last_seq, h->last_t_us, err) != 0) {
            return -1;
        }
        last = h->last_t_us > last ? h->last_t_us : last;
    }
    return wsession_stage_close(s, w->store, over ? SESSION_DONE : SESSION_CUT,
                                s->info.started_us + (int64_t)last, err);
}

static int take_in(struct writer *w, const struct found *f, struct error *err)
{
    struct wsession *s = NULL;

    if (wsession_new(&s, &w->cache_left, err) != 0) {
        return -1;
    }
    if (fill_row(w, f, &s->info, err) != 0 || store_begin(w->store, err) != 0) {
        wsession_free(s);
        return -1;
    }
    memcpy(s->hash, s->info.tail_base, CHAIN_HASH);
    if (stage(w, s, f, err) != 0 || store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        wsession_rolled_back(s);
        wsession_free(s);
        return -1;
    }
    wsession_committed(s);
    s->recorder = (struct store_process){.pid = f->pid, .start = (int64_t)f->start};
    memcpy(s->recorder.boot, f->boot, sizeof s->recorder.boot);
    writer_add_session(w, s);
    log_line(LOG_LEVEL_WARN, "ring-imported uid=%lld name=%s lost=%llu", f->uid, f->base,
             (unsigned long long)f->lost);
    return 0;
}

/* ---- looking ---- */

static void set_aside(const struct found *f, int dir, const struct error *why)
{
    log_line(LOG_LEVEL_ERROR, "ring-unreadable name=%s why=\"%s\"", f->base, why->text);
    for (int i = 0; i < 2; i++) {
        char from[160], to[170];

        (void)snprintf(from, sizeof from, "%s.%d", f->base, i);
        (void)snprintf(to, sizeof to, "bad.%s", from);
        (void)renameat(dir, from, dir, to);
    }
}

/* True when it was work enough for one turn. */
static bool consider(struct writer *w, struct found *f, int dir)
{
    struct error err = {.kind = ERR_NONE};
    char key[160];
    struct buf id;
    int known, rc = 0;

    if (!is_left(w, f, dir)) {
        return false;
    }
    if (!names_ready(w->names, (uid_t)f->uid)) {
        return true; /* in the next tick */
    }
    buf_init(&id, 64);
    (void)snprintf(key, sizeof key, "ring.%s", f->base);
    known = store_meta_get(w->store, key, &id, &err);
    buf_clear(&id);
    if (known == 0) {
        rc = read_ring(f, dir, &err);
    }
    if (rc < 0) {
        set_aside(f, dir, &err);
    } else if (known >= 0 && (rc == 0 || take_in(w, f, &err) == 0)) {
        remove_files(w, f, dir);
    } else {
        log_line(LOG_LEVEL_ERROR, "ring-failed name=%s why=\"%s\"", f->base, err.text);
        if (disk_is_full(&err)) {
            disk_full(w);
        }
    }
    free(f->bytes[0]);
    free(f->bytes[1]);
    return rc > 0;
}

void ring_import_soon(struct writer *w)
{
    w->rings_at_us = clock_boot_us() + SOON_US;
}

void ring_import_tick(struct writer *w, uint64_t now_us)
{
    struct dirent *e;
    struct found f;
    DIR *d;

    if (w->private || w->config->ring_dir == NULL || w->full || now_us < w->rings_at_us) {
        return;
    }
    w->rings_at_us = now_us + EVERY_US;
    d = opendir(w->config->ring_dir);
    if (d == NULL) {
        if (errno != ENOENT) {
            log_line(LOG_LEVEL_ERROR, "ring-failed name=%s why=\"%s\"", w->config->ring_dir,
                     strerror(errno));
        }
        return;
    }
    while ((e = readdir(d)) != NULL) {
        if (parse_name(e->d_name, &f) && consider(w, &f, dirfd(d))) {
            w->rings_at_us = now_us; /* the next one in the next tick */
            break;
        }
    }
    (void)closedir(d);
}
