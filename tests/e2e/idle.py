#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""idle.py TTYTRAIL: on_idle = warn, lock, end.  What is said to the user is not in the record, what is withheld from him
is; the bytes of the record are those without on_idle."""
import json
import os
import select
import shutil
import sys
import tempfile
import time

from outer import Outer, check, equal, main, run, until

TTYTRAIL = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix='ttytrail-idle.')
SECONDS = 90  # for what is expected in a few
WARN = 'printf "ready "; read x; echo got:$x'
LOCK = 'printf "ready "; until [ -e %s/go ]; do sleep 0.1; done; echo late; : >%s/gone; read x; echo got:$x' % (DIR, DIR)
FULL = 'trap "echo drawn" WINCH; printf "\\033[?1049hready "; until [ -e %s/end ]; do sleep 0.1; done' % DIR
STUCK = 'stty -echo -icanon; printf "ready "; until [ -e %s/read ]; do sleep 0.1; done' % DIR
END = 'printf "ready "; exec cat'


def start(what, name, script):
    conf = '%s/%s.conf' % (DIR, name)
    with open(conf, 'w', encoding='utf-8') as f:
        f.write('[record]\non_idle = %s\nidle_s = 10\n' % what)
    return Outer([TTYTRAIL, 'record', '--quiet', '--db', '%s/%s.db' % (DIR, name), '--config', conf, '--', 'sh', '-c',
                  script])


def export(name, form):
    out, err, status = run([TTYTRAIL, 'export', '--db', '%s/%s.db' % (DIR, name), 'last', '--format', form],
                           seconds=SECONDS)
    equal(status, 0, 'export, which says %r' % err)
    return out


def marks(name):
    lines = [json.loads(line) for line in export(name, 'cast').splitlines()[1:]]
    return [line[2] for line in lines if line[1] == 'm' and 'idle' in line[2]]


def flags(name):
    out, err, status = run([TTYTRAIL, 'list', '--db', '%s/%s.db' % (DIR, name), '--json'], seconds=SECONDS)
    equal(status, 0, 'list, which says %r' % err)
    return json.loads(out.splitlines()[-1])['flags']


def make(name):
    with open(DIR + '/' + name, 'w', encoding='utf-8'):
        pass


BEGAN = time.monotonic()
ALL = {name: start(what, name, script) for name, what, script in
       (('warn', 'warn', WARN), ('lock', 'lock', LOCK), ('full', 'lock', FULL), ('stuck', 'lock', STUCK),
        ('end', 'end', END))}


def type_until_stuck(o):
    """More than a program that reads nothing, and the recorder before it, take."""
    os.set_blocking(o.master, False)
    o.expect(b'ready ', seconds=SECONDS)
    end, last = time.monotonic() + 5, time.monotonic()
    while time.monotonic() < end and time.monotonic() - last < 1:
        try:
            os.write(o.master, b'x' * 1024)
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)


def test_lock_before_a_program_that_reads_nothing():
    o = ALL['stuck']
    at = o.expect(b'Enter opens it.\r\n', seconds=SECONDS)
    until(lambda: select.select([], [o.master], [], 0)[1], 'the locked terminal takes keys', SECONDS)
    o.type(b'\r')
    o.expect(b'\x1b[?1049l', at, SECONDS)
    make('read')
    equal(o.wait(SECONDS), 0, 'status')
    equal(marks('stuck'), ['idle, locked', 'idle, opened'], 'marks')


def test_warn():
    o = ALL['warn']
    o.expect(b'ready \a\r\nttytrail: nothing was typed for 10 seconds\r\n', seconds=SECONDS)
    check(time.monotonic() - BEGAN >= 10, 'too early')
    o.type(b'abc\r')
    equal(o.wait(SECONDS), 0, 'status')
    equal(export('warn', 'raw'), b'ready abc\r\ngot:abc\r\n', 'record')
    equal(marks('warn'), ['idle, warned'], 'marks')
    check('idle-ended' not in flags('warn'), 'flags')


def test_lock():
    o = ALL['lock']
    at = o.expect(b'Enter opens it.\r\n', o.expect(b'ready \x1b[?1049h', seconds=SECONDS), SECONDS)
    make('go')
    until(lambda: os.path.exists(DIR + '/gone'), 'the program writes', SECONDS)
    o.type(b'blind')
    o.pump(0.5)
    equal(bytes(o.shown[at:]), b'', 'shown while it is locked')
    o.type(b'ly\r')
    o.expect(b'\x1b[?1049llate\r\n', at, SECONDS)
    o.type(b'abc\r')
    equal(o.wait(SECONDS), 0, 'status')
    equal(export('lock', 'raw'), b'ready late\r\nabc\r\ngot:abc\r\n', 'record')
    check(b'blind' not in export('lock', 'cast'), 'keys for the lock are recorded')
    equal(marks('lock'), ['idle, locked', 'idle, opened'], 'marks')


def test_lock_over_a_full_screen():
    o = ALL['full']
    at = o.expect(b'Enter opens it.\r\n', o.expect(b'ready \x1b7', seconds=SECONDS), SECONDS)
    o.type(b'\r')
    o.expect(b'drawn', o.expect(b'\x1b[2J\x1b8', at, SECONDS), SECONDS)
    make('end')
    equal(o.wait(SECONDS), 0, 'status')
    raw = export('full', 'raw')
    check(raw.startswith(b'\x1b[?1049hready drawn\r\n') and b'Enter' not in raw, 'record: %r' % raw)


def test_end():
    o = ALL['end']
    o.expect(b'ready \r\nttytrail: this session ended, since nothing was typed for 10 seconds\r\n', seconds=SECONDS)
    equal(o.wait(SECONDS), -1, 'status')
    equal(export('end', 'raw'), b'ready ', 'record')
    equal(marks('end'), ['flag idle-ended'], 'marks')
    check('idle-ended' in flags('end'), 'flags: %r' % flags('end'))


try:
    type_until_stuck(ALL['stuck'])
    main([test_warn, test_lock, test_lock_over_a_full_screen, test_lock_before_a_program_that_reads_nothing, test_end])
finally:
    for terminal in ALL.values():
        terminal.close()
    shutil.rmtree(DIR, ignore_errors=True)
