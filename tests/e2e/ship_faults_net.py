# SPDX-License-Identifier: Apache-2.0
"""Shipping over a network and to a server that fail: each fault of scripts/s3faults for a while, and
a shipper that is killed over and over."""
import sys

import shiprig

WORDS = {'slowdown': '503 SlowDown', 'internal': '500 InternalError', 'reset': 'closed|[Ee]mpty reply|reset|Recv failure',
         'lost': ' 502', 'delay': ''}


def one_fault(rig, kind, percent, runs, ms=3000):
    with rig.case('%s, %d %% of the requests' % (kind, percent)) as c:
        live = shiprig.Live(rig, c.db)
        if percent == 100:
            c.ship()  # the host's key is there: what fails now is batches
        c.fault(kind, percent, ms)
        for _ in range(runs):
            live.say()
            c.record(60000, times=runs)
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


CASES = matrix(WORDS, [30], 1, 200) + [case_killed]


def soak(kills=60):
    def long_kill(rig):
        killed(rig, kills, 0.5)
    return matrix(WORDS, [10, 30, 100], 4) + [long_kill]


if __name__ == '__main__':
    long = '--soak' in sys.argv
    names = [a for a in sys.argv[1:] if a != '--soak']
    sys.exit(shiprig.main('ship_faults_net', soak() if long else CASES, names))
