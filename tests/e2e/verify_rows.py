# SPDX-License-Identifier: Apache-2.0
"""The rows of verify_store.py: each takes a directory that a real host wrote and that host (with its key), does something, and
says what verifiers have to say of it."""
import glob
import json
import os
import shutil

from verify_writer import DAY, HOUR, Host, Key, Session, manifest_name, seal, sha


def rows_of():
    """An empty table, and the decorator that adds to it."""
    rows = []

    def row(name):
        def add(function):
            rows.append((name, function))
            return function
        return add
    return rows, row


ROWS, row = rows_of()


def objects(top, room, host='*'):
    return sorted(glob.glob('%s/%s/dt=*/host=%s/*' % (top, room, host)), key=os.path.basename)


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def write(path, data):
    s = os.stat(path)
    with open(path, 'wb') as f:
        f.write(data)
    os.utime(path, ns=(s.st_atime_ns, s.st_mtime_ns))


def parts(top, n=1):
    """The real host's manifest number n (from 0), its path, its pack's path and bytes."""
    path = objects(top, 'batches')[n]
    m = json.loads(read(path))
    pack = os.path.join(top, m['objects'][0]['name'])
    return m, path, pack, read(pack)


def days(top):
    """Another host, of three days: two batches, a heartbeat, a stop."""
    h = Host(top, 'days')
    s = Session(h.name, h.epoch)
    for _ in range(3):
        h.write(segments=[s.segment()])
        h.us += DAY - HOUR
    h.write('heartbeat', opened=[{'session': s.id, 'epoch': s.epoch, 'next': 3, 'head': s.head}])
    return h, s


# ---- bytes ----

@row('a byte changed')
def _(top, host):
    m, _, pack, data = parts(top)
    s = m['segments'][2]
    at = s['offset'] + s['length'] // 2
    write(pack, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    return {'words': ['altered'], 'detail': '"segment": %d, "offset": %d' % (s['seq'], s['offset'])}


@row('a byte of a manifest changed')
def _(top, host):
    _, path, _, _ = parts(top)
    write(path, read(path).replace(b'"user":"', b'"user":"x'))
    return {'words': ['altered', 'gap']}


@row('a segment dropped from a pack')
def _(top, host):
    m, _, pack, data = parts(top)
    s = m['segments'][1]
    write(pack, data[:s['offset']] + data[s['offset'] + s['length']:])
    shifted = [i for i in m['segments'][1:] if i['offset'] + i['length'] <= len(data) - s['length']]
    return {'words': ['truncated'] + (['altered'] if shifted else [])}


@row('a segment dropped, and signed again')
def _(top, host):
    m, path, pack, data = parts(top)
    s = m['segments'].pop()
    data = data[:s['offset']]
    os.unlink(pack)
    os.unlink(path)
    m['objects'][0].update(size=len(data), sha256=sha(data))
    host.finish(m)
    host.put(m['objects'][0]['name'], data, m['created_us'])
    host.put(manifest_name(m), seal(m, b'ttytrail manifest 1\n', host.key), m['created_us'])
    return {'words': ['altered']}  # the batch behind it does not follow; of the session the end is not known


@row('two segments swapped in a pack')
def _(top, host):
    m, _, pack, data = parts(top)
    a, b = m['segments'][0], m['segments'][1]
    cut = [data[:a['length']], data[b['offset']:b['offset'] + b['length']], data[b['offset'] + b['length']:]]
    write(pack, cut[1] + cut[0] + cut[2])
    return {'words': ['altered']}


@row('two segments swapped, and signed')
def _(top, host):
    def swap(m):
        m['segments'][0]['seq'], m['segments'][1]['seq'] = 1, 0
        host.finish(m)
    s = Session(host.name, host.epoch)
    host.write(segments=[s.segment(), s.segment(), s.segment(True)], edit=swap)
    return {'words': ['altered']}


@row('a segment repeated in a pack')
def _(top, host):
    m, _, pack, data = parts(top)
    write(pack, data + data[:m['segments'][0]['length']])
    return {'words': ['altered']}


@row('a segment repeated in a later batch')
def _(top, host):
    m, _, _, data = parts(top)
    s = dict(m['segments'][0])
    s['bytes'] = data[:s['length']]
    s['of'] = Session(host.name, host.epoch)
    host.write(segments=[s], edit=lambda n: n.update(sessions=[]) or host.finish(n))
    return {'words': ['repeated']}


@row('a truncated pack')
def _(top, host):
    _, _, pack, data = parts(top)
    write(pack, data[:-10])
    return {'words': ['truncated']}


@row('a pack that is gone')
def _(top, host):
    os.unlink(parts(top)[2])
    return {'words': ['gap']}


@row('another object over the pack, and the pack beside it')
def _(top, host):
    _, _, pack, data = parts(top)
    shutil.copy2(pack, pack + '.r1')
    write(pack, b'x' * len(data))
    return {'words': ['versions'], 'detail': 'those are in ' + os.path.relpath(pack, top) + '.r1'}


@row('a shorter object beside the pack')
def _(top, host):
    pack = parts(top)[2]
    shutil.copy2(pack, pack + '.r1')
    write(pack + '.r1', b'x')
    return {'words': ['versions'], 'options': ['--quick'], 'detail': 'those are in ' + os.path.relpath(pack, top) + '"'}


@row('the pack once more')
def _(top, host):
    pack = parts(top)[2]
    shutil.copy2(pack, pack + '.r1')
    return {'words': [], 'orphans': [os.path.relpath(pack, top) + '.r1: the signed bytes once more']}


@row('a pack without a manifest')
def _(top, host):
    path, pack = parts(top, 2)[1:3]
    os.unlink(path)
    return {'words': [], 'orphans': [os.path.relpath(pack, top) + ': no manifest tells of this pack']}


# ---- batches ----

@row('a batch missing')
def _(top, host):
    os.unlink(parts(top)[1])
    return {'words': ['gap'], 'detail': '1 finding, the first (gap) at batch 3; epoch'}


@row('a day missing behind a heartbeat')
def _(top, host):
    h, _ = days(top)
    name = objects(top, 'batches', h.name)[1]
    for room in ('batches', 'packs'):
        shutil.rmtree(os.path.dirname(os.path.dirname(name)).replace('batches', room))
    return {'words': ['gap']}


@row('the last day missing behind a heartbeat')
def _(top, host):
    h, _ = days(top)
    name = objects(top, 'batches', h.name)[2]
    for room in ('batches', 'packs'):
        os.unlink(name if room == 'batches' else objects(top, 'packs', h.name)[2])
    return {'words': ['gap', 'truncated']}


@row('three days and nothing wrong')
def _(top, host):
    days(top)
    return {'words': []}


@row('a manifest of another host')
def _(top, host):
    h, _ = days(top)
    path = objects(top, 'batches', h.name)[0]
    there = path.replace('host=days', 'host=web1')
    os.makedirs(os.path.dirname(there), exist_ok=True)
    shutil.copy2(path, there)
    return {'words': ['altered']}


@row('a signature by another key')
def _(top, host):
    m, path, _, _ = parts(top)
    write(path, seal(m, b'ttytrail manifest 1\n', Key()))
    return {'words': ['altered', 'gap']}


@row('a signature by another key, which it names')
def _(top, host):
    m, path, _, _ = parts(top)
    key = Key()
    m['public_key'] = key.public
    write(path, seal(m, b'ttytrail manifest 1\n', key))
    return {'words': ['gap', 'unknown_key']}


@row('a signature by the key of another host, which it names where nobody looks')
def _(top, host):
    h, _ = days(top)
    m, pack = host.manifest(segments=[Session(host.name, host.epoch).segment(True)])
    host.finish(m)
    m = {'x': {'y': 0, 'public_key': h.key.public}, **m}  # the first in the line, and inside something else
    host.put(m['objects'][0]['name'], pack)
    host.put(manifest_name(m), seal(m, b'ttytrail manifest 1\n', h.key))
    return {'words': ['unknown_key'], 'detail': 'signed by another key than the one it names'}


@row('a host writes below the path of another, as itself')
def _(top, host):
    h, _ = days(top)
    h.write(segments=[Session(h.name, h.epoch).segment(True)], where='web1')
    return {'words': ['altered']}


@row('a host writes below the path of another, as that one')
def _(top, host):
    h, _ = days(top)
    s = Session(host.name, host.epoch)
    host.write(segments=[s.segment(True)], key=h.key, edit=lambda m: m.update(public_key=h.key.public))
    return {'words': ['unknown_key']}


@row('a back-dated batch')
def _(top, host):
    host.us -= 5 * HOUR
    host.write(segments=[Session(host.name, host.epoch).segment(True)], late=5 * HOUR)
    return {'words': ['back_dated'], 'detail': 'before the batch before it'}


@row('a batch that was stored before it was made')
def _(top, host):
    host.us += 5 * HOUR
    host.write(segments=[Session(host.name, host.epoch).segment(True)], late=-5 * HOUR)
    return {'words': ['back_dated'], 'detail': 'before it says it was made'}


@row('a clock that is known to be wrong')
def _(top, host):
    host.us += 5 * HOUR
    host.write(segments=[Session(host.name, host.epoch).segment(True)], late=-5 * HOUR, skew_us=-5 * HOUR)
    return {'words': []}


@row('two manifests under one number')
def _(top, host):
    s = Session(host.name, host.epoch)
    seq, head, us = host.seq, host.head, host.us
    host.write(segments=[s.segment(True)])
    host.seq, host.head, host.us = seq, head, us + HOUR
    host.write('heartbeat')
    return {'words': ['altered'], 'detail': 'two manifests under number 4'}


@row('the same manifest twice')
def _(top, host):
    path = objects(top, 'batches')[0]
    shutil.copy2(path, path + '.r1')
    return {'words': [], 'orphans': [os.path.relpath(path, top) + '.r1: the same bytes once more']}


@row('many copies of a manifest')
def _(top, host):
    path = objects(top, 'batches')[0]
    for i in range(1, 200):
        shutil.copy2(path, '%s.r%d' % (path, i))
    return {'words': [], 'orphans': ['%s.r%d: the same bytes once more' % (os.path.relpath(path, top), i) for i in range(1, 200)]}


@row('many batches in many threads')
def _(top, host):
    for _ in range(40):
        host.write(segments=[Session(host.name, host.epoch).segment(True)])
    return {'words': [], 'options': ['--jobs', '32']}


@row('an unsigned manifest')
def _(top, host):
    _, path, _, _ = parts(top)
    write(path, read(path)[:-139] + b'}\n')
    return {'words': ['gap', 'unsigned']}


@row('no manifests at all')
def _(top, host):
    shutil.rmtree(top + '/batches')
    return {'words': ['gap']}


@row('a host that never shipped')
def _(top, host):
    return {'words': ['gap'], 'options': ['--expect', 'web1,web2'], 'hosts': ['web1', 'web2'], 'detail': 'it never shipped'}


@row('what nothing of ours writes')
def _(top, host):
    host.put('packs/dt=2026-11-27/host=web1/evil.sh', b'x')
    host.put('packs/dt=2026-11-27/host=../web1/000000000001-20261127T000000Z-%s.cast.gz' % sha(), b'x')
    os.mkfifo(os.path.dirname(objects(top, 'batches')[0]) + '/000000000009-20261127T000000Z-%s.json' % sha())
    os.symlink('/nowhere', top + '/keys/link')
    return {'words': ['unsigned']}
