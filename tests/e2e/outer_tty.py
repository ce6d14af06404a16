#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The outer terminal of a login through a real sshd: taken from who had it open before, and everything else as ever."""
import hashlib
import os
import signal
import socket
import struct
import subprocess
import sys

import installedrig
from installedrig import RUN, sh
from outer import Outer, check, equal, main, until

HOST = None
PATIENCE = 60
# Has the terminal open before the recorder; says what it can do when it is told to.
SPY = r'''
import os, sys, time
tty = os.environ['SSH_TTY']
fd = os.open(tty, os.O_RDWR | os.O_NOCTTY)
if os.fork():
    os._exit(0)
os.setsid()
open('spy.ready', 'w').close()
end = time.monotonic() + 90
while not os.path.exists('spy.go') and time.monotonic() < end:
    time.sleep(0.01)
said = []
try:
    os.write(fd, b'SPY-WROTE')
    said.append('wrote')
except OSError as e:
    said.append('write %d' % e.errno)
try:
    os.set_blocking(fd, False)
    said.append('read %r' % os.read(fd, 100))
except OSError as e:
    said.append('read %d' % e.errno)
try:
    os.open(tty, os.O_RDWR | os.O_NOCTTY)
    said.append('opened')
except OSError as e:
    said.append('open %d' % e.errno)
with open('spy.part', 'w') as f:
    f.write('; '.join(said))
os.rename('spy.part', 'spy.said')
'''
# ~/.ssh/rc would run in a recorder of its own, which has the terminal for itself while it lasts; this one does not.
RC = '[ "$USER" != mallory ] || python3 $HOME/spy.py </dev/null >/dev/null 2>&1\n'


def home(name):
    return '/home/mallory/' + name


def put(name, text):
    with open(home(name), 'w') as f:
        f.write(text)
    os.chown(home(name), 64201, 64201)


def remove(*names):
    for name in names:
        if os.path.exists(home(name)):
            os.unlink(home(name))


def spied():
    """A login of mallory's that has left a spy."""
    remove('spy.ready', 'spy.go', 'spy.said')
    put('spy.py', SPY)
    with open('/etc/ssh/sshrc', 'w') as f:
        f.write(RC)
    o = HOST.login('mallory')
    try:
        at = ready(o)
        until(lambda: os.path.exists(home('spy.ready')), 'a spy', PATIENCE)
    finally:
        os.unlink('/etc/ssh/sshrc')
    return o, at


def said():
    put('spy.go', '')
    until(lambda: os.path.exists(home('spy.said')), 'the spy speaks', PATIENCE)
    with open(home('spy.said')) as f:
        return f.read()


def ready(o):
    at = o.expect(b'$ ', seconds=PATIENCE)
    o.type(b'echo r""eady\r')
    return o.expect(b'ready', at, PATIENCE)


def newest():
    return [s for s in HOST.sessions() if s['user'] == 'mallory' and s['kind'] == 'tty'][-1]


def leave(o, status=0):
    o.type(b'exit %d\r' % status)
    equal(o.wait(PATIENCE), status, 'exit status')
    o.close()


def test_who_had_it_open_sees_nothing():
    o, at = spied()
    equal(newest()['flags'], [], 'no flag')
    o.type(b'typed later')
    o.expect(b'typed later', at, PATIENCE)
    text = said()
    check(text in ('write 5; read b\'\'; open 16', 'write 5; read 5; open 16'), 'the spy: ' + text)
    o.type(b'\x15echo aft""er\r')
    o.expect(b'after', at, PATIENCE)
    check(b'SPY-WROTE' not in o.shown, 'nothing of his is shown')
    leave(o, 7)


def test_size_job_control_and_terminal_are_as_ever():
    o = HOST.login('mallory')
    at = ready(o)
    o.type(b'stty size\r')
    at = o.expect(b'24 80', at, PATIENCE)
    o.resize(31, 97)
    until(lambda: b'31 97' in asked(o, b'stty size\r'), 'the new size', PATIENCE)
    at = len(o.shown)
    o.type(b'sh -c \'echo wai""ts; exec cat\'\r')
    at = o.expect(b'waits', at, PATIENCE)
    o.type(b'\x03')
    at = o.expect(b'$ ', at, PATIENCE)
    o.type(b'echo st=$?\r')
    at = o.expect(b'st=130', at, PATIENCE)
    recorder = recorder_of_mallory()
    with open('/proc/%d/stat' % recorder) as f:
        field = f.read().rsplit(')', 1)[1].split()
    check(int(field[4]) != 0 and int(field[5]) == recorder, 'a controlling terminal, and its foreground')
    outer = os.readlink('/proc/%d/fd/0' % recorder)
    modes = sh('stty', '-a', '-F', outer).decode()
    check('-icanon' in modes and '-echo ' in modes and '-opost' in modes, 'raw: ' + modes)
    equal({os.readlink('/proc/%d/fd/%d' % (recorder, i)) for i in range(3)}, {outer}, 'descriptors 0 to 2')
    leave(o, 3)


def recorder_of_mallory():
    return max(installedrig.processes(uid=64201, name='ttytrail-shell-'))


def asked(o, keys):
    at = len(o.shown)
    o.type(keys)
    for _ in range(20):
        o.pump(0.02)
    return bytes(o.shown[at:])


def test_a_command_on_a_terminal():
    o = HOST.login('mallory', command='tty; exit 9')
    equal(o.wait(PATIENCE), 9, 'status')
    check(b'/dev/pts/' in o.shown, 'tty: %r' % o.shown)
    o.close()
    equal(newest()['flags'], [], 'no flag')


def test_the_client_goes_away():
    o = HOST.login('mallory')
    ready(o)
    session = newest()['id']
    o.hang_up()
    o.wait(PATIENCE)
    until(lambda: next(s for s in HOST.sessions() if s['id'] == session)['state'] != 'open', 'the end', PATIENCE)
    o.close()


BLOCKS = 'python3 -c "import os; print(\'blocking=%s\' % os.get_blocking(0))"'


def piped(data, command=None):
    p = subprocess.run(HOST.ssh_argv('mallory', '-tt', command=command), input=data, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, env=HOST.env(), timeout=PATIENCE)
    return p.stdout, p.stderr


def test_keys_typed_ahead_arrive():
    for n in range(3):
        out, err = piped(b'echo early%d\nexit\n' % n, 'sh')
        check(b'early%d\r\n' % n in out.replace(b'echo early%d' % n, b''), 'lost: %r %r' % (out, err))
        equal(newest()['flags'], [], 'no flag')


def test_more_keys_than_are_kept_are_not_lost():
    lines = b''.join(b'%07d\n' % i for i in range(8000))
    out, err = piped(lines, 'stty -echo; head -c %d | md5sum' % len(lines))
    check(hashlib.md5(lines).hexdigest().encode() in out, 'lost: %r %r' % (out[-300:], err))


def test_tmux_inside():
    if not os.path.exists('/usr/bin/tmux'):
        print('*** NOT TESTED: tmux')
        return
    o = HOST.login('mallory')
    ready(o)
    at = len(o.shown)
    o.type(b'tmux new\r')
    o.expect(b'[0]', at, PATIENCE)
    o.type(b'echo in""side\r')
    o.expect(b'inside', at, PATIENCE)
    o.type(b'exit\r')
    o.expect(b'[exited]', at, PATIENCE)
    leave(o)


def test_su_is_flagged_and_its_caller_lives():
    o = Outer(['/bin/sh', '-c', 'su -l mallory; echo back=$?; read x; echo got=$x'], env=HOST.env())
    ready(o)
    equal(newest()['flags'], ['outer-tty-shared'], 'flag')
    o.type(b'exit 4\r')
    o.expect(b'back=4', seconds=PATIENCE)
    o.type(b'on\r')
    o.expect(b'got=on', seconds=PATIENCE)
    equal(o.wait(PATIENCE), 0, 'status')
    o.close()


def works_flagged():
    o = HOST.login('mallory')
    at = ready(o)
    equal(newest()['flags'], ['outer-tty-shared'], 'flag')
    return o, at


def test_facts_that_hangs_or_is_away():
    os.kill(HOST.facts.pid, signal.SIGSTOP)
    try:
        o, at = works_flagged()
    finally:
        os.kill(HOST.facts.pid, signal.SIGCONT)
    # It finds a question that nobody waits for: another one is answered after it.
    other = HOST.login('mallory')
    ready(other)
    equal(newest()['flags'], [], 'no flag any more')
    leave(other)
    o.type(b'echo a""live\r')
    o.expect(b'alive', at, PATIENCE)
    leave(o, 5)
    HOST.facts.kill()
    HOST.facts.wait()
    o, at = works_flagged()
    leave(o, 6)
    HOST._spawn_facts()


def test_who_is_not_recorded_has_his_terminal_as_it_was():
    HOST.restart_writer('[user mallory]\nrecord = off\n')
    try:
        out, err = piped(b'early\n', 'read a; echo "got=$a"; ' + BLOCKS)
        check(b'got=early' in out and b'blocking=True' in out, 'terminal: %r %r' % (out, err))
    finally:
        HOST.restart_writer('')


def test_a_writer_that_hangs_hangs_nothing_up_late():
    """The recorder gave up and went on without it; its question is still there."""
    HOST.stop_writer()
    HOST.start_writer(keep=False)
    master, slave = os.openpty()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    os.kill(HOST.writer.pid, signal.SIGSTOP)
    try:
        s.connect(RUN + '/writer.sock')
        body = struct.pack('>I', 1) + b'\x04kind\0\0\0\x03tty'
        socket.send_fds(s, [struct.pack('>IBBH', len(body), 1, 0, 0) + body], [slave])
        s.shutdown(socket.SHUT_WR)
    finally:
        os.kill(HOST.writer.pid, signal.SIGCONT)
    # It has been through it when it has closed.
    while True:
        got, passed, _, _ = socket.recv_fds(s, 65536, 4)
        equal(passed, [], 'a descriptor')
        if not got:
            break
    s.close()
    os.write(slave, b'alive')
    equal(os.read(master, 100), b'alive', 'the terminal')
    os.close(master)
    os.close(slave)


if __name__ == '__main__':
    if os.geteuid() != 0 or not os.path.exists('/usr/sbin/sshd'):
        print('*** NOT TESTED: the outer terminal of a login: needs root and an sshd')
        sys.exit(0)
    installedrig.enter()
    with installedrig.Host() as HOST:
        main([f for name, f in sorted(globals().items(), key=lambda i: getattr(i[1], '__code__', None)
              and i[1].__code__.co_firstlineno or 0) if name.startswith('test_')
              and (len(sys.argv) < 2 or sys.argv[1] in name)])
