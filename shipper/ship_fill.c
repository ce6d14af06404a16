/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into flight: batches of earlier runs, then new ones, hashed in between. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "shipper/ship_flight.h"

static struct flight *add_flight(struct ship_engine *e, struct error *err)
{
    struct flight *f = calloc(1, sizeof *f), **last = &e->flights;

    if (f == NULL) {
        (void)err_sys(err, "allocate");
        return NULL;
    }
    f->engine = e;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = f;
    e->n_flights++;
    return f;
}

void ship_fill_remove(struct ship_engine *e, struct flight *f)
{
    struct flight **at = &e->flights;

    while (*at != f) {
        at = &(*at)->next;
    }
    *at = f->next;
    e->n_flights--;
    flight_free(f);
}

/* ---- hashing ---- */

static int give_to_hasher(struct ship_engine *e, struct flight *f, const struct pack *pack,
                          struct error *err)
{
    if (e->hasher == NULL && hasher_open(&e->hasher, e->db, err) != 0) {
        return -1;
    }
    f->stage = FLIGHT_HASHING;
    f->job =
        (struct hash_job){.owner = f, .pack = pack, .sums.with_md5 = depot_wants_md5(e->store)};
    hasher_put(e->hasher, &f->job);
    return 0;
}

/* Its bytes are gone: nothing that the store could help with. */
static int set_aside(struct ship_engine *e, struct flight *f, const struct error *why,
                     struct error *err)
{
    f->err = *why;
    (void)err_wrap(&f->err, "ship batch %" PRId64, f->b.seq);
    f->stage = FLIGHT_ASIDE;
    return state_begin(e->state, err) != 0 ||
                   state_aside_set(e->state, f->b.id, f->err.text, clock_unix_us(), err) != 0
               ? -1
               : 0;
}

static int freeze_hashed(struct ship_engine *e, struct flight *f, struct error *err)
{
    struct pack_sums *sums;
    struct state_batch b;
    int rc;

    (void)batch_chosen(f->choice, &sums);
    *sums = f->job.sums;
    if (state_begin(e->state, err) != 0 ||
        batch_seal(e->source, f->choice, clock_unix_us(), &f->pack, err) != 0) {
        return -1;
    }
    batch_drop(f->choice);
    f->choice = NULL;
    f->sums = f->job.sums;
    rc = state_unfinished(e->state, e->after, &b, err);
    if (rc != 1) {
        return rc < 0 ? -1 : err_set(err, ERR_SYSTEM, "a batch that was frozen is gone");
    }
    e->after = b.id;
    flight_of(f, &b);
    return 0;
}

static int hashed(struct ship_engine *e, struct flight *f, struct error *err)
{
    const struct hash_job *job = &f->job;
    bool corrupt = job->rc != 0 && job->err.kind == ERR_CORRUPT;

    if (job->rc != 0 && !corrupt) {
        *err = job->err;
        return -1;
    }
    if (f->choice != NULL) {
        int rc = 0;

        e->choosing = false;
        if (!corrupt) {
            return freeze_hashed(e, f, err);
        }
        rc = batch_refuse(e->source, f->choice, job->bad,
                          "a segment's bytes are not what was sealed", err);
        ship_fill_remove(e, f);
        return rc;
    }
    if (!corrupt && memcmp(job->sums.sha256, f->b.pack_sha256, CHAIN_HASH) == 0) {
        f->sums = job->sums;
        flight_object(f, FLIGHT_PACK);
        return 0;
    }
    return set_aside(e, f,
                     corrupt ? &job->err
                             : &(struct error){.kind = ERR_CORRUPT,
                                               .text = "a segment that was frozen is changed"},
                     err);
}

int ship_fill_hashed(struct ship_engine *e, struct error *err)
{
    struct hash_job *job;

    while (e->hasher != NULL && (job = hasher_take(e->hasher)) != NULL) {
        if (hashed(e, job->owner, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- what comes next ---- */

/* ${b} is taken or cleared. */
static int take_off(struct ship_engine *e, struct state_batch *b, struct error *err)
{
    struct flight *f = add_flight(e, err);
    struct error why;

    if (f == NULL) {
        state_batch_clear(b);
        return -1;
    }
    flight_of(f, b);
    if (f->stage != FLIGHT_PACK) {
        return 0;
    }
    if (batch_parts(e->source, &f->b, &f->pack, &why) != 0) {
        if (why.kind != ERR_CORRUPT) {
            *err = why;
            return -1;
        }
        return set_aside(e, f, &why, err);
    }
    return give_to_hasher(e, f, &f->pack, err);
}

/* A batch of an earlier run: 1, 0 there is none left, -1.  What was set aside comes last, so that
 * it does not stand before what can be sent. */
static int next_frozen(struct ship_engine *e, bool aside, struct error *err)
{
    struct state_batch b;
    int64_t since;
    int rc, is_aside;

    while ((rc = state_unfinished(e->state, e->after, &b, err)) == 1) {
        if (aside && b.id > e->aside_to) {
            state_batch_clear(&b);
            return 0;
        }
        e->after = b.id;
        is_aside = state_aside(e->state, b.id, &since, err);
        if (is_aside < 0) {
            state_batch_clear(&b);
            return -1;
        }
        if ((is_aside == 1) == aside && since < e->began_us) {
            return take_off(e, &b, err) == 0 ? 1 : -1;
        }
        state_batch_clear(&b);
    }
    return rc;
}

static int choose(struct ship_engine *e, struct error *err)
{
    struct choice *c = NULL;
    struct flight *f;
    struct pack_sums *sums;
    int rc;

    /* One transaction for thousands of questions; what it is for follows. */
    if (state_begin(e->state, err) != 0) {
        return -1;
    }
    rc = batch_choose(e->source, &c, err);
    if (rc != 1) {
        e->chosen_all = rc == 0;
        return rc;
    }
    f = add_flight(e, err);
    if (f == NULL) {
        batch_drop(c);
        return -1;
    }
    f->choice = c;
    e->choosing = true;
    return give_to_hasher(e, f, batch_chosen(c, &sums), err);
}

/* Fill what is free.  At the end what was set aside earlier is tried once more. */
int ship_fill(struct ship_engine *e, bool freeze, struct error *err)
{
    int rc = 1;

    while (e->n_flights < e->in_flight && rc == 1 && !e->choosing) {
        rc = next_frozen(e, e->aside_to > 0, err);
        if (rc == 0 && e->aside_to == 0 && freeze && !e->chosen_all) {
            rc = choose(e, err);
        }
    }
    if (rc == 0 && e->n_flights == 0 && e->aside_to == 0) {
        e->aside_to = e->after > 0 ? e->after : -1;
        e->after = 0;
        return e->aside_to > 0 ? ship_fill(e, freeze, err) : 0;
    }
    return rc < 0 ? -1 : 0;
}
