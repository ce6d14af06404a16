# SPDX-License-Identifier: Apache-2.0
"""The judge of what was shipped, which shares no code with the shipper: it lists every version of every object
below a prefix, checks signatures with openssl, and holds the manifests against the evidence database."""
import collections
import hashlib
import json
import os
import re
import sqlite3
import subprocess

DER = bytes.fromhex('302a300506032b6570032100')  # of an Ed25519 public key
NAME = re.compile(r'^(.*?)(\.r[0-9]+)?$')


class Wrong(Exception):
    pass


def check(truth, *words):
    if not truth:
        raise Wrong(' '.join(str(w) for w in words))


def base(name):
    return NAME.match(name).group(1)


def database(path):
    """{(session, number): (sha256, bytes)} of an evidence database."""
    d = sqlite3.connect('file:%s?mode=ro' % path, uri=True, timeout=60)
    try:
        return {(i.hex(), n): (h.hex(), b) for i, n, h, b in d.execute(
            'SELECT s.id, g.number, g.sha256, g.bytes FROM segment g JOIN session s ON s.row = g.session')}
    finally:
        d.close()


class Directory:
    """A directory, as the client of a bucket that keeps no versions."""

    def __init__(self, top):
        self.top = top

    def versions(self, _bucket, prefix):
        for where, _, names in sorted(os.walk(self.top)):
            for name in names:
                # What a kill left of a file that had no name yet is no object.
                if not name.endswith('.tmp'):
                    yield prefix + os.path.join(where, name)[len(self.top) + 1:], None, False

    def get(self, _bucket, key, _version):
        with open(os.path.join(self.top, key.partition('/')[2]), 'rb') as f:
            return f.read()


class Store:
    """Everything below a prefix, read once."""

    def __init__(self, client, bucket, prefix, scratch):
        self.scratch = scratch
        self.objects = collections.defaultdict(list)  # name without .rN -> bodies
        self.markers, self.versions = 0, 0
        for key, version, marker in client.versions(bucket, prefix + '/'):
            if marker:
                self.markers += 1
                continue
            self.versions += 1
            name = key[len(prefix) + 1:]
            self.objects[base(name)].append((name, client.get(bucket, key, version)))
        self.read_manifests()

    def below(self, folder):
        return [(n, b) for n, b in sorted(self.objects.items()) if n.startswith(folder + '/')]

    def signed(self, domain, line, public_key):
        """Whether the line is signed with that key, by openssl."""
        signed, found, sig = line.rpartition(b',"sig":"')
        if not found or not sig.endswith(b'"}\n') or len(sig) != 131:
            return False
        names = [os.path.join(self.scratch, n) for n in ('judged', 'judged.sig', 'judged.der')]
        for name, data in zip(names, (domain + signed, bytes.fromhex(sig[:128].decode()),
                                      DER + bytes.fromhex(public_key))):
            with open(name, 'wb') as f:
                f.write(data)
        return subprocess.run(['openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', names[2], '-keyform', 'DER',
                               '-rawin', '-in', names[0], '-sigfile', names[1]], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def read_keys(self):
        self.keys = {}
        for name, bodies in self.below('keys'):
            for _, body in bodies:
                try:
                    k = json.loads(body)
                    which = (k['host'], k['epoch'], k['key'] if 'key' in k else k['number'])
                    public = k['public_key']
                except (ValueError, KeyError, TypeError):
                    self.foreign.append(name)
                    continue
                check(self.keys.setdefault(which, public) == public, 'two keys of', which)

    def read_manifests(self):
        """Those that are signed with a key of the store, once each; what anybody else laid there is foreign."""
        self.foreign, self.manifests, self.copies = [], {}, 0
        self.read_keys()
        for name, bodies in self.below('batches'):
            for where, line in bodies:
                try:
                    m = json.loads(line)
                    which = (m['host'], m['epoch'], m['seq'])
                    public = self.keys[m['host'], m['epoch'], m['key']]
                except (ValueError, KeyError, TypeError):
                    self.foreign.append(where)
                    continue
                if which in self.manifests:
                    check(self.manifests[which][1] == line, 'other bytes under the number of', which, where)
                    self.copies += 1
                    continue
                if m['public_key'] != public or not self.signed(b'ttytrail manifest 1\n', line, public):
                    self.foreign.append(where)
                    continue
                self.manifests[which] = (m, line)

    def pack(self, m):
        """The bytes that the manifest names; the rest of that name is left over, or foreign."""
        o = m['objects'][0]
        bodies = [b for _, b in self.objects.get(o['name'], [])]
        ours = [b for b in bodies if hashlib.sha256(b).hexdigest() == o['sha256']]
        check(ours, 'no version of', o['name'], 'has its hash;', len(bodies), 'have not')
        check(len(ours[0]) == o['size'], o['name'], 'has another size')
        self.copies += len(ours) - 1
        self.foreign += [o['name']] * (len(bodies) - len(ours))
        return ours[0]

    def chains(self, cut_off):
        """Numbers without a gap from 1 on, each with the head of the one before it.  With `cut_off` all epochs but
        the newest may lack some: what was frozen and on its way went with ship.db, and comes under a new one."""
        newest = max(self.manifests.values(), key=lambda m: m[0]['created_us'])[0]['epoch']
        for host, epoch in sorted({w[:2] for w in self.manifests}):
            seqs = sorted(w[2] for w in self.manifests if w[:2] == (host, epoch))
            check(cut_off and epoch != newest or seqs == list(range(1, len(seqs) + 1)), 'batches of', epoch, 'have gaps:', seqs)
            for a, b in zip(seqs, seqs[1:]):
                check(b != a + 1 or self.manifests[host, epoch, a][0]['head'] == self.manifests[host, epoch, b][0]['previous_head'],
                      'batch', b, 'of', epoch, 'does not follow')

    def segments(self):
        """{(session, number): [(sha256, bytes, epoch, batch)]} over all manifests."""
        found = collections.defaultdict(list)
        named = set()
        for (_, epoch, seq), (m, _) in sorted(self.manifests.items()):
            if not m['segments']:
                continue
            pack = self.pack(m)
            named.add(m['objects'][0]['name'])
            for s in m['segments']:
                part = pack[s['offset']:s['offset'] + s['length']]
                check(hashlib.sha256(part).hexdigest() == s['sha256'], 'segment', s['seq'], 'is not its hash')
                found[s['session'], s['seq']].append((s['sha256'], part, epoch, seq))
        self.orphans = sum(len(b) for n, b in self.below('packs') if n not in named)
        return found


def judge(client, bucket, prefix, databases, scratch, twice=(), cut_off=False):
    """Raises Wrong, or returns the Store.  Every segment of the databases stands in exactly one manifest, no
    manifest holds one that is in no database.  `twice`: segments that may stand in one manifest of each of
    several epochs, with equal bytes (a clone's, or after a lost ship.db).  `cut_off`: see chains."""
    store = Store(client, bucket, prefix, scratch)
    check(store.manifests, 'no manifest')
    store.chains(cut_off)
    shipped, kept = store.segments(), {}
    for path in databases:
        for which, row in database(path).items():
            check(kept.setdefault(which, row) == row, 'the databases differ in', which)
    check(kept, 'no segment in', databases)
    for which, places in shipped.items():
        check(which in kept, 'segment', which, 'of batch', places[0][3], 'is in no database')
        check(len(places) == 1 or which in twice, which, 'stands in', len(places), 'batches')
        check(len({p[2] for p in places}) == len(places), which, 'stands twice in one epoch')
        for sha, part, _, seq in places:
            check((sha, part) == kept[which], which, 'of batch', seq, 'is not what the database has')
    lost = sorted(set(kept) - set(shipped))
    check(not lost, len(lost), 'segments in no manifest, the first', lost[:1])
    store.count = len(kept)
    return store
