# SPDX-License-Identifier: Apache-2.0
"""Shipping over a network and to a server that fail: each fault of scripts/s3faults for a while, no server at
all, no name, and a shipper that is killed over and over."""
import socket
import sys

import shiprig

WORDS = {'slowdown': '503 SlowDown', 'internal': '500 InternalError', 'reset': 'closed|[Ee]mpty reply|reset|Recv failure',
         'lost': ' 502', 'delay': ''}


def one_fault(rig, kind, percent, runs, ms=3000):
    with rig.case('%s, %d %% of the requests' % (kind, percent)) as c:
        live = shiprig.Live(rig, c.db)
        c.fault(kind, percent, ms)
        for _ in range(runs):
            live.say()
            # Delayed is not failed; and some always get through.
            c.ship(0 if kind == 'delay' else 1 if percent == 100 else (0, 1), WORDS[kind])
        live.finish()
        c.record(times=2)
        c.end()


def matrix(kinds, percents, runs, ms=3000):
    def of(kind, percent):
        def case(rig):
            one_fault(rig, kind, percent, runs, ms)
        case.__name__ = 'case_%s_%d' % (kind, percent)
        return case
    return [of(k, p) for k in kinds for p in percents]


def killed(rig, kills, every_s):
    with rig.case('kill -9 every %g s, %d times, while answers are lost' % (every_s, kills)) as c:
        live = shiprig.Live(rig, c.db)
        for i in range(kills):
            c.fault(('lost', 'delay', 'reset')[i % 3], 30, 200)
            live.say()
            c.record(20000)
            child = c.start()
            try:
                child.wait(every_s)
            except shiprig.subprocess.TimeoutExpired:
                pass
            shiprig.stop(child)
        live.finish()
        c.end()


def case_killed(rig):
    killed(rig, 6, 0.5)


def case_outage(rig):
    """Three hosts at once, since each tries for a while: an answer of 503 to everything, nobody who listens, and no
    name.  All is kept, and arrives when the server is back."""
    with rig.case('100 % outage') as refused, rig.case('nobody listens') as alone, rig.case('DNS gone') as nameless, \
            socket.socket() as s:
        s.bind(('127.0.0.1', 0))  # and never listens
        rig.write_conf(alone.conf, 'http://127.0.0.1:%d' % s.getsockname()[1])
        nameless.more = {'RES_OPTIONS': 'timeout:1 attempts:1'}
        rig.write_conf(nameless.conf, 'http://s3.ttytrail-test.invalid:%d' % rig.port)
        refused.fault('slowdown', 100)
        cases = (refused, '503 SlowDown'), (alone, '[Cc]onnect'), (nameless, '[Rr]esolve')
        shippers = [c.start() for c, _ in cases]
        for shipper, (c, words) in zip(shippers, cases):
            c.ended(shipper, words, 1)
        for c, _ in cases:
            left = shiprig.backlog(c)
            if left['frozen'] + left['segments'] == 0:
                raise shiprig.Failed('nothing waits')
        refused.fault('none')
        for c, _ in cases:
            rig.write_conf(c.conf)
            c.end()


CASES = matrix(WORDS, [30], 1, 200) + [case_killed, case_outage]


def soak(kills=60):
    def long_kill(rig):
        killed(rig, kills, 0.5)
    return matrix(WORDS, [10, 30, 100], 5) + [long_kill, case_outage]


if __name__ == '__main__':
    long = '--soak' in sys.argv
    names = [a for a in sys.argv[1:] if a != '--soak']
    sys.exit(shiprig.main('ship_faults_net', soak() if long else CASES, names))
