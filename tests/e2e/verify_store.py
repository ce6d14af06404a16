#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""verify_store.py bytes|claims [ROW...]: what somebody does to evidence after it was signed, one row each, and what ttytrail's verify and
docs/verify.py say of it: the same, and what is expected.  Over a directory that a real host and hosts of
verify_writer.py wrote; verify_s3.py does it over a bucket."""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
BIN = os.environ.get('TTYTRAIL_BIN', os.path.join(ROOT, 'build/dev/bin'))
TMP = tempfile.mkdtemp(prefix='ttytrail-verify.')
os.environ.update(VERIFY_TMP=TMP, HOME=TMP, XDG_DATA_HOME=TMP + '/data', XDG_CONFIG_HOME=TMP + '/config', LC_ALL='C.UTF-8')
for name in ('TTYTRAIL_DB', 'NO_COLOR'):
    os.environ.pop(name, None)

import verify_rows  # noqa: E402  (it needs VERIFY_TMP)
import verify_rows_host  # noqa: E402
import verify_writer  # noqa: E402

TTYTRAIL = os.path.join(BIN, 'ttytrail')
KIB_OURS, KIB_OTHER = 64 << 10, 256 << 10  # resident, whatever is claimed
SANITIZED = os.environ.get('TTYTRAIL_SANITIZED') == '1'
failures = []


def limit():
    """What claims must never need: the last verifier that counted a claim through took 14 GB."""
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def run(command, env=None):
    """Status, output and peak in KiB."""
    with tempfile.TemporaryFile(dir=TMP) as out:
        p = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env, preexec_fn=limit)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return p.returncode, out.read().decode(), usage.ru_maxrss


def ours(url, *options):
    """Status, findings as a sorted list of words, verdicts of sessions, all lines, peak."""
    status, text, peak = run([TTYTRAIL, 'verify', '--json', *options, url])
    lines = [json.loads(line) for line in text.splitlines() if line.startswith('{')]
    if status not in (0, 1):
        raise AssertionError('verify: %d: %s' % (status, text[-500:]))
    words = sorted({i['verdict'] for i in lines if i.get('finding')})
    return status, words, {i['id']: i['verdict'] for i in lines if i['what'] == 'session'}, lines, peak


def other(top, hosts):
    status, text, peak = run([sys.executable, '-B', os.path.join(ROOT, 'docs/verify.py'), top, *hosts])
    lines = [line.split('\t') for line in text.splitlines()]
    if status not in (0, 1) or any(len(i) != 4 for i in lines):
        raise AssertionError('verify.py: %d: %s' % (status, text[-500:]))
    fine = {'complete', 'open', 'cut'}
    return status, sorted({i[0].replace(' ', '_').replace('-', '_') for i in lines} - fine), {
        i[2]: i[0] for i in lines if i[1] == 'session'}, peak


def record(db, text):
    subprocess.run([TTYTRAIL, 'record', '--db', db, '--config', TMP + '/conf', '--', 'sh', '-c', text], check=True,
                   stdout=subprocess.DEVNULL)


def ship(db, top):
    subprocess.run([TTYTRAIL, 'ship', '--db', db, '--config', TMP + '/conf', '--to', 'file://' + top], check=True,
                   stdout=subprocess.DEVNULL)


def make_real(top):
    """A host as it is: sessions of one segment and of several, three batches.  Its key stays at hand."""
    db = TMP + '/e.db'
    with open(TMP + '/conf', 'w', encoding='utf-8') as f:
        f.write('[record]\nstream_kib = 65536\n[store]\nsegment_kib = 64\n[s3]\nhost_name = web1\n')
    for i in range(3):
        for _ in range(3 if i == 1 else 0):  # several segments, however the long one is cut
            record(db, 'echo one of several; seq 1 300')
        record(db, 'echo %d; seq 1 %d' % (i, 300 if i != 1 else 60000))
        ship(db, top)
    return db + '.key'


def check(row, top, *, words, options=(), hosts=(), both=True, detail=None, orphans=None, imports=None):
    """One row: expected findings (words), by both verifiers; what verify calls orphans, each named;
    what import says (text) of what is asked for and not here."""
    ok = []
    status, got, sessions, lines, peak = ours('file://' + top, *options)
    if got != sorted(words) or status != (1 if words else 0):
        ok.append('verify says %s (status %d), not %s' % (got, status, sorted(words)))
    if any(i.get('finding') and not (i.get('remedy') and i.get('detail')) for i in lines):
        ok.append('a finding without words or without a remedy')
    if detail and not any(detail in json.dumps(i) for i in lines):
        ok.append('no line has %r: %s' % (detail, [i.get('detail') for i in lines if i.get('finding')]))
    left = sorted('%s: %s' % (i['id'], i['detail']) for i in lines if i.get('verdict') == 'orphan')
    if len(left) != lines[-1]['orphans'] or orphans is not None and left != sorted(orphans):
        ok.append('%d orphans, and named are %s' % (lines[-1]['orphans'], left))
    if imports:
        status, text, _ = run([TTYTRAIL, 'import', '--dry-run', '--db', TMP + '/none.db', *options, 'file://' + top])
        if status != 1 or imports not in text or ' 0 segments of 0 sessions' not in text:
            ok.append('import says (status %d): %s' % (status, text))
    if not SANITIZED and peak > KIB_OURS:
        ok.append('verify took %d KiB' % peak)
    if both:
        status, theirs, their_sessions, peak = other(top, hosts)
        if theirs != sorted(words) or status != (1 if words else 0):
            ok.append('verify.py says %s (status %d), not %s' % (theirs, status, sorted(words)))
        if their_sessions != sessions:
            ok.append('of sessions verify says %s, verify.py %s' % (sessions, their_sessions))
        if peak > KIB_OTHER:
            ok.append('verify.py took %d KiB' % peak)
    print('%s %s: %s' % ('FAILED' if ok else 'ok', row, '; '.join(ok) or ', '.join(sorted(words)) or 'no finding'))
    failures.extend(ok)


def main():
    table = {'bytes': verify_rows.ROWS, 'claims': verify_rows_host.ROWS}[sys.argv[1]]
    only = sys.argv[2:]
    try:
        real = TMP + '/real'
        key = make_real(real)
        check('a real host', real, words=[])
        for row, function in table:
            if only and row not in only:
                continue
            top = TMP + '/row'
            shutil.rmtree(top, ignore_errors=True)
            shutil.copytree(real, top, symlinks=True)  # with its times
            host = verify_writer.Host.of_store(top, key)
            check(row, top, **function(top, host))
        with open(os.path.join(ROOT, 'docs/verify.py'), encoding='utf-8') as f:
            if sum(1 for _ in f) >= 150:
                failures.append('verify.py has 150 lines or more')
    finally:
        shutil.rmtree(TMP, ignore_errors=True)
    print('verify_store: %s' % ('FAILED' if failures else 'passed'))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
