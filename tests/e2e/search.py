#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""search.py TTYTRAIL: what is found is what grep finds in the text exports, with an index and without; full screens and what was
typed are found too, what was redacted or pruned is not, and nothing of a recording reaches the terminal."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from outer import Outer, check, equal, main, until

TTYTRAIL = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix='ttytrail-search.')
DB = DIR + '/e.db'
ENV = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': DIR, 'TERM': 'xterm-256color', 'LC_ALL': 'C.UTF-8', 'TZ': 'UTC'}
PATIENCE = 60
SESSIONS = {
    'etc': 'ls -l /etc; cat /etc/passwd /etc/services',
    'numbers': 'seq 1 3000; echo "the needle is here"; seq 3000 4000',
    'words': 'for i in $(seq 300); do echo "$i J\u00fcrgen \u65e5\u672c\u8a9e caf\u00e9 x$((i * 7919 % 1000))y"; done',
    'wide': 'printf "%0700d needle-in-a-wrapped-line\\n" 7; echo NEEDLE; echo nothing',
    'short': 'echo ab; echo "a.b*c"; echo "[brackets]"',
}


def run(*argv, ok=(0,), **more):
    p = subprocess.run([TTYTRAIL, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=ENV,
                       timeout=PATIENCE, cwd=DIR, **more)
    check(p.returncode in ok, '%s: status %d, %r' % (argv, p.returncode, p.stderr[-400:]))
    return p.stdout, p.stderr


def record(title, script, typed=(), size=(24, 80)):
    o = Outer([TTYTRAIL, 'record', '--quiet', '--db', DB, '--title', title, '--', 'sh', '-c', script], rows=size[0], cols=size[1],
              env=ENV)
    for wait, keys in typed:
        o.expect(wait, seconds=PATIENCE)
        o.type(keys)
    o.wait(PATIENCE)
    o.close()


def sealed():
    """Sessions that have ended are sealed by their writer a moment later."""
    def all_of_them():
        rows = [json.loads(x) for x in run('list', '--db', DB, '--json')[0].splitlines()]
        return all(r['state'] != 'open' and r['final'] for r in rows if r['title'] != 'open') if 'final' in rows[0] else True
    until(all_of_them, 'the ends', PATIENCE)


def search(pattern, *more, ok=(0, 1)):
    out, _ = run('search', '--db', DB, '--json', *more, '--', pattern, ok=ok)
    return [json.loads(line) for line in out.decode().split('\n') if line]


def exports():
    for title in SESSIONS:
        yield title, run('export', '--db', DB, '--format', 'text', 'title:' + title)[0].decode().split('\n')


def make():
    for title, script in SESSIONS.items():
        record(title, script)
    record('secret', 'stty -echo; printf "Password: "; read x; stty echo; echo; echo done', [(b'Password: ', b'hunter2-is-secret\r')])
    record('typed', 'cat', [(b'', b'typed-by-hand and shown\r'), (b'shown\r\ntyped', b'\x04')])
    record('editor', 'less /etc/services', [(b'ftp', b' '), (b'\x1b', b'q')])
    record('hostile', 'printf "evil \\033]0;pwned\\007 \\342\\200\\256txt \\302\\233 end\\n"')
    sealed()


PATTERNS = [('needle', ()), ('NEEDLE', ()), ('needle', ('-i',)), ('root|needle', ()), ('^[0-9]+99$', ()), ('J\u00fcrgen.*x1[0-9]*y', ()),
            ('\u65e5\u672c\u8a9e', ('-F',)), ('caf\u00e9 x(7|8)', ()), ('a.b*c', ('-F',)), ('[brackets]', ('-F',)), ('ab', ()), ('b', ()),
            ('tcp +# ', ()), ('ssh[^x]', ()), ('no such thing anywhere', ()), ('in-a-wrapped', ()), ('^$', ())]


def test_finds_what_grep_finds():
    texts = dict(exports())
    for pattern, more in PATTERNS:
        rx = re.compile(re.escape(pattern) if '-F' in more else pattern, re.I if '-i' in more else 0)
        want = sorted((t, line) for t, lines in texts.items() for line in lines if line and rx.search(line))
        for index in ((), ('--no-index',)):
            got = sorted((h['title'], h['line']) for h in search(pattern, '--in', 'output', *more, *index) if h['title'] in SESSIONS)
            equal(got, want, '%s %s' % (pattern, more + index))


def test_newest_first_and_limited():
    hits = search('0', '--in', 'output')
    check(len(hits) > 500, 'too few')
    order = [h['session'] for h in hits]
    equal(len({s for s in order}), len([1 for a, b in zip([None] + order, order) if a != b]), 'sessions apart')
    equal(search('0', '--in', 'output', '--limit', '7'), hits[:7], 'limit')
    for a, b in zip(hits, hits[1:]):
        check(a['session'] != b['session'] or a['time_us'] >= b['time_us'], 'order')


def test_expressions_choose_sessions():
    equal({h['title'] for h in search('needle', '-i')}, {'numbers', 'wide'}, 'all')
    out, _ = run('search', '--db', DB, '--json', '-i', 'needle', 'title', 'wide')
    equal({json.loads(x)['title'] for x in out.splitlines()}, {'wide'}, 'one')
    equal(search('needle', '--since', 'tomorrow'), [], 'since')


def test_full_screens_and_typed():
    equal({h['where'] for h in search('typed-by-hand')}, {'output', 'typed'}, 'typed')
    hits = search('^ftp', '--in', 'screen')
    equal({h['title'] for h in hits}, {'editor'}, 'screen')


def test_secrets_are_nowhere():
    equal(search('hunter2'), [], 'secret')
    with open(DB + '.index.db', 'rb') as f:
        check(b'hunter2' not in f.read(), 'in the index')


def test_nothing_reaches_the_terminal():
    out, _ = run('search', '--db', DB, 'evil')
    check(b'\x1b' not in out and b'\x07' not in out and '\u202e'.encode() not in out and b'\xc2\x9b' not in out, 'raw: %r' % out)
    check(b'evil' in out and b'end' in out, 'lost: %r' % out)


def test_open_sessions_are_found():
    o = Outer([TTYTRAIL, 'record', '--quiet', '--db', DB, '--title', 'open', '--', 'sh', '-c', 'echo still-going-on; read x'], env=ENV)
    o.expect(b'still-going-on', seconds=PATIENCE)
    equal([h['title'] for h in search('still-going-on', '--in', 'output')], ['open'], 'open')
    o.type(b'\r')
    o.wait(PATIENCE)
    o.close()
    until(lambda: [h['title'] for h in search('still-going-on', '--in', 'output')] == ['open'], 'ended', PATIENCE)


def test_a_broken_index_is_made_again():
    want = search('needle')
    with open(DB + '.index.db', 'r+b') as f:
        f.write(b'rubbish' * 100)
    for end in ('-wal', '-shm'):
        if os.path.exists(DB + '.index.db' + end):
            os.unlink(DB + '.index.db' + end)
    equal(search('needle'), want, 'again')
    with open(DB + '.index.db', 'rb') as f:
        check(f.read(6) == b'SQLite', 'no index')
    equal(oct(os.stat(DB + '.index.db').st_mode & 0o777), '0o600', 'mode')


def test_links_are_not_followed():
    want = search('needle')
    for end in ('', '-wal', '-shm'):
        if os.path.exists(DB + '.index.db' + end):
            os.unlink(DB + '.index.db' + end)
    os.symlink(DIR + '/elsewhere', DB + '.index.db')
    out, err = run('search', '--db', DB, '--json', 'needle')
    equal(([json.loads(x) for x in out.splitlines()], b'without an index' in err), (want, True), 'found: %r' % err)
    check(not os.path.exists(DIR + '/elsewhere') and os.path.islink(DB + '.index.db'), 'written through the link')
    os.unlink(DB + '.index.db')


def test_z_what_was_pruned_leaves():
    store = DIR + '/store'
    run('ship', '--db', DB, '--to', 'file://' + store)
    check(search('needle'), 'not there before')
    run('prune', '--db', DB, '--keep-days', '0')
    rows = [json.loads(x) for x in run('list', '--db', DB, '--json', 'flag', 'pruned')[0].splitlines()]
    check(len(rows) >= len(SESSIONS), 'not pruned: %r' % [r['title'] for r in rows])
    gone = {r['id'] for r in rows}
    check(not [h for h in search('needle') if h['session'] in gone], 'still in the index')
    equal(search('b', '--in', 'output'), search('b', '--in', 'output', '--no-index'), 'what is left')


def test_usage():
    for argv, text in ((['search'], b'what is to be found'), (['search', '('], b'regular expression'), (['search', 'x', 'hots', 'y'],
                       b'no such predicate'), (['search', '--in', 'nose', 'x'], b'there are output')):
        p = subprocess.run([TTYTRAIL, *argv, '--db', DB], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=ENV, timeout=PATIENCE)
        equal((p.returncode, text in p.stderr), (2, True), '%s: %r' % (argv, p.stderr))


try:
    os.chdir(DIR)
    make()
    main([f for name, f in sorted(globals().items()) if name.startswith('test_')])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
