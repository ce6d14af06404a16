/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/outer.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

static bool is_ours(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_uid == getuid() && getsid(0) == getpid() &&
           tcgetsid(fd) == getpid() && tcgetpgrp(fd) == getpgrp();
}

void outer_offer(struct term *t, struct client *c)
{
    if (!is_ours(t->fd)) {
        return;
    }
    term_hold(t);
    if (term_early(t)) {
        client_pass(c, t->fd);
    } else {
        term_let_go(t);
    }
}

void outer_wait(struct term *t, const struct client *c, int timeout_ms)
{
    uint64_t end = clock_boot_us() + (uint64_t)timeout_ms * 1000, now;
    struct pollfd fds[2] = {{.fd = client_fd(c), .events = POLLIN},
                            {.fd = t->fd, .events = POLLIN}};

    while (t->held && fds[0].fd >= 0 && (now = clock_boot_us()) < end) {
        int n = poll(fds, 2, (int)((end - now) / 1000) + 1);

        if (n > 0 && fds[0].revents != 0) {
            return;
        }
        /* Hung up, and the word of it still to come; or more keys than are kept. */
        if (n > 0 && ((fds[1].revents & (POLLHUP | POLLERR)) != 0 || !term_early(t))) {
            fds[1].fd = -1;
        }
    }
}

/* The leader gets both from the hang-up; blocked, they are pending.  Ignoring drops them. */
static void forget_signal(int sig)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, was;

    sigemptyset(&ignore.sa_mask);
    if (sigaction(sig, &ignore, &was) == 0) {
        (void)sigaction(sig, &was, NULL);
    }
}

static bool is_same(int fd, const struct stat *terminal)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == terminal->st_rdev;
}

bool outer_take(struct term *t, struct client *c, const bool is_tty[3])
{
    int fresh = client_take_fresh(c);
    struct stat st;

    client_pass(c, -1);
    if (fresh >= 0 && (fstat(fresh, &st) != 0 || !is_same(t->fd, &st))) {
        close(fresh);
        fresh = -1;
    }
    if (fresh < 0) {
        term_let_go(t);
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (is_tty[i] && is_same(i, &st)) {
            (void)dup2(fresh, i);
        }
    }
    /* Before anything that a background job would be stopped for. */
    (void)ioctl(fresh, TIOCSCTTY, 0);
    forget_signal(SIGHUP);
    forget_signal(SIGCONT);
    term_replace(t, fresh);
    return true;
}
