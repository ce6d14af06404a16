#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""power.py BIN_DIR [CUTS [SEED]]: the power goes at a call of the writer's, from a database's first moment on.

What was not synced by then is on the disk, or not, or in part, by sectors (hostfault.c).  With durability = power whatever was
acknowledged is there afterwards; with durability = process what was sealed before a SEAL_NOW was answered, which is what may
be shipped.  The database opens, verify finds no damage, and the sessions go on to be closed."""
import os
import random
import shutil
import struct
import sys
import tempfile

from faultlib import LONG, Client, Writer, no_damage
from outer import Fail, check, equal, main, until

BIN = os.path.abspath(sys.argv[1])
CUTS = int(sys.argv[2]) if len(sys.argv) > 2 else 16
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
STATE = struct.Struct('=qqii')


class Host:
    def __init__(self, top, chance, durability, at):
        self.at = at
        self.top, self.chance, self.disk, self.shadow, self.state = top, chance, top + '/disk', top + '/shadow', top + '/state'
        os.mkdir(self.disk)
        os.mkdir(self.shadow)
        with open(self.state, 'wb') as f:
            f.write(STATE.pack(at, 0, 0, 0) + bytes(4 * 256))
        env = dict(os.environ, LD_PRELOAD=BIN + '/hostfault.so', HOSTFAULT_STATE=self.state, HOSTFAULT_DIR=self.disk + '/',
                   HOSTFAULT_SHADOW=self.shadow)
        self.writer = Writer(BIN, top, db='disk/e.db', env=env, conf='segment_kib = 16\ndurability = %s\n' % durability)

    def calls(self):
        with open(self.state, 'rb') as f:
            return STATE.unpack(f.read(STATE.size))[1]

    def start(self, env=None):
        self.writer.start(env)
        until(lambda: self.writer.answers() or self.writer.gone(), 'the writer answers', LONG)

    def off(self):
        """The disk as it may be found."""
        for name in os.listdir(self.disk):
            path = self.disk + '/' + name
            if name.endswith('-shm'):
                os.unlink(path)
                continue
            synced, written = b'', open(path, 'rb').read()
            try:
                synced = open('%s/%d' % (self.shadow, os.stat(path).st_ino), 'rb').read()
            except FileNotFoundError:
                pass
            with open(path, 'wb') as f:
                f.write(self.mixed(synced, written))

    def mixed(self, synced, written):
        how = self.chance.choice(('nothing', 'some', 'some', 'all'))
        if how != 'some':
            return synced if how == 'nothing' else written
        size = self.chance.choice((len(synced), len(written)))
        return b''.join((self.chance.choice((synced, written))[at:at + 512].ljust(512, b'\0'))[:size - at]
                        for at in range(0, size, 512))


def play(host, a, b, chance):
    """True when it came to its end; what has to be there by then is noted in .due of each."""
    try:
        host.start()
        a.open()
        b.open()
        for i in range(8):
            a.add(b'first %06d\r\n' % i)
            a.settle()
            b.add(chance.randbytes(9000))
            b.settle()
        sealed = a.acked, b.acked
        b.control(65)
        a.sealed, b.sealed = sealed
        for i in range(8):
            a.add(b'second %06d\r\n' % i)
            a.settle()
            b.add(chance.randbytes(9000))
            b.settle()
        sealed = a.acked, b.acked
        b.control(65)
        a.sealed, b.sealed = sealed
        a.bye()
        host.writer.end()
        b.lose()
        host.start()
        b.add(b'behind a restart\r\n')
        b.settle()
        b.bye()
        host.writer.end()
        return True
    except (OSError, EOFError) as e:
        check(host.calls() >= host.at > 0, 'without a cut: %r, %s' % (e, host.writer.said()[-800:]))
        return False


def one(seed, durability, at):
    chance = random.Random(seed)
    top = tempfile.mkdtemp(prefix='ttytrail-power.')
    host = Host(top, chance, durability, at)
    w, a, b = host.writer, Client(top + '/w', 'a'), Client(top + '/w', 'b')
    try:
        a.sealed = b.sealed = 0
        whole = play(host, a, b, chance)
        calls = host.calls()
        if not whole:
            until(w.gone, 'the end of the writer', LONG)
            equal(w.process.returncode, -9, 'the end of the writer: %s' % w.said())
            host.off()
        for _ in range(2):
            host.start(dict(os.environ))
            equal(w.end(), 0, 'a start afterwards: %s' % w.said())
        for who in a, b:
            due = who.acked if durability == 'power' or whole else who.sealed
            want = bytes(who.said[:who.upto(due)])
            if due == 0:
                continue
            out, status = w.ask('export', 'title:' + who.title, '--format', 'raw', '--stream', 'output')
            equal(status, 0, '%s, of which %d events are due: export: %r' % (who.title, due, out[-300:]))
            check(out.startswith(want), '%s: of %d bytes that are due %d are there' % (who.title, len(want), len(out)))
            check(bytes(who.said).startswith(out), '%s: what is there is not what was said' % who.title)
        no_damage(w, 'after the cut')
        return whole, calls
    except Fail as e:
        raise Fail('%s, seed %d, call %d: %s' % (durability, seed, at, e))
    finally:
        if w.process is not None and not w.gone():
            w.process.kill()
            w.reap(0)
        for who in a, b:
            who.lose()
        shutil.rmtree(top, ignore_errors=True)


def cuts(durability):
    chance = random.Random(SEED)
    calls = one(0, durability, 0)[1]
    cut, bad = 0, []
    for _ in range(CUTS):
        try:
            cut += not one(chance.randrange(1 << 30), durability, chance.randint(1, calls))[0]
        except Fail as e:
            bad.append(str(e))
            print('      ' + bad[-1][:700], flush=True)
    print('      durability = %s: %d cuts in %d calls, seed %d' % (durability, cut, calls, SEED))
    check(not bad, '%d of %d cuts' % (len(bad), CUTS))


def test_power():
    cuts('power')


def test_process():
    cuts('process')


main([test_power, test_process])
