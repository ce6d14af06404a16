#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Logins through a real sshd, with the witness in its PAM stack: connections, what hangs on them, and what does not."""
import errno
import fcntl
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import termios
import time

import installedrig
from installedrig import DB, RUN, sh
from outer import check, equal, main, until

HOST = None


def connections():
    with sqlite3.connect('file:%s?mode=ro' % DB, uri=True) as db:
        return [dict(zip(('id', 'pid', 'class', 'sessions', 'closed', 'facts'), row)) for row in db.execute(
            'SELECT hex(id), monitor_pid, class, sessions, closed_us, facts FROM connection ORDER BY row')]


def facts(blob):
    """docs/FORMAT.md, "Facts"."""
    found, at = {}, 0
    while at < len(blob):
        n = blob[at]
        key = blob[at + 1:at + 1 + n].decode()
        size = int.from_bytes(blob[at + 1 + n:at + 5 + n], 'big')
        found[key] = blob[at + 5 + n:at + 5 + n + size].decode(errors='replace')
        at += 5 + n + size
    return found


def fingerprint():
    return sh('ssh-keygen', '-l', '-f', '/run/rig.key.pub').decode().split()[1]


def newest(user):
    return [s for s in HOST.sessions() if s['user'] == user][-1]


def test_a_command_hangs_on_its_connection():
    out, err, status = HOST.ssh('alice', 'echo here')
    equal((out, status), (b'here\n', 0), 'ssh: %r' % err)
    s = newest('alice')
    f = s['facts']
    equal(f.get('conn.source'), 'witness', 'source')
    equal(f['conn.key'], fingerprint(), 'key')
    equal(s['key'], fingerprint(), 'key of the list')
    equal((f['conn.auth'], f['conn.key_type']), ('publickey', 'ssh-ed25519'), 'method')
    equal((f['conn.pam_user'], f['conn.pam_service']), ('alice', 'sshd'), 'PAM')
    equal((f['conn.address'], s['way_in']), ('127.0.0.1', 'command'), 'where from')
    equal(f['conn.ssh_connection'], f['env.ssh_connection'], 'connection')
    check(f['conn.ssh_connection'].split()[1] == f['conn.port'], 'port')
    equal(s['from'], '127.0.0.1:' + f['conn.port'], 'from')
    c = until(lambda: next((c for c in connections() if c['id'].lower() == f['conn.id'] and c['closed']), None),
              'closed by the witness', 60)
    equal((c['class'], c['sessions']), ('exec', 1), 'class')


class Master:
    """A connection of mallory's that others share, witnessed."""

    def __init__(self, control):
        self.shared = ['-o', 'ControlPath=' + control]
        before = len(connections())
        self.process = subprocess.Popen(HOST.ssh_argv('mallory', '-N', '-M', *self.shared), env=HOST.env(),
                                        stdin=subprocess.DEVNULL)
        until(lambda: os.path.exists(control) and len(connections()) > before, 'a master', 60)

    def __enter__(self):
        return self.shared

    def __exit__(self, *why):
        self.process.terminate()
        self.process.wait(60)


def test_channels_of_one_connection_hang_on_it_all():
    with Master('/tmp/control') as shared:
        channels(shared)
    until(lambda: connections()[-1]['closed'], 'closed', 60)


def channels(shared):
    before = len(connections())
    for n in range(3):
        equal(HOST.ssh('mallory', 'echo %d' % n, *shared)[0], b'%d\n' % n, 'channel')
    mine = [s for s in HOST.sessions() if s['user'] == 'mallory'][-3:]
    equal(len({s['facts']['conn.id'] for s in mine}), 1, 'one connection')
    equal(len(connections()), before, 'none of their own')
    c = connections()[-1]
    equal((c['sessions'], c['class'], c['closed']), (3, 'exec', 0), 'the connection')


def journal():
    found = [s for s in HOST.sessions() if s['kind'] == 'host']
    check(len(found) <= 1, 'one journal')
    return [line[2] for line in HOST.cast(found[0]) if isinstance(line, list)] if found else []


def test_a_connection_without_a_session_stands_in_the_journal():
    only = subprocess.Popen(HOST.ssh_argv('alice', '-N'), env=HOST.env(), stdin=subprocess.DEVNULL)
    plain = subprocess.Popen(HOST.ssh_argv('plain', command='exec tail -f /dev/null'), env=HOST.env(),
                             stdin=subprocess.DEVNULL)
    until(lambda: [c for c in connections() if c['class'] == 'forward-only']
          and [c for c in connections() if c['class'] == 'unrecorded'], 'classes', 90)
    for p in (only, plain):
        p.terminate()
        p.wait(60)
    until(lambda: not [c for c in connections() if not c['closed']], 'all closed', 60)
    for name, user in (('forward-only', 'alice'), ('unrecorded', 'plain')):
        lines = [m for m in journal() if 'class=%s ' % name in m and 'user="%s"' % user in m]
        equal(len(lines), 1, 'told once: %r' % journal())
        check('key=' + fingerprint() in lines[0] and 'address=127.0.0.1' in lines[0], lines[0])
    out, _, status = HOST.ttytrail('status', '--db', DB)
    check(b'WARNING  logins' in out and b' without a recording, the last at ' in out and status != 0, out)


def test_a_restarted_writer_knows_open_connections():
    with Master('/tmp/control2') as shared:
        HOST.stop_writer()
        HOST.start_writer(keep=False)
        equal(HOST.ssh('mallory', 'echo after', *shared)[0], b'after\n', 'channel')
        check('conn.id' in newest('mallory')['facts'], 'linked after the restart')
        check(journal(), 'the journal goes on')


def test_scp_is_a_recorded_session():
    sh('scp', '-q', *HOST.ssh_argv('alice')[1:3], '-P', str(installedrig.PORT), '-i', '/run/rig.key', '-o',
       'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '/etc/hostname', 'alice@127.0.0.1:copy')
    check(os.path.exists('/home/alice/copy'), 'copied')
    equal(newest('alice')['facts'].get('conn.key'), fingerprint(), 'key')


def test_root_during_a_session_seals_and_calls_the_shipper():
    try:
        os.unlink(RUN + '/ship-now')
    except FileNotFoundError:
        pass
    # A program that became root, as sudo's would be.
    sh('cp', '/usr/bin/python3', '/usr/local/bin/rooted')
    os.chmod('/usr/local/bin/rooted', 0o4755)
    p = subprocess.Popen(HOST.ssh_argv('mallory', command='echo before; exec 3>&1; /usr/local/bin/rooted -c '
                                       '"import time; time.sleep(600)"; true'), env=HOST.env(),
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until(lambda: os.path.exists(RUN + '/ship-now'), 'the shipper is called', 60)
        s = newest('mallory')
        check('root' in s['flags'], 'flag: %r' % s['flags'])
        until(lambda: newest('mallory')['segments'] >= 1, 'sealed while it runs', 60)
        equal(newest('mallory')['state'], 'open', 'it goes on')
    finally:
        p.kill()
        p.wait()


def test_more_processes_than_are_watched_are_told():
    p = subprocess.Popen(HOST.ssh_argv('mallory', command='for i in $(seq 400); do sleep 600 & done; echo up; wait'),
                         env=HOST.env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until(lambda: 'unwatched' in newest('mallory')['flags'], 'flag', 60)
    finally:
        p.kill()
        p.wait()
        subprocess.run(['pkill', '-KILL', '-u', 'mallory', '-x', 'sleep'], check=False)


def frame(kind, body):
    return struct.pack('>IBBH', len(body), kind, 0, 0) + body


def ask(path, message, *fds):
    """The first frame that comes back: (type, body, descriptors, socket)."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(path)
    socket.send_fds(s, [message], list(fds))
    got, passed, _, _ = socket.recv_fds(s, 65536, 4)
    return got[4], got[8:], passed, s


def fact(key, value):
    return bytes([len(key)]) + key + struct.pack('>I', len(value)) + value


def test_an_older_descriptor_of_the_outer_terminal_is_dead():
    master, ours = os.openpty()
    name = os.ttyname(ours)
    theirs = os.open(name, os.O_RDWR | os.O_NOCTTY)  # an attacker's
    fcntl.ioctl(ours, termios.TIOCEXCL)
    kind, body, passed, s = ask(RUN + '/writer.sock', frame(1, struct.pack('>I', 1) + fact(b'kind', b'tty')
                                                            + fact(b'title', b'outer')), ours)
    equal((kind, len(passed)), (32, 1), 'OPENED, with a descriptor')
    for fd in (ours, theirs):
        try:
            os.write(fd, b'x')
            check(False, 'an older descriptor still works')
        except OSError as e:
            equal(e.errno, errno.EIO, 'EIO')
    equal(os.ttyname(passed[0]), name, 'the same terminal')
    os.write(passed[0], b'goes on')
    equal(os.read(master, 100), b'goes on', 'the other side')
    s.sendall(struct.pack('>IBBH', 18, 3, ord('o'), 0) + struct.pack('>QQ', 1, 1) + b'hi')
    equal(s.recv(1000)[4], 34, 'the session goes on: ACK')
    flags = next(x for x in HOST.sessions() if x['title'] == 'outer')['flags']
    equal(flags, [], 'no flag')
    s.close()
    for fd in (master, ours, theirs, passed[0]):
        os.close(fd)


def test_a_terminal_of_somebody_else_is_left_alone():
    master, slave = os.openpty()
    os.chown(os.ttyname(slave), 64202, 5)
    kind, body, passed, s = ask(RUN + '/writer.sock', frame(1, struct.pack('>I', 1) + fact(b'kind', b'tty')
                                                            + fact(b'title', b'else')), slave)
    equal((kind, passed), (32, []), 'OPENED without')
    os.write(slave, b'alive')
    equal(next(x for x in HOST.sessions() if x['title'] == 'else')['flags'], ['outer-tty-shared'], 'flag')
    s.close()
    os.close(master)
    os.close(slave)


def test_facts_sees_what_the_writer_cannot_and_answers_nobody_else():
    path = RUN + '/facts.sock'
    with open('/proc/%d/stat' % os.getpid()) as f:
        start = int(f.read().rsplit(')', 1)[1].split()[19])
    kind, body, _, s = ask(path, frame(112, struct.pack('>IQ', os.getpid(), start)))
    equal((kind, facts(body)['exe']), (96, os.path.realpath('/proc/self/exe')), 'exe')
    s.close()
    kind, body, _, s = ask(path, frame(112, struct.pack('>IQ', os.getpid(), start + 1)))
    equal(kind, 37, 'another process of that number')
    s.close()
    master, slave = os.openpty()
    kind, body, _, s = ask(path, frame(113, b''), slave)
    check('%d:%d' % (os.getpid(), start) in facts(body)['holders'].split(), 'holders: %r' % body)
    s.close()
    began = time.monotonic()
    kind, body, _, s = ask(path, frame(115, b''))
    check(kind in (37, 96) and time.monotonic() - began < 10, 'instance: at once')
    s.close()
    os.close(master)
    os.close(slave)
    with open('/proc/%d/status' % HOST.facts.pid) as f:
        status = dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)
    kept = 1 << 19 | 1 << 2 | 1 << 21 | 1 << 1  # SYS_PTRACE, DAC_READ_SEARCH, SYS_ADMIN, DAC_OVERRIDE
    equal([int(status[k], 16) & ~kept for k in ('CapPrm', 'CapEff', 'CapBnd', 'CapInh')], [0] * 4, 'capabilities')
    equal(status['NoNewPrivs'], '1', 'no_new_privs')
    os.chmod(path, 0o666)  # the socket's mode is not all that keeps others out
    program = ('import socket,sys\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(60)\ns.connect(%r)\n'
               's.send(bytes.fromhex(%r))\nprint(len(s.recv(1000)))\n' % (path, frame(112, struct.pack('>IQ', 1, 0)).hex()))
    out, err, status = HOST.as_user('mallory', ['python3', '-c', program])
    check(out == b'0\n' or b'ConnectionResetError' in err or b'BrokenPipeError' in err,
          'mallory is answered: %r %r' % (out, err))
    os.chmod(path, 0o600)


def test_without_a_writer_a_login_is_in_the_system_log():
    HOST.stop_writer()
    before = len(HOST.log)
    HOST.ssh('plain', 'true')
    until(lambda: b'unwitnessed' in HOST.log[before:], 'a line', 60)
    line = bytes(HOST.log[before:])
    check(b'pam_user="plain"' in line and b'ssh_auth_info="publickey ssh-ed25519' in line, repr(line))
    HOST.start_writer(keep=False)


if __name__ == '__main__':
    if os.geteuid() != 0 or not os.path.exists('/usr/sbin/sshd'):
        print('*** NOT TESTED: logins and their witness: needs root and an sshd')
        sys.exit(0)
    installedrig.enter()
    with installedrig.Host() as HOST:
        check(HOST.witness, 'ttytrail-login is installed')
        main([f for name, f in sorted(globals().items(), key=lambda i: getattr(i[1], '__code__', None)
              and i[1].__code__.co_firstlineno or 0) if name.startswith('test_')])
