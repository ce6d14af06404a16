/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/limits.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/time.h>

static const int kinds[LIMITS_KINDS] = {RLIMIT_NOFILE,  RLIMIT_FSIZE, RLIMIT_CPU,   RLIMIT_AS,
                                        RLIMIT_MEMLOCK, RLIMIT_DATA,  RLIMIT_NPROC, RLIMIT_CORE};

void limits_raise(struct limits *ret)
{
    for (size_t i = 0; i < LIMITS_KINDS; i++) {
        struct rlimit now;

        ret->known[i] = getrlimit((__rlimit_resource_t)kinds[i], &ret->was[i]) == 0;
        if (ret->known[i]) {
            now = ret->was[i];
            now.rlim_cur = kinds[i] == RLIMIT_CORE ? 0 : now.rlim_max;
            (void)setrlimit((__rlimit_resource_t)kinds[i], &now);
        }
    }
}

void limits_restore(const struct limits *l)
{
    for (size_t i = 0; i < LIMITS_KINDS; i++) {
        if (l->known[i]) {
            (void)setrlimit((__rlimit_resource_t)kinds[i], &l->was[i]);
        }
    }
}

void limits_reap(struct limits *l)
{
    (void)prctl(PR_GET_CHILD_SUBREAPER, &l->subreaper, 0, 0, 0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void limits_resume(const struct limits *l)
{
    limits_restore(l);
    (void)prctl(PR_SET_CHILD_SUBREAPER, l->subreaper != 0 ? 1 : 0, 0, 0, 0);
}

void limits_stop_timers(void)
{
    static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
    struct itimerval none = {.it_value = {0, 0}};

    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        (void)setitimer((__itimer_which_t)timers[i], &none, NULL);
    }
    (void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}
