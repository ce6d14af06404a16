#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""full_host.py TTYTRAIL: the disk of an installed writer fills up, under each on_disk_full.

The goal: what was shown is in the database or in the ring, no login hangs, the writer goes on by itself when there is
room again.  The database lies on a small tmpfs of the test's own.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import lossrig  # noqa: E402
from lossrig import LONG, Host  # noqa: E402
from outer import Fail, check, equal, until  # noqa: E402

LINE = re.compile(rb'L\d+ [A-Za-z0-9+/=]{70,}')
PRINT = b'i=0; while [ $i -lt %d ]; do i=$((i+1)); echo "L$i $(head -c 60 /dev/urandom | base64 -w 0)"; sleep 0.002; done; echo en""ough\r'


def fill(host):
    """All room but a MiB goes to somebody else."""
    where = os.path.dirname(host.db)
    free = os.statvfs(where)
    with open(where + '/filler', 'wb') as f:
        os.posix_fallocate(f.fileno(), 0, free.f_bavail * free.f_frsize - 1024 * 1024)


def make_room(host):
    os.unlink(os.path.dirname(host.db) + '/filler')


def begin(host, policy):
    host.configure('[record]\nwriter_timeout_s = 5\n[store]\nreserve_mib = 2\non_disk_full = %s\n' % policy)
    host.start()
    reserve = host.db + '-reserve'
    until(lambda: os.path.exists(reserve) and os.stat(reserve).st_blocks * 512 >= 2 << 20, 'the reserve', LONG)
    o = host.login()
    o.expect(b'$ ', seconds=LONG)
    fill(host)
    return o


def lines(data):
    return set(LINE.findall(bytes(data)))


def recorded(host, wanted):
    """Everything in the sessions with these flags, once they are sealed."""
    got = b''
    for flags in wanted:
        for s in host.sessions():
            if s[3] == flags:
                got += host.ask('export', s[4], '--format', 'raw')
    return lines(got)


def over(host):
    """Room is made: the writer says so, has its reserve again, and takes logins."""
    make_room(host)
    until(lambda: b'disk-full-over' in host.said(), 'the writer finds the room', LONG)
    check(os.stat(host.db + '-reserve').st_blocks * 512 >= 2 << 20, 'the reserve is there again')


def afterwards(host):
    o = host.login(argv=('-c', 'exit 9'))
    equal(o.wait(LONG), 9, 'a login afterwards')
    o.close()
    host.stop()
    host.log_from = len(host.said())


def into_the_ring(host):
    o = begin(host, 'ring')
    o.type(PRINT % 40000)
    o.expect(b'this session goes on into a ring', seconds=LONG)
    check(b'disk-full db=' in host.said() and b'reserve=given-up' in host.said(), 'the log: %r' % host.said())
    at = len(o.shown)
    new = host.login()
    new.expect(b'this session goes on into a ring', seconds=LONG)
    new.type(b'echo L1 %s; exit 2\r' % (b'n' * 80))
    equal(new.wait(LONG), 2, 'a login while it is full')
    new.close()
    until(lambda: o.pump(0.01) and len(lines(o.shown[at:])) > 50, 'it goes on', LONG)
    over(host)
    o.expect(b'ttytrail: recorded again', seconds=LONG)
    o.type(b'\x03')
    o.type(b'\recho L2 %s; exit 3\r' % (b'm' * 80))
    equal(o.wait(LONG), 3, 'exit status')
    o.close()
    until(lambda: host.rings() == [] and all(s[5] for s in host.sessions()), 'rings are taken in', 2 * LONG)
    flags = sorted(s[3] for s in host.sessions())
    check('disk-full' in flags and 'ring' in flags, 'flags: %r' % flags)
    equal(sorted((lines(o.shown) | lines(new.shown)) - recorded(host, set(flags))), [], 'shown, not recorded')
    afterwards(host)


def ends(host):
    o = begin(host, 'end')
    before = len(host.sessions())
    o.type(PRINT % 40000)
    equal(o.wait(LONG), 125, 'exit status')
    check(b'the disk of the recordings is full' in o.shown, 'the reason: %r' % bytes(o.shown[-300:]))
    new = host.login()
    equal(new.wait(LONG), 125, 'a login while it is full')
    check(b'the disk of the recordings is full' in new.shown, 'the reason: %r' % bytes(new.shown))
    new.close()
    o.close()
    last = host.sessions()[-1]
    equal((len(host.sessions()), last[1]), (before, 1), 'it was ended in order, with what was kept back')
    over(host)
    until(lambda: host.sessions()[-1][5], 'it is sealed', LONG)
    equal(sorted(lines(o.shown) - recorded(host, {last[3]})), [], 'shown, not recorded')
    afterwards(host)


def goes_on(host):
    o = begin(host, 'continue')
    o.type(PRINT % 40000)
    o.expect(b'this session goes on unrecorded', seconds=LONG)
    whole = lines(o.shown)
    over(host)
    o.expect(b'ttytrail: recorded again', seconds=LONG)
    o.type(b'\x03')
    o.type(b'\recho L2 %s; exit 3\r' % (b'm' * 80))
    equal(o.wait(LONG), 3, 'exit status')
    o.close()
    until(lambda: host.sessions()[-1][5], 'it is sealed', LONG)
    equal(host.sessions()[-1][3], 'disk-full', 'its flag')
    got = recorded(host, {'disk-full'})
    check(b'L2 ' + b'm' * 80 in got, 'recorded again')
    at = o.shown.find(b'ttytrail: the recording')
    equal(sorted(lines(o.shown[:at]) - got), [], 'shown before, not recorded')
    check(len(whole) > 50, 'lines')
    check(b', disk full' in host.ask('export', host.sessions()[-1][4], '--format', 'cast'), 'the mark')
    afterwards(host)


def main():
    only = sys.argv[2:]
    for case in into_the_ring, ends, goes_on:
        if only and case.__name__ not in only:
            continue
        host = Host(os.path.dirname(os.path.abspath(sys.argv[1])), disk_mib=48)
        try:
            case(host)
            print('  ok: %s' % case.__name__, flush=True)
        except Fail as e:
            sys.exit('full_host: FAILED in %s: %s\n%s' % (case.__name__, e, host.said().decode(errors='replace')[-2000:]))
        finally:
            host.close()
    print('full_host: passed')


lossrig.inside() and main()
