/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill DB SESSIONS KIB [SEED]: put SESSIONS ended sessions of KIB KiB of text each into a database
 * that `ttytrail record` made, through the store's own functions: what the writer would have
 * stored, in seconds.  A session of more than 64 KiB is text that does not get smaller, in segments
 * of 512 KiB; a smaller one is like a log.  Prints sessions, segments and stored bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "storage/seal/chain.h"
#include "storage/wire/event.h"
#include "storage/writer/sealer.h"

#define SEGMENT  (512U * 1024)
#define PER_TURN 200 /* sessions in one transaction */
#define LIKE_LOG (64U * 1024)

struct filling {
    struct store *store;
    uint64_t random;
    size_t bytes; /* of one session */
    uint8_t epoch[16];
    char host[256];
    int64_t segments, stored;
    struct error err;
};

static void die(const struct error *err)
{
    (void)fprintf(stderr, "fill: %s\n", err->text);
    exit(1);
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            die(&f->err);                                                                          \
        }                                                                                          \
    } while (0)

static uint64_t next(struct filling *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return f->random;
}

/* One event of output: lines. */
static size_t lines(struct filling *f, uint8_t *to, size_t max)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;

    while (n + 128 < max) {
        if (f->bytes <= LIKE_LOG) {
            n += (size_t)snprintf(
                (char *)to + n, 128,
                "2026-11-22T10:%02u:%02u INFO [worker-%u] request id=%u in %u ms\r\n",
                (unsigned)(next(f) % 60), (unsigned)(next(f) % 60), (unsigned)(next(f) % 16),
                (unsigned)(next(f) % 1000000), (unsigned)(next(f) % 900));
            continue;
        }
        for (int i = 0; i < 100; i += 10) {
            uint64_t r = next(f);

            for (int k = 0; k < 10; k++, r >>= 6) {
                to[n++] = (uint8_t)set[r & 63];
            }
        }
        to[n++] = '\r';
        to[n++] = '\n';
    }
    return n;
}

static void frames(struct filling *f, struct buf *to, size_t want, uint64_t *seq)
{
    static uint8_t text[32768];
    size_t done = 0;

    while (done < want) {
        size_t max = want - done < sizeof text ? want - done + 128 : sizeof text;
        struct event ev = {.seq = ++*seq, .t_us = *seq * 1000, .kind = 'o', .bytes = text};

        ev.len = lines(f, text, max > sizeof text ? sizeof text : max);
        done += ev.len > 0 ? ev.len : want;
        MUST(event_put(to, &ev, &f->err));
    }
}

static void segment(struct filling *f, struct session_row *s, size_t want, bool final,
                    uint64_t *seq)
{
    struct seal_job *job = seal_job_new();
    struct store_segment *g;

    if (job == NULL) {
        exit(1);
    }
    job->info = s;
    job->number = s->segments;
    job->last_t_us = s->last_t_us;
    job->below_t_us = UINT64_MAX;
    job->final = final;
    memcpy(job->base, s->tail_base, CHAIN_HASH);
    frames(f, &job->frames, want, seq);
    if (final) {
        struct event end = {.seq = ++*seq,
                            .t_us = *seq * 1000,
                            .kind = 'x',
                            .bytes = (const uint8_t *)"exit 0",
                            .len = 6};

        MUST(event_put(&job->frames, &end, &f->err));
    }
    sealer_run(job);
    if (job->failed) {
        die(&job->err);
    }
    g = &job->segment;
    g->session_row = s->row;
    g->sealed_us = clock_unix_us();
    memcpy(g->head, s->head, CHAIN_HASH);
    chain_extend(g->head, (uint64_t)g->number, g->sha256);
    MUST(store_segment_insert(f->store, g, &f->err));
    s->segments++;
    s->last_t_us = (uint64_t)g->last_t_us;
    memcpy(s->head, g->head, CHAIN_HASH);
    f->segments++;
    f->stored += (int64_t)g->len;
    seal_job_free(job);
}

static char *copy(const char *text)
{
    char *ret = strdup(text);

    if (ret == NULL) {
        exit(1);
    }
    return ret;
}

static void session(struct filling *f)
{
    struct session_row s;
    uint64_t seq = 0;
    size_t done = 0;

    session_row_init(&s);
    for (size_t i = 0; i < sizeof s.id; i++) {
        s.id[i] = (uint8_t)next(f);
    }
    memcpy(s.epoch, f->epoch, sizeof s.epoch);
    s.kind = copy("tty");
    s.host = copy(f->host);
    s.user = copy("alice");
    s.title = copy("");
    s.tty = copy("/dev/pts/7");
    s.command = copy("");
    s.exit = copy("");
    s.flags = copy("");
    s.uid = 1000;
    s.cols = 80;
    s.rows = 24;
    s.started_us = clock_unix_us() - INT64_C(3600000000);
    chain_start(s.host, s.epoch, s.id, s.head);
    memcpy(s.tail_base, s.head, CHAIN_HASH);
    clock_boot_id(s.writer_boot);
    clock_boot_id(s.recorder_boot);
    s.writer_pid = s.recorder_pid = getpid();
    s.writer_start = s.recorder_start = (int64_t)clock_process_start(getpid());
    MUST(store_session_insert(f->store, &s, &f->err));
    do {
        size_t want = f->bytes - done < SEGMENT ? f->bytes - done : SEGMENT;

        done += want;
        segment(f, &s, want, done == f->bytes, &seq);
        if (f->segments % 64 == 0) {
            MUST(store_commit(f->store, &f->err));
            MUST(store_begin(f->store, &f->err));
        }
    } while (done < f->bytes);
    MUST(store_session_close(f->store, s.row, SESSION_DONE, s.started_us + (int64_t)s.last_t_us,
                             "exit 0", "", &f->err));
    session_row_clear(&s);
}

static void whose(struct filling *f)
{
    struct buf host, epoch;

    buf_init(&host, 255);
    buf_init(&epoch, 64);
    if (store_meta_get(f->store, "host", &host, &f->err) != 1 ||
        store_meta_get(f->store, "epoch", &epoch, &f->err) != 1 ||
        io_unhex(buf_text(&epoch, &f->err), f->epoch, sizeof f->epoch) != 0) {
        (void)fprintf(stderr, "fill: not a database that `ttytrail record` made\n");
        exit(1);
    }
    (void)snprintf(f->host, sizeof f->host, "%s", buf_text(&host, &f->err));
    buf_clear(&host);
    buf_clear(&epoch);
}

int main(int argc, char **argv)
{
    struct filling filling = {.random = UINT64_C(88172645463325252)}, *f = &filling;
    struct store_config config = {.busy_ms = 5000};
    long sessions;

    if (argc < 4) {
        (void)fprintf(stderr, "Usage: fill DB SESSIONS KIB [SEED]\n");
        return 2;
    }
    config.path = argv[1];
    sessions = strtol(argv[2], NULL, 10);
    f->bytes = strtoul(argv[3], NULL, 10) * 1024;
    f->random += argc > 4 ? strtoull(argv[4], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) : 0;
    MUST(store_open(&f->store, &config, &f->err));
    whose(f);
    for (long n = 0; n < sessions;) {
        MUST(store_begin(f->store, &f->err));
        for (int i = 0; i < PER_TURN && n < sessions; i++, n++) {
            session(f);
        }
        MUST(store_commit(f->store, &f->err));
    }
    MUST(store_sync(f->store, &f->err));
    store_close(f->store, true);
    (void)printf("%ld %" PRId64 " %" PRId64 "\n", sessions, f->segments, f->stored);
    return 0;
}
