#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill9.py TTYTRAIL [COUNT [SEED]]: kill -9 of the recorder, the writer, or both, at random moments.
Every whole line that the outer terminal had shown must be in the database; a session whose writer alone was
killed must go on and be complete; `verify` may say complete or cut, and nothing else."""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../e2e'))
from outer import Fail, Outer, check, equal, run, until  # noqa: E402

TTYTRAIL = os.path.abspath(sys.argv[1])
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 18
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
TTYTRAILD = next(p for p in (os.path.dirname(TTYTRAIL) + '/ttytraild',
                             os.path.dirname(TTYTRAIL) + '/../sbin/ttytraild') if os.path.exists(p))
DIR = tempfile.mkdtemp(prefix='ttytrail-kill9.')
CONF = DIR + '/ttytrail.conf'
RANDOM = random.Random(SEED)

# name, lines, seconds between them, width, seconds idle afterwards
CASES = [('steady', 300, 0.005, 40, 0), ('short', 20, 0.02, 40, 1), ('burst', 20000, 0, 80, 0)]
GENERATE = '''
import os, time
n, pause, width = %d, %r, %d
block = b''
for i in range(1, n + 1):
    head = b'L%%07d ' %% i
    line = head + bytes(97 + (i * 7 + k * k) %% 26 for k in range(width - len(head) - 1)) + b'\\n'
    if pause:
        os.write(1, line)
        time.sleep(pause)
    else:
        block += line
        if len(block) > 30000 or i == n:
            os.write(1, block)
            block = b''
time.sleep(%r)
'''


def lines(data, width):
    return set(re.findall(rb'L\d{7} [a-z]{%d}\r\n' % (width - 10), bytes(data)))


class Shared:
    """One ttytraild that is started again whenever it was killed."""

    def __init__(self):
        self.socket, self.db, self.process = DIR + '/w.sock', DIR + '/shared.db', None
        self.start()

    def start(self):
        self.process = subprocess.Popen([TTYTRAILD, '--db', self.db, '--socket', self.socket, '--config', CONF],
                                        stdin=subprocess.DEVNULL)
        until(lambda: answers(self.socket), 'ttytraild answers')

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def answers(path):
    import socket
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(path)
        return True
    except OSError:
        return False
    finally:
        s.close()


def private_writer(recorder):
    """The ttytraild that is this recorder's own."""
    for p in os.listdir('/proc'):
        if not p.isdigit():
            continue
        try:
            with open('/proc/%s/stat' % p) as f:
                text = f.read()
        except OSError:
            continue
        if '(ttytraild)' in text and int(text[text.rindex(')') + 2:].split()[1]) == recorder:
            return int(p)
    return None


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def one(number, shared):
    name, n, pause, width, idle = RANDOM.choice(CASES)
    victim = RANDOM.choice(['recorder', 'writer', 'both'])
    use_shared = RANDOM.random() < 0.5
    title = 'k%d' % number
    where = ['--socket', shared.socket] if use_shared else ['--db', DIR + '/own.db', '--config', CONF]
    db = shared.db if use_shared else DIR + '/own.db'
    what = '%s %s, %s, %s' % (title, name, victim, 'shared' if use_shared else 'private')
    o = Outer([TTYTRAIL, 'record', '--quiet', '--title', title] + where +
              ['--', sys.executable, '-c', GENERATE % (n, pause, width, idle)])
    try:
        after = RANDOM.randrange(0, n + 1)
        if after > 0:
            o.expect(b'L%07d ' % after)
        if RANDOM.random() < 0.5:
            o.pump(RANDOM.random() * 0.02)
        if victim != 'writer':
            kill(o.pid)
        if victim != 'recorder':
            if use_shared:
                shared.kill()
            else:
                kill(private_writer(o.pid) or 0x7fffffff)
            if use_shared:
                shared.start()
        status = o.wait(30)
        if victim == 'writer':
            equal(status, 0, what + ': the session went on')
            equal(len(lines(o.shown, width)), n, what + ': lines on the screen')
        shown = lines(o.shown, width)
        if victim != 'writer' and not shown:
            return what, 0
        out, err, rc = run([TTYTRAIL, 'export', '--db', db, 'title:' + title, '--format', 'raw', '--stream', 'output'])
        equal(rc, 0, what + ': export: %r' % err)
        missing = shown - lines(out, width)
        check(not missing, '%s: %d of %d lines shown are missing, first %r'
              % (what, len(missing), len(shown), sorted(missing)[:1]))
        return what, len(shown)
    finally:
        o.close()


def states(db):
    out, err, rc = run([TTYTRAIL, 'verify', '--db', db], seconds=120)
    check(rc == 0, 'verify %s: %d %r %r' % (db, rc, out[-500:], err))
    return out.decode()


def main():
    with open(CONF, 'w') as f:
        f.write('[record]\nwriter_timeout_s = 2\n')
    shared = Shared()
    bad = total = 0
    print('seed %d' % SEED)
    for number in range(COUNT):
        try:
            what, seen = one(number, shared)
            total += seen
            print('ok    %s: %d lines shown, none missing' % (what, seen), flush=True)
        except Fail as e:
            bad += 1
            print('FAIL  %s' % e, flush=True)
    # A dead recorder's session is closed once its time has passed and a writer looks.
    try:
        for db, make in ((shared.db, ['--socket', shared.socket]), (DIR + '/own.db', ['--db', DIR + '/own.db', '--config', CONF])):
            def settled():
                run([TTYTRAIL, 'record'] + make + ['--', 'true'])
                return ' open' not in states(db)
            until(settled, 'every session of %s is complete or cut' % db, 60)
            words = states(db)
            print('      ' + words.strip().splitlines()[-1])
    except Fail as e:
        bad += 1
        print('FAIL  %s' % e)
    shared.stop()
    print('%d kills, %d lines shown, %d failures' % (COUNT, total, bad))
    return 1 if bad else 0


def leave_nothing_behind():
    """Whatever of this run still goes on; by its own directory, since others run the same programs."""
    for p in os.listdir('/proc'):
        if p.isdigit():
            try:
                with open('/proc/%s/cmdline' % p, 'rb') as f:
                    if DIR.encode() in f.read() and int(p) != os.getpid():
                        kill(int(p))
            except OSError:
                pass


status = 1
try:
    status = main()
finally:
    leave_nothing_behind()
    if status == 0:
        shutil.rmtree(DIR, ignore_errors=True)
    else:
        print('kept: ' + DIR)
sys.exit(status)
