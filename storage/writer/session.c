/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/writer/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/seal/segment.h"
#include "storage/wire/event.h"

int wsession_new(struct wsession **ret, size_t *cache_left, struct error *err)
{
    struct wsession *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return err_sys(err, "allocate");
    }
    session_row_init(&s->info);
    s->pending_us = WSESSION_NO_PENDING;
    s->cache_left = cache_left;
    s->cached = cache_left != NULL;
    buf_init(&s->cache, SEGMENT_MAX_BYTES);
    *ret = s;
    return 0;
}

/* ---- the cache: a hint only, given up rather than waited for ---- */

static void cache_drop(struct wsession *s)
{
    if (s->cache_left != NULL) {
        *s->cache_left += s->cache_held;
    }
    s->cache_held = 0;
    buf_clear(&s->cache);
    s->staged.cached = 0;
    s->cached = false;
}

static void cache_add(struct wsession *s, const uint8_t *frames, size_t len)
{
    if (!s->cached) {
        return;
    }
    if (*s->cache_left < len || buf_append(&s->cache, frames, len, NULL) != 0) {
        cache_drop(s);
        return;
    }
    *s->cache_left -= len;
    s->cache_held += len;
    s->staged.cached += len;
}

static void cache_undo(struct wsession *s)
{
    s->cache.len -= s->staged.cached;
    s->cache_held -= s->staged.cached;
    if (s->cache_left != NULL) {
        *s->cache_left += s->staged.cached;
    }
    s->staged.cached = 0;
}

void wsession_free(struct wsession *s)
{
    if (s != NULL) {
        cache_drop(s);
        session_row_clear(&s->info);
        free(s->tails);
        free(s);
    }
}

/* Room for so many more: a row that is committed and not in the list would be sealed too late,
 * behind those that follow it. */
static int reserve_tails(struct wsession *s, size_t more, struct error *err)
{
    size_t cap = s->cap_tails == 0 ? 16 : s->cap_tails;
    struct tail_row *grown;

    while (cap < s->n_tails + more) {
        cap *= 2;
    }
    if (cap == s->cap_tails) {
        return 0;
    }
    grown = realloc(s->tails, cap * sizeof *grown);
    if (grown == NULL) {
        return err_sys(err, "allocate");
    }
    s->tails = grown;
    s->cap_tails = cap;
    return 0;
}

static void add_tail(struct wsession *s, int64_t row, size_t len)
{
    s->tails[s->n_tails].row = row;
    s->tails[s->n_tails++].len = len;
    s->tail_bytes += len;
}

static int on_tail(void *user, int64_t row, uint64_t last_seq, size_t len,
                   const uint8_t hash[CHAIN_HASH])
{
    struct wsession *s = user;

    if (reserve_tails(s, 1, NULL) != 0) {
        return -1;
    }
    if (last_seq > s->seq) {
        s->seq = last_seq;
    }
    memcpy(s->hash, hash, CHAIN_HASH);
    add_tail(s, row, len);
    return 0;
}

/* The newest time in the tail: marks written on a dead session's behalf come after it. */
static int newest_time(struct wsession *s, struct store *store, struct error *err)
{
    struct buf frames;
    uint8_t hash[CHAIN_HASH];
    struct event ev;
    size_t at = 0, used = 0;
    int rc = 0;

    s->last_t_us = s->info.last_t_us;
    if (s->n_tails == 0) {
        return 0;
    }
    buf_init(&frames, SEGMENT_MAX_BYTES);
    rc = store_tail_read(store, s->tails[s->n_tails - 1].row, &frames, hash, err);
    while (rc == 0 && event_next(buf_data(&frames) + at, frames.len - at, &ev, &used, err) > 0) {
        at += used;
        if (ev.t_us > s->last_t_us) {
            s->last_t_us = ev.t_us;
        }
    }
    buf_clear(&frames);
    return rc;
}

int wsession_recover(struct wsession *s, struct store *store, const uint8_t id[16],
                     struct error *err)
{
    int rc = store_session_load(store, id, &s->info, &s->seq, err);

    if (rc != 1) {
        return rc;
    }
    memcpy(s->recorder.boot, s->info.recorder_boot, sizeof s->recorder.boot);
    s->recorder.pid = s->info.recorder_pid;
    s->recorder.start = s->info.recorder_start;
    s->closed = s->info.state != SESSION_OPEN;
    memcpy(s->hash, s->info.tail_base, CHAIN_HASH);
    if (store_tail_scan(store, s->info.row, on_tail, s, err) != 0) {
        return err != NULL && err->kind == ERR_NONE ? err_sys(err, "allocate") : -1;
    }
    s->cached = s->cached && s->n_tails == 0;
    return newest_time(s, store, err) == 0 ? 1 : -1;
}

int wsession_stage(struct wsession *s, struct store *store, const uint8_t *frames, size_t len,
                   uint64_t seq, uint64_t t_us, struct error *err)
{
    struct tail_row *row = &s->staged.rows[s->staged.n_rows];

    if (s->staged.n_rows == WSESSION_STAGED) {
        return err_set(err, ERR_LIMIT, "too many tail rows in one transaction");
    }
    if (reserve_tails(s, s->staged.n_rows + 1, err) != 0) {
        return -1;
    }
    if (s->staged.n_rows == 0) {
        memcpy(s->staged.hash, s->hash, CHAIN_HASH);
        s->staged.seq = s->seq;
        s->staged.t_us = s->last_t_us;
    }
    chain_tail(s->staged.hash, frames, len);
    if (store_tail_insert(store, s->info.row, seq, s->staged.hash, frames, len, &row->row, err) !=
        0) {
        return -1;
    }
    cache_add(s, frames, len);
    row->len = len;
    s->staged.n_rows++;
    if (seq > s->staged.seq) {
        s->staged.seq = seq;
    }
    if (t_us > s->staged.t_us) {
        s->staged.t_us = t_us;
    }
    return 0;
}

int wsession_mark(struct wsession *s, struct store *store, uint64_t t_us, const char *text,
                  struct error *err)
{
    struct event ev = {.seq = (s->staged.n_rows > 0 ? s->staged.seq : s->seq) + 1,
                       .t_us = t_us,
                       .kind = 'm',
                       .bytes = (const uint8_t *)text,
                       .len = strlen(text)};
    struct buf frame;
    int rc;

    buf_init(&frame, ev.len + 1024);
    rc = event_put(&frame, &ev, err);
    if (rc == 0) {
        rc = wsession_stage(s, store, buf_data(&frame), frame.len, ev.seq, t_us, err);
    }
    buf_clear(&frame);
    return rc;
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = words; (p = strstr(p, word)) != NULL; p += len) {
        bool begins = p == words || p[-1] == ' ';

        if (begins && (p[len] == ' ' || p[len] == '\0')) {
            return true;
        }
    }
    return false;
}

int wsession_add_flag(struct wsession *s, const char *word, struct error *err)
{
    const char *old = s->info.flags == NULL ? "" : s->info.flags;
    char *all = NULL;

    if (has_word(old, word)) {
        return 0;
    }
    if (asprintf(&all, "%s%s%s", old, *old == '\0' ? "" : " ", word) < 0) {
        return err_sys(err, "allocate");
    }
    free(s->info.flags);
    s->info.flags = all;
    return 0;
}

int wsession_stage_close(struct wsession *s, struct store *store, enum session_state state,
                         int64_t now_us, struct error *err)
{
    const char *exit = s->info.exit == NULL ? "" : s->info.exit;
    char text[64] = "cut";

    if (state == SESSION_CUT) {
        uint64_t last = s->staged.n_rows > 0 ? s->staged.t_us : s->last_t_us, t = last;

        if (s->pending_us != WSESSION_NO_PENDING) {
            (void)snprintf(text, sizeof text, "undecided input lost since %llu.%06llu; cut",
                           (unsigned long long)(s->pending_us / 1000000),
                           (unsigned long long)(s->pending_us % 1000000));
            t = s->pending_us;
            if (wsession_add_flag(s, "lost-input", err) != 0) {
                return -1;
            }
        }
        if (wsession_mark(s, store, t, text, err) != 0) {
            return -1;
        }
        exit = "cut";
        now_us = s->info.started_us + (int64_t)last;
    }
    s->staged.close = true;
    s->staged.state = state;
    return store_session_close(store, s->info.row, state, now_us, exit, s->info.flags, err);
}

void wsession_committed(struct wsession *s)
{
    if (s->staged.n_rows > 0) {
        memcpy(s->hash, s->staged.hash, CHAIN_HASH);
        s->seq = s->staged.seq;
        s->last_t_us = s->staged.t_us;
    }
    for (size_t i = 0; i < s->staged.n_rows; i++) {
        add_tail(s, s->staged.rows[i].row, s->staged.rows[i].len);
    }
    if (s->staged.close) {
        s->closed = true;
        s->info.state = s->staged.state;
        s->pending_us = WSESSION_NO_PENDING;
    }
    memset(&s->staged, 0, sizeof s->staged);
}

void wsession_rolled_back(struct wsession *s)
{
    cache_undo(s);
    memset(&s->staged, 0, sizeof s->staged);
}

bool wsession_wants_seal(const struct wsession *s, size_t segment_bytes)
{
    if (s->sealing || s->info.final) {
        return false;
    }
    if (s->closed) {
        return true;
    }
    if (s->seal_asked) {
        return s->n_tails > 0 || s->info.carry.len > 0;
    }
    return s->tail_bytes >= segment_bytes && s->pending_us == WSESSION_NO_PENDING;
}

/* Move the cached frames behind ${to}; false without memory. */
static bool take_cache(struct wsession *s, struct buf *to)
{
    if (to->len == 0) {
        buf_clear(to);
        *to = s->cache;
    } else if (buf_append(to, buf_data(&s->cache), s->cache.len, NULL) != 0) {
        return false;
    } else {
        buf_clear(&s->cache);
    }
    *s->cache_left += s->cache_held;
    s->cache_held = 0;
    buf_init(&s->cache, SEGMENT_MAX_BYTES);
    return true;
}

int wsession_job(struct wsession *s, struct store *store, size_t segment_bytes,
                 struct seal_job **ret, struct error *err)
{
    struct seal_job *job = seal_job_new();
    size_t n = 0;

    if (job == NULL || (job->rows = calloc(s->n_tails + 1, sizeof *job->rows)) == NULL) {
        seal_job_free(job);
        return err_sys(err, "allocate");
    }
    memcpy(job->base, s->info.tail_base, CHAIN_HASH);
    if (buf_append(&job->frames, buf_data(&s->info.carry), s->info.carry.len, err) != 0) {
        seal_job_free(job);
        return -1;
    }
    if (s->cached && s->cache.len < 2 * segment_bytes && take_cache(s, &job->frames)) {
        /* All of it, without reading it back. */
        if (s->n_tails > 0) {
            memcpy(job->rows, s->tails, s->n_tails * sizeof *job->rows);
        }
        memcpy(job->base, s->hash, CHAIN_HASH);
        n = s->n_tails;
    } else {
        cache_drop(s);
    }
    /* One row at least, whatever is carried: else nothing would ever move on. */
    while (n < s->n_tails && (n == 0 || job->frames.len < segment_bytes)) {
        if (store_tail_read(store, s->tails[n].row, &job->frames, job->base, err) != 0) {
            seal_job_free(job);
            return -1;
        }
        job->rows[n] = s->tails[n];
        n++;
    }
    job->n_rows = n;
    job->owner = s;
    job->info = &s->info;
    job->number = s->info.segments;
    job->last_t_us = s->info.last_t_us;
    job->below_t_us = s->closed ? UINT64_MAX : s->pending_us;
    job->final = s->closed && n == s->n_tails;
    s->cached = s->cache_left != NULL && n == s->n_tails;
    s->sealing = true;
    s->seal_asked = s->seal_asked && n < s->n_tails;
    *ret = job;
    return 0;
}

bool wsession_job_empty(const struct seal_job *job)
{
    return job->segment.events == 0 && !job->final && job->below_t_us != UINT64_MAX;
}

int wsession_stage_sealed(struct wsession *s, struct store *store, struct seal_job *job,
                          int64_t now_us, struct error *err)
{
    struct store_segment *g = &job->segment;

    g->session_row = s->info.row;
    g->sealed_us = now_us;
    memcpy(g->head, s->info.head, CHAIN_HASH);
    chain_extend(g->head, (uint64_t)g->number, g->sha256);
    if (store_tail_delete(store, job->rows, job->n_rows, err) != 0 ||
        store_segment_insert(store, g, err) != 0) {
        return -1;
    }
    return 0;
}

void wsession_sealed(struct wsession *s, struct seal_job *job)
{
    const struct store_segment *g = &job->segment;

    for (size_t i = 0; i < job->n_rows; i++) {
        s->tail_bytes -= job->rows[i].len;
    }
    s->n_tails -= job->n_rows;
    if (s->n_tails > 0) {
        memmove(s->tails, s->tails + job->n_rows, s->n_tails * sizeof *s->tails);
    }
    s->info.segments++;
    s->info.last_t_us = (uint64_t)g->last_t_us;
    s->info.final = g->final;
    memcpy(s->info.head, g->head, CHAIN_HASH);
    memcpy(s->info.tail_base, g->tail_base, CHAIN_HASH);
    buf_clear(&s->info.carry);
    s->info.carry = job->rest;
    buf_init(&job->rest, SEGMENT_MAX_BYTES);
    s->sealing = false;
}

void wsession_unsealed(struct wsession *s)
{
    cache_drop(s);
    s->sealing = false;
    s->seal_asked = false;
}
