# SPDX-License-Identifier: Apache-2.0
"""What a host writes, written down a second time from docs/FORMAT.md: key objects, manifests of every kind, packs.
It signs with openssl, and so with a host's real key, too; with that it says what nothing of ours ever says."""
import gzip
import hashlib
import json
import os
import re
import subprocess
import tempfile
import time

HOUR = 3600 * 10**6
DAY = 24 * HOUR


def sha(*parts):
    return hashlib.sha256(b''.join(parts)).hexdigest()


def stamp(us, form):
    return time.strftime(form, time.gmtime(us // 10**6))


class Key:
    """An Ed25519 key: a new one, or the one of a host key file."""
    def __init__(self, path=None):
        if path is None:
            fd, path = tempfile.mkstemp(dir=os.environ['VERIFY_TMP'])
            os.close(fd)
            subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', path], check=True)
        self.path = path
        der = subprocess.run(['openssl', 'pkey', '-in', path, '-pubout', '-outform', 'DER'], check=True,
                             stdout=subprocess.PIPE).stdout
        self.public = der[-32:].hex()
        self.number, self.from_seq = 1, 1

    def sign(self, data):
        with tempfile.NamedTemporaryFile(dir=os.environ['VERIFY_TMP']) as f:
            f.write(data)
            f.flush()
            return subprocess.run(['openssl', 'pkeyutl', '-sign', '-inkey', self.path, '-rawin', '-in', f.name],
                                  check=True, stdout=subprocess.PIPE).stdout.hex()


def seal(document, domain, key):
    """The signed line; a member "sig" that is there goes."""
    d = {k: v for k, v in document.items() if k != 'sig'}
    line = json.dumps(d, separators=(',', ':')).encode()[:-1]
    return line + b',"sig":"' + key.sign(domain + line).encode() + b'"}\n'


def composition(m):
    pack = m['objects'][0] if m['objects'] else {'size': 0, 'sha256': sha()}
    out = ['ttytrail batch 1', m['kind'], m['host'], m['epoch'], m['seq'], m['created_us'],
           '%s %d' % (pack['sha256'], pack['size'])]
    if m.get('withheld'):
        out.append('withheld %d %s %s' % tuple(m['withheld'][k] for k in ('seq', 'sha256', 'head')))
    for s in m['segments']:
        out.append('%s %s %d %d %d %s %s %d' % tuple(
            s[k] for k in ('session', 'epoch', 'seq', 'offset', 'length', 'sha256', 'head', 'final')))
    return sha(''.join('%s\n' % o for o in out).encode())


def head_of(m):
    return sha(bytes.fromhex(m['previous_head'] + composition(m)))


def manifest_name(m):
    pack = m['objects'][0]['sha256'] if m['objects'] else sha()
    return 'batches/dt=%s/host=%s/%012d-%s-%s.json' % (
        stamp(m['created_us'], '%Y-%m-%d'), m['host'], m['seq'], stamp(m['created_us'], '%Y%m%dT%H%M%SZ'), pack)


class Session:
    """A session whose segments are made one after the other."""
    def __init__(self, host, epoch):
        self.host, self.epoch, self.id, self.seq = host, epoch, os.urandom(16).hex(), 0
        self.head = sha(b'ttytrail session chain\0\1', len(host).to_bytes(2, 'big'), host.encode(),
                        bytes.fromhex(epoch + self.id))
        self.final = False

    def segment(self, final=False, text='hello'):
        lines = '' if self.seq else '{"version":2,"width":80,"height":24}\n'
        data = gzip.compress((lines + '[%d,"o","%s"]\n' % (self.seq, text)).encode(), mtime=0)
        self.head = sha(bytes.fromhex(self.head), self.seq.to_bytes(8, 'big'), hashlib.sha256(data).digest())
        s = {'session': self.id, 'epoch': self.epoch, 'seq': self.seq, 'sha256': sha(data), 'head': self.head,
             'final': final, 'codec': 'gzip', 'previous': None, 'bytes': data, 'of': self}
        self.seq += 1
        self.final = final
        return s

    def row(self):
        return {'id': self.id, 'epoch': self.epoch, 'state': 'done' if self.final else 'open', 'uid': 0,
                'started_us': 10**15, 'ended_us': 0, 'cols': 80, 'rows': 24, 'redactions': 0, 'host': self.host,
                'kind': 'shell', 'user': 'alice', 'title': '', 'tty': '', 'exit': '', 'flags': '', 'command': None,
                'facts': {}}


class Host:
    """One epoch of a host that writes into a directory."""
    def __init__(self, top, name, key=None, epoch=None, why='new host'):
        self.top, self.name, self.epoch = top, name, epoch or os.urandom(16).hex()
        self.seq, self.us = 1, int(time.time() * 10**6) - 3 * DAY
        self.head = sha(('ttytrail batches 1\n%s\n%s\n' % (name, self.epoch)).encode())
        self.key = key or Key()
        if key is None:
            self.put_key(self.key, why=why)

    @classmethod
    def of_store(cls, top, key_file):
        """Goes on where a real host stopped; its key must be at hand."""
        h = cls.__new__(cls)
        h.top, h.key = top, Key(key_file)
        line = None
        for where, _, names in os.walk(os.path.join(top, 'batches')):
            for n in names:
                with open(os.path.join(where, n), encoding='utf-8') as f:
                    m = json.loads(f.read())
                if m['public_key'] == h.key.public and (line is None or m['seq'] > line['seq']):
                    line = m
        h.name, h.epoch, h.head, h.seq = line['host'], line['epoch'], line['head'], line['seq'] + 1
        h.us = line['created_us'] + 10**6
        return h

    def put(self, name, data, us=None):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data)
        if us is not None:
            os.utime(path, (us / 10**6, us / 10**6))
        return path

    def put_key(self, key, previous=None, sign_with=None, suffix='', why='rotated', of=None):
        d = {'ttytrail': 'key', 'version': 1, 'host': self.name, 'epoch': self.epoch, 'number': key.number,
             'algorithm': 'ed25519', 'public_key': key.public, 'created_us': self.us, 'machine_id': '',
             'instance_id': None, 'instance': None, 'from_seq': key.from_seq, 'why': why,
             'previous_epoch': previous and (of or self.epoch), 'previous_number': previous.number if previous else 0,
             'previous_key': previous and previous.public}
        body = json.dumps(d, separators=(',', ':')).encode()[:-1]
        d['previous_sig'] = previous and (sign_with or previous).sign(b'ttytrail key 1\n' + body)
        name = 'keys/host=%s/%s-%d.json%s' % (self.name, self.epoch, key.number, suffix)
        return self.put(name, seal(d, b'ttytrail key 1\n', key))

    def manifest(self, kind='batch', segments=(), opened=(), **more):
        pack, at, listed, sessions = b''.join(s['bytes'] for s in segments), 0, [], {}
        for s in segments:
            one = {k: v for k, v in s.items() if k not in ('bytes', 'of')}
            one.update(offset=at, length=len(s['bytes']))
            at += len(s['bytes'])
            listed.append(one)
            sessions[s['session']] = s['of'].row()
        m = {'ttytrail': 'manifest', 'version': 1, 'kind': kind, 'host': self.name, 'host_id': self.name,
             'epoch': self.epoch, 'seq': self.seq, 'key': self.key.number, 'public_key': self.key.public,
             'created': '', 'created_us': self.us, 'boot_id': '0' * 32, 'heartbeat_h': 1, 'skew_us': None,
             'previous_head': self.head, 'head': '', 'objects': [], 'segments': listed,
             'sessions': list(sessions.values()), 'open': list(opened), 'counts': {},
             'versions': {'ttytrail': 'test', 'format': 1}}
        if pack:
            m['objects'] = [{'name': '', 'size': len(pack), 'sha256': sha(pack)}]
        m.update(more)
        return m, pack

    def finish(self, m):
        """Everything that follows from the rest of it."""
        m['counts'] = {'segments': len(m['segments']), 'sessions': len(m['sessions']), 'open': len(m['open']),
                       'bytes': m['objects'][0]['size'] if m['objects'] else 0}
        if m['objects']:
            m['objects'][0]['name'] = re.sub(r'^batches(.*)\.json$', r'packs\1.cast.gz', manifest_name(m))
        m['head'] = head_of(m)
        return m

    def write(self, kind='batch', segments=(), opened=(), edit=None, key=None, where=None, suffix='', late=0, **more):
        """One batch: frozen, edited, signed, stored.  The manifest and its line."""
        m, pack = self.manifest(kind, segments, opened, **more)
        self.finish(m)
        if edit is not None:
            edit(m)
        line = seal(m, b'ttytrail manifest 1\n', key or self.key)
        name = manifest_name(m)
        if where is not None:
            name = name.replace('host=' + self.name, 'host=' + where)
        if pack:
            self.put(re.sub(r'^batches(.*)\.json$', r'packs\1.cast.gz', name), pack, self.us + late)
        self.path = self.put(name + suffix, line, self.us + late)
        self.head, self.seq, self.us = m['head'], m['seq'] + 1, self.us + HOUR
        return m, line

    def skip(self, kind='batch', segments=(), **more):
        """Frozen, and never stored: (manifest, line)."""
        m, _ = self.manifest(kind, segments, **more)
        self.finish(m)
        self.head, self.seq, self.us = m['head'], m['seq'] + 1, self.us + HOUR
        return m, seal(m, b'ttytrail manifest 1\n', self.key)

    def withhold(self, frozen, line, reason='the disk ate it', **more):
        w = {'seq': frozen['seq'], 'sha256': sha(line), 'composition': composition(frozen), 'head': frozen['head'],
             'segments': [{k: s[k] for k in ('session', 'epoch', 'seq', 'sha256')} for s in frozen['segments']],
             'reason': reason}
        return self.write('withheld', withheld=w, **more)

    def rotate(self, signed_by=None):
        key = Key()
        key.number, key.from_seq = self.key.number + 1, self.seq
        self.put_key(key, previous=self.key, sign_with=signed_by)
        old, self.key = self.key, key
        return old
