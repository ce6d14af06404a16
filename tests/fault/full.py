#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""full.py TTYTRAIL: a disk that fills up while a session is recorded on it.

The goal: nobody waits in vain.  Without a ring the session ends and says why; what was shown is in
the database; neither the recorder nor its private writer stays behind; a database on a read-only file system can be read.
Needs root: it mounts a small tmpfs of its own.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from outer import Fail, Outer, check, equal, until  # noqa: E402

TTYTRAIL = os.path.abspath(sys.argv[1])
LINES = 20000


def writers(db):
    """Pids of private writers on this database."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                words = f.read().split(b'\0')
        except OSError:
            continue
        if b'--private' in words and db.encode() in words:
            found.append(int(pid))
    return found


def main():
    top = tempfile.mkdtemp(prefix='ttytrail-full.')
    disk, conf = os.path.join(top, 'disk'), os.path.join(top, 'ttytrail.conf')
    db = os.path.join(disk, 'e.db')
    os.mkdir(disk)
    with open(conf, 'w') as f:
        f.write('[record]\nwriter_timeout_s = 2\n')
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', disk], check=True)
    try:
        program = 'i=0; while [ $i -lt %d ]; do i=$((i+1)); echo "L$i $(head -c 60 /dev/urandom | base64)"; done' % LINES
        o = Outer([TTYTRAIL, 'record', '--db', db, '--config', conf, '--', 'sh', '-c', program])
        equal(o.wait(60), 125, 'exit status of a session whose disk is full')
        check(b'the disk of the recordings is full' in o.shown, 'the reason is said: %r' % bytes(o.shown[-300:]))
        o.close()
        shown = set(re.findall(rb'(L\d+) [A-Za-z0-9+/=]{70,}', bytes(o.shown)))
        check(100 < len(shown) < LINES, '%d lines were shown' % len(shown))
        until(lambda: not writers(db), 'the private writer leaves', 60)
        subprocess.run(['mount', '-o', 'remount,ro', disk], check=True)
        raw = subprocess.run([TTYTRAIL, 'export', '--db', db, 'last', '--format', 'raw'], check=True,
                             stdout=subprocess.PIPE).stdout
        kept = set(re.findall(rb'(L\d+) [A-Za-z0-9+/=]{70,}', raw))
        equal(sorted(shown - kept), [], 'lines that were shown and are not recorded')
        verdict = subprocess.run([TTYTRAIL, 'verify', '--db', db], stdout=subprocess.PIPE)
        check(b'altered' not in verdict.stdout and b'gap' not in verdict.stdout, 'verify finds no damage')
        print('full: %d lines shown, 0 missing' % len(shown))
    finally:
        subprocess.run(['umount', disk], check=False)
        subprocess.run(['rm', '-rf', top], check=False)


try:
    main()
except Fail as e:
    sys.exit('full: FAILED: %s' % e)
