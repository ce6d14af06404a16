# SPDX-License-Identifier: Apache-2.0
"""What a recording gives away, and what of honest typing it lost."""
import difflib
import glob
import re
import sqlite3
import zlib

RUN = 4  # characters of a secret in a row that are a leak


def windows(secret):
    return {secret[i:i + RUN].encode() for i in range(max(1, len(secret) - RUN + 1))}


def scattered(secret, data):
    if len(secret) < 6:
        return False
    return re.search(b'.{0,3}?'.join(re.escape(c.encode()) for c in secret), data, re.S) is not None


def unpacked(value):
    """What gzip holds; a hash may begin like one."""
    try:
        return zlib.decompress(value, wbits=31) if value[:2] == b'\x1f\x8b' else b''
    except zlib.error:
        return b''


def blobs(path):
    """Everything a database holds, decompressed where it is compressed."""
    try:
        db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            for row in db.execute('SELECT * FROM "%s"' % table):
                for value in row:
                    if isinstance(value, str):
                        yield value.encode()
                    elif isinstance(value, bytes):
                        yield value
                        yield unpacked(value)
        db.close()
    except sqlite3.Error:
        return


def files(rec):
    raw = b''
    for path in glob.glob(rec + '*'):
        try:
            with open(path, 'rb') as f:
                raw += f.read() + b'\0' * RUN
        except OSError:
            pass
    inside = b'\0\0\0\0'.join(blobs(rec))
    return {'raw files': raw, 'inside': inside}


def leaks(typist, dumps, anyway=b''):
    """[(where, secret, runs)] for what stands where it must not; ${anyway} is what stands in every record."""
    honest = b''.join(data for kind, data in typist.sent if kind == 'text')
    found = []
    for where, data in dumps.items():
        for secret in typist.secrets:
            hits = [w for w in windows(secret) if w in data and w not in honest and w not in anyway]
            # Three digits stand in some time or hash, by chance.
            if where not in ('input', 'output'):
                hits = [w for w in hits if len(w) >= RUN]
            if hits or (where in ('input', 'output') and scattered(secret, data)):
                found.append((where, secret, len(hits)))
    return found


def kept(typist, record):
    """{kind: (typed, recorded)} of text and silent commands, by the longest common order."""
    labelled = [(byte, kind) for kind, data in typist.sent for byte in data
                if kind in ('text', 'keys', 'ctl', 'reply')]
    typed = bytes(byte for byte, _ in labelled)
    there = [False] * len(typed)
    matcher = difflib.SequenceMatcher(None, typed.decode('latin1'), record.decode('latin1'), autojunk=False)
    for block in matcher.get_matching_blocks():
        for i in range(block.size):
            there[block.a + i] = True
    return {want: (sum(kind == want for _, kind in labelled),
                   sum(ok and kind == want for ok, (_, kind) in zip(there, labelled)))
            for want in ('text', 'keys')}
