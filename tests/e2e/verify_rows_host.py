# SPDX-License-Identifier: Apache-2.0
"""More rows of verify_store.py: claims that cost nothing, keys and their replacement, withheld batches, signs of life."""
import json
import os

from verify_rows import days, objects, parts, read, rows_of, write
from verify_writer import DAY, HOUR, Host, Key, Session, seal, stamp

ROWS, row = rows_of()
OPEN = {'session': 'ab' * 16, 'epoch': 'cd' * 16, 'next': 10**12, 'head': '00' * 32}


# ---- claims ----

@row('a number far away')
def _(top, host):
    host.seq = 999999999999
    host.write('heartbeat')
    return {'words': ['gap'], 'detail': '999999999995 before it missing'}


@row('a number farther than there are')
def _(top, host):
    host.seq = 10**12
    host.write('heartbeat')
    return {'words': ['unsigned']}


@row('an open session that is claimed far away')
def _(top, host):
    host.write('heartbeat', opened=[OPEN])
    return {'words': ['truncated'], 'detail': '"segment": 0'}


@row('many such sessions')
def _(top, host):
    host.write('heartbeat', opened=[dict(OPEN, session='%032x' % i) for i in range(2000)])
    return {'words': ['truncated']}


@row('a huge pack is claimed')
def _(top, host):
    def edit(m):
        m['objects'][0]['size'] = m['segments'][0]['length'] = 1 << 62
        host.finish(m)
    host.write(segments=[Session(host.name, host.epoch).segment(True)], edit=edit)
    return {'words': ['truncated']}


@row('several huge packs are claimed')
def _(top, host):
    def edit(m):
        m['objects'][0]['size'] = m['segments'][0]['length'] = (1 << 63) - 1
        host.finish(m)
    s = Session(host.name, host.epoch)
    for last in (False, False, True):
        host.write(segments=[s.segment(last)], edit=edit)
    return {'words': ['truncated']}


@row('a huge segment in a small pack')
def _(top, host):
    def edit(m):
        m['segments'][0]['length'] = (1 << 63) - 1
        host.finish(m)
    host.write(segments=[Session(host.name, host.epoch).segment(True)], edit=edit)
    return {'words': ['altered']}


@row('a segment number far away')
def _(top, host):
    s = Session(host.name, host.epoch)
    s.seq = 999999999999
    host.write(segments=[s.segment(True)])
    return {'words': ['gap']}


@row('a segment number farther away')
def _(top, host):
    s = Session(host.name, host.epoch)
    s.seq = (1 << 63) - 1
    host.write(segments=[s.segment(True)])
    return {'words': ['altered']}


@row('counts that are not so')
def _(top, host):
    # Ours is strict; the other one does not read them: the signature covers what counts.
    host.write('heartbeat', edit=lambda m: m['counts'].update(open=10**12))
    return {'words': ['altered'], 'both': False}


@row('more values than a manifest has, signed')
def _(top, host):
    host.write('heartbeat', junk=[[]] * (3 << 20))
    return {'words': ['altered'], 'both': False}  # the other one says "unsigned": it looks at this first


@row('a mountain of brackets, unsigned')
def _(top, host):
    name = 'batches/dt=%s/host=web1/000000000004-%s-%s.json' % (
        stamp(host.us, '%Y-%m-%d'), stamp(host.us, '%Y%m%dT%H%M%SZ'), '0' * 64)
    host.put(name, b'[' * (8 << 20))
    return {'words': ['unsigned']}


@row('larger than a manifest can be')
def _(top, host):
    path = objects(top, 'batches')[0] + '.r1'
    with open(path, 'wb') as f:
        f.truncate(5 << 30)  # of nothing
    return {'words': ['unsigned']}


# ---- keys ----

@row('a forged key object beside the real one')
def _(top, host):
    host.put_key(Key(), suffix='.r1')
    return {'words': ['altered'], 'detail': 'another key under a number that is taken'}


@row('a forged key object over the real one')
def _(top, host):
    host.put_key(Key())
    return {'words': ['unknown_key']}


@row('a key object with a byte changed')
def _(top, host):
    path = '%s/keys/host=%s/%s-1.json' % (top, host.name, host.epoch)
    write(path, read(path).replace(b'"number":1', b'"number":2'))
    return {'words': ['unknown_key', 'unsigned']}


@row('a key object of another host')
def _(top, host):
    h, _ = days(top)
    path = '%s/keys/host=%s/%s-1.json' % (top, h.name, h.epoch)
    host.put('keys/host=%s/%s-1.json' % (host.name, h.epoch), read(path))
    return {'words': ['altered']}


@row('a key is replaced')
def _(top, host):
    host.rotate()
    host.write('heartbeat')
    host.rotate()
    host.write(segments=[Session(host.name, host.epoch).segment(True)])
    return {'words': []}


@row('a replaced key signs once more')
def _(top, host):
    old = host.rotate()
    host.write('heartbeat')
    new, host.key = host.key, old
    host.write('heartbeat')
    host.key = new
    host.write('heartbeat')
    return {'words': ['gap', 'unknown_key']}


@row('a key that signs before its time')
def _(top, host):
    old = host.key
    key = Key()
    key.number, key.from_seq = 2, host.seq + 1
    host.put_key(key, previous=old)
    host.key = key
    host.write('heartbeat')
    return {'words': ['unknown_key']}


@row('a rotation that its predecessor did not sign')
def _(top, host):
    host.rotate(signed_by=Key())
    host.write('heartbeat')
    return {'words': ['altered', 'unknown_key']}


@row('a rotation that names another predecessor')
def _(top, host):
    stranger = Key()
    key = Key()
    key.number, key.from_seq = 2, host.seq
    host.put_key(key, previous=stranger)
    host.key = key
    host.write('heartbeat')
    return {'words': ['altered', 'unknown_key']}


@row('a rotation that signs from before the one before')
def _(top, host):
    key = Key()
    key.number, key.from_seq = 2, 1
    host.put_key(key, previous=host.key)
    host.key = key
    host.write('heartbeat')
    return {'words': ['altered', 'unknown_key']}


def pins(top, *lines):
    path = top + '.pins'
    with open(path, 'w', encoding='utf-8') as f:
        f.write('# host epoch key\n\n' + ''.join('%s %s %s\n' % i for i in lines))
    return ['--pins', path]


@row('pinned keys')
def _(top, host):
    pin = pins(top, (host.name, host.epoch, host.key.public))
    host.rotate()
    host.write('heartbeat')
    return {'words': [], 'options': pin, 'both': False, 'detail': '"trust": "pinned"'}


@row('another key than the pinned one')
def _(top, host):
    return {'words': ['gap', 'unknown_key'], 'options': pins(top, (host.name, host.epoch, Key().public)) + ['--expect', 'web1'],
            'both': False, 'detail': 'not pinned: web1 %s %s' % (host.epoch, host.key.public), 'orphans': []}


@row('a pinned key that is forged beside')
def _(top, host):
    path = host.put_key(Key(), suffix='.r1')
    os.utime(path, (1, 1))  # it was there first
    return {'words': ['altered'], 'options': pins(top, (host.name, host.epoch, host.key.public)), 'both': False}


# ---- withheld ----

@row('a batch is withheld, and its segments come again')
def _(top, host):
    s = Session(host.name, host.epoch)
    a, b = s.segment(), s.segment(True)
    frozen, line = host.skip(segments=[a])
    host.write(segments=[b])
    host.withhold(frozen, line)
    host.write(segments=[a])
    return {'words': [], 'detail': '1 withheld'}


@row('a batch is withheld, and its segments do not come again')
def _(top, host):
    s = Session(host.name, host.epoch)
    frozen, line = host.skip(segments=[s.segment()])
    host.write(segments=[s.segment(True)])
    host.withhold(frozen, line)
    return {'words': ['withheld'], 'detail': 'the disk ate it'}


@row('a batch is withheld, and had arrived all the same')
def _(top, host):
    s = Session(host.name, host.epoch)
    a = s.segment(True)
    frozen, line = host.write(segments=[a])
    host.withhold(frozen, line)
    host.write(segments=[a])
    return {'words': []}


@row('a batch is withheld, and another one stands there')
def _(top, host):
    a = Session(host.name, host.epoch).segment(True)
    frozen, line = host.write(segments=[a])
    host.withhold(frozen, line + b' ')
    host.write(segments=[a])
    return {'words': ['altered'], 'detail': 'it is not what was withheld'}


@row('withheld without a reason')
def _(top, host):
    frozen, line = host.skip(segments=[Session(host.name, host.epoch).segment(True)])
    host.withhold(frozen, line, reason='')
    return {'words': ['altered']}


@row('withheld, what does not follow')
def _(top, host):
    s = Session(host.name, host.epoch)
    frozen, line = host.skip(segments=[s.segment(True)])
    frozen['head'] = 'ab' * 32
    host.withhold(frozen, line)
    return {'words': ['altered', 'withheld']}


@row('withheld twice')
def _(top, host):
    a = Session(host.name, host.epoch).segment(True)
    frozen, line = host.skip(segments=[a])
    host.withhold(frozen, line)
    host.withhold(frozen, line, reason='again')
    host.write(segments=[a])
    return {'words': ['altered']}


# ---- epochs ----

def second_epoch(top, host, number=0):
    """The same host with a new key, and a segment that it sends again: (host, that segment)."""
    m, _, _, data = parts(top)
    s = dict(m['segments'][number], of=Session(host.name, host.epoch))
    s['bytes'] = data[s['offset']:s['offset'] + s['length']]
    h = Host(top, host.name, why='ship.db was lost')
    h.us = host.us
    return h, s


@row('the same segment in two epochs')
def _(top, host):
    h, s = second_epoch(top, host)
    h.write(segments=[s], edit=lambda m: m.update(sessions=[]) or h.finish(m))
    return {'words': []}


@row('another segment under the same number in two epochs')
def _(top, host):
    h, s = second_epoch(top, host)
    s['head'] = 'ab' * 32
    h.write(segments=[s], edit=lambda m: m.update(sessions=[]) or h.finish(m))
    return {'words': ['altered']}


@row('a manifest of another epoch under the same name')
def _(top, host):
    m, path, _, _ = parts(top)
    h = Host(top, host.name)
    m.update(epoch=h.epoch, public_key=h.key.public)
    h.finish(m)
    write(path, seal(m, b'ttytrail manifest 1\n', h.key))
    return {'words': ['altered', 'gap']}  # and no key vouches for the new epoch


# ---- whose a session is ----

def next_epoch(top, host, name=None, key=None):
    """An epoch whose first key the epoch before vouches for: (key, or the host's)."""
    h = Host(top, name or host.name, key=Key())
    h.us = host.us
    h.put_key(h.key, previous=key or host.key, of=host.epoch, why='ship.db was lost')
    return h


def open_session(host):
    s = Session(host.name, host.epoch)
    host.write(segments=[s.segment()], opened=[{'session': s.id, 'epoch': host.epoch, 'next': 1, 'head': s.head}])
    return s


@row('a session that another host goes on with')
def _(top, host):
    s = open_session(host)
    a = Host(top, 'web9')
    a.us = host.us
    a.write(segments=[s.segment(True)])
    return {'words': ['altered'], 'hosts': ['web1'], 'detail': 'session %s is signed by another host' % s.id}


@row('a session that an epoch of the same name goes on with, for which nobody vouches')
def _(top, host):
    s = open_session(host)
    h = Host(top, host.name)
    h.us = host.us
    h.write(segments=[s.segment(True)])
    return {'words': ['altered'], 'detail': 'is signed by another host'}


@row('a session that a later epoch goes on with')
def _(top, host):
    s = open_session(host)
    h = next_epoch(top, next_epoch_written(top, host))
    h.write(segments=[s.segment(True)])
    return {'words': []}


def next_epoch_written(top, host):
    h = next_epoch(top, host)
    h.write('heartbeat')
    return h


@row('a session that a sister of its epoch goes on with')
def _(top, host):
    a, b = next_epoch(top, host, 'clone1'), next_epoch(top, host, 'clone2')
    s = open_session(a)
    b.us = a.us
    b.write(segments=[s.segment(True)])
    return {'words': ['altered'], 'detail': 'is signed by another host'}


@row('a session that never shipped from its own epoch')
def _(top, host):
    h = Host(top, 'copied')
    s = Session(h.name, 'ab' * 16)
    h.write(segments=[s.segment()])
    h.write(segments=[s.segment(True)])
    return {'words': []}


@row('an epoch that another host claims')
def _(top, host):
    a = Host(top, 'web9', epoch=host.epoch)
    a.us = host.us
    s = open_session(host)
    a.write(segments=[s.segment(True)])
    return {'words': ['altered', 'unknown_key'], 'detail': 'its epoch is that of another host'}


@row('a row, a promise and an excuse of another host')
def _(top, host):
    s = open_session(host)
    a = Host(top, 'web9')
    a.us = host.us + HOUR
    r = dict(s.row(), host='web9', state='cut', user='mallory')
    a.write('heartbeat', sessions=[r], opened=[{'session': s.id, 'epoch': s.epoch, 'next': 9, 'head': '00' * 32}])
    s.segment()
    host.write(segments=[s.segment(True)])
    return {'words': ['gap'], 'detail': '"user": "alice"'}


# ---- a whole epoch ----

@row('an epoch that is gone, and the next one names its key')
def _(top, host):
    h = next_epoch(top, host)
    h.write('heartbeat')
    for room in ('batches', 'packs'):
        for path in objects(top, room, host.name):
            if room == 'packs' or json.loads(read(path))['epoch'] == host.epoch:
                os.unlink(path)
    os.unlink('%s/keys/host=%s/%s-1.json' % (top, host.name, host.epoch))
    return {'words': ['gap'], 'detail': 'epoch ' + host.epoch}


@row('an epoch of which the key alone is left')
def _(top, host):
    h = next_epoch(top, host)
    h.write('heartbeat')
    for room in ('batches', 'packs'):
        for path in objects(top, room, host.name):
            if room == 'packs' or json.loads(read(path))['epoch'] == host.epoch:
                os.unlink(path)
    return {'words': ['gap'], 'detail': 'of which no batch is here'}


# ---- signs of life ----

def at(us):
    return ['--at', stamp(us, '%Y-%m-%dT%H:%M:%SZ')]


@row('silent since')
def _(top, host):
    h, _ = days(top)
    return {'words': ['silent'], 'options': at(h.us + 30 * HOUR) + ['--host', 'days'], 'both': False,
            'detail': 'nothing of this host since'}


@row('stopped in order')
def _(top, host):
    h = Host(top, 'stops')
    h.write('heartbeat')
    h.write('stop')
    return {'words': [], 'options': at(h.us + 30 * HOUR) + ['--host', 'stops'], 'both': False}


@row('silent in between, and back without a word')
def _(top, host):
    h = Host(top, 'pause')
    h.write('heartbeat')
    h.us += 9 * HOUR
    h.write('heartbeat')
    return {'words': ['silent'], 'options': at(h.us) + ['--host', 'pause'], 'both': False, 'detail': 'nothing for 10 h before it'}


@row('silent, and stopped by an epoch for which nobody vouches')
def _(top, host):
    h = Host(top, 'hush')
    h.write('heartbeat')
    a = Host(top, 'hush')
    a.us = h.us
    a.write('stop')
    return {'words': ['silent'], 'options': at(h.us + 30 * HOUR) + ['--host', 'hush'], 'both': False}


@row('stopped by the next epoch')
def _(top, host):
    h = Host(top, 'goes')
    h.write('heartbeat')
    a = next_epoch(top, h)
    a.write('stop')
    return {'words': [], 'options': at(h.us + 30 * HOUR) + ['--host', 'goes'], 'both': False}


@row('down in between, and booted')
def _(top, host):
    h = Host(top, 'boots')
    h.write('heartbeat')
    h.us += 9 * HOUR
    h.write('boot', boot={'previous_boot_id': '1' * 32, 'began_us': h.us})
    return {'words': [], 'options': at(h.us) + ['--host', 'boots'], 'both': False}


# ---- what is looked at ----

@row('one day of three')
def _(top, host):
    h, _ = days(top)
    os.unlink(objects(top, 'batches', h.name)[0])  # not looked at
    return {'words': [], 'both': False, 'options': ['--host', 'days', '--day', stamp(h.us - HOUR - DAY, '%Y-%m-%d')]}


@row('the beginning of a range is gone')
def _(top, host):
    h = Host(top, 'range')
    for _ in range(4):
        h.write('heartbeat')
        h.us += DAY - HOUR
    os.unlink(objects(top, 'batches', h.name)[1])
    return {'words': ['gap'], 'both': False, 'detail': 'the batch before it, 2,',
            'options': ['--host', 'range', '--since', stamp(h.us - 2 * DAY, '%Y-%m-%d')]}


@row('one session of many')
def _(top, host):
    m, _, pack, data = parts(top)
    write(pack, data[:-10])
    other = next(json.loads(read(p)) for p in objects(top, 'batches') if m['segments'][0]['session'].encode() not in read(p))
    return {'words': [], 'both': False, 'options': ['--session', other['segments'][0]['session'][:12]]}


@row('a session that is not there')
def _(top, host):
    return {'words': ['absent'], 'both': False, 'options': ['--session', 'f' * 32], 'detail': 'they are of: web1'}


@row('a host that is not there')
def _(top, host):
    return {'words': ['absent'], 'both': False, 'options': ['--host', 'web9'], 'detail': 'there is: web1'}


@row('a day before all')
def _(top, host):
    return {'words': ['absent'], 'both': False, 'options': ['--day', '2020-01-01'], 'detail': 'there are some from 20'}


@row('since after all')
def _(top, host):
    return {'words': ['absent'], 'both': False, 'options': ['--since', '9998-01-01', '--host', 'web1'],
            'detail': 'no batch of web1 is of then'}


def quiet_day(top, *options):
    """Two batches with three days between them, and the options that ask for a day in between."""
    h = Host(top, 'quiet')
    h.write('heartbeat')
    day = stamp(h.us + DAY, '%Y-%m-%d')
    h.us += 3 * DAY
    h.write('heartbeat')
    return h, ['--host', 'quiet', '--day', day, *options]


@row('a day on which nothing was, between two')
def _(top, host):
    return {'words': [], 'both': False, 'options': quiet_day(top)[1], 'detail': '"verdict": "complete"',
            'imports': 'absent day '}


@row('the same, where a sign of life was promised')
def _(top, host):
    h, options = quiet_day(top)
    return {'words': ['silent'], 'both': False, 'options': options + at(h.us), 'detail': 'before it'}


@row('the same, and a batch is missing')
def _(top, host):
    h, options = quiet_day(top)
    h.write('heartbeat')
    os.unlink(objects(top, 'batches', h.name)[1])
    return {'words': ['gap'], 'both': False, 'options': options, 'detail': 'before it missing'}


@row('a store through one thread')
def _(top, host):
    os.unlink(parts(top)[1])
    return {'words': ['gap'], 'options': ['--jobs', '1']}


@row('a pack of the right size, quickly')
def _(top, host):
    _, _, pack, data = parts(top)
    write(pack, b'x' * len(data))
    return {'words': [], 'options': ['--quick'], 'both': False}
