#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""calls.py BIN_DIR [--all] [--kinds LIST] [--samples N] [--first N] [--last N]: the writer's calls fail, each once, for a while, or from there on.

One scenario of opening, events, bulk, sealing, shipped, pruning, a restart, and the ends; the n-th call of a kind fails.
Whatever was acknowledged has to be there, and all of it at the end; the writer may answer with an error or end, as long as it
is no crash, no standstill and no spinning.  The kinds: full (no room on the disk), memory, vfs-own, vfs-full, vfs-memory
(SQLite's calls to the system).  A sample of the calls, or with --all each of them (of full: the first 200)."""
import argparse
import os
import random
import select
import shutil
import sys
import tempfile
import time

from faultlib import AHEAD, GROW, LONG, MEMORY, VFS, Client, Table, Writer, no_damage
from outer import Fail, check, equal

CODE = AHEAD + 1
# name: table's kind, error of the VFS, the program, calls that fail
KINDS = {'full': (GROW, 0, 'ttytraild'), 'memory': (MEMORY, 0, 'ttytraild'), 'vfs-own': (VFS, 0, 'ttytraild-vfs'),
         'vfs-full': (VFS, 1, 'ttytraild-vfs'), 'vfs-memory': (VFS, 2, 'ttytraild-vfs')}
MANY = {'once': 1, 'while': 20, 'ever': -1}
SECRET = b'Zq7-not-for-a-log-'
GIVEN = 1.5  # seconds without an answer, after which a fault that lasts is taken away


class Scenario:
    def __init__(self, top, bin_dir, kind, many):
        number, code, program = KINDS[kind]
        self.number, self.code, self.many = number, code, MANY[many]
        self.table = Table(top + '/table', bin_dir + '/callfault.so', program, top + '/data/')
        os.mkdir(top + '/data')
        self.writer = Writer(bin_dir, top, db='data/e.db', conf='segment_kib = 16\n', program=program)
        self.cpu, self.ends, self.since, self.begun = 0.0, [], time.monotonic(), False

    def serve(self):
        """A writer that runs: as systemd does, it is started again."""
        w = self.writer
        if w.process is not None and w.gone():
            self.ended(w.process.returncode)
        if w.process is None:
            w.start(self.table.env)
            self.begun = False
            while not w.gone() and not self.begun:
                self.begun = w.answers()
                select.select([], [], [], 0.003)

    def ended(self, status):
        # The C library crashes where it reads nsswitch.conf without memory: nobody is connected by then.
        check(status >= 0 or self.number == MEMORY and not self.begun, 'ttytraild died of signal %d' % -status)
        self.cpu = max(self.cpu, self.writer.cpu_s)
        self.ends.append(status)
        self.writer.process = None

    def patience(self):
        """A fault that lasts is over after a while."""
        if self.many < 0 and time.monotonic() - self.since > GIVEN:
            self.table.disarm()

    def do(self, what, step):
        """A step until it is done: who is hung up on or refused tries again."""
        end = time.monotonic() + LONG
        while True:
            self.serve()
            self.patience()
            try:
                return step()
            except (OSError, EOFError) as e:
                check(time.monotonic() < end, '%s: in vain: %r' % (what, e))
                select.select([], [], [], 0.01)

    def say(self, who, text, wait=True):
        who.add(text)
        if wait:
            self.do('event', who.settle)

    def play(self, at):
        self.table[CODE] = self.code
        self.table.arm(self.number, at, self.many)
        self.since = time.monotonic()
        clients = [Client(self.writer.socket, name, self.patience) for name in ('a', 'b', 'c')]
        a, b, c = clients
        for who in clients:
            self.do('open', who.open)
        for i in range(12):
            self.say(a, SECRET + b'%06d\r\n' % i)
        for i in range(20):
            self.say(b, random.Random(i).randbytes(15000), wait=i % 5 == 4)
        for i in range(4):
            self.say(c, b'x' * 9000)
        self.do('seal', lambda: c.control(65))
        self.do('shipped', lambda: c.control(64, c.id + (1).to_bytes(4, 'big')))
        self.do('prune', lambda: c.control(69, c.id + (1).to_bytes(4, 'big') + (1).to_bytes(4, 'big')))
        self.do('give back', lambda: c.control(70, (100).to_bytes(4, 'big')))
        self.serve()
        self.end()
        for i in range(6):
            self.say(a, SECRET + b'again %06d\r\n' % i)
        for who in clients:
            self.do('end', who.bye)
        self.end()
        return a, b

    def end(self):
        w = self.writer
        if w.process is not None:
            self.ended(w.end())

    def judge(self, sessions):
        failed, count = self.table.disarm()
        for who in sessions:
            out, status = self.writer.ask('export', 'title:' + who.title, '--format', 'raw', '--stream', 'output')
            equal(status, 0, 'export: %r' % out[-300:])
            said = bytes(who.said)
            same = len(os.path.commonprefix((out, said)))
            check(out == said, '%s: of %d bytes %d are there, the first %d the same' % (who.title, len(said), len(out), same))
        no_damage(self.writer, 'after')
        check(SECRET not in self.writer.said(), 'what was shown is in the log')
        check(self.cpu < 3, '%.1f s of the processor' % self.cpu)
        return failed, count


def one(args, kind, many, at):
    """How many calls there were, and failed."""
    top = tempfile.mkdtemp(prefix='ttytrail-calls.')
    s = None
    try:
        s = Scenario(top, args.bin, kind, many)
        return s.judge(s.play(at))
    except Fail as e:
        raise Fail('%s, %s, call %d: %s\n%s' % (kind, many, at, e, s.writer.said().decode(errors='replace')[-1500:]))
    finally:
        if s is not None and s.writer.process is not None and not s.writer.gone():
            s.writer.process.kill()
            s.writer.reap(0)
        shutil.rmtree(top, ignore_errors=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('bin', type=os.path.abspath)
    p.add_argument('--all', action='store_true')
    p.add_argument('--kinds', default=','.join(KINDS))
    p.add_argument('--many', default=','.join(MANY))
    p.add_argument('--samples', type=int, default=6)
    p.add_argument('--first', type=int, default=1)
    p.add_argument('--last', type=int, default=1 << 40)
    args = p.parse_args()
    bad = 0
    for kind in args.kinds.split(','):
        try:
            equal(one(args, kind, 'once', 0)[0], 0, 'nothing fails')
            total = one(args, kind, 'once', 1 << 40)[1]
        except Fail as e:
            print('FAIL  %s' % e, flush=True)
            bad += 1
            continue
        if kind == 'full' and args.all:
            total = min(total, 200)
        print('      %s: %d calls' % (kind, total), flush=True)
        for many in args.many.split(','):
            step = 1 if args.all else max(1, total // args.samples)
            first = args.first if args.all else 1 + random.randrange(step)
            runs = hit = 0
            for at in range(first, min(total, args.last) + 1, step):
                runs += 1
                try:
                    hit += one(args, kind, many, at)[0] > 0
                except Fail as e:
                    bad += 1
                    print('FAIL  %s' % e, flush=True)
            print('ok    %s, %s: %d calls, %d failed' % (kind, many, runs, hit), flush=True)
    print('%d failures' % bad)
    sys.exit(1 if bad else 0)


main()
