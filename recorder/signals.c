/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/signals.h"

#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int endings[] = {SIGHUP, SIGTERM, SIGINT, SIGQUIT};

bool signals_ends(int sig)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (endings[i] == sig) {
            return true;
        }
    }
    return false;
}

static bool is_ignored(int sig)
{
    struct sigaction was;

    return sigaction(sig, NULL, &was) == 0 && was.sa_handler == SIG_IGN;
}

int signals_open(struct signals *s, struct error *err)
{
    struct sigaction plain = {.sa_handler = SIG_DFL}, ignore = {.sa_handler = SIG_IGN};
    sigset_t set, job;

    sigemptyset(&set);
    sigemptyset(&job);
    /* Blocked by the caller, they would make errors of background reads (PITFALLS 9). */
    sigaddset(&job, SIGTTIN);
    sigaddset(&job, SIGTTOU);
    sigaddset(&job, SIGTSTP);
    sigemptyset(&plain.sa_mask);
    sigemptyset(&ignore.sa_mask);
    /* A blocked signal is queued even when ignored: leave those alone, so that nohup works. */
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (!is_ignored(endings[i])) {
            sigaddset(&set, endings[i]);
        }
    }
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGUSR1);
    (void)sigaction(SIGCHLD, &plain, &s->chld);
    (void)sigaction(SIGPIPE, &ignore, &s->pipe);
    (void)sigaction(SIGXFSZ, &ignore, &s->xfsz);
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    /* SIGCONT only has to wake ppoll(2); blocked elsewhere, it cannot come just before it. */
    sigaddset(&set, SIGCONT);
    if (s->fd < 0 || sigprocmask(SIG_BLOCK, &set, &s->mask) != 0 ||
        sigprocmask(SIG_UNBLOCK, &job, NULL) != 0 ||
        sigprocmask(SIG_BLOCK, NULL, &s->wait_mask) != 0 ||
        sigdelset(&s->wait_mask, SIGCONT) != 0) {
        err_sys(err, "signalfd");
        if (s->fd >= 0) {
            close(s->fd);
            s->fd = -1;
        }
        return -1;
    }
    return 0;
}

void signals_close(struct signals *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
        (void)sigaction(SIGCHLD, &s->chld, NULL);
        (void)sigaction(SIGPIPE, &s->pipe, NULL);
        (void)sigaction(SIGXFSZ, &s->xfsz, NULL);
        (void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
    }
}

int signals_next(const struct signals *s)
{
    struct signalfd_siginfo info;

    return read(s->fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
