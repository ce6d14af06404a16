#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""behaviour.py TTYTRAIL [SOCKET]: a recorded command behaves as the same command unrecorded.
With SOCKET sessions go to the writer there, and what was recorded is not looked at."""
import fcntl
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

from outer import Outer, check, equal, main, run, until

TTYTRAIL = os.path.abspath(sys.argv[1])
SOCKET = sys.argv[2] if len(sys.argv) > 2 else None
DIR = tempfile.mkdtemp(prefix='ttytrail-behaviour.')
DB = DIR + '/e.db'
WHERE = ['--socket', SOCKET] if SOCKET else ['--db', DB]
RECORD = [TTYTRAIL, 'record', '--quiet'] + WHERE
random.seed(7)


def rec(*command, options=()):
    return RECORD + list(options) + ['--'] + list(command)


def exported(stream='output'):
    out, err, status = run([TTYTRAIL, 'export', '--db', DB, 'last', '--format', 'raw', '--stream', stream])
    equal(status, 0, 'export says %r' % err)
    return out


def lines():
    out, err, status = run([TTYTRAIL, 'export', '--db', DB, 'last', '--format', 'cast'])
    equal(status, 0, 'export says %r' % err)
    return out.decode()


# ---- exit status ----

def test_exit_status_and_signals_arrive():
    for script, want in (('exit 7', 7), ('exit 0', 0), ('exit 255', 255), ('kill -TERM $$', -15),
                         ('kill -KILL $$', -9), ('kill -INT $$', -2), ('kill -SEGV $$', -11)):
        o = Outer(rec('sh', '-c', script))
        equal(o.wait(), want, 'on a terminal, ' + script)
        o.close()
        equal(run(rec('sh', '-c', script))[2], want, 'without one, ' + script)


def test_exec_failures_are_126_and_127():
    for make in (lambda a: Outer(a), None):
        for command, want in ((['/nonexistent/x'], 127), (['no-such-command-here'], 127), (['/etc'], 126),
                              (['/etc/passwd'], 126)):
            if make:
                o = make(rec(*command))
                status, said = o.wait(), o.shown
                o.close()
            else:
                out, said, status = run(rec(*command))
                equal(out, b'', 'stdout')
            equal(status, want, repr(command))
            check(b'ttytrail: run ' in said, 'no reason given: %r' % said)


def test_a_long_command_is_run_whole_and_named_in_part():
    out, _, status = run(rec('sh', '-c', 'echo ${#1}', 'sh', 'x' * 100000))
    equal((out, status), (b'100000\n', 0), 'a command of 100,000 bytes')
    row = json.loads(subprocess.run([TTYTRAIL, 'list', '--db', DB, '--json'], check=True,
                                    stdout=subprocess.PIPE).stdout.splitlines()[-1])
    command = row['command'] if isinstance(row['command'], list) else json.loads(row['command'])
    equal(command[:2], ['sh', '-c'], 'its beginning')
    check(command[-1].startswith('[cut: 1000'), 'it says that it was cut: %r' % command[-1])


def test_one_connection_serves_a_session():
    """Every new one would leave an anchor behind."""
    o = Outer(rec('sh', '-c', 'echo ready; exec cat'))
    o.expect(b'ready\r\n')
    for i in range(30):
        o.type(b'%d\r' % i)
        o.expect(b'%d\r\n%d\r\n' % (i, i))
    o.type(b'\x04')
    equal(o.wait(), 0, 'status')
    o.close()
    equal(lines().count('"clock '), 1, 'anchors in the recording')


def test_usage_is_2_and_refusal_125():
    equal(run(RECORD + ['--input=maybe'])[2], 2, 'usage')
    out, err, status = run([TTYTRAIL, 'record', '--socket', DIR + '/nobody', '--', 'true'])
    equal(status, 125, 'no writer')
    check(DIR.encode() in err, 'reason: %r' % err)


# ---- terminal ----

def test_size_and_resize():
    o = Outer(rec('bash', '--norc', '-c', 'stty size; trap "echo WINCH $(:) \\$(stty size)" WINCH; '
                  'trap "stty size; exit" USR1; echo ready; while :; do read -t 0.1 x; done'), rows=33, cols=101)
    o.expect(b'33 101')
    o.expect(b'ready')
    o.resize(44, 123)
    o.expect(b'WINCH')
    if not SOCKET:
        o.type(b'\x03')
        o.wait()
        check('"r","123x44"' in lines(), 'no resize line in the recording')
    o.close()


def test_size_set_inside_is_recorded():
    if SOCKET:
        return
    o = Outer(rec('sh', '-c', 'stty rows 30 cols 90; echo set; read x; read y'))
    o.expect(b'set')
    o.type(b'a\r')
    o.type(b'b\r')
    equal(o.wait(), 0, 'status')
    o.close()
    check('"r","90x30"' in lines(), 'no resize line in the recording')


def test_job_control():
    o = Outer(rec('bash', '--norc', '-i'))
    o.expect(b'# ')
    o.type(b'sleep 100\r')
    until(lambda: foreground_is(o, 'sleep'), 'sleep in the foreground')
    o.type(b'\x1a')
    at = o.expect(b'Stopped')
    o.type(b'fg\r')
    until(lambda: foreground_is(o, 'sleep'), 'sleep in the foreground again')
    o.type(b'\x03')
    o.expect(b'# ', at + 20)
    o.type(b'echo rc=$?\r')
    o.expect(b'rc=130')
    o.type(b'exit\r')
    equal(o.wait(), 0, 'status')
    o.close()


def children(pid):
    try:
        with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def stat_of(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            text = f.read()
    except OSError:
        return None
    name = text[text.index('(') + 1:text.rindex(')')]
    rest = text[text.rindex(')') + 2:].split()
    return {'name': name, 'state': rest[0], 'pgrp': int(rest[2]), 'tpgid': int(rest[5])}


def family(pid):
    found = [pid]
    for p in found:
        found += children(p)
    return found


def foreground_is(o, name):
    for p in family(o.pid):
        s = stat_of(p)
        if s and s['name'] == name and s['pgrp'] == s['tpgid']:
            return True
    o.pump(0.02)
    return False


def test_terminal_is_restored():
    o = Outer(['sh', '-c', 'stty -a > %s/before; "$@"; stty -a > %s/after' % (DIR, DIR), 'sh'] +
              rec('sh', '-c', 'stty -echo; echo inside'))
    equal(o.wait(), 0, 'status')
    o.close()
    equal(open(DIR + '/after').read(), open(DIR + '/before').read(), 'modes')


def test_typed_ahead_is_not_lost():
    o = Outer(rec('sh', '-c', 'read a; echo "got <$a>"'))
    o.type(b'early\r')
    equal(o.wait(), 0, 'status')
    check(b'got <early>' in o.shown, 'screen %r' % o.shown)
    o.close()


def test_stopped_and_continued_recorder():
    o = Outer(['bash', '--norc', '-i'])
    o.expect(b'# ')
    o.type(b' '.join(w.encode() for w in rec('cat')) + b'\r')
    until(lambda: any((stat_of(p) or {}).get('name') == 'cat' for p in family(o.pid)) or not o.pump(0.02), 'cat')
    recorder = next(p for p in family(o.pid) if (stat_of(p) or {}).get('name') == 'ttytrail')
    os.kill(recorder, signal.SIGTSTP)
    at = o.expect(b'Stopped')
    o.type(b'fg\r')
    until(lambda: foreground_is(o, 'ttytrail'), 'the recorder in the foreground')
    until(lambda: not termios.tcgetattr(o.master)[3] & (termios.ECHO | termios.ICANON), 'raw again')
    o.type(b'again\r')
    at = o.expect(b'again\r\nagain\r\n', at)
    o.type(b'\x04')
    o.expect(b'# ', at)
    o.type(b'exit\r')
    o.wait()
    o.close()


# ---- bytes ----

def test_pipes_are_exact():
    data = random.randbytes(1 << 20)
    out, err, status = run(rec('cat'), data)
    equal((out == data, err, status), (True, b'', 0), 'through cat')
    path = DIR + '/data'
    with open(path, 'wb') as f:
        f.write(data)
    out, err, status = run(rec('cat', path))
    equal((out == data, err, status), (True, b'', 0), 'from a file')
    out, err, status = run(rec('sh', '-c', 'echo OUT; echo ERR >&2; exit 5'), b'')
    equal((out, err, status), (b'OUT\n', b'ERR\n', 5), 'stderr apart')


def test_streams_are_kept_at_both_ends():
    if SOCKET:
        return
    data = random.randbytes(1 << 20)
    run(rec('cat'), data)
    got = exported()
    equal((len(got), got == data[:65536] + data[-65536:]), (131072, True), 'kept')
    import hashlib
    text = lines()
    check('stream stdin bytes=1048576 sha256=' + hashlib.sha256(data).hexdigest() in text, 'count of stdin')
    check('burst stdout bytes=1048576 kept=131072 sha256=' + hashlib.sha256(data).hexdigest() in text, 'burst')
    run(rec('sh', '-c', 'read x'), b'hunter2-secret\n')
    text = lines()
    check('hunter2' not in text and 'stream stdin bytes=15"' in text, 'a short stdin is only counted: ' + text)


def test_output_is_recorded_exactly():
    if SOCKET:
        return
    data = random.randbytes(200000)
    path = DIR + '/data'
    with open(path, 'wb') as f:
        f.write(data)
    o = Outer(rec('cat', path))
    equal(o.wait(), 0, 'status')
    want = data.replace(b'\n', b'\r\n')
    equal(o.shown == want, True, 'the screen (%d of %d bytes)' % (len(o.shown), len(want)))
    equal(exported() == want, True, 'the recording')
    o.close()


def test_half_close_both_ways():
    # The child closes its stdin: the one who feeds us gets SIGPIPE, as he would without us.
    p = subprocess.Popen(rec('sh', '-c', 'exec <&-; echo closed; read x < %s/go' % DIR), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
    os.mkfifo(DIR + '/go')
    equal(p.stdout.readline(), b'closed\n', 'started')
    until(lambda: select.select([], [p.stdin], [], 0)[1] and broken(p.stdin.fileno()), 'EPIPE on stdin')
    with open(DIR + '/go', 'w') as f:
        f.write('\n')
    equal(p.wait(10), 0, 'status')
    # The child closes stdout and runs on: whoever reads us sees the end of file at once.
    p = subprocess.Popen(rec('sh', '-c', 'echo x; exec >&-; read y'), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
    equal(p.stdout.read(), b'x\n', 'end of file')
    equal(p.poll(), None, 'it runs on')
    p.stdin.close()
    equal(p.wait(10), 1, 'status')
    # Our reader goes: the child gets SIGPIPE.
    p = subprocess.Popen(rec('yes'), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    p.stdout.read(10)
    p.stdout.close()
    equal(p.wait(10), -13, 'yes without a reader')


def broken(fd):
    try:
        os.set_blocking(fd, False)
        os.write(fd, b'x' * 65536)
    except BrokenPipeError:
        return True
    except BlockingIOError:
        pass
    return False


def test_output_after_the_exit_without_a_terminal():
    start = time.monotonic()
    out, err, status = run(rec('sh', '-c', '(sleep 1; echo late) & echo early; exit 4'))
    equal((out, status), (b'early\nlate\n', 4), 'output')
    check(time.monotonic() - start >= 1, 'too early')


def test_mixed_descriptors():
    # stdout a pipe, the others a terminal: the child sees just that, and its terminal is ours.
    r, w = os.pipe()
    o = Outer(rec('sh', '-c', 'test -t 0 && test ! -t 1 && test -t 2 && echo piped; echo shown >&2; read x; '
                  'echo "typed $x"'), before=lambda: os.dup2(os.open(DIR + '/out', os.O_CREAT | os.O_WRONLY), 1))
    os.close(r), os.close(w)
    o.expect(b'shown')
    o.type(b'keys\r')
    equal(o.wait(), 0, 'status')
    o.close()
    equal(open(DIR + '/out', 'rb').read(), b'piped\ntyped keys\n', 'stdout')
    # stdin not a terminal: bytes come through the pipe, the keyboard is /dev/tty.
    o = Outer(['sh', '-c', 'echo data | "$@"', 'sh'] + rec('sh', '-c', 'read a; test ! -t 0 && test -t 1; '
              'echo "$a $?"; read b < /dev/tty; echo "tty $b"'))
    o.expect(b'data 0')
    o.type(b'key\r')
    o.expect(b'tty key')
    equal(o.wait(), 0, 'status')
    o.close()


def test_closed_descriptors():
    for closed in ((0,), (1,), (2,), (0, 1), (0, 1, 2)):
        o = Outer(rec('sh', '-c', 'for i in 0 1 2; do test -e /proc/$$/fd/$i || printf "%s " $i; done > %s/closed'
                      .replace('%s/closed', DIR + '/closed'), ), before=lambda: [os.close(i) for i in closed])
        equal(o.wait(), 0, 'status with %r closed' % (closed,))
        o.close()
        got = open(DIR + '/closed').read().split()
        want = [str(i) for i in closed if i != 1]
        equal([g for g in got if g != '1'], want, 'closed in the child')


# ---- signals and ends ----

def test_sigchld_ignored_by_the_caller():
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    o = Outer(rec('sh', '-c', 'exit 9'), before=ignore)
    equal(o.wait(), 9, 'status')
    o.close()
    # Not by a shell, which would set signals of its own.
    o = Outer(rec('grep', 'SigIgn', '/proc/self/status'), before=ignore)
    equal(o.wait(), 0, 'status')
    mask = int(o.shown.split()[-1], 16)
    check(mask & (1 << (signal.SIGCHLD - 1)), 'the child has it ignored too')
    o.close()


def test_child_has_the_callers_mask_and_default_sigpipe():
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    o = Outer(rec('grep', '-E', 'SigBlk|SigIgn', '/proc/self/status'), before=block)
    equal(o.wait(), 0, 'status')
    blocked, ignored = [int(w, 16) for w in o.shown.split()[1::2]]
    equal(blocked, 1 << (signal.SIGUSR2 - 1), 'mask')
    check(ignored & (1 << (signal.SIGHUP - 1)), 'nohup is passed on')
    check(not ignored & (1 << (signal.SIGPIPE - 1)), 'SIGPIPE is default')
    o.close()


def test_descriptors_are_not_inherited():
    o = Outer(rec('ls', '/proc/self/fd'))
    equal(o.wait(), 0, 'status')
    equal(o.shown.split(), [b'0', b'1', b'2', b'3'], 'descriptors (3 is ls reading)')
    o.close()


def test_background_job_does_not_hold_the_end():
    start = time.monotonic()
    o = Outer(rec('sh', '-c', "trap '' HUP; (sleep 30) & echo started"))
    equal(o.wait(5), 0, 'status')
    check(time.monotonic() - start < 2, 'took %.1f s' % (time.monotonic() - start))
    check(b'started' in o.shown, 'screen')
    o.close()
    o = Outer(rec('bash', '--norc', '-c', 'yes & exit 3'))
    equal(o.wait(5), 3, 'status with yes in the background')
    o.close()


def test_hang_up_ends_it_within_a_second():
    for way in ('close', 'HUP', 'TERM'):
        o = Outer(rec('sh', '-c', 'echo $$ > %s/pid; i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo L$i; done; '
                      'echo END; exec sleep 60' % DIR))
        o.expect(b'END')
        pid = int(open(DIR + '/pid').read())
        start = time.monotonic()
        if way == 'close':
            o.hang_up()
        else:
            os.kill(o.pid, getattr(signal, 'SIG' + way))
        status = o.wait(5)
        took = time.monotonic() - start
        check(took < 1, '%s: took %.2f s' % (way, took))
        equal(status, -15 if way == 'TERM' else -1, way + ': status')
        until(lambda: not os.path.exists('/proc/%d' % pid), way + ': the child is gone', 3)
        o.close()
        if not SOCKET:
            text = exported()
            check(b'END' in text, way + ': recorded to the end')


def test_writers_death_is_survived():
    if SOCKET:
        return
    o = Outer(rec('bash', '--norc', '-c', 'echo one; read x; echo two; read y; echo three'))
    o.expect(b'one')
    for word, nxt in ((b'two', b'x\r'), (b'three', b'y\r')):
        for pid in writers():
            os.kill(pid, signal.SIGKILL)
        o.type(nxt)
        o.expect(word)
    equal(o.wait(), 0, 'status')
    for word in (b'one', b'two', b'three'):
        check(word in exported(), 'recorded %r' % word)
    o.close()


def writers():
    found = []
    for p in os.listdir('/proc'):
        if p.isdigit():
            try:
                with open('/proc/%s/cmdline' % p, 'rb') as f:
                    words = f.read().split(b'\0')
            except OSError:
                continue
            if words and words[0].endswith(b'ttytraild') and DB.encode() in words:
                found.append(int(p))
    return found


def test_bounded_while_the_screen_stands_still():
    # Nobody reads the terminal: the recorder must stop reading the child, not fill memory.
    o = Outer(rec('sh', '-c', 'yes | head -c 20000000; echo; echo DONE'))
    until(lambda: stuck(o), 'everything stands still')
    o.expect(b'DONE', seconds=60)
    equal(o.wait(), 0, 'status')
    o.close()


def stuck(o):
    with open('/proc/%d/io' % o.pid) as f:
        a = f.read()
    select.select([], [], [], 0.3)
    with open('/proc/%d/io' % o.pid) as f:
        b = f.read()
    return a == b and 'rchar: 0' not in a


try:
    main([f for name, f in sorted(globals().items(), key=lambda item: getattr(item[1], '__code__', None)
                                  and item[1].__code__.co_firstlineno or 0)
          if name.startswith('test_')])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
