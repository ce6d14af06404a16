/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/ship_flight.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"

static void drop_part(struct flight *f)
{
    if (f->stream.pack != NULL) {
        f->engine->part_bytes -= (int64_t)pack_stream_bytes(&f->pack);
        pack_stream_close(&f->stream);
    }
}

void flight_free(struct flight *f)
{
    drop_part(f);
    pack_clear(&f->pack);
    batch_drop(f->choice);
    state_batch_clear(&f->b);
    free(f);
}

static void drop_line(struct flight *f)
{
    f->engine->line_bytes -= (int64_t)f->b.line.len;
    buf_clear(&f->b.line);
}

void flight_object(struct flight *f, enum flight_stage stage)
{
    struct manifest names = {.seq = f->b.seq, .created_us = f->b.created_us};

    f->stage = stage;
    (void)snprintf(names.host, sizeof names.host, "%s", f->b.host);
    memcpy(names.pack_sha256, f->b.pack_sha256, CHAIN_HASH);
    if (stage == FLIGHT_PACK) {
        manifest_pack_name(&names, f->name);
    } else {
        manifest_name(&names, f->name);
    }
    f->tries = f->tampered = f->names = 0;
    f->not_before_us = 0;
    f->fresh = false;
}

void flight_of(struct flight *f, struct state_batch *b)
{
    f->b = *b;
    buf_clear(&f->b.line); /* read again when its turn comes */
    if (b->done) {
        f->stage = FLIGHT_STORED;
    } else {
        flight_object(f, b->segments > 0 ? FLIGHT_PACK : FLIGHT_MANIFEST);
    }
}

bool flight_ready(const struct flight *f, int64_t now_us)
{
    return (f->stage == FLIGHT_PACK || f->stage == FLIGHT_MANIFEST) && !f->away && !f->answered &&
           f->not_before_us <= now_us;
}

int64_t flight_size(const struct flight *f)
{
    return f->stage == FLIGHT_PACK ? f->b.pack_size : (int64_t)f->b.line.len;
}

/* What was confirmed, now or in an earlier run. */
static int go_on(struct flight *f, struct error *err)
{
    struct ship_engine *e = f->engine;

    if (f->stage == FLIGHT_PACK) {
        flight_object(f, FLIGHT_MANIFEST);
        return 0;
    }
    drop_line(f);
    if (state_done(e->state, f->b.id, err) != 0 || state_aside_clear(e->state, f->b.id, err) != 0) {
        return -1;
    }
    f->stage = FLIGHT_STORED;
    f->counted = true;
    e->segments_done += f->b.segments;
    return 0;
}

static int load_line(struct flight *f, struct error *err)
{
    if (f->b.line.len > 0) {
        return 0;
    }
    if (state_line(f->engine->state, f->b.id, &f->b.line, err) != 0) {
        return -1;
    }
    f->engine->line_bytes += (int64_t)f->b.line.len;
    chain_sha256(buf_data(&f->b.line), f->b.line.len, f->line_sha256);
    return 0;
}

int flight_note(struct flight *f, int64_t now_us, struct error *err)
{
    struct ship_engine *e = f->engine;
    struct state_attempts before = {.confirmed = false};

    (void)now_us;
    if (state_attempts(e->state, e->where, f->name, &before, err) != 0) {
        return -1;
    }
    if (before.confirmed) {
        return go_on(f, err);
    }
    if (f->stage == FLIGHT_MANIFEST && load_line(f, err) != 0) {
        return -1;
    }
    f->suffix = before.next_suffix;
    f->tries_of_name = before.tries_of_next;
    if (f->suffix == 0) {
        (void)snprintf(f->as, sizeof f->as, "%s", f->name);
    } else {
        (void)snprintf(f->as, sizeof f->as, "%s.r%" PRId64, f->name, f->suffix);
    }
    return state_attempt(e->state, e->where, f->name, f->suffix, clock_unix_us(), &f->attempt,
                         err) != 0
               ? -1
               : 1;
}

static void answered(void *user, const struct depot_answer *a)
{
    struct flight *f = user;

    f->away = false;
    f->answered = true;
    f->answer = *a;
}

void flight_send(struct flight *f)
{
    struct ship_engine *e = f->engine;
    struct depot_put put = {.name = f->as, .fresh = f->fresh, .bytes_s = e->bytes.per_s};

    if (f->stage == FLIGHT_PACK) {
        drop_part(f);
        e->part_bytes += (int64_t)pack_stream_bytes(&f->pack);
        pack_stream_open(&f->stream, &f->pack, e->source->evidence);
        put.stream = &f->stream.source;
        put.sha256 = f->b.pack_sha256;
        put.md5 = f->sums.with_md5 ? f->sums.md5 : NULL;
        put.content_type = "application/gzip";
    } else {
        put.bytes = buf_data(&f->b.line);
        put.len = f->b.line.len;
        put.sha256 = f->line_sha256;
        put.content_type = "application/json";
    }
    e->puts++;
    f->away = true;
    if (depot_start(e->store, &put, answered, f, &f->answer.err) != 0) {
        /* As an answer, so that it is judged as one. */
        f->away = false;
        f->answered = true;
        f->answer.rc = -1;
        f->answer.slow = false;
        f->answer.asked_us = 0;
    }
}

static int aside(struct flight *f, bool store_said, struct error *err)
{
    struct ship_engine *e = f->engine;

    f->store_said = store_said;
    f->err = f->answer.err;
    (void)err_wrap(&f->err, "ship batch %" PRId64, f->b.seq);
    drop_line(f);
    f->stage = FLIGHT_ASIDE;
    return state_aside_set(e->state, f->b.id, f->err.text, clock_unix_us(), err);
}

static int later(struct flight *f, int64_t now_us, struct error *err)
{
    struct ship_engine *e = f->engine;
    uint32_t random = UINT32_MAX / 2;

    if (++f->tries >= FLIGHT_TRIES) {
        return aside(f, true, err);
    }
    if (!retry_take(&e->bucket)) {
        *err = f->answer.err;
        return err_wrap(err, "the store fails too often: batch %" PRId64, f->b.seq);
    }
    (void)!getrandom(&random, sizeof random, 0);
    f->fresh = true;
    f->not_before_us = now_us + retry_wait_us(f->tries, f->answer.slow, random, f->answer.asked_us);
    return 0;
}

static int taken(struct flight *f, struct error *err)
{
    struct ship_engine *e = f->engine;
    char text[DEPOT_NAME_MAX + 128];

    if (f->tries_of_name == 0) {
        (void)snprintf(text, sizeof text,
                       "ALARM: %s (try %" PRId64 "): taken before our first attempt", f->name,
                       f->suffix);
        e->note(e->user, text);
    }
    if (++f->names >= FLIGHT_NAMES) {
        (void)err_set(&f->answer.err, ERR_RETRY, "%.100s: every name is taken", f->name);
        return aside(f, true, err);
    }
    return 0;
}

static int failed(struct flight *f, int64_t now_us, struct error *err)
{
    switch (f->answer.err.kind) {
    case ERR_RETRY:
        return later(f, now_us, err);
    case ERR_CORRUPT:
        /* On the way, perhaps; or the evidence is not what it was. */
        return ++f->tampered < FLIGHT_TAMPERED ? later(f, now_us, err) : aside(f, true, err);
    case ERR_SYSTEM:
        *err = f->answer.err;
        return -1;
    default:
        return aside(f, true, err);
    }
}

int flight_answer(struct flight *f, int64_t now_us, struct error *err)
{
    struct ship_engine *e = f->engine;
    const struct depot_answer *a = &f->answer;
    const char *result = a->rc != 0 ? (a->err.kind == ERR_RETRY ? "retry" : "failed")
                         : a->result == DEPOT_PUT_CONFIRMED ? "confirmed"
                                                            : "exists";

    f->answered = false;
    drop_part(f);
    if (state_attempt_result(e->state, f->attempt, result, err) != 0) {
        return -1;
    }
    if (a->rc != 0) {
        return failed(f, now_us, err);
    }
    if (a->result == DEPOT_PUT_EXISTS) {
        return taken(f, err);
    }
    retry_give(&e->bucket, f->tries > 0);
    e->confirmed = e->confirmed_now = true;
    e->bytes_done += f->stage == FLIGHT_PACK ? f->b.pack_size : 0;
    return go_on(f, err);
}
