#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""cut.py COMMAND...: a relay that cuts every piece, in both directions, at a random byte."""
import fcntl
import os
import pty
import random
import select
import sys
import termios
import tty


def put(fd, data):
    at = random.randrange(1, len(data)) if len(data) > 1 else len(data)
    for piece in (data[:at], data[at:]):
        while piece:
            piece = piece[os.write(fd, piece):]
        select.select([], [], [], 0.003 if at < len(data) else 0)


def main():
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, b'\0' * 8)
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    old = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)
    while True:
        ready, _, _ = select.select([master, 0], [], [])
        try:
            if master in ready:
                put(1, os.read(master, 65536) or sys.exit(0))
            if 0 in ready:
                put(master, os.read(0, 4096) or sys.exit(0))
        except OSError:
            break
    termios.tcsetattr(0, termios.TCSADRAIN, old)


main()
