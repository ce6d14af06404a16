#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tokens.py TTYTRAIL: access tokens and private keys that are shown, typed or piped reach the terminal as they are, and
no eight characters in a row of them the record; the session has the flag, and `list` finds it by that."""
import glob
import json
import os
import random
import re
import shutil
import string
import sys
import tempfile

from outer import Outer, check, equal, main, run

TTYTRAIL = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix='ttytrail-tokens.')
SECONDS = 90
random.seed(3)
ALNUM = string.ascii_letters + string.digits


def some(n, of=ALNUM):
    return ''.join(random.choice(of) for _ in range(n))


def lines():
    """A file's lines, and what of them is secret."""
    text, secrets = [], []

    def put(line, *secret):
        text.append(line % secret)
        secrets.extend(secret)
    for column in (0, 40, 70, 76, 79):
        put('x' * column + ' ghp_%s and more', some(36))
        put('y' * column + ' AKIA%s key: %s', some(16, string.ascii_uppercase), some(39) + '/')
    put('Authorization: Bearer eyJ%s.eyJ%s.%s', some(33), some(400), some(43))
    body = [some(64, ALNUM + '+/') for _ in range(25)]
    put('{"private_key": "-----BEGIN PRIVATE KEY-----' + '\\n%s' * 25 + '\\n-----END PRIVATE KEY-----\\n", "a": 1}', *body)
    put('    -----BEGIN RSA PRIVATE KEY-----')
    for line in [some(64, ALNUM + '+/') for _ in range(25)]:
        put('    %s', line)
    put('    -----END RSA PRIVATE KEY-----')
    put('the end of it')
    return '\n'.join(text) + '\n', secrets


TEXT, SECRETS = lines()
FILE = DIR + '/tokens'
with open(FILE, 'w') as made:
    made.write(TEXT)


def leaked(data, secrets):
    """What of the secrets stands in ${data}, escape sequences and rows' ends apart."""
    plain = re.sub(rb'\x1b\[[0-9;?]*[A-Za-z]|[\r\n]', b'', data)
    return [s[i:i + 8] for s in secrets for i in range(len(s) - 7)
            if s[i:i + 8].encode() in plain or s[i:i + 8].encode() in data]


def exported(db, stream):
    out, err, status = run([TTYTRAIL, 'export', '--db', db, 'last', '--format', 'raw', '--stream', stream])
    equal(status, 0, 'export says %r' % err)
    return out


def files(db):
    return b''.join(open(path, 'rb').read() for path in glob.glob(db + '*'))


def listed(db, *words):
    out, err, status = run([TTYTRAIL, 'list', '--db', db, '--json', *words])
    equal(status, 0, err)
    return [json.loads(line) for line in out.splitlines()]


def record(db, *command, options=()):
    return [TTYTRAIL, 'record', '--quiet', '--db', db, *options, '--', *command]


def test_shown(name='shown'):
    db = DIR + '/%s.db' % name
    o = Outer(record(db, 'cat', FILE))
    o.expect(b'the end of it', seconds=SECONDS)
    equal(o.wait(SECONDS), 0, 'status')
    o.close()
    equal(bytes(o.shown), TEXT.replace('\n', '\r\n').encode(), 'what the terminal got')
    got = exported(db, 'output')
    equal(len(got), len(o.shown), 'as many characters are recorded')
    equal(leaked(got, SECRETS), [], 'in the record')
    equal(leaked(files(db), SECRETS), [], 'in the files')
    check(b'xxxx ghp_' in got and b'and more' in got and b'", "a": 1}' in got, 'what is no secret is there')
    row, = listed(db, 'flag', 'token')
    check('token' in row['flags'] and 'not-redacted' not in row['flags'], 'flags: %r' % row['flags'])


def test_piped():
    db = DIR + '/piped.db'
    out, err, status = run(record(db, 'cat', FILE), seconds=SECONDS)
    equal((out, status), (TEXT.encode(), 0), 'what the pipe got')
    equal(leaked(exported(db, 'output'), SECRETS), [], 'in the record')


def test_typed():
    db, token, key = DIR + '/typed.db', some(36), some(39) + '+'
    o = Outer(record(db, 'sh', '-c', 'echo ready; read -r a; read -r b; echo "got $a $b."'), cols=200)
    o.expect(b'ready', seconds=SECONDS)
    for text in ('ghp_' + token[:20] + 'zz\x7f\x7f' + token[20:] + '\r', 'AKIA' + some(16, 'ABCDEFGH234') + ' ' + key + '\r'):
        o.type(text.encode(), apart=True)
    o.expect(b'got ghp_' + token.encode() + b' AKIA', seconds=SECONDS)
    equal(o.wait(SECONDS), 0, 'status')
    o.close()
    for stream in ('input', 'output'):
        got = exported(db, stream)
        equal(leaked(got, [token, key]), [], stream)
        check(b'ghp_*' in got and b'AKIA*' in got, 'the prefixes are there: %r' % got)


def test_without_redaction():
    db, conf = DIR + '/off.db', DIR + '/off.conf'
    with open(conf, 'w') as f:
        f.write('[redact]\nredact = off\n')
    out, err, status = run(record(db, 'cat', FILE, options=('--config', conf)), seconds=SECONDS)
    equal((out, status), (TEXT.encode(), 0), 'what the pipe got')
    check(leaked(exported(db, 'output'), SECRETS), 'the search finds nothing at all')
    row, = listed(db, 'flag', 'not-redacted')
    check('token' not in row['flags'], 'flags: %r' % row['flags'])
    equal(listed(db, 'redactions', '1'), [], 'sessions with redactions')
    out, err, status = run([TTYTRAIL, 'list', '--db', db])
    check(b'not-redacted' in out, 'the table: %r' % out)
    out, err, status = run([TTYTRAIL, 'list', '--db', db, 'flag', 'redacted'])
    equal((out, status), (b'', 2), 'a flag that there is not')
    check(b'not-redacted' in err and b'blind-command' in err, 'the possible ones: %r' % err)


try:
    main([test_shown, test_piped, test_typed, test_without_redaction])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
