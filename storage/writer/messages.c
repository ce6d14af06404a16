/* SPDX-License-Identifier: Apache-2.0 */
/* What recorders may say, and when: the writer's half of docs/FORMAT.md, "Messages". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "storage/wire/event.h"
#include "storage/writer/writer_impl.h"

#define MAX_T_US ((uint64_t)1 << 53)

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
    struct policy policy;
    uint8_t body[8];

    if (opening_version(f, err) != 0) {
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
            q->events = 0;
            q->bye_due = q->pending_due = false;
        }
    }
    opening_policy(w, p,
                   &(struct facts){.bytes = buf_data(&s->info.facts), .len = s->info.facts.len},
                   &policy);
    p->commit_first = policy.commit_first;
    p->defer_us = p->commit_first ? WRITER_DEFER_US : (uint64_t)policy.commit_ms * 1000;
    opening_attach(p, s);
    io_put_be64(body, s->seq);
    peer_send(p, FRAME_RESUMED, body, sizeof body);
    if (w->full) {
        peer_send(p, FRAME_FULL, NULL, 0);
    }
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

/* Marks that tell of a session's condition are among its flags as soon as they are committed
 * (docs/FORMAT.md, "Marks"). */
static const struct {
    const char *mark, *flag;
} conditions[] = {
    {"alert blind-command", "blind-command"},
    {"alert no-echo-region", "no-echo-region"},
    {"flag idle-ended", "idle-ended"},
    {"flag clock-jumped", "clock-jumped"},
    {"flag left-behind", "left-behind"},
    {"flag memory-not-locked", "memory-not-locked"},
    {"flag not-redacted", "not-redacted"},
    {"flag outer-tty-shared", "outer-tty-shared"},
    {"nested", "nested"},
    {"ring", "writer-lost"},
    {"token", "token"},
    {"unrecorded", "writer-lost"},
};

static int note_mark(struct wsession *s, const uint8_t *text, size_t len, struct error *err)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        size_t n = strlen(conditions[i].mark);

        if (len >= n && memcmp(text, conditions[i].mark, n) == 0 &&
            (len == n || text[n] == ',' || text[n] == ' ')) {
            if (len > n + 11 && memcmp(text + len - 11, ", disk full", 11) == 0) {
                return wsession_add_flag(s, "disk-full", err);
            }
            return wsession_add_flag(s, conditions[i].flag, err);
        }
    }
    return 0;
}

int messages_note(struct wsession *s, const struct event *ev, struct error *err)
{
    return ev->kind == 'm'   ? note_mark(s, ev->bytes, ev->len, err)
           : ev->kind == 'x' ? note_exit(s, ev, err)
                             : 0;
}

/* 1: keep the frame for the commit; 0: it is known already; -1. */
static int on_event(struct peer *p, const struct frame *f, struct error *err)
{
    struct event ev;
    uint64_t seq, t_us;
    const char *flags;

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
    ev = (struct event){.kind = f->kind, .bytes = f->body + EVENT_HEADER};
    ev.len = f->len - EVENT_HEADER;
    flags = p->session->info.flags;
    if (messages_note(p->session, &ev, err) != 0) {
        return -1;
    }
    p->flags_due = p->flags_due || p->session->info.flags != flags;
    return 1;
}

static int on_pending(struct peer *p, const struct frame *f, struct error *err)
{
    uint64_t t_us;

    if (f->len != 8) {
        return err_set(err, ERR_CORRUPT, "PENDING of %lu bytes", (unsigned long)f->len);
    }
    t_us = io_get_be64(f->body);
    if (t_us > MAX_T_US && t_us != WSESSION_NO_PENDING) {
        return err_set(err, ERR_CORRUPT, "PENDING since %llu us", (unsigned long long)t_us);
    }
    p->session->pending_us = t_us;
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
    {FRAME_WITNESS, 1U << PEER_NEW},
    {FRAME_NESTED, 1U << PEER_NEW},
    {FRAME_INNER, 1U << PEER_LIVE},
    {FRAME_PONG, 1U << PEER_LIVE | 1U << PEER_BYE},
    {FRAME_SHIPPED, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_SEAL_NOW, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_EPOCH, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_IMPORT, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_NOTE, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_PRUNE, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_GIVE_BACK, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_IMPORT_SESSION, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_VERDICT, 1U << PEER_NEW | 1U << PEER_CONTROL},
    {FRAME_IMPORT_SEGMENT, 1U << PEER_NEW | 1U << PEER_CONTROL},
};

static bool is_legal(const struct writer *w, const struct peer *p, uint8_t type)
{
    bool control = type >= FRAME_SHIPPED;

    /* An import goes on with events on the control socket. */
    if (!w->private && control != p->control && !(p->control && p->session != NULL)) {
        return false;
    }
    if (p->waiting) {
        return false; /* nothing is said before OPENED */
    }
    for (size_t i = 0; i < sizeof legal / sizeof legal[0]; i++) {
        if (legal[i].type == type) {
            return (legal[i].states & 1U << p->state) != 0;
        }
    }
    return false;
}

static bool wants_name(uint8_t type)
{
    return type == FRAME_OPEN || type == FRAME_RESUME || type == FRAME_NESTED ||
           type == FRAME_IMPORT;
}

/* 1: the frame stays as an event; 0: done with it; -1. */
static int dispatch(struct writer *w, struct peer *p, const struct frame *f, struct error *err)
{
    if (!is_legal(w, p, f->type)) {
        return err_set(err, ERR_CORRUPT, "message %u out of turn", (unsigned)f->type);
    }
    switch (f->type) {
    case FRAME_OPEN:
        return opening_session(w, p, f, false, err);
    case FRAME_RESUME:
        return on_resume(w, p, f, err);
    case FRAME_WITNESS:
        return witness_take(w, p, f, err);
    case FRAME_NESTED:
        return nested_ask(w, p, f, err);
    case FRAME_INNER:
        return nested_inner(w, p, f, err);
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

/* One line a second: whoever is refused must not fill the log. */
static void complain(struct writer *w, const struct peer *p, const struct error *err)
{
    uint64_t now = clock_boot_us();

    w->refused++;
    if (now - w->refused_us < 1000000) {
        return;
    }
    log_line(LOG_LEVEL_WARN, "peer-refused pid=%ld uid=%ld count=%lu why=\"%s\"", (long)p->pid,
             (long)p->uid, w->refused, err->text);
    w->refused_us = now;
    w->refused = 0;
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
        if (rc > 0 && wants_name(f.type) && is_legal(w, p, f.type) && !rules_ready(w, p)) {
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
        complain(w, p, &err);
        peer_refuse(p, err.kind, err.text);
        if (used > 0 && p->session == NULL && err.kind != ERR_DENIED && err.kind != ERR_CORRUPT &&
            p->state == PEER_CONTROL) {
            peer_drop(p, used);
            continue;
        }
        (void)peer_flush(p);
        p->state = PEER_GONE;
        return;
    }
}

void messages_named(struct writer *w)
{
    if (!w->naming) {
        return;
    }
    w->naming = false;
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->naming && p->state != PEER_GONE) {
            p->naming = false;
            messages_take(w, p);
        }
    }
}
