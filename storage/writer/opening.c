/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a session: who it is (the kernel says), what it says of itself, which policy it gets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/writer/writer_impl.h"

#define WAITED_MOST_US ((int64_t)366 * 86400 * 1000000)

int opening_version(const struct frame *f, struct error *err)
{
    uint32_t version = f->len >= 4 ? io_get_be32(f->body) : 0;

    if (version < WIRE_MIN_VERSION || version > WIRE_VERSION) {
        return err_set(err, ERR_USAGE, "protocol version %lu; this writer speaks %u to %u",
                       (unsigned long)version, WIRE_MIN_VERSION, WIRE_VERSION);
    }
    return 0;
}

void opening_attach(struct peer *p, struct wsession *s)
{
    p->state = PEER_LIVE;
    p->session = s;
    p->events_seq = s->seq;
    s->connected = true;
}

static char *copy_fact(const struct facts *f, const char *key)
{
    char text[32768];

    return strdup(facts_text(f, key, text, sizeof text));
}

/* Names come from the kernel's uid; a private writer, which is the user's own, takes the user's
 * word and saves the look-up. */
static char *user_name(const struct writer *w, const struct peer *p, const struct facts *f)
{
    char name[512];

    return w->private ? copy_fact(f, "user")
                      : strdup(names_user(w->names, p->uid, name, sizeof name));
}

static int fill_row(struct writer *w, struct peer *p, const struct facts *f, struct session_row *r,
                    struct error *err)
{
    int64_t waited;

    r->kind = copy_fact(f, "kind");
    r->host = strdup(w->host);
    r->user = user_name(w, p, f);
    r->title = copy_fact(f, "title");
    r->tty = copy_fact(f, "tty");
    r->command = copy_fact(f, "command");
    r->exit = strdup("");
    r->flags = copy_fact(f, "flags");
    if (r->kind == NULL || r->host == NULL || r->user == NULL || r->title == NULL ||
        r->tty == NULL || r->command == NULL || r->exit == NULL || r->flags == NULL) {
        return err_sys(err, "allocate");
    }
    if (getrandom(r->id, sizeof r->id, 0) != (ssize_t)sizeof r->id) {
        return err_sys(err, "random numbers");
    }
    memcpy(r->epoch, w->epoch, sizeof r->epoch);
    r->uid = (int64_t)p->uid;
    r->cols = facts_int(f, "cols", 0);
    r->rows = facts_int(f, "rows", 0);
    /* A recorder that had to wait for us began without us. */
    waited = facts_int(f, "waited_us", 0);
    r->started_us = clock_unix_us() - (waited > 0 && waited < WAITED_MOST_US ? waited : 0);
    if (waited > 0) {
        ring_import_soon(w); /* it may have left a ring for us */
    }
    chain_start(r->host, r->epoch, r->id, r->head);
    memcpy(r->tail_base, r->head, CHAIN_HASH);
    memcpy(r->writer_boot, w->self.boot, sizeof r->writer_boot);
    memcpy(r->recorder_boot, w->self.boot, sizeof r->recorder_boot);
    r->writer_pid = w->self.pid;
    r->writer_start = w->self.start;
    r->recorder_pid = p->pid;
    r->recorder_start = (int64_t)p->start;
    return buf_append(&r->facts, f->bytes, f->len, err);
}

static int insert_session(struct writer *w, struct wsession *s, struct wconn *conn,
                          const char *way_in, struct error *err)
{
    if (store_begin(w->store, err) != 0) {
        return -1;
    }
    if (store_session_insert(w->store, &s->info, err) != 0 ||
        (conn != NULL && witness_linked(w, conn, way_in, err) != 0) ||
        store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        return -1;
    }
    return 0;
}

void opening_policy(const struct writer *w, const struct peer *p, const struct facts *f,
                    struct policy *ret)
{
    char way[32];

    rules_find(w, p->uid, facts_text(f, "way_in", way, sizeof way), ret);
}

int opening_answer(struct writer *w, struct peer *p, int fd, struct error *err)
{
    const struct wsession *s = p->session;
    struct policy policy;
    struct buf body;
    uint8_t head[24];
    int rc;

    opening_policy(w, p,
                   &(struct facts){.bytes = buf_data(&s->info.facts), .len = s->info.facts.len},
                   &policy);
    p->commit_first = policy.commit_first;
    p->defer_us = policy.commit_first ? WRITER_DEFER_US : (uint64_t)policy.commit_ms * 1000;
    memcpy(head, s->info.id, 16);
    io_put_be64(head + 16, (uint64_t)s->info.started_us);
    buf_init(&body, FRAME_MAX_BODY);
    rc = buf_append(&body, head, sizeof head, err) != 0 || policy_put(&body, &policy, err) != 0;
    if (rc == 0) {
        if (fd >= 0) {
            (void)peer_flush(p); /* it goes with the frame's first byte */
            p->out_fd = fd;
        }
        peer_send(p, FRAME_OPENED, buf_data(&body), body.len);
        p->waiting = false;
    }
    buf_clear(&body);
    return rc == 0 ? 0 : -1;
}

/* What a connection's facts are called belongs to the witness. */
static bool speaks_for_witness(const struct facts *f)
{
    const uint8_t *value;
    char key[65];
    size_t at = 0, len;

    while (facts_next(f, &at, key, &value, &len)) {
        if (strncmp(key, "conn.", 5) == 0) {
            return true;
        }
    }
    return false;
}

/* What a recorder may be: the journal of the host and imports are not its to write; flags are words
 * of ours; and a process has one session at a time, else one could leave thousands open behind it.
 */
static int check_opening(const struct writer *w, const struct peer *p, const struct facts *f,
                         struct error *err)
{
    static const char *const kinds[] = {"", "tty", "stream", "mixed"};
    char kind[16], flags[64];
    bool known = false;
    int open = 0;

    facts_text(f, "kind", kind, sizeof kind);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        known = known || strcmp(kind, kinds[i]) == 0;
    }
    facts_text(f, "flags", flags, sizeof flags);
    if (speaks_for_witness(f)) {
        return err_set(err, ERR_CORRUPT, "a recorder is no witness");
    }
    if (!known || (flags[0] != '\0' && strcmp(flags, "commit-batch") != 0)) {
        return err_set(err, ERR_CORRUPT, "no recorder opens a session of this kind");
    }
    for (const struct wsession *s = w->sessions; s != NULL; s = s->next) {
        open += !s->closed && s->recorder.pid == p->pid && s->recorder.start == (int64_t)p->start;
    }
    if (open >= WRITER_OPEN_MAX) {
        return err_set(err, ERR_LIMIT, "process %ld has %d sessions open", (long)p->pid, open);
    }
    return 0;
}

/* What this user has open already, a private writer's and an import apart. */
static int check_count(const struct writer *w, const struct peer *p, const struct policy *policy,
                       struct error *err)
{
    int64_t open = 0;

    if (w->private || policy->break_glass) {
        return 0;
    }
    for (const struct wsession *s = w->sessions; s != NULL; s = s->next) {
        open += !s->closed && s->info.uid == (int64_t)p->uid;
    }
    return open < w->conf->user_sessions
               ? 0
               : err_set(err, ERR_LIMIT, "uid %ld has %lld sessions open (user_sessions)",
                         (long)p->uid, (long long)open);
}

/* What is kept back is for the ends of sessions, not for new ones.  The policy goes along: the
 * recorder does without us by it. */
static int refuse_full(struct writer *w, struct peer *p, const struct policy *policy,
                       struct error *err)
{
    struct buf body;

    if (!w->full) {
        return 0;
    }
    buf_init(&body, FACTS_MAX);
    if (policy_put(&body, policy, err) == 0) {
        peer_send(p, FRAME_FULL, buf_data(&body), body.len);
    }
    buf_clear(&body);
    return err_set(err, ERR_LIMIT, "the disk of the recordings is full");
}

int opening_session(struct writer *w, struct peer *p, const struct frame *f, bool import,
                    struct error *err)
{
    struct wsession *s = NULL;
    struct policy policy;
    struct wconn *conn = NULL;
    struct facts facts;
    char way_in[16];

    if (opening_version(f, err) != 0 || facts_parse(f->body + 4, f->len - 4, &facts, err) != 0 ||
        (!import && check_opening(w, p, &facts, err) != 0)) {
        return -1;
    }
    opening_policy(w, p, &facts, &policy);
    if ((!import && check_count(w, p, &policy, err) != 0) ||
        wsession_new(&s, &w->cache_left, err) != 0) {
        return -1;
    }
    if (fill_row(w, p, &facts, &s->info, err) != 0) {
        wsession_free(s);
        return -1;
    }
    if (!import && !policy.record && wsession_add_flag(s, "not-recorded", err) != 0) {
        wsession_free(s);
        return -1;
    }
    if (import) {
        s->info.started_us = facts_int(&facts, "started_us", s->info.started_us);
    }
    if (!import && refuse_full(w, p, &policy, err) != 0) {
        wsession_free(s);
        return -1;
    }
    facts_text(&facts, "way_in", way_in, sizeof way_in);
    if ((!import && witness_link(w, p, &s->info, &conn, err) != 0) ||
        insert_session(w, s, conn, way_in, err) != 0) {
        wsession_free(s);
        if (disk_is_full(err)) {
            disk_full(w);
            return import ? -1 : refuse_full(w, p, &policy, err);
        }
        return -1;
    }
    if (conn != NULL) {
        conn->info.sessions++;
    }
    memcpy(s->hash, s->info.tail_base, CHAIN_HASH);
    s->recorder = (struct store_process){.pid = p->pid, .start = (int64_t)p->start};
    memcpy(s->recorder.boot, w->self.boot, sizeof s->recorder.boot);
    writer_add_session(w, s);
    opening_attach(p, s);
    if (import) {
        p->defer_us = WRITER_DEFER_US;
        return 0;
    }
    if (!policy.record) {
        /* Its shell takes the recorder's place: the terminal stays as it is. */
        int tty = peer_take_passed(p);

        if (tty >= 0) {
            close(tty);
        }
        return opening_answer(w, p, -1, err);
    }
    return outer_ask(w, p) ? 0 : opening_answer(w, p, -1, err);
}
