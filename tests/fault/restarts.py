#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""restarts.py TTYTRAIL [RESTARTS [SESSIONS [SEED]]]: the writer is ended and killed again and again under busy sessions.

No session ends, none loses a byte or its order: what is in the database is, byte for byte, what its program wrote, and so
is what the terminal showed; the chain verifies."""
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading

from faultlib import Writer, no_damage
from outer import Fail, Outer, check, equal, main, run, until

TTYTRAIL = os.path.abspath(sys.argv[1])
RESTARTS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
SESSIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 20
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
DIR = tempfile.mkdtemp(prefix='ttytrail-restarts.')
LONG = 120

# What it writes is kept beside it, before it is written; it goes on until the file `enough` is there.  Some write to a
# terminal, some to a pipe and to standard error too; some in small pieces with pauses, some in blocks.
PROGRAM = '''
import os, random, sys, time
me, top, pipe = int(sys.argv[1]), sys.argv[2], sys.argv[3] == 'pipe'
r = random.Random(me)
kept = open(top + '/said.%d' % me, 'wb', 0)
n = 0
while not os.path.exists(top + '/enough') or n < 50:
    n += 1
    size = r.choice((1, 20, 80, 80, 3000)) if me % 3 else r.choice((80, 6000))
    text = b'%d:%08d ' % (me, n) + bytes(97 + r.randrange(26) for _ in range(size)) + b'\\n'
    kept.write(text)
    while text:
        text = text[os.write(1, text):]
    time.sleep(r.choice((0.001, 0.01, 0.03)))
'''


def reader(out, into):
    """Of a session without a terminal."""
    while True:
        got = os.read(out, 65536)
        if not got:
            return
        into.extend(got)


class Session:
    def __init__(self, writer, number):
        import subprocess
        self.title, self.said = 's%02d' % number, DIR + '/said.%d' % number
        self.pipe = number % 4 == 3
        argv = [TTYTRAIL, 'record', '--quiet', '--title', self.title, '--socket', writer.socket, '--', sys.executable, '-c',
                PROGRAM, str(number), DIR, 'pipe' if self.pipe else 'tty']
        if self.pipe:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.shown = bytearray()
            self.thread = threading.Thread(target=reader, args=(self.process.stdout.fileno(), self.shown), daemon=True)
        else:
            self.outer = Outer(argv)
            self.shown = self.outer.shown
            self.thread = threading.Thread(target=self.pump, daemon=True)
        self.stop = False

    def begin(self):
        self.thread.start()

    def pump(self):
        while not self.stop and self.outer.pump(0.05):
            pass

    def alive(self):
        if self.pipe:
            return self.process.poll() is None
        return os.waitpid(self.outer.pid, os.WNOHANG) == (0, 0)

    def finish(self):
        if self.pipe:
            status = self.process.wait(LONG)
            self.thread.join(LONG)
            return status
        self.stop = True
        self.thread.join(LONG)
        return self.outer.wait(LONG)

    def close(self):
        if self.pipe:
            self.process.kill()
            self.process.wait()
        else:
            self.stop = True
            if self.thread.is_alive():
                self.thread.join(LONG)
            self.outer.close()


def without_news(shown):
    """The screen without our own lines, which name the interruption."""
    import re
    return re.sub(rb'\r?\n?\x1b?\[?\d*m?ttytrail: [^\r\n]*\r\n', b'', bytes(shown))


def in_database(writer, title):
    out, err, status = run([TTYTRAIL, 'export', '--db', writer.db, 'title:' + title, '--format', 'raw', '--stream', 'output'],
                           seconds=LONG)
    equal(status, 0, 'export: %r' % err)
    return out


def judge(writer, s):
    status = s.finish()
    equal(status, 0, '%s: status' % s.title)
    with open(s.said, 'rb') as f:
        said = f.read()
    want = said if s.pipe else said.replace(b'\n', b'\r\n')
    check(in_database(writer, s.title) == want, '%s: the record differs from the %d bytes that were written' % (s.title, len(want)))
    check(without_news(s.shown) == want, '%s: the screen differs from the %d bytes that were written' % (s.title, len(want)))
    return len(want)


def test_restarts():
    print('seed %d' % SEED)
    chance = random.Random(SEED)
    writer = Writer(os.path.dirname(TTYTRAIL), DIR, conf='segment_kib = 64\n').start()
    sessions = []
    try:
        until(writer.answers, 'the writer answers', LONG)
        for i in range(SESSIONS):
            sessions.append(Session(writer, i))
        for s in sessions:
            s.begin()
        for s in sessions:
            until(lambda: os.path.exists(s.said) and os.path.getsize(s.said) > 100, s.title + ' writes', LONG)
        for i in range(RESTARTS):
            before = {s.title: len(s.shown) for s in sessions}
            sig = signal.SIGTERM if chance.random() < 0.5 else signal.SIGKILL
            status = writer.end(sig)
            equal(status, 0 if sig == signal.SIGTERM else -9, 'end of the writer')
            writer.start()
            until(writer.answers, 'the writer answers again', LONG)
            for s in sessions:
                until(lambda: len(s.shown) > before[s.title] or not s.alive(), s.title + ' goes on', LONG)
                check(s.alive(), '%s ended at restart %d: %r' % (s.title, i, bytes(s.shown[-300:])))
        open(DIR + '/enough', 'w').close()
        total = sum(judge(writer, s) for s in sessions)
        until(lambda: b'open' not in writer.ask('verify')[0], 'all are closed', LONG)
        no_damage(writer, 'after all restarts')
        with sqlite3.connect('file:%s?mode=ro' % writer.db, uri=True) as db:
            states = db.execute('SELECT DISTINCT flags FROM session').fetchall()
        equal(states, [('',)], 'flags')
        print('      %d restarts, %d sessions, %d bytes, none lost' % (RESTARTS, SESSIONS, total))
    except Fail as e:
        raise Fail('%s\n%s' % (e, writer.said().decode(errors='replace')[-1500:]))
    finally:
        for s in sessions:
            s.close()
        writer.end()


try:
    main([test_restarts])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
