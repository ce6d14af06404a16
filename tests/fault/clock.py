#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clock.py TTYTRAIL CALLFAULT: the wall clock is set while a session runs: times go on, and the session says so."""
import json
import os
import shutil
import sqlite3
import sys
import tempfile

from faultlib import AHEAD, Table, Writer
from outer import Outer, check, equal, main, until

TTYTRAIL, SHIM = map(os.path.abspath, sys.argv[1:3])
DIR = tempfile.mkdtemp(prefix='ttytrail-clock.')
HOUR = 3600


def flags(writer, title):
    with sqlite3.connect('file:%s?mode=ro' % writer.db, uri=True) as db:
        return db.execute('SELECT flags FROM session WHERE title = ?', (title,)).fetchone()[0].split()


def one(title, hours):
    top = DIR + '/' + title
    os.mkdir(top)
    table = Table(top + '/table', SHIM, '', top)
    writer = Writer(os.path.dirname(TTYTRAIL), top, env=table.env).start()
    until(lambda: os.path.exists(writer.socket), 'a socket', 60)
    try:
        o = Outer([TTYTRAIL, 'record', '--quiet', '--title', title, '--socket', writer.socket, '--', 'sh', '-c',
                   'echo ready; while read x; do echo got $x; done'], env=table.env)
        o.expect(b'ready', seconds=60)
        equal(flags(writer, title), [], 'flags before')
        for i, h in enumerate(hours):
            table[AHEAD] = h * HOUR * 1000000
            o.type(b'n%d\r' % i)
            o.expect(b'got n%d' % i, seconds=60)
        o.type(b'\x04')
        equal(o.wait(60), 0, 'status')
        equal(flags(writer, title), ['clock-jumped'] if any(hours) else [], 'flags after %r' % (hours,))
        out, status = writer.ask('export', 'title:' + title, '--format', 'cast')
        equal(status, 0, 'export: %r' % out)
        events = [json.loads(line) for line in out.splitlines()[1:]]
        check(all(0 <= e[0] < HOUR / 2 for e in events), 'a time of an event jumped: %r' % [e[0] for e in events])
        output = [e[0] for e in events if e[1] == 'o']
        equal(output, sorted(output), 'order of the output')
        jumps = [e[2] for e in events if e[1] == 'm' and e[2].startswith('flag clock-jumped')]
        steps = [b - a for a, b in zip((0,) + hours, hours) if a != b]
        equal([round(float(j.split(', ')[1].split()[0]) / HOUR, 2) for j in jumps], steps, 'the marks name the hours')
        out, status = writer.ask('verify')
        equal(status, 0, 'verify: %r' % out)
        o.close()
    finally:
        writer.end()


def test_an_hour_forward():
    one('forward', (1,))


def test_an_hour_back():
    one('back', (-1,))


def test_forward_and_back():
    one('both', (1, 0))


def test_a_clock_that_nobody_sets():
    one('still', (0, 0))


try:
    main([test_an_hour_forward, test_an_hour_back, test_forward_and_back, test_a_clock_that_nobody_sets])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
