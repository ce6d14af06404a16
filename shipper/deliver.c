/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/deliver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/clock.h"

unsigned deliver_wait_ms(unsigned try_number, uint32_t random)
{
    unsigned bound = try_number > 5 ? 5000 : 100U << try_number;

    return (unsigned)((uint64_t)random * bound >> 32);
}

void deliver_pause(unsigned try_number)
{
    uint32_t random = UINT32_MAX / 2;
    unsigned ms;
    struct timespec t;

    (void)!getrandom(&random, sizeof random, 0);
    ms = deliver_wait_ms(try_number, random);
    t.tv_sec = ms / 1000;
    t.tv_nsec = (long)(ms % 1000) * 1000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR) {
    }
}

/* The attempt is committed before its request leaves: a 412 later can then be told apart.  1 when
 * the store may take it later; -1 for what is wrong here too: that ship.db finds no room, say. */
static int attempt(struct deliver *d, const struct depot_put *put, int64_t suffix,
                   enum depot_put_result *ret, struct error *err)
{
    char name[DEPOT_NAME_MAX + 1];
    struct depot_put p = *put;
    int64_t id = 0;
    const char *result;
    int rc;

    if (suffix > 0) {
        (void)snprintf(name, sizeof name, "%s.r%" PRId64, put->name, suffix);
        p.name = name;
    }
    if (state_attempt(d->state, d->where, put->name, suffix, clock_unix_us(), &id, err) != 0) {
        return -1;
    }
    d->puts++;
    rc = depot_put(d->store, &p, ret, err);
    if (rc != 0) {
        result = err->kind == ERR_RETRY ? "retry" : "failed";
        (void)state_attempt_result(d->state, id, result, NULL);
        return err->kind == ERR_RETRY ? 1 : -1;
    }
    result = *ret == DEPOT_PUT_CONFIRMED ? "confirmed" : "exists";
    return state_attempt_result(d->state, id, result, err);
}

static void alarm_taken(struct deliver *d, const char *name, int64_t suffix)
{
    char text[DEPOT_NAME_MAX + 128];

    if (d->note != NULL) {
        (void)snprintf(text, sizeof text,
                       "ALARM: %s (try %" PRId64 "): taken before our first attempt", name, suffix);
        d->note(d->user, text);
    }
}

int deliver_object(struct deliver *d, const struct depot_put *put, struct error *err)
{
    unsigned tries = 0;

    for (unsigned names = 0; names < DELIVER_NAMES;) {
        struct state_attempts before = {.confirmed = false};
        enum depot_put_result r = DEPOT_PUT_EXISTS;
        int rc;

        if (state_attempts(d->state, d->where, put->name, &before, err) != 0) {
            return -1;
        }
        if (before.confirmed) {
            return 0;
        }
        rc = attempt(d, put, before.next_suffix, &r, err);
        if (rc == 0) {
            if (r == DEPOT_PUT_CONFIRMED) {
                return 0;
            }
            if (before.tries_of_next == 0) {
                alarm_taken(d, put->name, before.next_suffix);
            }
            names++;
            continue;
        }
        if (rc < 0 || ++tries >= DELIVER_TRIES) {
            return -1;
        }
        deliver_pause(tries);
    }
    return err_set(err, ERR_RETRY, "%.100s: every name is taken", put->name);
}
