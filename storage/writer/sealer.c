/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/writer/sealer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/io.h"
#include "storage/seal/segment.h"

#define SEAL_NICE 10

struct sealer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct seal_job *todo_head, *todo_tail, *done_head, *done_tail;
    bool stop;
    int done_fd;
};

struct seal_job *seal_job_new(void)
{
    struct seal_job *job = calloc(1, sizeof *job);

    if (job != NULL) {
        buf_init(&job->frames, SEGMENT_MAX_BYTES);
        buf_init(&job->packed, SEGMENT_MAX_BYTES + 65536);
        buf_init(&job->rest, SEGMENT_MAX_BYTES);
    }
    return job;
}

void seal_job_free(struct seal_job *job)
{
    if (job != NULL) {
        buf_clear(&job->frames);
        buf_clear(&job->packed);
        buf_clear(&job->rest);
        free(job->rows);
        free(job);
    }
}

/* The events that go into the segment: how far they reach, and from when. */
static int span(struct seal_job *job, struct error *err)
{
    struct store_segment *g = &job->segment;
    size_t at = 0, used = 0;
    struct event ev;
    bool any = false;
    int rc;

    while ((rc = event_next(buf_data(&job->frames) + at, job->frames.len - at, &ev, &used, err)) >
           0) {
        at += used;
        if (ev.seq > g->last_seq) {
            g->last_seq = ev.seq;
        }
        if (ev.t_us < job->below_t_us && (!any || (int64_t)ev.t_us < g->first_t_us)) {
            g->first_t_us = (int64_t)ev.t_us;
            any = true;
        }
    }
    return rc;
}

static int put_header(struct seal_job *job, struct buf *text, struct error *err)
{
    const struct session_row *s = job->info;
    char session[33], epoch[33];
    struct facts facts;
    struct segment_header h = {.session_hex = io_hex(s->id, 16, session),
                               .host = s->host,
                               .epoch_hex = io_hex(s->epoch, 16, epoch),
                               .user = s->user,
                               .uid = s->uid,
                               .cols = (uint32_t)s->cols,
                               .rows = (uint32_t)s->rows,
                               .started_us = s->started_us,
                               .title = s->title,
                               .facts = &facts,
                               .time_digits = 3};

    if (facts_parse(buf_data(&s->facts), s->facts.len, &facts, err) != 0) {
        return -1;
    }
    return segment_header_line(text, &h, err);
}

static int seal(struct seal_job *job, struct buf *text, struct cast_writer *w, struct error *err)
{
    if ((job->number == 0 && put_header(job, text, err) != 0) || span(job, err) != 0 ||
        segment_lines(text, w, buf_data(&job->frames), job->frames.len, job->below_t_us, &job->rest,
                      err) != 0) {
        return -1;
    }
    /* Unfinished characters wait for their rest in the next segment; after the last there is none.
     */
    if ((job->final ? cast_flush(w, text, err) : cast_carry(w, &job->rest, err)) != 0) {
        return -1;
    }
    return segment_pack(buf_data(text), text->len, &job->packed, err);
}

void sealer_run(struct seal_job *job)
{
    struct store_segment *g = &job->segment;
    struct cast_writer w;
    struct buf text;

    buf_init(&text, SEGMENT_MAX_TEXT);
    cast_writer_init(&w, job->last_t_us);
    memset(g, 0, sizeof *g);
    job->failed = seal(job, &text, &w, &job->err);
    g->number = job->number;
    g->final = job->final;
    g->text_size = (int64_t)text.len;
    g->events = (int64_t)w.lines;
    g->bytes_out = (int64_t)w.bytes_out;
    g->bytes_in = (int64_t)w.bytes_in;
    g->redactions = (int64_t)w.redactions;
    g->last_t_us = (int64_t)w.last_t_us;
    g->bytes = buf_data(&job->packed);
    g->len = job->packed.len;
    chain_sha256(g->bytes, g->len, g->sha256);
    g->carry = buf_data(&job->rest);
    g->carry_len = job->rest.len;
    memcpy(g->tail_base, job->base, CHAIN_HASH);
    cast_writer_clear(&w);
    buf_clear(&text);
}

static void *work(void *user)
{
    struct sealer *s = user;

    /* Nobody waits for a segment, but somebody may be waiting for the processor.  On Linux a nice
     * value is a thread's own; that it cannot be set is no reason not to seal. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), SEAL_NICE);
    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct seal_job *job;
        uint64_t one = 1;

        while (s->todo_head == NULL && !s->stop) {
            pthread_cond_wait(&s->work, &s->lock);
        }
        job = s->todo_head;
        if (job == NULL) {
            break;
        }
        s->todo_head = job->next;
        pthread_mutex_unlock(&s->lock);
        sealer_run(job);
        job->next = NULL;
        pthread_mutex_lock(&s->lock);
        if (s->done_head == NULL) {
            s->done_head = job;
        } else {
            s->done_tail->next = job;
        }
        s->done_tail = job;
        (void)!write(s->done_fd, &one, sizeof one);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int sealer_start(struct sealer **ret, int done_fd, struct error *err)
{
    struct sealer *s = calloc(1, sizeof *s);
    int rc;

    if (s == NULL) {
        return err_sys(err, "allocate");
    }
    s->done_fd = done_fd;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    rc = pthread_create(&s->thread, NULL, work, s);
    if (rc != 0) {
        free(s);
        return err_set(err, ERR_SYSTEM, "start the sealing thread: error %d", rc);
    }
    *ret = s;
    return 0;
}

void sealer_stop(struct sealer *s)
{
    struct seal_job *job;

    if (s == NULL) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    while ((job = sealer_take(s)) != NULL) {
        seal_job_free(job);
    }
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void sealer_put(struct sealer *s, struct seal_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->todo_head == NULL) {
        s->todo_head = job;
    } else {
        s->todo_tail->next = job;
    }
    s->todo_tail = job;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
}

struct seal_job *sealer_take(struct sealer *s)
{
    struct seal_job *job;

    pthread_mutex_lock(&s->lock);
    job = s->done_head;
    if (job != NULL) {
        s->done_head = job->next;
    }
    pthread_mutex_unlock(&s->lock);
    return job;
}
