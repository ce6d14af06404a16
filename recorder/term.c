/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/term.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For handlers alone, which get nothing else: what a dying process restores, and the SIGCONT flag.
 */
static struct {
    volatile sig_atomic_t armed;
    int fd;
    struct termios saved;
} rescue;
static volatile sig_atomic_t continued;

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

static void on_fatal(int sig)
{
    if (rescue.armed) {
        (void)tcsetattr(rescue.fd, TCSANOW, &rescue.saved);
    }
    /* SA_RESETHAND has put the default back: die of it. */
    (void)raise(sig);
}

static void on_continue(int sig)
{
    (void)sig;
    continued = 1;
}

bool term_continued(void)
{
    bool was = continued != 0;

    continued = 0;
    return was;
}

static void watch_signals(void)
{
    struct sigaction die = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction go_on = {.sa_handler = on_continue};

    sigemptyset(&die.sa_mask);
    sigemptyset(&go_on.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        (void)sigaction(fatal[i], &die, NULL);
    }
    (void)sigaction(SIGCONT, &go_on, NULL);
}

/* By its descriptor, so that no name has to be believed; the same device or nothing. */
static int open_anew(int fd)
{
    char path[32];
    struct stat was, is;
    int own;

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0 && (fstat(fd, &was) != 0 || fstat(own, &is) != 0 || was.st_rdev != is.st_rdev)) {
        close(own);
        own = -1;
    }
    return own;
}

int term_open(struct term *ret, int fd, struct error *err)
{
    struct term t = {.fd = -1};

    if (tcgetattr(fd, &t.saved) != 0) {
        return err_sys(err, "read the terminal's modes");
    }
    if (ioctl(fd, TIOCGWINSZ, &t.size) != 0) {
        memset(&t.size, 0, sizeof t.size);
    }
    t.fd = open_anew(fd);
    t.nonblocking = t.fd >= 0;
    if (t.fd < 0) {
        t.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    if (t.fd < 0) {
        return err_sys(err, "open the terminal");
    }
    *ret = t;
    return 0;
}

void term_exclusive(struct term *t)
{
    t->exclusive = ioctl(t->fd, TIOCEXCL) == 0;
}

static void arm(const struct term *t)
{
    bool first = !rescue.armed;

    rescue.fd = t->fd;
    rescue.saved = t->saved;
    rescue.armed = 1;
    if (first) {
        watch_signals();
    }
}

static void set_held(struct term *t)
{
    struct termios held = t->saved;

    held.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL);
    held.c_cc[VMIN] = 1;
    held.c_cc[VTIME] = 0;
    arm(t);
    t->held = tcsetattr(t->fd, TCSANOW, &held) == 0;
}

void term_hold(struct term *t)
{
    if (t->early == NULL) {
        t->early = secrets_alloc(&t->secrets, TERM_EARLY);
    }
    /* Without a description of our own, reading could wait. */
    if (t->early != NULL && t->nonblocking) {
        set_held(t);
    }
}

void term_let_go(struct term *t)
{
    if (t->held && !t->raw) {
        (void)tcsetattr(t->fd, TCSANOW, &t->saved);
        rescue.armed = 0;
    }
    t->held = false;
}

bool term_early(struct term *t)
{
    while (t->held && t->early_len < TERM_EARLY) {
        ssize_t n = read(t->fd, t->early + t->early_len, TERM_EARLY - t->early_len);

        if (n <= 0) {
            return true;
        }
        t->early_len += (size_t)n;
    }
    return t->held && t->early_len < TERM_EARLY;
}

ssize_t term_read(struct term *t, void *to, size_t max)
{
    size_t left = t->early_len - t->early_at;

    if (left == 0) {
        return read(t->fd, to, max);
    }
    max = max < left ? max : left;
    memcpy(to, t->early + t->early_at, max);
    t->early_at += max;
    if (max == left) {
        secrets_free(&t->secrets, t->early);
        t->early = NULL;
        t->early_at = t->early_len = 0;
    }
    return (ssize_t)max;
}

void term_replace(struct term *t, int fd)
{
    struct winsize now;
    int flags = fcntl(fd, F_GETFL);

    close(t->fd);
    t->fd = fd;
    t->replaced = true;
    t->nonblocking = flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
    term_exclusive(t);
    /* The hang-up has put the modes back to a new terminal's. */
    if (t->held) {
        set_held(t);
    } else {
        (void)tcsetattr(t->fd, TCSANOW, &t->saved);
    }
    if (ioctl(fd, TIOCGWINSZ, &now) == 0 && now.ws_row == 0 && now.ws_col == 0) {
        (void)ioctl(fd, TIOCSWINSZ, &t->size);
    }
}

int term_raw(struct term *t, struct error *err)
{
    struct termios raw = t->saved;

    cfmakeraw(&raw);
    if (!t->raw) {
        arm(t);
    }
    if (tcsetattr(t->fd, TCSANOW, &raw) != 0) {
        return err_sys(err, "set the terminal raw");
    }
    t->raw = true;
    return 0;
}

bool term_resized(struct term *t)
{
    struct winsize now;

    if (ioctl(t->fd, TIOCGWINSZ, &now) != 0 || memcmp(&now, &t->size, sizeof now) == 0) {
        return false;
    }
    t->size = now;
    return true;
}

void term_close(struct term *t)
{
    secrets_close(&t->secrets);
    t->early = NULL;
    t->early_at = t->early_len = 0;
    if (t->fd < 0) {
        return;
    }
    if (t->raw || t->held) {
        (void)tcsetattr(t->fd, TCSANOW, &t->saved);
        rescue.armed = 0;
        t->raw = t->held = false;
    }
    if (t->replaced) {
        /* A shell in our place would have it non-blocking. */
        (void)fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) & ~O_NONBLOCK);
    }
    if (t->exclusive) {
        (void)ioctl(t->fd, TIOCNXCL);
    }
    close(t->fd);
    t->fd = -1;
}
