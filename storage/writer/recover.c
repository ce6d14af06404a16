/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions whose writer or recorder died.  A row is closed as cut only if it is from another boot,
 * or both its processes are dead and writer_timeout_s and a margin have passed since that was first
 * seen: an upgrade's restart must not cut live sessions, nor one `record` another's (PITFALLS 16).
 */
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/writer/writer_impl.h"

static bool alive(const struct writer *w, const struct store_process *p)
{
    return strcmp(p->boot, w->self.boot) == 0 &&
           clock_process_alive((pid_t)p->pid, (uint64_t)p->start);
}

/* Whether ${u} may be closed as cut now; notes when it was first found dead. */
static bool is_cut(struct writer *w, const struct store_unfinished *u)
{
    int64_t now = clock_unix_us();
    int64_t wait = (w->conf->writer_timeout_s + WRITER_CUT_MARGIN_S) * 1000000;

    if (strcmp(u->recorder.boot, w->self.boot) != 0) {
        return true;
    }
    if (alive(w, &u->recorder)) {
        return false; /* it will come back with RESUME */
    }
    if (u->dead_since_us == 0) {
        (void)store_session_dead(w->store, u->row, now, NULL);
        return false;
    }
    return now - u->dead_since_us > wait;
}

static void take_over(struct writer *w, const struct store_unfinished *u)
{
    struct wsession *s = NULL;
    struct error err;

    err_clear(&err);
    if (store_session_adopt(w->store, u->row, &w->self, &u->writer, &err) != 1 ||
        wsession_new(&s, &w->cache_left, &err) != 0) {
        return; /* somebody else was faster */
    }
    if (wsession_recover(s, w->store, u->id, &err) != 1) {
        log_line(LOG_LEVEL_ERROR, "session-unreadable row=%lld why=\"%s\"", (long long)u->row,
                 err.text);
        wsession_free(s);
        return;
    }
    s->pending_us = u->pending_us;
    s->cut_due = u->open;
    writer_add_session(w, s);
    w->commit_now = true;
    log_line(LOG_LEVEL_INFO, "session-taken-over row=%lld open=%d", (long long)u->row, u->open);
}

void recover_sweep(struct writer *w)
{
    struct store_unfinished u;
    int64_t after = 0;

    while (store_unfinished(w->store, after, &u, NULL) == 1) {
        after = u.row;
        if (writer_find(w, u.id) != NULL || alive(w, &u.writer)) {
            continue;
        }
        if (!u.open || is_cut(w, &u)) {
            take_over(w, &u);
        }
    }
}

bool recover_orphans(struct writer *w)
{
    bool waiting = false;

    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        if (s->connected || s->closed || s->cut_due) {
            continue;
        }
        if (alive(w, &s->recorder)) {
            waiting = true;
            continue;
        }
        s->cut_due = true;
        w->commit_now = true;
        log_line(LOG_LEVEL_WARN, "session-cut row=%lld uid=%lld why=\"recorder is gone\"",
                 (long long)s->info.row, (long long)s->info.uid);
    }
    return waiting;
}
