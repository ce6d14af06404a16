#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""formats.py TTYTRAIL: what `export` writes for other programs is what passed, decoded here and by the programs themselves
(tlog-play, ttyplay, scriptreplay); the text is what tmux has of the same bytes."""
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from outer import Outer, check, equal, main, until

TTYTRAIL = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix='ttytrail-formats.')
DB = DIR + '/e.db'
ENV = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': DIR, 'TERM': 'xterm-256color', 'LC_ALL': 'C.UTF-8'}
PATIENCE = 60


def tool(*argv, **more):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=ENV, timeout=PATIENCE,
                       cwd=DIR, **more)
    equal(p.returncode, 0, '%s: %r' % (argv[:3], p.stderr[-300:]))
    return p.stdout


def export(fmt, *more, session='title:bytes'):
    return tool(TTYTRAIL, 'export', '--db', DB, '--format', fmt, *more, session)


def raw(stream, session='title:bytes'):
    return export('raw', '--stream', stream, session=session)


def record(title, script, typed=(), size=(24, 80), before_end=None):
    o = Outer([TTYTRAIL, 'record', '--quiet', '--db', DB, '--title', title, '--', 'sh', '-c', script], rows=size[0], cols=size[1],
              env=ENV)
    for wait, keys in typed:
        o.expect(wait, seconds=PATIENCE)
        if callable(keys):
            keys(o)
        else:
            o.type(keys)
    status = o.wait(PATIENCE)
    o.close()
    return status


def data():
    r = random.Random(20261127)
    parts = [b'plain text\r\n', 'h\u00e9llo \u2713 \U0001f600 \u4f60\u597d\r\n'.encode(), b'\x1b[1;31mred\x1b[0m\t\x07', b'\xff\xfe',
             b'\xc3', b'\xe2\x9c', b'\x00\x01', b'"\\/', b'\xed\xa0\x80', b'\xf4\x90\x80\x80']
    return b''.join(r.choice(parts) if r.random() < .7 else r.randbytes(r.randrange(40)) for _ in range(8000))


def make():
    with open(DIR + '/data', 'wb') as f:
        f.write(data())
    status = record('bytes', 'stty raw -echo; cat data; printf READY; head -c 5 >got; stty sane; printf "\\nWAIT"; read x; exit 7',
                    [(b'READY', '\u20acab'.encode()), (b'WAIT', lambda o: (o.resize(30, 100), o.type(b'go\r')))])
    equal(status, 7, 'status')


def test_json():
    lines = [json.loads(line) for line in export('json').decode().rstrip('\n').split('\n')]
    equal(lines[0]['title'], 'bytes', 'head')
    for kind, stream in (('output', 'output'), ('input', 'input')):
        got = b''.join(bytes.fromhex(x['hex']) if 'hex' in x else x['text'].encode() for x in lines[1:] if x['kind'] == kind)
        equal(got == raw(stream), True, kind)
    equal([x['text'] for x in lines[1:] if x['kind'] == 'exit'], ['exit 7'], 'exit')
    check(any(x['kind'] == 'resize' and x['text'] == '100x30' for x in lines[1:]), 'no resize')


def test_cast3():
    lines = export('cast3').decode().rstrip('\n').split('\n')
    head = json.loads(lines[0])
    equal((head['version'], head['term']), (3, {'cols': 80, 'rows': 24, 'type': 'xterm-256color'}), 'head')
    import base64
    got, last, total = {'o': b'', 'i': b''}, None, 0.0
    for line in lines[1:]:
        gap, code, text = json.loads(line)
        check(gap >= 0, 'time goes back')
        total += gap
        if code == 'b':
            got[last[0]] = got[last[0]][:-len(last[1].encode())] + base64.b64decode(text)
        elif code in got:
            got[code] += text.encode()
            last = (code, text)
        elif code == 'x':
            equal(text, '7', 'exit')
    v2 = [json.loads(line) for line in export('cast').decode().rstrip('\n').split('\n')[1:]]
    check(abs(total - v2[-1][0]) < 0.002, 'the times add up to %f, not %f' % (total, v2[-1][0]))
    equal((got['o'] == raw('output'), got['i'] == raw('input')), (True, True), 'bytes')


def test_ttyrec():
    tool(TTYTRAIL, 'export', '--db', DB, '--format', 'ttyrec', '-o', 'tr', 'title:bytes')
    with open(DIR + '/tr', 'rb') as f:
        bytes_, at, out, times = f.read(), 0, b'', []
    while at < len(bytes_):
        s, us, n = struct.unpack_from('<III', bytes_, at)
        times.append(s + us / 1e6)
        out += bytes_[at + 12:at + 12 + n]
        at += 12 + n
    check(out == raw('output'), 'other bytes')
    check(times == sorted(times) and times[0] > 1.6e9, 'times %r' % times[:3])
    check(tool('ttyplay', '-n', 'tr') == out, 'ttyplay shows something else')


def test_script():
    tool(TTYTRAIL, 'export', '--db', DB, '--format', 'script', '-o', 'ts', '--timing', 'tm', 'title:bytes')
    out = raw('output')
    with open(DIR + '/ts', 'rb') as f, open(DIR + '/tm', encoding='ascii') as t:
        body, timing = f.read().split(b'\n', 1)[1], t.read().splitlines()
    got, at = {'O': b'', 'I': b''}, 0
    for line in timing:
        if line[0] in got:
            n = int(line.split()[2])
            got[line[0]] += body[at:at + n]
            at += n
    equal((got['O'] == out, got['I'] == raw('input'), at == len(body)), (True, True, True), 'bytes')
    check('H 0.000000 EXIT_CODE 7' in timing and any('SIGWINCH ROWS=30 COLS=100' in x for x in timing), 'timing %r' % timing[:5])
    shown = tool('scriptreplay', '-T', 'tm', '-B', 'ts', '-m', '0.01')
    check(shown.rstrip(b'\n') == out.rstrip(b'\n'), 'scriptreplay shows something else')


def tlog_streams(text):
    """The format's own rules: characters of *_txt, or of *_bin in place of as many U+FFFD."""
    out, pos = {'<': b'', '>': b''}, 0
    for n, line in enumerate(text.rstrip('\n').split('\n')):
        m = json.loads(line)
        equal((m['ver'], m['id'], m['session']), ('2.3', n + 1, 1), 'message')
        check(m['pos'] >= pos, 'position goes back')
        pos = m['pos']
        txt, bin_ = {'<': m['in_txt'], '>': m['out_txt']}, {'<': list(m['in_bin']), '>': list(m['out_bin'])}
        for kind, a, b in re.findall(r'([<>\[\]=+])(\d+)(?:[x/](\d+))?', m['timing']):
            if kind in '<>':
                out[kind] += txt[kind][:int(a)].encode()
                txt[kind] = txt[kind][int(a):]
            elif kind in '[]':
                side = '<' if kind == '[' else '>'
                equal(txt[side][:int(a)], '\ufffd' * int(a), 'marks')
                txt[side] = txt[side][int(a):]
                out[side] += bytes(bin_[side][:int(b)])
                bin_[side] = bin_[side][int(b):]
        equal((txt, bin_), ({'<': '', '>': ''}, {'<': [], '>': []}), 'left over')
    return out


def test_tlog():
    text = export('tlog').decode()
    got = tlog_streams(text)
    equal((got['>'] == raw('output'), got['<'] == raw('input')), (True, True), 'bytes')
    check('=100x30' in text, 'no resize')
    with open(DIR + '/tl', 'w', encoding='utf-8') as f:
        f.write(text)
    o = Outer(['tlog-play', '--reader=file', '--file-path=' + DIR + '/tl', '--speed=100'], env=ENV)
    o.wait(PATIENCE)
    shown = bytes(o.shown)
    o.close()
    # Its terminal turns each LF into CR LF where it is not raw; what is shown is compared without.
    check(raw('output')[-200:].replace(b'\r', b'').rstrip(b'\n') in shown.replace(b'\r', b''), 'tlog-play shows something else')


SCREENS = {
    'scroll': 'seq 1 300',
    'clear': 'seq 1 50; printf "\\033[H\\033[2J"; echo after; printf "\\033[H\\033[2J"; echo again; printf "\\033[H\\033[J"; echo third',
    'wide': 'for i in $(seq 40); do echo "$i \u65e5\u672c\u8a9e caf\u00e9 e\u0301"; done',
    'wrapped': 'for i in $(seq 60); do printf "%0150d\\n" $i; done',
    'region': 'seq 1 30; printf "\\033[1;10r\\033[10;1H"; seq 100 130; printf "\\033[r\\033[24;1H\\n"; seq 200 240',
    'coloured': 'ls --color=always -l /etc; ls -C --color=always /usr/bin',
    'alternate': 'seq 1 40; printf "\\033[?1049h"; seq 500 600; printf "\\033[?1049l"; echo back',
    'blank lines': 'printf "\\n\\n\\na\\n\\n\\n"; seq 40; printf "\\n\\n"',
    'progress': 'for i in $(seq 100); do printf "\\r%3d %%" $i; done; echo; seq 30',
}


def tmux(*words):
    return tool('tmux', '-S', DIR + '/t', '-f', '/dev/null', *words)


def captured(path):
    tmux('new-session', '-d', '-x', '80', '-y', '24', '-s', 's', 'stty raw; cat %s; tmux -S %s/t wait-for -S done; sleep 600'
         % (path, DIR))
    try:
        tmux('wait-for', 'done')
        # wait-for may overtake what cat wrote.
        last = []

        def settled():
            last.append(tmux('capture-pane', '-p', '-S', '-', '-t', 's'))
            return len(last) > 5 and last[-1] == last[-5]
        until(settled, 'the pane', PATIENCE)
        return last[-1].decode()
    finally:
        tmux('kill-server')


def lines(text):
    return [line.rstrip() for line in text.rstrip().split('\n')]


def test_text_is_what_tmux_has():
    with open(DIR + '/.tmux.conf', 'w', encoding='ascii') as f:
        f.write('')
    for name, script in SCREENS.items():
        record(name, script)
        with open(DIR + '/screen', 'wb') as f:
            f.write(raw('output', session='title:' + name))
        equal(lines(export('text', session='title:' + name).decode()), lines(captured(DIR + '/screen')), name)


def test_text_of_streams():
    p = subprocess.run([TTYTRAIL, 'record', '--quiet', '--db', DB, '--title', 'piped', '--', 'sh', '-c',
                        'printf "a\\033]0;title\\007\\tb\\nc\\377d\\n"'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=ENV,
                       timeout=PATIENCE, check=True)
    check(b'title' in p.stdout, 'not passed on')
    equal(export('text', session='title:piped').decode(), 'a\ufffd]0;title\ufffd\tb\nc\ufffdd\n', 'text')


try:
    os.chdir(DIR)
    make()
    main([f for name, f in sorted(globals().items()) if name.startswith("test_")])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
