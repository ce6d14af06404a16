/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction for all that is ready: that is what makes 1,000 recorders cheap. */
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "storage/wire/event.h"
#include "storage/writer/writer_impl.h"

/* Events of one peer that are worth a commit even if nobody waits for them. */
#define ENOUGH_BYTES (2 * PEER_TURN_BYTES)

static bool peer_due(const struct peer *p, uint64_t now_us, uint64_t *wait_us)
{
    uint64_t at;

    if (p->bye_due || p->pending_due) {
        return true;
    }
    if (p->events == 0) {
        return false;
    }
    if (p->urgent || p->events >= ENOUGH_BYTES || p->state == PEER_GONE) {
        return true;
    }
    at = p->ready_since_us + p->defer_us;
    if (now_us >= at) {
        return true;
    }
    if (at - now_us < *wait_us) {
        *wait_us = at - now_us;
    }
    return false;
}

bool turn_due(const struct writer *w, uint64_t now_us, uint64_t *ret_wait_us)
{
    bool due = w->commit_now || w->results != NULL;

    for (const struct peer *p = w->peers; p != NULL && !due; p = p->next) {
        due = p->session != NULL && peer_due(p, now_us, ret_wait_us);
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
    if (p->pending_due &&
        store_session_pending(w->store, s->info.row, s->pending_us, err) != 0) {
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
            s->sealing = false;
            s->seal_asked = false;
            if (j->failed != 0) {
                s->seal_failed = true;
                log_line(LOG_LEVEL_ERROR, "seal-failed row=%lld why=\"%s\"",
                         (long long)s->info.row, j->err.text);
            }
        }
        seal_job_free(j);
    }
}

static void finish_peer(struct peer *p)
{
    if (p->events > 0) {
        peer_committed(p);
        peer_ack(p, p->session->seq);
    }
    if (p->bye_due) {
        peer_ack(p, p->session->seq);
        peer_send(p, FRAME_GOODBYE, NULL, 0);
    }
    p->pending_due = p->bye_due = false;
}

/* Asked once for every WRITER_WAL_PASSIVE that the WAL has grown: a passive checkpoint does not shorten
 * it while commits go on. */
static void checkpoint_if_due(struct writer *w, int64_t wal)
{
    if (wal < w->wal_asked) {
        w->wal_asked = 0; /* it began anew */
    }
    if (wal - w->wal_asked < WRITER_WAL_PASSIVE) {
        return;
    }
    w->wal_asked = wal;
    if (w->checkpoint == NULL) {
        (void)checkpoint_start(&w->checkpoint, w->config->db, w->conf->wal_max_mib * 1024 * 1024,
                               NULL);
    }
    if (w->checkpoint != NULL) {
        checkpoint_ask(w->checkpoint, wal);
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
    w->retry_at_us = 0;
    w->commit_now = false;
    checkpoint_if_due(w, store_wal_bytes(w->store));
}

static void fail(struct writer *w, const struct error *err)
{
    uint64_t now = clock_boot_us();

    store_rollback(w->store);
    for (struct wsession *s = w->sessions; s != NULL; s = s->next) {
        wsession_rolled_back(s);
    }
    w->retry_at_us = now + WRITER_RETRY_US;
    if (now - w->complained_us > 10000000) {
        w->complained_us = now;
        log_line(LOG_LEVEL_ERROR, "commit-failed db=\"%s\" why=\"%s\"", w->config->db, err->text);
    }
}

void turn_commit(struct writer *w)
{
    struct error err;

    err_clear(&err);
    if (store_begin(w->store, &err) == 0 && stage_all(w, &err) == 0 &&
        store_commit(w->store, &err) == 0) {
        succeed(w);
    } else {
        fail(w, &err);
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
            log_line(LOG_LEVEL_ERROR, "seal-failed row=%lld why=\"%s\"", (long long)s->info.row,
                     err.text);
            continue;
        }
        w->jobs_away++;
        sealer_put(w->sealer, job);
    }
}
