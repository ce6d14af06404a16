#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""install_judge.py DIR: the sessions that install_inside.sh made, as `ttytrail list --json` has them."""
import json
import os
import sys

DIR = sys.argv[1]
BAD = []
# What was run (a beginning of the recorded command; None: a login shell), how it ended, how often at least, which ways
# in are right, kind, whether by ssh.
ROWS = [
    (None, 'exit 5', 1, {'login'}, 'tty', True),
    (None, 'exit 6', 1, {'login', 'su'}, 'tty', False),
    (None, 'exit 8', 1, {'login'}, 'tty', True),
    ('echo here', 'exit 7', 1, {'command'}, 'stream', True),
    ('echo n-', 'exit 0', 1, {'command'}, 'stream', True),
    ('kill -TERM', 'signal 15', 1, {'command'}, 'stream', True),
    ('/usr/lib/openssh/sftp-server', 'exit 0', 3, {'command', 'subsystem'}, 'stream', True),
    ('scp -t', 'exit 0', 1, {'command'}, 'stream', True),
    ('scp -f', 'exit 0', 1, {'command'}, 'stream', True),
    ('rsync --server', 'exit 0', 2, {'command'}, 'stream', True),
    ('git-upload-pack', 'exit 0', 1, {'command'}, 'stream', True),
    ('exit 9', 'exit 9', 1, {'command'}, 'stream', True),
]


def load():
    with open(os.path.join(DIR, 'list.json')) as f:
        return [s for s in map(json.loads, f) if s['kind'] != 'host']


def command(session):
    """What stands behind -c; None for a login shell."""
    words = session['command'] or []
    return words[words.index('-c') + 1] if '-c' in words else None


def matches(row, session):
    what, ended, _, ways, kind, _ = row
    said = command(session)
    if (said is None) != (what is None) or (what is not None and not said.startswith(what)):
        return False
    return (session['exit'] == ended and session['state'] == 'done' and session['kind'] == kind and
            session['facts'].get('way_in') in ways)


def main():
    sessions = load()
    witness = os.path.exists(os.path.join(DIR, 'witness'))
    with open(os.path.join(DIR, 'fingerprint')) as f:
        keys = f.read().split()  # the fingerprint, and the key itself, of which sshd speaks
    for session in sessions:
        if session['user'] not in ('alice', 'nobody'):  # nobody: of doctor's probe
            BAD.append('of %s: %s' % (session['user'], command(session)))
        if {'cut', 'stalled'} & set(session['flags']) or session['state'] == 'cut':
            BAD.append('not whole: %s' % session)
    for row in ROWS:
        found = [s for s in sessions if matches(row, s)]
        if len(found) < row[2]:
            BAD.append('%d of %s' % (len(found), row))
        for session in found if witness and row[5] else []:
            facts = json.dumps({k: v for k, v in session['facts'].items() if k.startswith('conn.')})
            if not any(k in facts for k in keys):
                BAD.append('without its key %s: %s: %s' % (keys, command(session), facts))
    print('  %d sessions, %d ways%s' % (len(sessions), len(ROWS), ', each with its key' if witness else ''))
    if not witness:
        print('*** NOT TESTED: the key of each login (no witness, or no writer that listens to it, in this package)')
    for s in sessions if BAD else []:
        print('    there is %s' % ((command(s), s['exit'], s['kind'], s['facts'].get('way_in')),))
    print('\n'.join(BAD))
    return 1 if BAD or len(sessions) < 15 else 0


sys.exit(main())
