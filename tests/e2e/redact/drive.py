# SPDX-License-Identifier: Apache-2.0
"""A typist at a terminal, for the redaction corpus: types text, secrets and silent commands into whatever
runs under a recorder, notes what was meant by each byte, and answers a terminal's queries."""
import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import termios
import time

PROMPT = r'\$ (\x1b\[[0-9;?]*[a-zA-Z])*$'
QUERIES = ((b'\x1b[6n', b'\x1b[1;1R'), (b'\x1b[c', b'\x1b[?62;22c'), (b'\x1b[>c', b'\x1b[>41;390;0c'),
           (b'\x1b[0c', b'\x1b[?62;22c'), (b'\x1b]11;?', b'\x1b]11;rgb:0000/0000/0000\x1b\\'))


class Lost(Exception):
    """The conversation did not go as the scenario expects."""


class Typist:
    def __init__(self, argv, env, rows=24, cols=80, seed=1):
        self.sent = []     # (kind, bytes): text, keys, secret, ctl, reply
        self.secrets = []
        self.seen = b''
        self.mark = 0
        self.over = False
        self.random = random.Random(seed)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir('/tmp')
            try:
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)
        self.resize(rows, cols)

    # ---- the terminal ----

    def resize(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, cols, 0, 0))

    def pump(self, seconds):
        """Take in what is shown, for so long.  True when there was anything."""
        end, any_ = time.monotonic() + seconds, False
        while not self.over:
            left = end - time.monotonic()
            ready, _, _ = select.select([self.fd], [], [], max(0, left))
            if not ready:
                break
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b''
            if not data:
                self.over = True
                break
            any_ = True
            self.seen += data
            for query, answer in QUERIES:
                if query in data:
                    self.put(answer, 'reply')
            if left <= 0:
                break
        return any_

    def put(self, data, kind):
        self.sent.append((kind, data))
        try:
            while data:
                data = data[os.write(self.fd, data):]
        except OSError:
            self.over = True

    # ---- what a person does ----

    def see(self, pattern, seconds=12):
        rx, end = re.compile(pattern.encode(), re.S), time.monotonic() + seconds
        while True:
            found = rx.search(self.seen, self.mark)
            if found:
                self.mark = found.end()
                return
            if self.over or time.monotonic() > end:
                raise Lost('expected %r, saw %r' % (pattern, self.seen[self.mark:][-200:]))
            self.pump(0.02)

    def settle(self, quiet=0.15, seconds=6):
        """Until the screen has been quiet for a moment, as a person waits before typing."""
        end = time.monotonic() + seconds
        while self.pump(quiet) and time.monotonic() < end:
            pass

    def type(self, text, kind, gap):
        for ch in text:
            self.put(ch.encode(), kind)
            self.pump(gap * self.random.uniform(0.5, 1.5))

    def text(self, text, gap=0.02):
        self.type(text, 'text', gap)

    def commands(self, text, gap=0.06):
        """Keys that a program acts on without showing them."""
        self.type(text, 'keys', gap)

    def secret(self, text, gap=0.03):
        self.secrets.append(text)
        self.type(text, 'secret', gap)

    def part(self, text, gap=0.03):
        """Typed at a prompt, of no use by itself: not searched for, not missed either."""
        self.type(text, 'secret', gap)

    def paste(self, text, kind='text', bracketed=False):
        if kind == 'secret':
            self.secrets.append(text)
        if bracketed:
            self.put(b'\x1b[200~', 'ctl')
        self.put(text.encode(), kind)
        if bracketed:
            self.put(b'\x1b[201~', 'ctl')
        self.pump(0.05)

    def key(self, keys, pause=0.08):
        self.put(keys.encode(), 'ctl')
        self.pump(pause)

    def enter(self):
        self.key('\r')

    def line(self, text, answer=PROMPT, seconds=12):
        self.text(text)
        self.enter()
        self.see(answer, seconds)

    def password(self, prompt, secret, gap=0.03, seconds=12):
        self.see(prompt, seconds)
        self.settle(0.3)  # whoever asks may need a moment to switch the echo off
        self.secret(secret, gap)
        self.enter()

    def leave(self):
        """Close the terminal as a user does who goes away; the status of what ran in it."""
        for number in (None, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                try:
                    os.kill(self.pid, number)
                except OSError:
                    pass
            end = time.monotonic() + 3
            while time.monotonic() < end:
                self.pump(0.02)
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    os.close(self.fd)
                    return status
                if self.over:
                    select.select([], [], [], 0.01)
        os.close(self.fd)
        return None
