# SPDX-License-Identifier: Apache-2.0
"""An outer terminal for tests: runs a program on a fresh pty, and waits for what it shows with a deadline."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

DEADLINE = 20.0


class Fail(Exception):
    pass


def check(ok, what):
    if not ok:
        raise Fail(what)


def equal(got, want, what):
    if got != want:
        raise Fail('%s: got %r, want %r' % (what, got, want))


def until(condition, what, seconds=DEADLINE):
    """Wait for a condition with a deadline; its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Fail('waited %.0f s in vain: %s' % (seconds, what))
        select.select([], [], [], 0.01)


class Outer:
    """The terminal: .shown is everything the program put on the screen."""

    def __init__(self, argv, rows=24, cols=80, env=None, before=None):
        self.master, slave = os.openpty()
        self.resize(rows, cols)
        self.shown = bytearray()
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in (0, 1, 2):
                    os.dup2(slave, fd)
                os.closerange(3, 256)
                for sig in (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP):
                    signal.signal(sig, signal.SIG_DFL)
                if before:
                    before()
                os.execvpe(argv[0], argv, env or os.environ)
            finally:
                os._exit(126)
        os.close(slave)

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, cols, 0, 0))

    def pump(self, seconds):
        """Take what is shown; False at the end."""
        if self.master < 0 or not select.select([self.master], [], [], seconds)[0]:
            return self.master >= 0
        try:
            got = os.read(self.master, 65536)
        except OSError:
            got = b''
        self.shown += got
        return bool(got)

    def expect(self, text, start=0, seconds=DEADLINE):
        """Wait until text is on the screen; the position behind it."""
        end = time.monotonic() + seconds
        while True:
            at = self.shown.find(text, start)
            if at >= 0:
                return at + len(text)
            start = max(start, len(self.shown) - len(text) + 1)
            if time.monotonic() > end or not self.pump(0.05):
                raise Fail('never shown: %r; the screen ends with %r' % (text, bytes(self.shown[-300:])))

    def type(self, keys, apart=False):
        for part in ([keys[i:i + 1] for i in range(len(keys))] if apart else [keys]):
            os.write(self.master, part)
            if apart:
                self.pump(0.005)

    def hang_up(self):
        os.close(self.master)
        self.master = -1

    def wait(self, seconds=DEADLINE):
        """The exit status as Python has it (negative: the signal)."""
        end = time.monotonic() + seconds
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise Fail('still running after %.0f s; the screen ends with %r'
                           % (seconds, bytes(self.shown[-300:])))
            elif self.master < 0 or not self.pump(0.01):
                select.select([], [], [], 0.005)
        while self.master >= 0 and self.pump(0):
            pass
        return self.status

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        if self.master >= 0:
            self.hang_up()


def run(argv, data=None, seconds=DEADLINE, **more):
    """Without a terminal: (stdout, stderr, status)."""
    p = subprocess.Popen(argv, stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **more)
    try:
        out, err = p.communicate(data, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        raise Fail('still running after %.0f s: %r' % (seconds, argv))
    return out, err, p.returncode


def main(tests):
    """Run every function; print one line each; exit 1 when one failed."""
    bad = 0
    for test in tests:
        name = test.__name__.replace('test_', '').replace('_', ' ')
        try:
            test()
            print('ok    ' + name, flush=True)
        except Fail as e:
            bad += 1
            print('FAIL  %s: %s' % (name, e), flush=True)
    print('%d of %d failed' % (bad, len(tests)))
    sys.exit(1 if bad else 0)
