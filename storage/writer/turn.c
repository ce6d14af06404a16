/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction for all that is ready: that is what makes 1,000 recorders cheap. */
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/wire/event.h"
#include "storage/writer/holder.h"
#include "storage/writer/writer_impl.h"

/* Events of one peer that are worth a commit of their own. */
#define ENOUGH_BYTES PEER_TURN_BYTES

/* From this many bytes on a peer's output is bulk: more is on its way, and committing each piece by
 * itself would cost more in locks, wake-ups and acknowledgements than in work.  A keystroke's echo
 * is far below. */
#define BULK_BYTES 2048U
#define BULK_US    500U

static bool wait_until(uint64_t at, uint64_t now_us, uint64_t *wait_us)
{
    if (now_us >= at) {
        return true;
    }
    if (at - now_us < *wait_us) {
        *wait_us = at - now_us;
    }
    return false;
}

static bool peer_due(const struct writer *w, struct peer *p, uint64_t now_us, uint64_t *wait_us)
{
    if (p->bye_due || p->pending_due) {
        return true;
    }
    if (p->events == 0) {
        return false;
    }
    if (p->events >= ENOUGH_BYTES || p->state == PEER_GONE) {
        return true;
    }
    if (!p->urgent) {
        return wait_until(p->ready_since_us + p->defer_us, now_us, wait_us);
    }
    if (p->events < BULK_BYTES || wait_until(w->committed_us + BULK_US, now_us, wait_us)) {
        return true;
    }
    p->holding = true;
    return false;
}

bool turn_due(struct writer *w, uint64_t now_us, uint64_t *ret_wait_us)
{
    bool due = w->commit_now || w->results != NULL;

    for (struct peer *p = w->peers; p != NULL && !due; p = p->next) {
        due = p->session != NULL && peer_due(w, p, now_us, ret_wait_us);
    }
    if (due && now_us < w->aside_until_us && checkpoint_wants_turn(w->checkpoint)) {
        *ret_wait_us = *ret_wait_us < 1000 ? *ret_wait_us : 1000;
        return false;
    }
    if (due && now_us < w->retry_at_us) {
        if (w->retry_at_us - now_us < *ret_wait_us) {
            *ret_wait_us = w->retry_at_us - now_us;
        }
        return false;
    }
    return due;
}

static int stage_results(struct writer *w, struct error *err)
{
    int64_t now = clock_unix_us();

    for (struct seal_job *j = w->results; j != NULL; j = j->next) {
        if (j->failed == 0 && !wsession_job_empty(j) &&
            wsession_stage_sealed(j->owner, w->store, j, now, err) != 0) {
            w->bad_job = err->kind == ERR_CORRUPT ? j : NULL;
            return -1;
        }
    }
    return 0;
}

static int stage_peer(struct writer *w, struct peer *p, struct error *err)
{
    struct wsession *s = p->session;

    if (p->events > 0 && wsession_stage(s, w->store, buf_data(&p->in), p->events, p->events_seq,
                                        p->events_t_us, err) != 0) {
        return -1;
    }
    if (p->pending_due && store_session_pending(w->store, s->info.row, s->pending_us, err) != 0) {
        return -1;
    }
    if (p->flags_due && store_session_flags(w->store, s->info.row, s->info.flags, err) != 0) {
        return -1;
    }
    if (p->bye_due && !s->closed) {
        return wsession_stage_close(s, w->store, SESSION_DONE, clock_unix_us(), err);
    }
    return 0;
}

static int stage_all(struct writer *w, struct error *err)
{
    if (stage_results(w, err) != 0) {
        return -1;
    }
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->session != NULL && (p->events > 0 || p->pending_due || p->bye_due) &&
            stage_peer(w, p, err) != 0) {
            return -1;
        }
    }
    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        if (s->cut_due && !s->closed &&
            wsession_stage_close(s, w->store, SESSION_CUT, clock_unix_us(), err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void finish_results(struct writer *w)
{
    struct seal_job *j;

    while ((j = w->results) != NULL) {
        struct wsession *s = j->owner;

        w->results = j->next;
        w->jobs_away--;
        if (j->failed == 0 && !wsession_job_empty(j)) {
            wsession_sealed(s, j);
        } else {
            wsession_unsealed(s);
            if (j->failed != 0) {
                s->seal_failed = true;
                s->seal_again = j->err.kind != ERR_CORRUPT;
                log_line(LOG_LEVEL_ERROR, "seal-failed row=%lld why=\"%s\"", (long long)s->info.row,
                         j->err.text);
            }
        }
        seal_job_free(j);
    }
}

static void finish_peer(struct peer *p)
{
    p->holding = false;
    if (p->events > 0) {
        peer_committed(p);
        peer_ack(p, p->session->seq);
    }
    if (p->bye_due) {
        peer_ack(p, p->session->seq);
        peer_send(p, FRAME_GOODBYE, NULL, 0);
    }
    p->pending_due = p->bye_due = p->flags_due = false;
}

/* Asked once for every WRITER_WAL_PASSIVE that the WAL has grown (a passive checkpoint does not
 * shorten it while commits go on), and when nothing has been committed for a second. */
void turn_checkpoint(struct writer *w, bool idle)
{
    int64_t wal = store_wal_bytes(w->store);

    if (wal < w->wal_asked) {
        w->wal_asked = 0; /* it began anew */
    }
    if (wal - w->wal_asked < (idle ? WRITER_WAL_IDLE : WRITER_WAL_PASSIVE)) {
        return;
    }
    w->wal_asked = wal;
    if (w->checkpoint == NULL) {
        (void)checkpoint_start(&w->checkpoint, w->config->db, w->conf->wal_max_mib * 1024 * 1024,
                               NULL);
    }
    if (w->checkpoint != NULL) {
        checkpoint_ask(w->checkpoint, wal, idle);
    }
}

static void succeed(struct writer *w)
{
    finish_results(w);
    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        wsession_committed(s);
        s->cut_due = false;
    }
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->session != NULL) {
            finish_peer(p);
        }
    }
    w->retry_at_us = w->failing_since_us = 0;
    w->commit_now = false;
    w->commits++;
    w->committed_us = clock_boot_us();
    turn_checkpoint(w, false);
}

static void fail(struct writer *w, const struct error *err)
{
    char held[512];
    uint64_t now = clock_boot_us();

    store_rollback(w->store);
    if (w->bad_job != NULL) {
        /* One session's damage must not hold up everybody's commits. */
        w->bad_job->failed = -1;
        w->bad_job->err = *err;
        w->bad_job = NULL;
    }
    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        wsession_rolled_back(s);
    }
    w->retry_at_us = now + WRITER_RETRY_US;
    if (disk_is_full(err)) {
        disk_full(w);
    }
    w->failing_since_us = w->failing_since_us == 0 ? now : w->failing_since_us;
    if (now - w->complained_us > 10000000) {
        w->complained_us = now;
        log_line(LOG_LEVEL_ERROR, "commit-failed db=\"%s\" why=\"%s\" held_by=\"%s\"",
                 w->config->db, err->text,
                 err->kind == ERR_RETRY ? holder_text(w->config->db, held, sizeof held) : "");
    }
}

/* The one peer that has events, when there is nothing else to write: the usual case of somebody
 * typing. */
static struct peer *only_events(const struct writer *w)
{
    struct peer *only = NULL;

    if (w->results != NULL || w->commit_now) {
        return NULL;
    }
    for (struct peer *p = w->peers; p != NULL; p = p->next) {
        if (p->session == NULL) {
            continue;
        }
        if (p->pending_due || p->bye_due || (p->events > 0 && only != NULL)) {
            return NULL;
        }
        only = p->events > 0 ? p : only;
    }
    return only;
}

void turn_commit(struct writer *w)
{
    struct peer *only = only_events(w);
    struct error err;

    err_clear(&err);
    if (only != NULL) {
        /* One INSERT is a transaction by itself: two statements less between a key and its echo. */
        if (store_settled(w->store, &err) == 0 && stage_peer(w, only, &err) == 0) {
            succeed(w);
        } else {
            fail(w, &err);
        }
        return;
    }
    if (store_begin(w->store, &err) == 0 && stage_all(w, &err) == 0 &&
        store_commit(w->store, &err) == 0) {
        succeed(w);
    } else {
        fail(w, &err);
    }
}

void turn_seal_again(struct writer *w)
{
    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        s->seal_failed = s->seal_failed && !s->seal_again;
    }
}

void turn_seal(struct writer *w)
{
    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        struct seal_job *job = NULL;
        struct error err;

        if (s->seal_failed || !wsession_wants_seal(s, w->segment_bytes)) {
            continue;
        }
        if (w->sealer == NULL && sealer_start(&w->sealer, w->done_fd, &err) != 0) {
            log_line(LOG_LEVEL_ERROR, "%s", err.text);
            return;
        }
        if (wsession_job(s, w->store, w->segment_bytes, &job, &err) != 0) {
            s->seal_failed = true;
            s->seal_again = err.kind != ERR_CORRUPT;
            log_line(LOG_LEVEL_ERROR, "seal-failed row=%lld why=\"%s\"", (long long)s->info.row,
                     err.text);
            continue;
        }
        w->jobs_away++;
        sealer_put(w->sealer, job);
    }
}
