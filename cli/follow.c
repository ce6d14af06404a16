/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/follow.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

static volatile sig_atomic_t ending;

static void on_end(int signal)
{
    (void)signal;
    ending = 1;
    (void)alarm(FOLLOW_END_S);
}

static void on_alarm(int signal)
{
    (void)signal;
    _exit(0);
}

static int catch_signals(struct error *err)
{
    struct sigaction end = {.sa_handler = on_end}, late = {.sa_handler = on_alarm};

    /* No SA_RESTART: what a round waits in wakes up. */
    if (sigaction(SIGTERM, &end, NULL) != 0 || sigaction(SIGINT, &end, NULL) != 0 ||
        sigaction(SIGALRM, &late, NULL) != 0) {
        return err_sys(err, "catch signals");
    }
    return 0;
}

/* Blocked until the pause itself, so that none is lost in between. */
static void pause_until(uint64_t end_us)
{
    sigset_t blocked, before;

    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigaddset(&blocked, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &blocked, &before);
    while (ending == 0) {
        uint64_t now = clock_boot_us();
        struct timespec left;

        if (now >= end_us) {
            break;
        }
        left.tv_sec = (time_t)((end_us - now) / 1000000);
        left.tv_nsec = (long)((end_us - now) % 1000000) * 1000;
        if (sigtimedwait(&blocked, NULL, &left) > 0) {
            ending = 1;
        }
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

int follow_rounds(int64_t every_s, void (*round)(void *user), void *user, struct error *err)
{
    uint64_t every = (uint64_t)every_s * 1000000;

    if (catch_signals(err) != 0) {
        return -1;
    }
    while (ending == 0) {
        uint64_t began = clock_boot_us(), next, ended;

        round(user);
        ended = clock_boot_us();
        next = began + every > ended + every / 10 ? began + every : ended + every / 10;
        pause_until(next);
    }
    (void)alarm(0);
    return 0;
}
