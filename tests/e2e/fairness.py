#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One user floods the installed writer on many connections; another types.  What is typed is committed all the same, the
flood gets its share and no more, none of its sessions is passed over, and who never says his OPEN to the end is dropped."""
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from outer import Fail, check, until

BIN = os.environ.get('TTYTRAIL_BIN') or os.path.dirname(os.path.abspath(sys.argv[1]))
OPEN, EVENT, OPENED, ACK = 1, 3, 32, 34
FLOODER, TYPIST, IDLER = 64301, 64302, 64303  # known to nobody: the writer takes their numbers
RATE_KIB, DEADLINE = 512, 60
BULK = b'x' * 65000


def frame(kind, body, event=0):
    return struct.pack('>IBBH', len(body), kind, event, 0) + body


def facts(**pairs):
    return b''.join(bytes([len(k)]) + k.encode() + struct.pack('>I', len(v)) + v.encode() for k, v in pairs.items())


class Peer:
    """A recorder's connection; the kernel tells the writer the uid that we had when we connected."""

    def __init__(self, path, uid):
        self.socket = socket.socket(socket.AF_UNIX)
        os.seteuid(uid)
        try:
            self.socket.connect(path)
        finally:
            os.seteuid(0)
        self.socket.setblocking(False)
        self.seq = self.acked = 0
        self.out, self.taken, self.opened, self.over = b'', b'', False, False

    def open(self):
        self.out += frame(OPEN, struct.pack('>I', 1) + facts(kind='stream', way_in='command'))

    def say(self, data):
        self.seq += 1
        self.out += frame(EVENT, struct.pack('>QQ', self.seq, self.seq) + data, ord('o'))

    def write(self):
        try:
            self.out = self.out[self.socket.send(self.out):]
        except BlockingIOError:
            pass
        except OSError:
            self.over = True

    def read(self):
        try:
            got = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            got = b''
        self.over = self.over or not got
        self.taken += got
        while len(self.taken) >= 8 and len(self.taken) >= 8 + struct.unpack('>I', self.taken[:4])[0]:
            end = 8 + struct.unpack('>I', self.taken[:4])[0]
            kind, body, self.taken = self.taken[4], self.taken[8:end], self.taken[end:]
            self.opened = self.opened or kind == OPENED
            if kind == ACK:
                self.acked = struct.unpack('>Q', body)[0]


class World:
    def __init__(self):
        self.peers, self.flood, self.drip, self.dripped = {}, [], None, 0
        self.dir = tempfile.mkdtemp(prefix='ttytrail-fairness.')
        os.chmod(self.dir, 0o755)
        self.path = self.dir + '/w'
        with open(self.dir + '/c.conf', 'w') as f:
            f.write('[store]\nuser_kib_s = %d\nuser_held_kib = 256\n' % RATE_KIB)
        self.log = open(self.dir + '/log', 'wb')
        self.writer = subprocess.Popen([BIN + '/ttytraild', '--db', self.dir + '/e.db', '--socket', self.path, '--config',
                                        self.dir + '/c.conf'], stderr=self.log)

    def stop(self):
        self.writer.terminate()
        self.writer.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def peer(self, uid):
        p = Peer(self.path, uid)
        self.peers[p.socket.fileno()] = p
        return p

    def session(self, uid):
        p = self.peer(uid)
        p.open()
        self.pump(lambda: p.opened, 'a session opens')
        return p

    def turn(self, wait_ms):
        poll = select.poll()
        for p in self.flood:
            if len(p.out) < len(BULK):
                p.say(BULK)
        if self.drip and time.monotonic() > self.dripped + 0.5 and not self.drip.out:
            self.dripped, self.drip.out = time.monotonic(), b'\0'
        for fd, p in self.peers.items():
            if not p.over:
                poll.register(fd, select.POLLIN | (select.POLLOUT if p.out else 0))
        for fd, events in poll.poll(wait_ms):
            if events & select.POLLOUT:
                self.peers[fd].write()
            if events & ~select.POLLOUT:
                self.peers[fd].read()

    def pump(self, condition, what, seconds=DEADLINE):
        """Everybody sends and hears until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Fail('waited in vain: ' + what)
            self.turn(5)

    def committed(self):
        return sum(p.acked for p in self.flood) * len(BULK)


def type_until(world, typist, condition, what):
    """One key after the other, each when the one before is committed."""
    keys, end = 0, time.monotonic() + DEADLINE
    while not condition() or keys < 100:
        check(time.monotonic() < end, 'waited in vain: ' + what)
        typist.say(b'k')
        world.pump(lambda: typist.acked == typist.seq, 'a key is committed')
        keys, pause = keys + 1, time.monotonic() + 0.005
        world.pump(lambda: time.monotonic() > pause, 'the next key')
    return keys


def run(world):
    until(lambda: os.path.exists(world.path + '.control'), 'the writer\'s socket', DEADLINE)
    os.chmod(world.path, 0o666)  # instead of a setgid recorder
    quiet = world.session(FLOODER)  # the flooder's own, older than all of his others
    typist = world.session(TYPIST)
    flood = [world.session(FLOODER) for _ in range(36)]
    drip = world.drip = world.peer(IDLER)
    drip.out = frame(OPEN, b'\0' * 4000)[:8]
    world.flood = flood
    world.pump(lambda: all(p.acked for p in flood), 'alone the flood gets all there is')

    before, began = world.committed(), time.monotonic()
    keys = type_until(world, typist, lambda: time.monotonic() - began > 4, 'typing beside the flood')
    took, share = time.monotonic() - began, world.committed() - before
    print('  %d keys committed beside %d KiB of the flood in %.1f s' % (keys, share // 1024, took))
    # What may have been on its way when the typist began is less than the second number.
    check(share <= 2 * RATE_KIB * 1024 * took + (8 << 20), 'the flood had %d KiB in %.1f s' % (share // 1024, took))
    check(not any(p.over for p in flood), 'a session of the flood was ended')

    quiet.say(b'q')
    type_until(world, typist, lambda: quiet.acked == quiet.seq, 'the flooder\'s quiet session')
    print('  his own quiet session too')
    since = {p: p.acked for p in flood}
    type_until(world, typist, lambda: all(p.acked > since[p] for p in flood), 'each of the flood\'s sessions')
    print('  none is passed over')
    world.flood = []
    world.pump(lambda: drip.over, 'who never says his OPEN to the end goes')
    print('  half an OPEN is not waited for')
    check(world.writer.poll() is None, 'the writer ended')


if os.geteuid() != 0:
    sys.exit('needs root: it connects as other users')
WORLD = World()
try:
    run(WORLD)
    print('fairness: passed')
except Fail as e:
    print('fairness: FAILED: %s' % e, file=sys.stderr)
    with open(WORLD.dir + '/log', errors='replace') as f:
        print(f.read()[-2000:], file=sys.stderr)
    sys.exit(1)
finally:
    WORLD.stop()
