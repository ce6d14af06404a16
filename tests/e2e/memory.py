# SPDX-License-Identifier: Apache-2.0
"""What tests of secrets in memory and on disk stand on: a user of their own, half-typed secrets, an intruder of the
same user, and searches of files and of memory."""
import array
import contextlib
import ctypes
import fcntl
import glob
import os
import pwd
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import termios
import zlib

from outer import Fail, until

USER = 'ttymem%d' % os.getpid()
HALF = b'Kz7-vQxW<j9_Zq4Tb'  # no four letters of it stand in any program or library
DIR = tempfile.mkdtemp(prefix='ttymem-')
PROMPT = b'Word> '
LINE = "read -r -s -p 'Word> ' x; echo taken; exec cat"
# A program that reads single keys, as the far side of a line does; one that shows masks.
RAW = ("import os,sys,tty; tty.setraw(0); sys.stdout.write('Word> '); sys.stdout.flush()\n"
       "while sys.stdin.buffer.raw.read(1) not in (b'\\r', b''): sys.stdout.write('%s'); sys.stdout.flush()\n"
       "os.system('stty sane'); print('taken', flush=True); os.execvp('cat', ['cat'])")


class World:
    """The user, its uid, and an sshd of its own on 127.0.0.1; all of it goes away again."""

    def __enter__(self):
        os.chmod(DIR, 0o755)
        subprocess.run(['useradd', '-M', '-d', DIR, '-s', '/bin/bash', USER], check=True, capture_output=True)
        self.name = USER
        self.uid = pwd.getpwnam(USER).pw_uid
        self.sshd = None
        self.start_sshd()
        return self

    def start_sshd(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        os.makedirs('/run/sshd', exist_ok=True)
        os.mkdir(DIR + '/ssh', 0o755)
        for key in ('host', 'user'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', DIR + '/ssh/' + key], check=True)
        os.chown(DIR + '/ssh/user', self.uid, self.uid)
        with open(DIR + '/ssh/config', 'w', encoding='ascii') as f:
            f.write('Port %d\nListenAddress 127.0.0.1\nHostKey %s/ssh/host\nPidFile none\nUsePAM yes\nStrictModes no\n'
                    'AuthorizedKeysFile %s/ssh/user.pub\n' % (port, DIR, DIR))
        self.sshd = subprocess.Popen(['/usr/sbin/sshd', '-D', '-f', DIR + '/ssh/config'], stderr=subprocess.DEVNULL)
        until(lambda: answers(port), 'sshd')
        self.prompts = {
            'line mode': ['bash', '-c', LINE],
            'single keys': ['/usr/bin/python3', '-c', RAW % ''],
            'masked': ['/usr/bin/python3', '-c', RAW % '*'],
            'far side of ssh': ['ssh', '-tt', '-q', '-F', 'none', '-p', str(port), '-i', DIR + '/ssh/user', '-o',
                                'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', USER + '@127.0.0.1',
                                LINE],
        }

    def __exit__(self, *_):
        if self.sshd:
            self.sshd.terminate()
            self.sshd.wait()
        for pid in pids():
            with contextlib.suppress(OSError):
                if os.stat('/proc/%d' % pid).st_uid == self.uid or DIR.encode() in read('/proc/%d/environ' % pid):
                    os.kill(pid, 9)
        subprocess.run(['userdel', USER], capture_output=True)
        shutil.rmtree(DIR, ignore_errors=True)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 5):
        return True
    return False


def pids():
    return [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def as_user(uid, **limits):
    """What a child does before it executes: it becomes that user, who may have core files."""
    def become():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))
    return become


def home_of(name, uid):
    home = tempfile.mkdtemp(prefix=name.replace(' ', '-') + '-', dir=DIR)
    os.mkdir(home + '/tmp')
    for path in (home, home + '/tmp'):
        os.chown(path, uid, uid)
    return home


def environment(home, **more):
    return dict(os.environ, HOME=home, TMPDIR=home + '/tmp', LC_ALL='C.UTF-8', **more)


def type_half(o):
    """Half a secret; returns when the recorder has read all of it."""
    o.expect(PROMPT, seconds=60)
    o.type(HALF, apart=True)
    until(lambda: o.pump(0.01) and unread(o.master) == 0, 'the keys are read')


def unread(master):
    """Bytes that wait on the other side of this terminal: TIOCGPTPEER, FIONREAD; ioctl_tty(2)."""
    n = array.array('i', [0])
    slave = fcntl.ioctl(master, 0x5441, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(slave, termios.FIONREAD, n)
    finally:
        os.close(slave)
    return n[0]


def writer_of(mark):
    """The writer whose environment holds ${mark}."""
    for pid in pids():
        with contextlib.suppress(OSError):
            if read('/proc/%d/comm' % pid) == b'ttytraild\n' and mark.encode() in read('/proc/%d/environ' % pid):
                return pid
    raise Fail('there is no writer')


# ---- on disk ----

def windows():
    return [HALF[i:i + 4] for i in range(len(HALF) - 3)]


def haystacks(where):
    for path in glob.glob(where + '/**', recursive=True):
        if not os.path.isfile(path):
            continue
        data = read(path)
        yield path, data
        if data[:15] != b'SQLite format 3':
            continue
        with contextlib.closing(sqlite3.connect('file:%s?mode=ro' % path, uri=True)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                for row in db.execute('SELECT * FROM "%s"' % table):
                    for value in row:
                        if isinstance(value, bytes):
                            yield table, zlib.decompress(value, wbits=31) if value[:2] == b'\x1f\x8b' else value
                        elif isinstance(value, str):
                            yield table, value.encode()


def leaks(where):
    return sorted({'%r in %s' % (w, path) for path, data in haystacks(where) for w in windows() if w in data})


# ---- in memory ----

class Region:
    def __init__(self, line):
        span, _, _, _, _, *name = line.split(None, 5)
        self.start, self.end = (int(x, 16) for x in span.split('-'))
        self.name = name[0].strip() if name else ''
        self.flags, self.locked = [], 0

    def is_secret(self):
        """The recorder's own memory for what is undecided, by its name where the kernel keeps names."""
        return 'ttytrail-secret' in self.name or 'wf' in self.flags


def regions(pid):
    found = []
    for line in read('/proc/%d/smaps' % pid).decode(errors='replace').splitlines():
        if re.match(r'[0-9a-f]+-[0-9a-f]+ ', line):
            found.append(Region(line))
        elif line.startswith('Locked:'):
            found[-1].locked = int(line.split()[1])
        elif line.startswith('VmFlags:'):
            found[-1].flags = line.split()[1:]
    return found


def in_memory(pid, words):
    """The regions that hold one of these words, as bytes or as code points of 32 bits."""
    found = []
    needles = [form for w in words for form in (w, w.decode().encode('utf-32-le'))]
    with open('/proc/%d/mem' % pid, 'rb', buffering=0) as f:
        for r in regions(pid):
            if 'rd' not in r.flags or 'io' in r.flags or r.name in ('[vvar]', '[vsyscall]', '[vvar_vclock]'):
                continue
            with contextlib.suppress(OSError, ValueError):
                f.seek(r.start)
                data = f.read(r.end - r.start)
                if any(n in data for n in needles):
                    found.append(r)
    return found


INTRUDER = r'''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
pid, found = int(sys.argv[1]), []
for name in ('mem', 'maps', 'smaps', 'environ', 'fd', 'auxv', 'map_files'):
    try:
        path = '/proc/%d/%s' % (pid, name)
        os.listdir(path) if name in ('fd', 'map_files') else open(path, 'rb').read(1)
        found.append(name)
    except OSError as why:
        if name == 'mem' and why.errno == 5:  # opened: address 0 is not mapped
            found.append(name)
pidfd = os.pidfd_open(pid)
if libc.syscall(438, pidfd, 0, 0) >= 0:
    found.append('pidfd_getfd')
class Iov(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(16)
here, there = Iov(ctypes.addressof(buffer), 16), Iov(0x400000, 16)
ctypes.set_errno(0)
for name in ('process_vm_readv', 'process_vm_writev'):
    getattr(libc, name)(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    if ctypes.get_errno() != 1:  # EPERM
        found.append(name)
for name, request in (('attach', 16), ('seize', 0x4206)):
    if libc.ptrace(request, pid, 0, 0) == 0:
        found.append(name)
        if name == 'attach':
            os.waitpid(pid, 0x40000000)  # __WALL: stopped, so that it can be let go
        libc.ptrace(17, pid, 0, 0)
print(' '.join(found))
'''


def intrude(pid, uid):
    """What a process of that user can open of another one."""
    return subprocess.run(['/usr/bin/python3', '-c', INTRUDER, str(pid)], capture_output=True, text=True, check=True,
                          preexec_fn=as_user(uid)).stdout.split()


def intrude_ordinary(uid):
    """The control: what the same intruder can open of a process that nobody protects."""
    victim = subprocess.Popen(['cat'], stdin=subprocess.PIPE, preexec_fn=as_user(uid))
    try:
        until(lambda: read('/proc/%d/comm' % victim.pid) == b'cat\n', 'cat')
        return intrude(victim.pid, uid)
    finally:
        victim.kill()
        victim.wait()
        victim.stdin.close()
