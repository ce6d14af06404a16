#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""typist.py type COMMAND...: run the command on a terminal of its own and type what a person might.
typist.py search DIR: look for the password typed there in every file of DIR, as it lies there, in what is
compressed, and in the databases' values; exit 1 when four of its characters stand together anywhere."""
import os
import sqlite3
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../tests/e2e'))
from outer import Fail, Outer, check, equal, until  # noqa: E402

PASSWORD = 'Vq7#mZt2!pXw'
VISIBLE = b'the road of a byte'


def type_all(argv):
    environment = dict(os.environ, SHELL='/bin/bash', PS1='demo$ ', TERM='xterm', HOME=os.getcwd(), HISTFILE='')
    o = Outer(argv + ['--', '/bin/bash', '--norc', '--noprofile', '-i'], env=environment)
    try:
        at = o.expect(b'demo$ ')
        for line in (b'echo ' + VISIBLE, b'ls -l /etc/os-release; uname -sr'):
            o.type(line + b'\r', apart=True)
            at = o.expect(b'demo$ ', at)
        o.type(b"read -r -s -p 'Password: ' secret && echo && echo ${#secret} characters\r", apart=True)
        at = o.expect(b'\r\n', at)
        at = o.expect(b'Password: ', at)
        # Echo is switched off before the prompt is written: what is on the screen says it is safe.
        o.type(PASSWORD.encode() + b'\r', apart=True)
        at = o.expect(b'%d characters' % len(PASSWORD), at)
        at = o.expect(b'demo$ ', at)
        o.type(b'exit\r')
        equal(o.wait(), 0, 'status of the shell')
        shown = bytes(o.shown)
        check(PASSWORD.encode() not in shown, 'the password is on the screen')
        sys.stdout.buffer.write(shown.replace(b'\r\n', b'\n'))
    finally:
        o.close()


def members(data):
    """What lies compressed in data: gzip members, wherever they begin."""
    at = data.find(b'\x1f\x8b\x08')
    while at >= 0:
        try:
            yield zlib.decompressobj(wbits=31).decompress(data[at:])
        except zlib.error:
            pass
        at = data.find(b'\x1f\x8b\x08', at + 1)


def values(path):
    """Every value of an SQLite database: its pages may cut one in two."""
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    try:
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            for row in db.execute('SELECT * FROM "%s"' % table):
                yield from (v.encode() if isinstance(v, str) else v for v in row if isinstance(v, (str, bytes)))
    finally:
        db.close()


def pieces(path):
    with open(path, 'rb') as f:
        data = f.read()
    yield data
    yield from members(data)
    if data.startswith(b'SQLite format 3\0'):
        for value in values(path):
            yield value
            yield from members(value)


def search(top):
    runs = [PASSWORD[i:i + 4].encode() for i in range(len(PASSWORD) - 3)]
    files, leaks, seen = 0, [], 0
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            files += 1
            for data in pieces(path):
                seen += VISIBLE in data
                if any(run in data for run in runs):
                    leaks.append(path)
    # A search that does not even find what was typed visibly proves nothing.
    check(seen > 0, 'the search does not find %r, which was typed and shown' % VISIBLE)
    check(not leaks, 'found in ' + ', '.join(sorted(set(leaks))))
    print('looked for any four characters of %s in %d files, raw and decompressed: not there' % (PASSWORD, files))
    print('(%r, typed visibly, was found %d times by the same search)' % (VISIBLE.decode(), seen))


if len(sys.argv) < 3 or sys.argv[1] not in ('type', 'search'):
    sys.exit('usage: typist.py type COMMAND... | search DIR')
try:
    if sys.argv[1] == 'type':
        type_all(sys.argv[2:])
    else:
        search(sys.argv[2])
except Fail as e:
    sys.exit('demo: ' + str(e))
