#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""trace.py FILE -- COMMAND...: a relay that writes down what passes, when, and under which modes; the
traces that tests/unit/test_redact_traces.c replays are made so."""
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time
import tty


def main():
    path, command = sys.argv[1], sys.argv[3:]
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, b'\0' * 8)
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    old = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)
    signal.signal(signal.SIGWINCH, lambda *_: fcntl.ioctl(
        master, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, b'\0' * 8)))
    out = open(path, 'w', buffering=1, encoding='ascii')

    def flags():
        return termios.tcgetattr(master)[3]

    last = None
    while True:
        if flags() != last:
            last = flags()
            out.write('m %.6f %o\n' % (time.time(), last))
        ready, _, _ = select.select([master, 0], [], [], 0.02)
        if master in ready:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            out.write('o %.6f %s\n' % (time.time(), data.hex()))
            while data:
                data = data[os.write(1, data):]
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                break
            now, before, rest = time.time(), flags(), data
            while rest:
                rest = rest[os.write(master, rest):]
            out.write('i %.6f %s %o %o\n' % (now, data.hex(), before, flags()))
    termios.tcsetattr(0, termios.TCSADRAIN, old)


main()
