/* SPDX-License-Identifier: Apache-2.0 */
#include "shipper/seal_wait.h"

#include <time.h>

#include "common/clock.h"

#define SEAL_WAIT_US   5000000  /* for the end of a session that ended */
#define SEAL_RECENT_US 60000000 /* at most this long ago */

struct recent {
    int64_t since_us;
    bool unsealed;
};

static int look_for_unsealed(void *user, const struct session_row *row)
{
    struct recent *r = user;

    r->unsealed = row->state != SESSION_OPEN && !row->final && row->ended_us >= r->since_us;
    return r->unsealed;
}

/* A recorder leaves before the writer it had for itself has sealed the end (PITFALLS 15), and
 * another writer's sessions are not ours to seal: who ships what just ended waits for it, not for
 * long. */
int seal_wait(struct control *control, struct reader *evidence, int64_t *ret_horizon,
              struct error *err)
{
    const uint64_t end_us = clock_boot_us() + SEAL_WAIT_US;
    struct timespec nap = {.tv_nsec = 20 * 1000 * 1000};
    struct recent r = {.since_us = clock_unix_us() - SEAL_RECENT_US};

    for (;;) {
        if (control_seal_now(control, NULL, ret_horizon, err) != 0) {
            return -1;
        }
        r.unsealed = false;
        if (reader_unfinished(evidence, look_for_unsealed, &r, err) < 0) {
            return -1;
        }
        if (!r.unsealed || clock_boot_us() >= end_us) {
            /* What was sealed since the horizon was given lies above it: ask once more. */
            return control_seal_now(control, NULL, ret_horizon, err);
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
    }
}
