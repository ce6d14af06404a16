#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody of the group ttytrail-audit, who may read the evidence and nothing else: list, verify, export, search and play work
while the writer runs, after it ended in order, after it was killed in the middle, and when it is back; outsiders get a sentence."""
import json
import os
import signal
import subprocess
import sys

import installedrig
from installedrig import AUDIT, DB, LIB, USERS
from outer import check, equal, main, until

HOST = None
PATIENCE = 60
HOME = '/tmp/auditor'
ENV = {'PATH': '/usr/bin:/bin', 'HOME': HOME, 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'}


def as_auditor(*argv, groups=(AUDIT,)):
    p = subprocess.run(['ttytrail', *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV,
                       user=USERS['plain'], group=USERS['plain'], extra_groups=list(groups), timeout=PATIENCE, check=False)
    return p.returncode, p.stdout, p.stderr


def test_evidence_is_made():
    os.makedirs(HOME, exist_ok=True)
    os.chown(HOME, USERS['plain'], USERS['plain'])
    out, _, status = HOST.ssh('alice', 'echo seen-by-auditors')
    equal((out, status), (b'seen-by-auditors\n', 0), 'the session')
    until(lambda: any(s['state'] == 'done' and s['user'] == 'alice' for s in HOST.sessions()), 'its end', PATIENCE)


def name_it():
    """The newest session of alice's is called evidence in what follows."""
    return next(s['id'] for s in reversed(HOST.sessions()) if s['user'] == 'alice')


def each(what):
    sid = name_it()
    for argv, holds in ((('list',), b'alice'), (('export', '--format', 'raw', sid), b'seen-by-auditors'),
                        (('export', '--format', 'text', sid), b'seen-by-auditors'), (('verify', sid), b''),
                        (('search', '-F', 'seen-by-auditors'), b'seen-by-auditors'),
                        (('play', '--non-interactive', '--speed', '16', sid), b'seen-by-auditors')):
        status, out, err = as_auditor(*argv)
        check(status == 0 and holds in out, '%s, %s: status %d, %r %r' % (what, argv[0], status, out[-300:], err[-300:]))


def test_while_the_writer_runs():
    each('running')
    o = HOST.login('alice')
    o.expect(b'$', seconds=PATIENCE)
    each_open(o)


def each_open(o):
    """Beside a session that goes on: reading holds up no commit."""
    o.type(b'echo o""n\r')
    o.expect(b'on', seconds=PATIENCE)
    status, out, err = as_auditor('list', 'state', 'open')
    check(status == 0 and b'alice' in out, 'open: %r %r' % (out, err))
    o.type(b'exit\r')
    o.wait(PATIENCE)
    o.close()


def test_after_it_ended():
    HOST.stop_writer()
    sid_files()
    each_stopped('ended')
    HOST.start_writer()


def sid_files():
    for end in ('-wal', '-shm'):
        check(os.path.exists(DB + end), 'no %s: who may only read could not' % end)


def each_stopped(what):
    status, out, err = as_auditor('list', '--json')
    check(status == 0, '%s: %r' % (what, err))
    sid = next(s['id'] for s in map(json.loads, reversed(out.splitlines())) if s['user'] == 'alice'
               and b'seen-by-auditors' in as_auditor('export', '--format', 'raw', s['id'])[1])
    for argv in (('verify', sid), ('search', '-F', 'seen-by-auditors'), ('export', '--format', 'text', sid)):
        status, out, err = as_auditor(*argv)
        check(status == 0, '%s, %s: %d %r %r' % (what, argv[0], status, out[-200:], err[-200:]))


def test_after_it_was_killed():
    o = HOST.login('alice')
    o.expect(b'$', seconds=PATIENCE)
    o.type(b'echo half""way\r')
    o.expect(b'halfway', seconds=PATIENCE)
    HOST.stop_writer(signal.SIGKILL)
    each_stopped('killed')
    HOST.start_writer()
    o.type(b'echo ba""ck\r')
    o.expect(b'back', seconds=PATIENCE)
    o.type(b'exit\r')
    o.wait(PATIENCE)
    o.close()
    each_stopped('back')


def test_nobody_else_may():
    status, out, err = as_auditor('list', '--db', DB, groups=())
    check(status == 1 and out == b'' and err, 'an outsider: %d %r %r' % (status, out, err))
    for path in (DB, DB + '-wal', LIB + '/ship', LIB + '/ring'):
        p = subprocess.run(['dd', 'if=/dev/null', 'of=' + path, 'conv=notrunc'], user=USERS['plain'], group=USERS['plain'],
                           extra_groups=[AUDIT], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENV, timeout=PATIENCE,
                           check=False)
        check(p.returncode != 0, 'an auditor may write %s' % path)


if __name__ == '__main__':
    if os.geteuid() != 0 or not os.path.exists('/usr/sbin/sshd'):
        print('*** NOT TESTED: auditors: needs root and an sshd')
        sys.exit(0)
    installedrig.enter()
    with installedrig.Host() as HOST:
        main([f for name, f in sorted(globals().items(), key=lambda i: getattr(i[1], '__code__', None)
              and i[1].__code__.co_firstlineno or 0) if name.startswith('test_')])
