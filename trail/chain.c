/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/chain.h"

#include <string.h>

struct step {
    const struct trail_identity *from; /* whose access key was issued */
    struct trail_identity found;       /* to whom */
    int64_t time_us;
    bool any;
};

/* The newest one before the call: keys are never issued twice, records may come twice. */
static int on_assume(void *user, const struct trail_stored *stored)
{
    struct step *s = user;
    const struct trail_event *e = &stored->event;

    if (e->error[0] != '\0' || e->kind != TRAIL_ASSUME ||
        strcmp(e->issued_key, s->from->access_key) != 0) {
        return 0;
    }
    s->found = e->who;
    s->time_us = e->time_us;
    s->any = true;
    return 0;
}

/* Whoever calls for others is not the person: what the session calls itself says more. */
static bool is_somebody(const struct trail_identity *w)
{
    static const char *const types[] = {"IAMUser",           "AssumedRole",     "Root",
                                        "SAMLUser",          "WebIdentityUser", "FederatedUser",
                                        "IdentityCenterUser"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i], w->type) == 0) {
            return true;
        }
    }
    return false;
}

int chain_person(const struct trail_events *from, const struct trail_event *e,
                 struct trail_identity *ret, int *ret_steps, struct error *err)
{
    int64_t before = e->time_us;

    *ret = e->who;
    *ret_steps = 0;
    while (*ret_steps < CHAIN_STEPS && ret->source_identity[0] == '\0' &&
           ret->access_key[0] != '\0') {
        struct trail_identity here = *ret;
        struct step s = {.from = &here};
        const struct trail_query q = {
            .kinds = 1U << TRAIL_ASSUME, .to_us = before, .issued_key = here.access_key};

        if (from->events(from->user, &q, on_assume, &s, err) < 0) {
            return -1;
        }
        if (!s.any || !is_somebody(&s.found)) {
            break;
        }
        *ret = s.found;
        before = s.time_us;
        (*ret_steps)++;
    }
    return 0;
}
