/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"

#define PIECE 4096U /* a pipe that is writable takes so much without blocking (PIPE_BUF) */

/* A descriptor of our own for the terminal behind ${fd}, so that O_NONBLOCK is not set for the
 * shell too. */
static int reopen(const char *path, int flags)
{
    return open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int set_raw(struct console *c, struct error *err)
{
    struct termios raw = c->saved;

    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    if (!c->line_feeds) {
        raw.c_oflag &= ~(tcflag_t)OPOST; /* what passed has been through a terminal already */
    }
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(c->key_fd, TCSANOW, &raw) != 0) {
        return err_sys(err, "set the terminal raw");
    }
    c->raw = true;
    return 0;
}

static void set_back(struct console *c)
{
    if (c->raw) {
        (void)tcsetattr(c->key_fd, c->discard_input ? TCSAFLUSH : TCSANOW, &c->saved);
        c->raw = false;
    }
}

static int open_signals(struct console *c, struct error *err)
{
    static const int taken[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGTSTP};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        (void)sigaddset(&set, taken[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, &c->mask) != 0) {
        return err_sys(err, "block signals");
    }
    c->signals = true;
    c->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return c->signal_fd < 0 ? err_sys(err, "make a signalfd") : 0;
}

static void open_output(struct console *c)
{
    c->out_fd = STDOUT_FILENO;
    c->terminal = isatty(STDOUT_FILENO) == 1;
    if (c->terminal) {
        int fd = reopen("/proc/self/fd/1", O_WRONLY);

        c->own_out = fd >= 0;
        c->out_fd = fd >= 0 ? fd : STDOUT_FILENO;
    }
}

static int open_keys(struct console *c, struct error *err)
{
    c->key_fd = reopen(isatty(STDIN_FILENO) == 1 ? "/proc/self/fd/0" : "/dev/tty", O_RDWR);
    if (c->key_fd < 0) {
        return 0; /* nobody there to press any */
    }
    if (tcgetattr(c->key_fd, &c->saved) != 0) {
        return err_sys(err, "read the terminal's modes");
    }
    return set_raw(c, err);
}

int console_open(struct console *c, const struct console_config *config, struct error *err)
{
    memset(c, 0, sizeof *c);
    c->out_fd = c->key_fd = c->signal_fd = -1;
    c->line_feeds = config->line_feeds;
    c->discard_input = config->discard_input;
    if (open_signals(c, err) != 0) {
        goto fail;
    }
    open_output(c);
    if (config->keys && c->terminal && open_keys(c, err) != 0) {
        goto fail;
    }
    return 0;
fail:
    console_close(c);
    return -1;
}

void console_close(struct console *c)
{
    set_back(c);
    if (c->key_fd > STDERR_FILENO) {
        (void)close(c->key_fd);
    }
    if (c->own_out) {
        (void)close(c->out_fd);
    }
    if (c->signal_fd > STDERR_FILENO) {
        (void)close(c->signal_fd);
    }
    if (c->signals) {
        (void)sigprocmask(SIG_SETMASK, &c->mask, NULL);
    }
    memset(c, 0, sizeof *c);
    c->out_fd = c->key_fd = c->signal_fd = -1;
}

int console_suspend(struct console *c, struct error *err)
{
    bool was_raw = c->raw;

    set_back(c);
    (void)raise(SIGSTOP);
    return was_raw ? set_raw(c, err) : 0;
}

int console_signal(struct console *c)
{
    struct signalfd_siginfo info;

    return read(c->signal_fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

ssize_t console_write(struct console *c, const void *bytes, size_t len)
{
    ssize_t n = write(c->out_fd, bytes, len < PIECE ? len : PIECE);

    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

void console_write_last(struct console *c, const void *bytes, size_t len, int timeout_ms)
{
    uint64_t until = clock_boot_us() + (uint64_t)timeout_ms * 1000;
    const char *at = bytes;

    while (len > 0) {
        struct pollfd p = {.fd = c->out_fd, .events = POLLOUT};
        uint64_t now = clock_boot_us();
        ssize_t n;

        if (now >= until || poll(&p, 1, (int)((until - now) / 1000) + 1) < 0) {
            return;
        }
        n = (p.revents & POLLOUT) == 0 ? 0 : console_write(c, at, len);
        if (n < 0 || (p.revents & (POLLERR | POLLNVAL)) != 0) {
            return;
        }
        at += n;
        len -= (size_t)n;
    }
}
