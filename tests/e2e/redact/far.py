#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""far.py MS JITTER_PERCENT -- COMMAND...: a terminal on the far side of a slow line, as `docker exec -it`
or `kubectl exec` give one: raw here, a pty there, every piece late by MS each way, never out of order."""
import fcntl
import os
import pty
import random
import select
import sys
import termios
import time
import tty


def main():
    late, jitter, command = float(sys.argv[1]) / 1000, float(sys.argv[2]) / 100, sys.argv[4:]
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, b'\0' * 8)
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    old = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)
    lines = {0: [], master: []}  # (due, bytes) on their way from there
    over = False
    while True:
        now = time.monotonic()
        for source, to in ((0, master), (master, 1)):
            while lines[source] and lines[source][0][0] <= now:
                data = lines[source].pop(0)[1]
                while data:
                    data = data[os.write(to, data):]
        if over and not lines[master]:
            break
        dues = [queue[0][0] for queue in lines.values() if queue]
        ready, _, _ = select.select([0] if over else [master, 0], [], [], max(0, min(dues) - now) if dues else 1)
        for source in ready:
            try:
                data = os.read(source, 65536)
            except OSError:
                data = b''
            if not data:
                over = True
                continue
            due = time.monotonic() + late * random.uniform(1 - jitter, 1 + jitter)
            queue = lines[source]
            queue.append((max(due, queue[-1][0] if queue else 0), data))
    termios.tcsetattr(0, termios.TCSADRAIN, old)


main()
