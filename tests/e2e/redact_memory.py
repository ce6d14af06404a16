#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""While a password is half typed: no core file, no other process of the same user reads the recorder's memory
or traces it, and a kill -9 leaves no byte of the password anywhere on disk.  Needs root, for users of its own."""
import ctypes
import glob
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import zlib

from outer import Outer, check, equal, main, run, until

TTYTRAIL = sys.argv[1]
USER = 'ttymem'
DIR = tempfile.mkdtemp(prefix='ttymem-')
HALF = b'Kz7-vellumQuartz'
# A prompt in line mode; one that reads single keys, as the far side of ssh does; one with masks.
RAW = ("import sys,termios,tty; f=termios.tcgetattr(0); tty.setraw(0); sys.stdout.write('Word> '); sys.stdout.flush()\n"
       "while sys.stdin.buffer.raw.read(1) not in (b'\\r', b''): sys.stdout.write('%s'); sys.stdout.flush()")
PROMPTS = {'line mode': ['bash', '-c', "read -r -s -p 'Word> ' x"],
           'single keys': ['/usr/bin/python3', '-c', RAW % ''],
           'masked': ['/usr/bin/python3', '-c', RAW % '*']}
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206


def windows():
    return [HALF[i:i + 4] for i in range(len(HALF) - 3)]


def haystacks(where):
    for path in glob.glob(where + '/**', recursive=True):
        if not os.path.isfile(path):
            continue
        with open(path, 'rb') as f:
            data = f.read()
        yield path, data
        if data[:15] != b'SQLite format 3':
            continue
        db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            for row in db.execute('SELECT * FROM "%s"' % table):
                for value in row:
                    if isinstance(value, bytes):
                        yield table, zlib.decompress(value, wbits=31) if value[:2] == b'\x1f\x8b' else value
                    elif isinstance(value, str):
                        yield table, value.encode()
        db.close()


def leaks(where):
    return sorted({'%r in %s' % (w, path) for path, data in haystacks(where) for w in windows() if w in data})


def as_user(uid):
    def become():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        # Whoever wants a core file may ask for one.
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return become


def half_typed(name, uid):
    """A recorder of ${USER} with half a password typed at that prompt."""
    home = tempfile.mkdtemp(prefix=name.replace(' ', '-'), dir=DIR)
    os.mkdir(home + '/tmp')
    for path in (home, home + '/tmp'):
        os.chown(path, uid, uid)
    env = dict(os.environ, HOME=home, TMPDIR=home + '/tmp', LC_ALL='C.UTF-8')
    o = Outer([TTYTRAIL, 'record', '--quiet', '--db', home + '/e.db', '--'] + PROMPTS[name], env=env,
              before=as_user(uid))
    o.expect(b'Word> ')
    o.type(HALF, apart=True)
    until(lambda: not waiting_keys(o), 'the keys are taken')
    return o, home


def waiting_keys(o):
    """Whether the recorder has not read all that was typed."""
    import array
    import fcntl
    import termios
    n = array.array('i', [0])
    fcntl.ioctl(o.master, termios.TIOCOUTQ, n)
    return n[0] > 0


def children(pid):
    with open('/proc/%d/task/%d/children' % (pid, pid), encoding='ascii') as f:
        return [int(word) for word in f.read().split()]


def writer_of(o):
    for pid in children(1) + [int(p) for p in os.listdir('/proc') if p.isdigit()]:
        try:
            with open('/proc/%d/comm' % pid, encoding='ascii') as f:
                if f.read().strip() != 'ttytraild':
                    continue
            with open('/proc/%d/environ' % pid, 'rb') as f:
                if DIR.encode() in f.read():
                    return pid
        except OSError:
            continue
    return None


INTRUDER = r'''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
pid, found = int(sys.argv[1]), []
for name in ('mem', 'maps', 'environ', 'fd', 'auxv'):
    try:
        path = '/proc/%d/%s' % (pid, name)
        os.listdir(path) if name == 'fd' else open(path, 'rb').read(1)
        found.append(name)
    except OSError as why:
        if name == 'mem' and why.errno == 5:  # opened: address 0 is not mapped
            found.append(name)
for name, request in (('attach', 16), ('seize', 0x4206)):
    if libc.ptrace(request, pid, 0, 0) == 0:
        found.append(name)
        libc.ptrace(17, pid, 0, 0)
class Iov(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(16)
here, there = Iov(ctypes.addressof(buffer), 16), Iov(0x400000, 16)
ctypes.set_errno(0)
libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
if ctypes.get_errno() != 1:  # EPERM
    found.append('process_vm_readv')
print(' '.join(found))
'''


def intrude(pid, uid):
    return subprocess.run(['/usr/bin/python3', '-c', INTRUDER, str(pid)], capture_output=True, text=True, check=True,
                          preexec_fn=as_user(uid)).stdout.split()


def with_user(test):
    def wrapped():
        if os.getuid() != 0:
            print('*** NOT TESTED: %s needs root, for a user of its own' % test.__name__)
            return
        import pwd
        test(pwd.getpwnam(USER).pw_uid)
    wrapped.__name__ = test.__name__
    return wrapped


@with_user
def test_memory_of_recorder_and_writer_is_closed(uid):
    for name in PROMPTS:
        o, home = half_typed(name, uid)
        equal(intrude(o.pid, uid), [], 'read of the recorder, ' + name)
        writer = writer_of(o)
        check(writer is not None, 'there is a writer')
        equal(intrude(writer, uid), [], 'read of the writer, ' + name)
        # The control: the same intruder gets into an ordinary process.
        victim = subprocess.Popen(['cat'], stdin=subprocess.PIPE, preexec_fn=as_user(uid))
        check('maps' in intrude(victim.pid, uid), 'the intruder finds nothing at all')
        victim.kill()  # attached to, it stands still
        victim.wait()
        equal(leaks(home), [], 'while it is half typed, ' + name)
        o.type(b'\r')
        o.wait()
        o.close()


@with_user
def test_the_arena_is_locked_and_left_out_of_dumps(uid):
    o, _ = half_typed('single keys', uid)
    # Memory that forked children get empty is the arena's alone: proc(5), "VmFlags".
    arenas, locked = [], 0
    with open('/proc/%d/smaps' % o.pid, encoding='ascii', errors='replace') as f:
        for line in f:
            if line.startswith('Locked:'):
                locked = int(line.split()[1])
            elif line.startswith('VmFlags:') and ' wf' in line:
                arenas.append((line, locked))
    check(arenas, 'no arena')
    for flags, kib in arenas:
        check(' lo' in flags and ' dd' in flags, 'VmFlags: ' + flags)
    check(sum(kib for _, kib in arenas) > 0, 'nothing is locked')
    o.type(b'\r')
    o.wait()
    o.close()


@with_user
def test_no_core_file(uid):
    with open('/proc/sys/kernel/core_pattern', encoding='ascii') as f:
        pattern = f.read()
    with open('/proc/sys/kernel/core_pattern', 'w', encoding='ascii') as f:
        f.write(DIR + '/core.%p')
    try:
        os.chmod(DIR, 0o777)
        for sig in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            o, home = half_typed('single keys', uid)
            os.kill(o.pid, sig)
            os.waitpid(o.pid, 0)
            equal(glob.glob(DIR + '/core.*'), [], 'core files after signal %d' % sig)
            equal(leaks(home), [], 'after signal %d' % sig)
            shutil.rmtree(home)
        # The control: an ordinary process does leave one here.
        victim = subprocess.Popen(['sh', '-c', 'kill -SEGV $$'], cwd='/tmp', preexec_fn=as_user(uid))
        victim.wait()
        if not glob.glob(DIR + '/core.*'):
            print('*** NOT TESTED: this kernel writes no core files at all')
    finally:
        with open('/proc/sys/kernel/core_pattern', 'w', encoding='ascii') as f:
            f.write(pattern)
        for path in glob.glob(DIR + '/core.*'):
            os.unlink(path)


@with_user
def test_kill_leaves_nothing_on_disk(uid):
    for name in PROMPTS:
        for who in ('recorder', 'both'):
            o, home = half_typed(name, uid)
            writer = writer_of(o)
            os.kill(o.pid, signal.SIGKILL)
            if who == 'both':
                os.kill(writer, signal.SIGKILL)
            os.waitpid(o.pid, 0)
            until(lambda: not os.path.exists('/proc/%d' % writer) or who == 'recorder', 'the writer is gone')
            equal(leaks(home), [], 'after a kill of %s, %s' % (who, name))
            # The next writer says what may be missing.
            until(lambda: lost_mark(home, uid), 'the mark after a kill of %s, %s' % (who, name), 60)
            equal(leaks(home), [], 'after recovery, ' + name)
            shutil.rmtree(home)


def lost_mark(home, uid):
    env = dict(os.environ, HOME=home)
    conf = home + '/c.conf'
    with open(conf, 'w', encoding='ascii') as f:
        f.write('[record]\nwriter_timeout_s = 1\n')
    subprocess.run([TTYTRAIL, 'record', '--quiet', '--config', conf, '--db', home + '/e.db', '--', 'true'], env=env,
                   preexec_fn=as_user(uid), stdin=subprocess.DEVNULL, check=True)
    with open(home + '/list', 'wb') as f:
        subprocess.run([TTYTRAIL, 'list', '--db', home + '/e.db', '--json'], env=env, stdout=f, check=True,
                       preexec_fn=as_user(uid))
    import json
    with open(home + '/list', encoding='utf-8') as f:
        for session in map(json.loads, f):
            if session['state'] == 'cut':
                out, err, rc = run([TTYTRAIL, 'export', '--db', home + '/e.db', session['id'], '--format', 'cast'])
                return rc == 0 and b'undecided input lost since' in out
    return False


made_user = False
try:
    if os.getuid() == 0:
        made_user = subprocess.run(['useradd', '-M', '-s', '/bin/sh', USER], capture_output=True).returncode == 0
        os.chmod(DIR, 0o755)
    main([test_memory_of_recorder_and_writer_is_closed, test_the_arena_is_locked_and_left_out_of_dumps,
          test_no_core_file, test_kill_leaves_nothing_on_disk])
finally:
    if made_user:
        subprocess.run(['userdel', USER], capture_output=True)
    shutil.rmtree(DIR, ignore_errors=True)
