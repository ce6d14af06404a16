/* SPDX-License-Identifier: Apache-2.0 */
/* What recorders may say, and when: the writer's half of docs/FORMAT.md, "Messages". */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/wire/event.h"
#include "storage/wire/policy.h"
#include "storage/writer/writer_impl.h"

#define MAX_T_US ((uint64_t)1 << 53)

static void policy_of(const struct conf *c, struct policy *p)
{
    policy_defaults(p);
    p->commit_first = c->commit == CONF_COMMIT_FIRST;
    p->commit_ms = (uint32_t)c->commit_ms;
    p->input = c->input != 0;
    p->stream_input = c->stream_input != 0;
    p->stream_kib = (uint32_t)c->stream_kib;
    p->on_writer_loss = (enum policy_loss)c->on_writer_loss;
    p->writer_timeout_s = (uint32_t)c->writer_timeout_s;
    p->redact = (enum policy_redact)c->redact;
    p->hold_max_kib = (uint32_t)c->hold_max_kib;
    p->hold_max_s = (uint32_t)c->hold_max_s;
    (void)snprintf(p->notice, sizeof p->notice, "%s", c->notice);
}

static int check_version(const struct frame *f, struct error *err)
{
    uint32_t version = f->len >= 4 ? io_get_be32(f->body) : 0;

    if (version < WIRE_MIN_VERSION || version > WIRE_VERSION) {
        return err_set(err, ERR_USAGE, "protocol version %lu; this writer speaks %u to %u",
                       (unsigned long)version, WIRE_MIN_VERSION, WIRE_VERSION);
    }
    return 0;
}

static char *copy_fact(const struct facts *f, const char *key)
{
    char text[4096];

    return strdup(facts_text(f, key, text, sizeof text));
}

/* Names come from the kernel's uid; a private writer, which is the user's own, takes the user's
 * word and saves the look-up. */
static char *user_name(const struct writer *w, const struct peer *p, const struct facts *f)
{
    char text[4096], number[24];
    struct passwd pw, *found = NULL;

    if (w->private) {
        return copy_fact(f, "user");
    }
    if (getpwuid_r(p->uid, &pw, text, sizeof text, &found) == 0 && found != NULL) {
        return strdup(found->pw_name);
    }
    (void)snprintf(number, sizeof number, "%lu", (unsigned long)p->uid);
    return strdup(number);
}

static int fill_row(struct writer *w, struct peer *p, const struct facts *f, struct session_row *r,
                    struct error *err)
{
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
    r->started_us = clock_unix_us();
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

static int insert_session(struct writer *w, struct wsession *s, struct error *err)
{
    if (store_begin(w->store, err) != 0) {
        return -1;
    }
    if (store_session_insert(w->store, &s->info, err) != 0 || store_commit(w->store, err) != 0) {
        store_rollback(w->store);
        return -1;
    }
    return 0;
}

static int answer_opened(struct writer *w, struct peer *p, const struct wsession *s,
                         struct error *err)
{
    struct policy policy;
    struct buf body;
    uint8_t head[24];
    int rc;

    policy_of(w->conf, &policy);
    p->commit_first = policy.commit_first;
    p->defer_us = policy.commit_first ? WRITER_DEFER_US : (uint64_t)policy.commit_ms * 1000;
    memcpy(head, s->info.id, 16);
    io_put_be64(head + 16, (uint64_t)s->info.started_us);
    buf_init(&body, FRAME_MAX_BODY);
    rc = buf_append(&body, head, sizeof head, err) != 0 || policy_put(&body, &policy, err) != 0;
    if (rc == 0) {
        peer_send(p, FRAME_OPENED, buf_data(&body), body.len);
    }
    buf_clear(&body);
    return rc == 0 ? 0 : -1;
}

static void attach(struct peer *p, struct wsession *s)
{
    p->state = PEER_LIVE;
    p->session = s;
    p->events_seq = s->seq;
    s->connected = true;
}

int messages_open(struct writer *w, struct peer *p, const struct frame *f, bool import,
                  struct error *err)
{
    struct wsession *s = NULL;
    struct facts facts;

    if (check_version(f, err) != 0 || facts_parse(f->body + 4, f->len - 4, &facts, err) != 0 ||
        wsession_new(&s, &w->cache_left, err) != 0) {
        return -1;
    }
    if (fill_row(w, p, &facts, &s->info, err) != 0) {
        wsession_free(s);
        return -1;
    }
    if (import) {
        s->info.started_us = facts_int(&facts, "started_us", s->info.started_us);
    }
    if (insert_session(w, s, err) != 0) {
        wsession_free(s);
        return -1;
    }
    memcpy(s->hash, s->info.tail_base, CHAIN_HASH);
    s->recorder = (struct store_process){.pid = p->pid, .start = (int64_t)p->start};
    memcpy(s->recorder.boot, w->self.boot, sizeof s->recorder.boot);
    writer_add_session(w, s);
    attach(p, s);
    if (import) {
        p->defer_us = WRITER_DEFER_US;
        return 0;
    }
    return answer_opened(w, p, s, err);
}

/* The session of another writer's that died, or of ours whose recorder lost its connection. */
static int find_resumed(struct writer *w, const uint8_t id[16], struct wsession **ret,
                        struct error *err)
{
    struct wsession *s = writer_find(w, id);
    struct store_process old;
    int rc;

    if (s != NULL) {
        *ret = s;
        return 0;
    }
    if (wsession_new(&s, &w->cache_left, err) != 0) {
        return -1;
    }
    rc = wsession_recover(s, w->store, id, err);
    if (rc <= 0) {
        wsession_free(s);
        return rc < 0 ? -1 : err_set(err, ERR_DENIED, "no such session");
    }
    memset(&old, 0, sizeof old);
    memcpy(old.boot, s->info.writer_boot, sizeof old.boot);
    old.pid = s->info.writer_pid;
    old.start = s->info.writer_start;
    /* Ourselves: closed and sealed meanwhile, and the recorder did not hear the GOODBYE. */
    if ((old.pid != w->self.pid || old.start != w->self.start) &&
        clock_process_alive((pid_t)old.pid, (uint64_t)old.start)) {
        wsession_free(s);
        return err_set(err, ERR_RETRY, "writer %lld still has the session", (long long)old.pid);
    }
    rc = store_session_adopt(w->store, s->info.row, &w->self, &old, err);
    if (rc != 1) {
        wsession_free(s);
        return rc < 0 ? -1 : err_set(err, ERR_RETRY, "another writer took the session");
    }
    writer_add_session(w, s);
    *ret = s;
    return 0;
}

static int on_resume(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    struct wsession *s = NULL;
    uint8_t body[8];

    if (check_version(f, err) != 0) {
        return -1;
    }
    if (f->len != 20) {
        return err_set(err, ERR_CORRUPT, "RESUME of %lu bytes", (unsigned long)f->len);
    }
    if (find_resumed(w, f->body + 4, &s, err) != 0) {
        return -1;
    }
    /* Nobody but the process that opened it may go on with it: the kernel says who that is. */
    if (s->recorder.pid != p->pid || s->recorder.start != (int64_t)p->start) {
        return err_set(err, ERR_DENIED, "the session belongs to another process");
    }
    for (struct peer *q = w->peers; q != NULL; q = q->next) {
        if (q->session == s) {
            q->session = NULL;
            q->state = PEER_GONE;
        }
    }
    p->commit_first = w->conf->commit == CONF_COMMIT_FIRST;
    p->defer_us = p->commit_first ? WRITER_DEFER_US : (uint64_t)w->conf->commit_ms * 1000;
    attach(p, s);
    io_put_be64(body, s->seq);
    peer_send(p, FRAME_RESUMED, body, sizeof body);
    log_line(LOG_LEVEL_INFO, "session-resumed row=%lld seq=%llu", (long long)s->info.row,
             (unsigned long long)s->seq);
    return 0;
}

static int note_exit(struct wsession *s, const struct event *ev, struct error *err)
{
    char text[32];
    char *copy = strdup(log_escape((const char *)ev->bytes, ev->len, text, sizeof text));

    if (copy == NULL) {
        return err_sys(err, "allocate");
    }
    free(s->info.exit);
    s->info.exit = copy;
    return 0;
}

/* 1: keep the frame for the commit; 0: it is known already; -1. */
static int on_event(struct peer *p, const struct frame *f, struct error *err)
{
    struct event ev;
    uint64_t seq, t_us;

    if (f->len < EVENT_HEADER || !event_kind_valid(f->kind)) {
        return err_set(err, ERR_CORRUPT, "event of kind %u and %lu bytes",
                       (unsigned)(uint8_t)f->kind, (unsigned long)f->len);
    }
    seq = io_get_be64(f->body);
    t_us = io_get_be64(f->body + 8);
    if (seq <= p->session->seq) {
        return 0; /* resent after a reconnection, but committed before it */
    }
    if (p->session->closed || seq != p->events_seq + 1 || t_us > MAX_T_US) {
        return err_set(err, ERR_CORRUPT, "event %llu after event %llu", (unsigned long long)seq,
                       (unsigned long long)p->events_seq);
    }
    if (p->events == 0) {
        p->ready_since_us = clock_boot_us();
        p->events_t_us = t_us;
    }
    p->events_seq = seq;
    p->events_t_us = t_us > p->events_t_us ? t_us : p->events_t_us;
    if (p->commit_first && (f->kind == 'o' || f->kind == 'e' || f->kind == 'x')) {
        p->urgent = true;
    }
    if (f->kind == 'x') {
        ev.bytes = f->body + EVENT_HEADER;
        ev.len = f->len - EVENT_HEADER;
        return note_exit(p->session, &ev, err) == 0 ? 1 : -1;
    }
    return 1;
}

static int on_pending(struct peer *p, const struct frame *f, struct error *err)
{
    if (f->len != 8) {
        return err_set(err, ERR_CORRUPT, "PENDING of %lu bytes", (unsigned long)f->len);
    }
    p->session->pending_us = io_get_be64(f->body);
    p->pending_due = true;
    return 0;
}

/* Which message is legal in which state: everything else ends the connection. */
static const struct {
    uint8_t type;
    unsigned states;
} legal[] = {
    {FRAME_OPEN, 1U << PEER_NEW},
    {FRAME_RESUME, 1U << PEER_NEW},
    {FRAME_EVENT, 1U << PEER_LIVE},
    {FRAME_PENDING, 1U << PEER_LIVE},
    {FRAME_BYE, 1U << PEER_LIVE},
    {FRAME_PONG, 1U << PEER_LIVE | 1U << PEER_BYE},
    {FRAME_SHIPPED, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_SEAL_NOW, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_EPOCH, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_IMPORT, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_NOTE, 1U << PEER_NEW | 1U << PEER_CONTROL},
};

static bool is_legal(const struct writer *w, const struct peer *p, uint8_t type)
{
    bool control = type >= FRAME_SHIPPED;

    /* An import goes on with events on the control socket. */
    if (!w->private && control != p->control && !(p->control && p->session != NULL)) {
        return false;
    }
    for (size_t i = 0; i < sizeof legal / sizeof legal[0]; i++) {
        if (legal[i].type == type) {
            return (legal[i].states & 1U << p->state) != 0;
        }
    }
    return false;
}

/* 1: the frame stays as an event; 0: done with it; -1. */
static int dispatch(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    if (!is_legal(w, p, f->type)) {
        return err_set(err, ERR_CORRUPT, "message %u out of turn", (unsigned)f->type);
    }
    switch (f->type) {
    case FRAME_OPEN:
        return messages_open(w, p, f, false, err);
    case FRAME_RESUME:
        return on_resume(w, p, f, err);
    case FRAME_EVENT:
        return on_event(p, f, err);
    case FRAME_PENDING:
        return on_pending(p, f, err);
    case FRAME_BYE:
        p->state = PEER_BYE;
        p->bye_due = true;
        return 0;
    case FRAME_PONG:
        return 0;
    default:
        return control_request(w, p, f, err);
    }
}

void messages_take(struct writer *w, struct peer *p)
{
    p->heard_us = clock_boot_us();
    for (;;) {
        struct error err;
        struct frame f;
        size_t used = 0;
        int rc;

        err_clear(&err);
        rc = peer_next(p, &f, &used, &err);
        if (rc == 0) {
            return;
        }
        if (rc > 0) {
            rc = dispatch(w, p, &f, &err);
            if (rc > 0) {
                peer_keep(p, used);
                continue;
            }
            if (rc == 0) {
                peer_drop(p, used);
                continue;
            }
        }
        log_line(LOG_LEVEL_WARN, "peer-refused pid=%ld uid=%ld why=\"%s\"", (long)p->pid,
                 (long)p->uid, err.text);
        peer_refuse(p, err.kind, err.text);
        if (used > 0 && p->session == NULL && (p->control || p->state == PEER_CONTROL)) {
            peer_drop(p, used);
            continue;
        }
        (void)peer_flush(p);
        p->state = PEER_GONE;
        return;
    }
}
