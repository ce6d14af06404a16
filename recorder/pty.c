/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/pty.h"

#include <fcntl.h>
#include <unistd.h>

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void pty_close_slave(struct pty *p)
{
    close_one(&p->slave);
}

void pty_close(struct pty *p)
{
    close_one(&p->slave);
    close_one(&p->master);
}

int pty_open(struct pty *ret, const struct termios *termios_or_null,
             const struct winsize *size_or_null, struct error *err)
{
    struct pty p = {-1, -1};
    int unlock = 0;

    p.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (p.master < 0) {
        return err_sys(err, "open /dev/ptmx");
    }
    if (ioctl(p.master, TIOCSPTLCK, &unlock) != 0) {
        err_sys(err, "unlock the pty");
        goto fail;
    }
    /* By the master, not by name: the name may belong to another mount of devpts (ioctl_tty(2)). */
    p.slave = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p.slave < 0) {
        err_sys(err, "open the pty's slave");
        goto fail;
    }
    if (termios_or_null != NULL && tcsetattr(p.slave, TCSANOW, termios_or_null) != 0) {
        err_sys(err, "set the pty's modes");
        goto fail;
    }
    if (size_or_null != NULL && ioctl(p.slave, TIOCSWINSZ, size_or_null) != 0) {
        err_sys(err, "set the pty's size");
        goto fail;
    }
    *ret = p;
    return 0;
fail:
    pty_close(&p);
    return -1;
}
