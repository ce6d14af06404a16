#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on an installed host with a real sshd, by an unprivileged user, and what came of each.

attacks.py [--all] [--list] [NAME...]: the sample, or all rows, or those whose names hold one of the words.
Fails when an outcome is worse than its row says.  docs/THREATS.md has the table.
"""
import os
import sys
import time

sys.dont_write_bytecode = True
import installedrig
from attackrig import RANK, Arena
from outer import Fail

import attack_rows_evidence
import attack_rows_process
import attack_rows_start
import attack_rows_ways

ROWS = attack_rows_evidence.ROWS + attack_rows_process.ROWS + attack_rows_ways.ROWS + attack_rows_start.ROWS


def attack(arena, row):
    """(outcome, words)."""
    arena.begin()
    hint = None
    try:
        if isinstance(row.do, str):
            arena.python(row.do, row.grouped)
            hint = 'refused' if any('denied' in n or 'refused' in n for n in arena.notes) and not arena.seen else None
        else:
            hint = row.do(arena)
    except Fail as e:
        arena.clean_up()
        arena.hurt()
        return 'broken', 'the attack did not run: %s' % str(e)[:200]
    return arena.judge(hint)


def judge(row, outcome):
    if outcome == 'untested':
        return 'NOT TESTED'
    if RANK[outcome] <= RANK[row.must]:
        return 'ok'
    return 'pending' if row.pending else 'FAIL'


def undocumented():
    """Rows that docs/THREATS.md does not have."""
    with open(os.path.join(installedrig.ROOT, 'docs/THREATS.md')) as f:
        text = f.read()
    return [r.name for r in ROWS if '| %s |' % r.name not in text]


def chosen(words):
    if '--all' in words:
        return ROWS
    if words:
        return [r for r in ROWS if any(w in r.name for w in words)]
    return [r for r in ROWS if r.quick]


def main():
    words = sys.argv[1:]
    if '--list' in words:
        for r in ROWS:
            print('%-9s %-28s %s' % (r.kind, r.name, r.does))
        return 0
    rows, bad, pending = chosen(words), 0, 0
    print('%-10s %-9s %-28s %-9s %-9s %5s  %s' % ('', 'kind', 'attack', 'outcome', 'may be', 's', 'what came of it'))
    if undocumented():
        bad += 1
        print('FAIL       not in docs/THREATS.md: %s' % ', '.join(undocumented()))
    with installedrig.Host() as host:
        arena = Arena(host)
        for r in rows:
            began = time.monotonic()
            outcome, what = attack(arena, r)
            verdict = judge(r, outcome)
            bad += verdict == 'FAIL'
            pending += verdict == 'pending'
            print('%-10s %-9s %-28s %-9s %-9s %5.1f  %s' % (
                verdict, r.kind, r.name, outcome, r.must, time.monotonic() - began,
                what + (' [%s]' % r.pending if verdict == 'pending' else '')), flush=True)
            if verdict == 'NOT TESTED':
                print('*** NOT TESTED: attack "%s": %s' % (r.name, what))
        for what, fault in arena.aftermath():
            bad += fault is not None
            print('%-10s %s%s' % ('FAIL' if fault else 'ok', what, ': ' + fault[-600:] if fault else ''))
        if bad and os.environ.get('VERBOSE'):
            print(host.writer_log()[-3000:])
    print('%d of %d attacks went worse than they may, %d wait for what is not built' % (bad, len(rows), pending))
    return 1 if bad else 0


if __name__ == '__main__':
    if '--list' not in sys.argv:
        installedrig.enter()
    sys.exit(main())
