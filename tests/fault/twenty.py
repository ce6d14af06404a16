#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""twenty.py TTYTRAIL: 20 `record` at once on one database, some killed: none is cut but those."""
import os
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../e2e'))
from outer import Outer, check, equal, main, run, until  # noqa: E402

TTYTRAIL = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix='ttytrail-twenty.')
DB, CONF = DIR + '/e.db', DIR + '/ttytrail.conf'
KILLED = {3, 7, 11, 16}


def state(title):
    out, err, rc = run([TTYTRAIL, 'list', '--db', DB, '--json'])
    equal(rc, 0, 'list: %r' % err)
    import json
    for line in out.splitlines():
        row = json.loads(line)
        if row.get('title') == title:
            return row.get('state')
    return None


def test_twenty_at_once():
    with open(CONF, 'w') as f:
        f.write('[record]\nwriter_timeout_s = 2\n')
    sessions = []
    for i in range(20):
        sessions.append(Outer([TTYTRAIL, 'record', '--quiet', '--db', DB, '--config', CONF, '--title', 't%02d' % i, '--',
                               'sh', '-c', 'echo begin %02d; read x; echo end %02d; exit %d' % (i, i, i)]))
    for i, o in enumerate(sessions):
        o.expect(b'begin %02d' % i, seconds=60)
    for i in KILLED:
        os.kill(sessions[i].pid, signal.SIGKILL)
        equal(sessions[i].wait(), -9, 'killed')
    # The others outlive the time after which the killed ones are cut.
    def cut():
        run([TTYTRAIL, 'record', '--db', DB, '--config', CONF, '--', 'true'])
        return all(state('t%02d' % i) == 'cut' for i in KILLED)
    until(cut, 'the killed ones are cut', 60)
    for i, o in enumerate(sessions):
        if i not in KILLED:
            equal(state('t%02d' % i), 'open', 't%02d while it runs' % i)
    for i, o in enumerate(sessions):
        if i not in KILLED:
            o.type(b'\r')
            o.expect(b'end %02d' % i)
            equal(o.wait(), i, 'status of %d' % i)
            equal(state('t%02d' % i), 'done', 't%02d' % i)
    for i, o in enumerate(sessions):
        out, err, rc = run([TTYTRAIL, 'export', '--db', DB, 'title:t%02d' % i, '--format', 'raw', '--stream', 'output'])
        equal(rc, 0, 'export: %r' % err)
        check(b'begin %02d' % i in out, 'beginning of %d' % i)
        check((b'end %02d' % i in out) == (i not in KILLED), 'end of %d' % i)
        o.close()


try:
    main([test_twenty_at_once])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
