#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recmem.py TTYTRAIL CALLFAULT: the recorder's n-th allocation fails, alone, or with all that follow.

A session with a prompt for a secret.  Its recorder goes on as if nothing were, or refuses, or ends the session with a word: it
does not crash or stand still, what it showed is in the database, and the secret is nowhere."""
import os
import re
import shutil
import sys
import tempfile

from faultlib import MEMORY, Table, Writer, no_damage
from outer import Fail, Outer, check, equal, main, until

TTYTRAIL, SHIM = map(os.path.abspath, sys.argv[1:3])
DIR = tempfile.mkdtemp(prefix='ttytrail-recmem.')
SECRET = b'Zq7wordNotToBeSeen'
PROGRAM = r'''i=0; while [ $i -lt 5 ]; do i=$((i+1)); echo "line $i of the first"; done
stty -echo; printf 'Password: '; read -r x; stty echo; echo; [ "$x" = %s ] && echo right
i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "line $i of the second"; done; exit 7''' % SECRET.decode()
LINES = re.compile(rb'line \d+ of the (?:first|second)(?=\r\n)|right(?=\r\n)')
LONG = 60


class Bed:
    def __init__(self):
        self.table = Table(DIR + '/table', SHIM, 'ttytrail', '')
        self.writer = Writer(os.path.dirname(TTYTRAIL), DIR).start()
        self.n = 0
        until(self.writer.answers, 'the writer answers', LONG)

    def kept(self):
        out, status = self.writer.ask('export', 'title:r%d' % self.n, '--format', 'raw', '--stream', 'output')
        return out if status == 0 else b''

    def one(self, at, many):
        """How many calls there were; and the status."""
        self.n += 1
        self.table.arm(MEMORY, at, many)
        o = Outer([TTYTRAIL, 'record', '--title', 'r%d' % self.n, '--socket', self.writer.socket, '--', 'sh', '-c', PROGRAM],
                  env=self.table.env)
        try:
            try:
                o.expect(b'Password: ', seconds=LONG)
                o.type(SECRET + b'\r')
            except (Fail, OSError):
                pass  # it ended before
            status = o.wait(LONG)
        finally:
            o.close()
        failed, calls = self.table.disarm()
        shown = bytes(o.shown)
        # The C library crashes where it reads nsswitch.conf without memory, before there is a session.
        check(status >= 0 or b'line ' not in shown, 'the recorder died of signal %d' % -status)
        check(SECRET not in shown, 'the secret was shown')
        if status not in (7, -6, -11):
            check(failed and b'ttytrail: ' in shown, 'status %d, and no word: %r' % (status, shown[-300:]))
        lines, kept = LINES.findall(shown), LINES.findall(self.kept())
        equal(lines[:len(kept)], kept[:len(lines)], 'the order of what was shown')
        check(len(lines) <= len(kept), '%d lines were shown, %d are in the database' % (len(lines), len(kept)))
        if status == 7:
            check(len(lines) == 46, '%d lines of a whole session: %r' % (len(lines), shown[-300:]))
        return calls, status

    def secrets(self):
        for name in os.listdir(DIR):
            if os.path.isfile(DIR + '/' + name):
                with open(DIR + '/' + name, 'rb') as f:
                    # The command's own text has it, once a session; what was typed must add none.
                    check(SECRET + b'\r' not in f.read(), 'the secret as typed is in ' + name)


def run(many, name):
    bed = Bed()
    bad, ends = [], {}
    try:
        calls, status = bed.one(0, 1)
        equal(status, 7, 'nothing fails')
        for at in range(1, calls + 1):
            try:
                status = bed.one(at, many)[1]
                ends[status] = ends.get(status, 0) + 1
            except Fail as e:
                bad.append('%s, allocation %d: %s' % (name, at, e))
                print('      ' + bad[-1][:600], flush=True)
        no_damage(bed.writer, 'after all')
        bed.secrets()
        print('      %s of %d allocations: ends by status %r' % (name, calls, ends))
        check(not bad, '%d failures' % len(bad))
    finally:
        bed.writer.end()


def test_once():
    run(1, 'once')


def test_from_there_on():
    run(-1, 'from there on')


try:
    main([test_once, test_from_there_on])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
