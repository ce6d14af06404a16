# SPDX-License-Identifier: Apache-2.0
"""What the fault tests share: a table of calls that are to fail (callfault.c, vfsfault.c), and a writer on a socket."""
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from outer import Fail, check, until  # noqa: E402

KIND, AT, MANY, COUNT, FAILED, AHEAD = range(6)
GROW, MEMORY, VFS = 1, 2, 3
LONG = 60


class Table:
    """The shims' table; .env is what a program needs to be under it."""

    def __init__(self, path, preload, name, below):
        with open(path, 'wb') as f:
            f.write(bytes(4096))
        with open(path, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), 4096)
        self.env = dict(os.environ, LD_PRELOAD=preload, CALLFAULT=path, CALLFAULT_NAME=name, CALLFAULT_DIR=below)

    def __getitem__(self, which):
        return struct.unpack_from('q', self.map, which * 8)[0]

    def __setitem__(self, which, value):
        struct.pack_into('q', self.map, which * 8, value)

    def arm(self, kind, at=0, many=1):
        for which, value in (KIND, 0), (COUNT, 0), (FAILED, 0), (AT, at), (MANY, many), (KIND, kind):
            self[which] = value

    def disarm(self):
        """No call fails any more; how many have, of how many."""
        self[KIND] = 0
        return self[FAILED], self[COUNT]


class Writer:
    """ttytraild on a socket; asked for the processor time that it took, at the end."""

    def __init__(self, bin_dir, top, db='e.db', env=None, conf='', program='ttytraild'):
        self.bin, self.db, self.socket, self.conf = bin_dir, top + '/' + db, top + '/w', top + '/conf'
        self.log, self.env, self.process, self.cpu_s = top + '/log', env, None, 0.0
        self.program = next(p for p in (bin_dir + '/' + program, bin_dir + '/../sbin/' + program) if os.path.exists(p))
        with open(self.conf, 'w') as f:
            f.write('[record]\nwriter_timeout_s = 60\nstream_kib = 1048576\n[store]\nreserve_mib = 0\n' + conf)

    def start(self, env=None):
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [self.program, '--db', self.db, '--socket', self.socket, '--config', self.conf], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log, env=env or self.env)
        return self

    def answers(self):
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(self.socket)
            return True
        except OSError:
            return False
        finally:
            s.close()

    def gone(self):
        return self.process.returncode is not None or self.reap(os.WNOHANG)

    def reap(self, options):
        pid, status, used = os.wait4(self.process.pid, options)
        if pid:
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = used.ru_utime + used.ru_stime
        return bool(pid)

    def end(self, sig=signal.SIGTERM, seconds=LONG):
        """Its status; Fail when it does not end."""
        if not self.gone():
            self.process.send_signal(sig)
            try:
                until(self.gone, 'ttytraild ends', seconds)
            except Fail:
                self.process.kill()
                self.reap(0)
                raise
        return self.process.returncode

    def said(self):
        with open(self.log, 'rb') as f:
            return f.read()

    def ask(self, *words):
        """stdout, status."""
        p = subprocess.run([self.bin + '/ttytrail', words[0], '--db', self.db] + list(words[1:]), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONG)
        return p.stdout, p.returncode


def no_damage(writer, what):
    """verify finds nothing wrong; what is open or cut is no damage."""
    out, status = writer.ask('verify')
    check(status == 0 and not re.search(rb'altered|gap|missing|damaged', out), '%s: verify: %d %r' % (what, status, out[-600:]))


# ---- a recorder of few words, by docs/FORMAT.md ----

OPEN, RESUME, EVENT, BYE, PONG = 1, 2, 3, 5, 6
OPENED, RESUMED, ACK, PING, GOODBYE, REFUSED, DONE = 32, 33, 34, 35, 36, 37, 96


def frame(type_, body=b'', kind=0):
    return struct.pack('>IBBH', len(body), type_, kind, 0) + body


def facts(**pairs):
    return b''.join(bytes([len(k)]) + k.encode() + struct.pack('>I', len(v)) + v for k, v in pairs.items())


class Client:
    """One session.  An operation that cannot be finished raises OSError or EOFError and may be tried again: the session is
    resumed, and what was not acknowledged sent once more.  Fail when what was acknowledged is not there any more."""

    def __init__(self, path, title, meanwhile=lambda: None):
        self.path, self.title, self.meanwhile = path, title, meanwhile
        self.id, self.sock, self.seq, self.acked, self.t = None, None, 0, 0, 0
        self.sizes = []
        self.said, self.waiting, self.sent, self.ended = bytearray(), [], 0, False

    def connect(self, path):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(0.25)
        s.connect(path)
        return s

    def lose(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def receive(self, sock, seconds):
        """The next message: type and body."""
        end, got, need = time.monotonic() + seconds, b'', 8
        while len(got) < need:
            try:
                more = sock.recv(need - len(got))
            except socket.timeout:
                self.meanwhile()
                if time.monotonic() > end:
                    raise
                continue
            if not more:
                raise EOFError
            got += more
            if len(got) == 8:
                need += struct.unpack('>I', got[:4])[0]
        return got[4], got[8:]

    def wait(self, want, seconds=LONG):
        while True:
            type_, body = self.receive(self.sock, seconds)
            if type_ == PING:
                self.sock.sendall(frame(PONG))
            elif type_ == ACK:
                self.on_ack(struct.unpack('>Q', body)[0])
            elif type_ == REFUSED:
                raise ConnectionError('refused: %r' % body[4:])
            if type_ == want:
                return body

    def on_ack(self, seq):
        check(seq <= self.seq, 'event %d was acknowledged and %d is the newest' % (seq, self.seq))
        self.acked = max(self.acked, seq)
        self.waiting = [e for e in self.waiting if e[0] > seq]

    def attempt(self, step):
        try:
            return step()
        except (OSError, EOFError):
            self.lose()
            raise

    def open(self):
        def step():
            self.sock = self.connect(self.path)
            self.sock.sendall(frame(OPEN, struct.pack('>I', 1) + facts(kind=b'tty', title=self.title.encode())))
            self.id = self.wait(OPENED)[:16]
        if self.id is None:
            self.attempt(step)

    def resume(self):
        if self.sock is not None:
            return
        self.sock = self.connect(self.path)
        self.sock.sendall(frame(RESUME, struct.pack('>I', 1) + self.id))
        have = struct.unpack('>Q', self.wait(RESUMED))[0]
        check(have >= self.acked, '%s: event %d was acknowledged, the writer has %d' % (self.title, self.acked, have))
        self.on_ack(have)
        self.sent = have

    def add(self, text):
        """An event of output, to be sent with the next that is waited for."""
        self.seq, self.t = self.seq + 1, self.t + 1000
        self.waiting.append((self.seq, frame(EVENT, struct.pack('>QQ', self.seq, self.t) + text, ord('o'))))
        self.said += text
        self.sizes.append(len(text))

    def upto(self, seq):
        """How many bytes were said up to that event."""
        return sum(self.sizes[:seq])

    def settle(self):
        def step():
            self.resume()
            for seq, bytes_ in self.waiting:
                if seq > self.sent:
                    self.sock.sendall(bytes_)
                    self.sent = seq
            while self.acked < self.seq:
                self.wait(ACK)
        self.attempt(step)

    def bye(self):
        def step():
            self.resume()
            self.sock.sendall(frame(BYE))
            self.wait(GOODBYE)
            self.ended = True
        if not self.ended:
            try:
                self.attempt(step)
            except ConnectionError as e:
                # Closed already, by an end whose answer was lost.
                if 'closed' not in str(e):
                    raise

    def control(self, type_, body=b''):
        with self.connect(self.path + '.control') as s:
            s.sendall(frame(type_, body))
            got, body = self.receive(s, LONG)
            if got != DONE:
                raise ConnectionError('refused: %r' % body[4:])
