/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/ship_engine.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "shipper/hasher.h"
#include "shipper/ship_flight.h"

#define LINES_MAX     (4 * 1024 * 1024)  /* of manifests in memory; one may be larger */
#define PARTS_MAX     (12 * 1024 * 1024) /* of segments, likewise */
#define TURN_US       INT64_C(1000000)
#define SKEW_NOTED_US INT64_C(2000000)

static void note_skew(struct ship_engine *e)
{
    int64_t skew = depot_skew_us(e->store), by = skew - e->skew_us;
    char text[160];

    if (skew == 0 || (by < SKEW_NOTED_US && by > -SKEW_NOTED_US)) {
        return;
    }
    e->skew_us = skew;
    (void)snprintf(text, sizeof text,
                   "the store refused this host's clock, which is %" PRId64 " s %s: corrected for "
                   "signing, not for what is recorded",
                   (skew < 0 ? -skew : skew) / 1000000, skew < 0 ? "ahead" : "behind");
    e->note(e->user, text);
}

/* For manifests, as it was seen last: also when a clock that was refused came right. */
static int keep_skew(struct ship_engine *e, struct error *err)
{
    int64_t seen = depot_seen_skew_us(e->store), by = seen - e->seen_skew_us;

    if (seen == 0 || (e->skew_seen && by < SKEW_NOTED_US && by > -SKEW_NOTED_US)) {
        return 0;
    }
    e->skew_seen = true;
    e->seen_skew_us = seen;
    return state_begin(e->state, err) != 0 ||
                   state_skew_set(e->state, seen, clock_unix_us(), err) != 0
               ? -1
               : 0;
}

static int take_answers(struct ship_engine *e, int64_t now_us, struct error *err)
{
    for (struct flight *f = e->flights; f != NULL; f = f->next) {
        bool counted = f->counted;

        if (!f->answered) {
            continue;
        }
        if (state_begin(e->state, err) != 0 || flight_answer(f, now_us, err) != 0) {
            return -1;
        }
        if (f->counted && !counted) {
            e->stored(e->user, &f->b);
        }
        e->progress(e->user);
    }
    note_skew(e);
    return keep_skew(e, err);
}

/* Whether there is room for what ${f} sends. */
static bool fits(const struct ship_engine *e, const struct flight *f)
{
    if (f->stage == FLIGHT_PACK) {
        return e->part_bytes == 0 ||
               e->part_bytes + (int64_t)pack_stream_bytes(&f->pack) <= PARTS_MAX;
    }
    return f->b.line.len > 0 || e->line_bytes < LINES_MAX;
}

/* Whether ${f} may go now; *wait_us becomes what there is to wait at most. */
static bool may_go(struct ship_engine *e, const struct flight *f, int64_t now_us, int64_t *wait_us)
{
    int64_t a = ship_limit_wait_us(&e->bytes, now_us);
    int64_t b = ship_limit_wait_us(&e->requests, now_us), wait = a > b ? a : b;

    if (f->not_before_us - now_us > wait) {
        wait = f->not_before_us - now_us;
    }
    if (wait > 0 && (f->stage == FLIGHT_PACK || f->stage == FLIGHT_MANIFEST) && !f->away) {
        *wait_us = wait < *wait_us ? wait : *wait_us;
    }
    return flight_ready(f, now_us) && wait <= 0 && fits(e, f);
}

static int prepare(struct ship_engine *e, struct error *err)
{
    if (e->prepared) {
        return 0;
    }
    if (state_commit(e->state, err) != 0 || e->prepare(e->user, err) != 0) {
        return -1;
    }
    e->prepared = true;
    return 0;
}

/* Written down: into ${go} what is to be sent once that is durable. */
static int write_down(struct ship_engine *e, int64_t now_us, struct flight **go, unsigned *ret_n,
                      int64_t *wait_us, struct error *err)
{
    unsigned n = 0;

    for (struct flight *f = e->flights; f != NULL && n < SHIP_IN_FLIGHT_MAX; f = f->next) {
        int rc = 0;

        while (rc == 0 && may_go(e, f, now_us, wait_us)) {
            bool counted = f->counted;

            if (prepare(e, err) != 0 || state_begin(e->state, err) != 0) {
                return -1;
            }
            rc = flight_note(f, now_us, err); /* 0: confirmed before, at what comes after it */
            if (f->counted && !counted) {
                e->stored(e->user, &f->b);
            }
        }
        if (rc < 0) {
            return -1;
        }
        if (rc == 1) {
            ship_limit_take(&e->requests, now_us, 1);
            ship_limit_take(&e->bytes, now_us, flight_size(f));
            go[n++] = f;
        }
    }
    *ret_n = n;
    return 0;
}

/* One commit for what came back, what is frozen and what is about to be tried. */
static int send(struct ship_engine *e, int64_t now_us, int64_t *wait_us, struct error *err)
{
    struct flight *go[SHIP_IN_FLIGHT_MAX];
    unsigned n = 0;

    if (write_down(e, now_us, go, &n, wait_us, err) != 0 ||
        (n > 0 && state_commit(e->state, err) != 0)) {
        return -1;
    }
    for (unsigned i = 0; i < n; i++) {
        flight_send(go[i]);
    }
    return 0;
}

/* What is stored, durably noted, is told to the writer. */
static int tell_stored(struct ship_engine *e, struct error *err)
{
    struct flight *next;
    bool durable = false;

    for (struct flight *f = e->flights; f != NULL; f = next) {
        next = f->next;
        if (f->stage != FLIGHT_STORED) {
            continue;
        }
        if (!durable && state_commit(e->state, err) != 0) {
            return -1;
        }
        durable = true;
        if (state_begin(e->state, err) != 0 || e->tell(e->user, &f->b, err) != 0) {
            return -1;
        }
        ship_fill_remove(e, f);
    }
    return 0;
}

static void tell_refusals(struct ship_engine *e)
{
    for (unsigned i = 0; i < e->refused; i++) {
        e->aside(e->user, e->refusals[i].text);
    }
    e->refused = 0;
}

/* What is refused is told when it is known that it was the batch's own trouble. */
static void put_aside(struct ship_engine *e)
{
    struct flight *next;

    if (e->confirmed_now) {
        tell_refusals(e);
        e->confirmed_now = false;
    }
    for (struct flight *f = e->flights; f != NULL; f = next) {
        next = f->next;
        if (f->stage != FLIGHT_ASIDE) {
            continue;
        }
        if (!f->store_said) {
            e->aside(e->user, f->err.text);
        } else if (e->refused < SHIP_REFUSED_MAX) {
            e->refusals[e->refused++] = f->err;
        }
        ship_fill_remove(e, f);
    }
}

static bool more_at_once(const struct ship_engine *e)
{
    for (const struct flight *f = e->flights; f != NULL; f = f->next) {
        if (f->answered || f->stage == FLIGHT_STORED || f->stage == FLIGHT_ASIDE) {
            return true;
        }
    }
    return false;
}

/* 1 when nothing is left to do. */
static int turn(struct ship_engine *e, bool freeze, struct error *err)
{
    int64_t now_us = (int64_t)clock_boot_us(), wait_us = TURN_US;
    unsigned before;

    if (ship_fill_hashed(e, err) != 0 || take_answers(e, now_us, err) != 0) {
        return -1;
    }
    put_aside(e);
    if (e->refused >= SHIP_REFUSED_MAX) {
        *err = e->refusals[0];
        return -1;
    }
    if (ship_fill(e, freeze, err) != 0 || send(e, now_us, &wait_us, err) != 0) {
        return -1;
    }
    before = e->n_flights;
    if (tell_stored(e, err) != 0) {
        return -1;
    }
    if (before == 0) {
        return state_commit(e->state, err) != 0 ? -1 : 1;
    }
    if (e->n_flights < before || more_at_once(e)) {
        return 0;
    }
    return depot_wait(e->store, e->hasher == NULL ? -1 : hasher_fd(e->hasher),
                      (int)(wait_us / 1000) + 1, err);
}

/* What is under way may come to its end; what came back is worth knowing in the next run. */
static void drain(struct ship_engine *e)
{
    struct error err;

    depot_cancel(e->store);
    for (struct flight *f = e->flights; f != NULL; f = f->next) {
        if (f->answered && f->answer.rc == 0 && state_begin(e->state, &err) == 0) {
            (void)state_attempt_result(
                e->state, f->attempt,
                f->answer.result == DEPOT_PUT_CONFIRMED ? "confirmed" : "exists", &err);
        }
    }
    if (state_commit(e->state, &err) != 0) {
        state_rollback(e->state);
    }
}

int ship_engine_run(struct ship_engine *e, bool freeze, struct error *err)
{
    int rc;

    e->after = e->aside_to > e->after ? e->aside_to : e->after;
    e->aside_to = 0;
    e->began_us = e->began_us == 0 ? clock_unix_us() : e->began_us;
    e->chosen_all = false;
    do {
        rc = turn(e, freeze, err);
    } while (rc == 0);
    if (rc < 0) {
        drain(e);
        return -1;
    }
    if (!e->confirmed && e->refused > 0) {
        *err = e->refusals[0];
        return -1;
    }
    tell_refusals(e);
    return 0;
}

void ship_engine_close(struct ship_engine *e)
{
    if (e->store != NULL) {
        depot_cancel(e->store);
    }
    hasher_close(e->hasher);
    e->hasher = NULL;
    while (e->flights != NULL) {
        ship_fill_remove(e, e->flights);
    }
    if (e->state != NULL) {
        state_rollback(e->state);
    }
}
