# SPDX-License-Identifier: Apache-2.0
"""Attacks on running programs: killing, stopping, looking into, starving and flooding them."""
import os
import signal
import time

import installedrig
from attackrig import MALLORY, PATIENCE, writer_kib
from attackrow import row
from outer import Fail, until

RECORDER = '$(python3 -c "import sys;sys.path.insert(0,\'/opt/rig\');import attacktool;print(attacktool.recorder())")'


def on_recorder(sig, ended=True):
    """Shows a mark, sends a signal to the recorder, tries to show another one."""
    def run(arena):
        t = arena.terminal()
        t.type(b'r=%s; m before; sleep 0.3; kill -%s $r; sleep 0.3; m after\r' % (RECORDER.encode(), sig.encode()))
        if ended:
            arena.gone(t)
            return 'ended'
        t.expect(b'RIGafterGIR')
        arena.done(t)
        return None
    return run


def stopped(arena):
    """While the recorder stands still, something of his goes for the outer terminal; then it goes on."""
    arena.write_home('outer.sh', 'kill -STOP $1; (echo RIG""outerGIR > $SSH_TTY) 2> denied; cat $SSH_TTY 2>> denied &\n'
                     'sleep 1; kill -CONT $1; cat denied; echo RIG""laterGIR\n')
    t = arena.terminal()
    t.type(b'r=%s; m before; setsid sh outer.sh $r\r' % RECORDER.encode())
    t.expect(b'RIGlaterGIR')
    if b'busy' not in t.shown:
        arena.notes.append('the outer terminal was not busy')
    arena.done(t)


def stopped_group(arena):
    t = arena.terminal()
    t.type(b'm before; sleep 0.3; kill -STOP -1\r')
    t.expect(b'RIGbeforeGIR', seconds=PATIENCE)
    for _ in range(5):
        t.pump(0.2)
    arena.see(t.shown)
    for pid in installedrig.processes(MALLORY):
        os.kill(pid, signal.SIGKILL)
    arena.gone(t)
    return 'ended'


def every_signal(arena):
    """Each signal there is, to a recorder of its own."""
    deaths = 0
    for sig in range(1, 65):
        if sig in (32, 33):
            continue
        out = arena.command('r=%s; echo RIGa%dGIR; kill -%d $r; sleep 0.05; echo RIGb%dGIR' % (RECORDER, sig, sig, sig)
                            if sig not in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU) else
                            '(r=%s; echo RIGa%dGIR; kill -%d $r; sleep 0.2; kill -CONT $r; echo RIGb%dGIR)'
                            % (RECORDER, sig, sig, sig))
        deaths += out[2] != 0
    arena.notes.append('%d of 62 signals end it' % deaths)
    return 'ended'


def at_any_moment(arena):
    """Counts as fast as it goes, and is killed in the middle."""
    for n in range(5):
        t = arena.terminal()
        t.type(b'r=%s; i=0; while :; do m $i.x%d; i=$((i+1)); [ $i = %d ] && kill -9 $r; done\r'
               .replace(b'm $i.x%d', b'm ${i}x%d') % (RECORDER.encode(), n, 50 + n * 37))
        arena.gone(t)
    return 'ended'


def kill_sshd(arena):
    t = arena.terminal()
    t.type(b"m before; sleep 0.3; pkill -9 -u mallory sshd || kill -9 $(python3 -c \"import sys;sys.path.insert(0,'/opt/rig');"
           b"import attacktool as a;print(a.parent(a.recorder()))\"); m after\r")
    arena.gone(t)
    return 'ended'


def writer_dies(arena):
    """The writer is killed under him, and comes back."""
    arena.allowed_restarts = 3
    t = arena.terminal()
    for n in range(3):
        arena.host.writer.kill()
        t.type(b'm round%d\r' % n)
        t.expect(b'RIGround%dGIR' % n, seconds=PATIENCE)
    arena.done(t)
    until(lambda: arena.host.restarts - arena.restarts >= 3, 'the writer was started again', PATIENCE)


LOOK = '''
import ctypes
pid = recorder()
libc = ctypes.CDLL(None, use_errno=True)
def call(n, *a):
    if libc.syscall(n, *a) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
for name in ('mem', 'environ', 'maps', 'auxv', 'io', 'personality', 'stack', 'syscall', 'pagemap', 'smaps'):
    attempt('read ' + name, lambda: bool(open('/proc/%d/%s' % (pid, name), 'rb').read(1)) or False)
for name in ('fd', 'fdinfo', 'map_files', 'ns'):
    attempt('list ' + name, lambda: [os.readlink('/proc/%d/%s/%s' % (pid, name, f)) for f in os.listdir('/proc/%d/%s' % (pid, name))])
for name in ('exe', 'cwd', 'root', 'fd/0', 'fd/1', 'fd/3'):
    attempt('link ' + name, lambda: os.readlink('/proc/%d/%s' % (pid, name)))
    attempt('open ' + name, lambda: os.open('/proc/%d/%s' % (pid, name), os.O_RDONLY))
for name in ('oom_score_adj', 'clear_refs', 'coredump_filter', 'mem', 'timerslack_ns', 'comm', 'autogroup'):
    attempt('write ' + name, lambda: open('/proc/%d/%s' % (pid, name), 'wb', 0).write(b'1'))
attempt('PTRACE_ATTACH', lambda: libc.ptrace(16, pid, 0, 0) == 0 or False)
attempt('PTRACE_SEIZE', lambda: libc.ptrace(0x4206, pid, 0, 0) == 0 or False)
buf = ctypes.create_string_buffer(8)
class Vec(ctypes.Structure):
    _fields_ = [('p', ctypes.c_void_p), ('n', ctypes.c_size_t)]
v = Vec(ctypes.addressof(buf), 8); far = Vec(0x400000, 8)
attempt('process_vm_readv', lambda: libc.process_vm_readv(pid, ctypes.byref(v), 1, ctypes.byref(far), 1, 0) > 0 or False)
import resource
for name in ('RLIMIT_NOFILE', 'RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_CORE'):
    attempt('prlimit ' + name, lambda: resource.prlimit(pid, getattr(resource, name), (0, 0)))
def steal():
    fd = os.pidfd_open(pid)
    call(438, fd, 0, 0)
attempt('pidfd_getfd', steal)
out, status = run(['gdb', '-p', str(pid), '-batch', '-ex', 'info registers']) if os.path.exists('/usr/bin/gdb') else ('', 1)
attempt('gdb', lambda: 'rip ' in out or 'pc ' in out)
up = parent(pid)
attempt("sshd's descriptors", lambda: os.listdir('/proc/%d/fd' % up))
attempt("sshd's memory", lambda: open('/proc/%d/mem' % up, 'rb'))
attempt('SIGKILL to the writer', lambda: [os.kill(int(p), 9) for p in os.listdir('/proc') if p.isdigit() and comm(int(p)) == 'ttytraild'])
'''

LEAKS = '''
names = {f: os.readlink('/proc/self/fd/' + f) for f in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + f)}
attempt('a descriptor above 2 in the shell', lambda: [n for n in os.listdir('/proc/%d/fd' % child) if int(n) > 2 and n != '255'] or False)
attempt('the group', lambda: 64123 in os.getgroups() + list(os.getresgid()) or False)
attempt('take the group back', lambda: os.setegid(64123))
'''.replace('child', 'os.getppid() if comm(os.getppid()) == "bash" else os.getpid()', 1)

CORE = '''
import resource, glob
os.chdir('/home/mallory')
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.execv(SHELL, [SHELL, '-c', 'kill -SEGV $PPID; kill -ABRT $PPID; sleep 1'])
status = os.wait()[1]
attempt('a core of the recorder', lambda: os.WCOREDUMP(status) or glob.glob('/home/mallory/core*') or False)
'''

DEBUGGED = '''
for argv in (['strace', '-f', '-o', '/dev/null', SHELL, '-c', 'printf RIG; echo tracedGIR'],
             ['gdb', '-batch', '-ex', 'run', '--args', SHELL, '-c', 'printf RIG; echo debuggedGIR']):
    if os.path.exists('/usr/bin/' + argv[0]):
        child_recorded('traced' if argv[0] == 'strace' else 'debugged', argv)
say('done')
'''

NICE = '''
pid = recorder()
for name, what in (('renice', lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)),
                   ('idle', lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))),
                   ('one processor', lambda: os.sched_setaffinity(pid, {0}))):
    try:
        what()
        say('done ' + name)
    except OSError as e:
        say('done %s: %s' % (name, e))
burn = []
for _ in range(4):
    burn.append(os.fork())
    while burn[-1] == 0:
        pass
end = time.monotonic() + 2
n = 0
while time.monotonic() < end:
    say(mark('slow%d' % n)); n += 1
    time.sleep(0.01)
for p in burn:
    os.kill(p, 9)
'''

FORKS = '''
import resource
resource.setrlimit(resource.RLIMIT_NPROC, (150, 150))
end = time.monotonic() + 3
say(mark('forks'))
while time.monotonic() < end:
    try:
        if os.fork() == 0:
            continue
    except OSError:
        pass
os._exit(0) if os.getpid() else None
'''

LIMITS = '''
import resource
low = [('NOFILE', (0, 3, 4, 5, 6, 8, 10, 12, 16)), ('AS', (0, 1 << 20, 4 << 20, 8 << 20, 12 << 20, 16 << 20, 24 << 20)),
       ('DATA', (0, 65536, 1 << 20, 4 << 20)), ('FSIZE', (0, 1)), ('NPROC', (0, 1)), ('STACK', (0, 16384, 65536)), ('CPU', (1,)),
       ('MEMLOCK', (0, 4096)), ('SIGPENDING', (0,)), ('MSGQUEUE', (0,)), ('CORE', (0,))]
for name, values in low:
    n = getattr(resource, 'RLIMIT_' + name, None)
    for v in values if n is not None else ():
        child_recorded('%s%d' % (name, v), before=lambda: resource.setrlimit(n, (v, v)))
'''

BULK = '''
data = b'x' * 79 + b'\\n'
for _ in range(20):
    sys.stdout.buffer.write(data * 20000)
sys.stdout.flush()
say(mark('bulk'))
'''

STARTS = '''
import threading
ends = []
def start(n):
    out, status = run([SHELL, '-c', 'printf RIG; echo start%dGIR' % n])
    ends.append(status)
    if status == 0:
        say(mark('start%d' % n))
threads = [threading.Thread(target=start, args=(n,)) for n in range(300)]
for t in threads: t.start()
for t in threads: t.join()
say('done %d of 300 recorded' % ends.count(0))
'''

NASTY = rb'''
import os, sys, time
w = sys.stdout.buffer.write
for piece in (b'\x1b[999999999;999999999H', b'\x1b[2147483648b', b'x\x1b[65535b' * 200, b'\x1b]0;' + b'A' * 3000000 + b'\x07',
              b'\x1bP' + b'q' * 3000000 + b'\x1b\\', b'\x1b[' + b';' * 100000 + b'm', b'\x1b[?1049h\x1b[?1049l' * 5000,
              b'\xf0\x9f' * 100000, b'\xff\xfe' * 100000, b'e\xcc\x81' * 50000, b'\xcc\x81' * 100000, b'\x0e\x0f' * 100000,
              b'\x1b[1;1r\x1b[99999L\x1b[99999M' * 2000, b'\x1b#8' * 5000, b'\x1bc' * 5000, b'\x00' * 300000, b'\t' * 100000,
              b'\x1b[8;65535;65535t', b'\x1b_G' + b'z' * 500000 + b'\x1b\\', bytes(range(256)) * 2000, b'\x1bc\x1b[0m'):
    w(piece)
    sys.stdout.flush()
'''


def bulk(arena):
    """Much text on a terminal while alice types."""
    t = arena.terminal()
    t.type(b"yes 'all work and no play' | head -c 60000000; m bulk\r")
    slow = 0
    while b'RIGbulkGIR' not in t.shown[-4096:]:
        for _ in range(200):
            t.pump(0.01)
        slow = max(slow, arena.alice_lives())
    arena.notes.append("alice's echo took %.2f s at most" % slow)
    if slow > 10:
        arena.got.append('alice waited')
    arena.see(t.shown[-4096:])
    arena.done(t)


def nasty(arena):
    arena.write_home('nasty.py', NASTY.decode())
    t = arena.terminal()
    t.type(b'python3 nasty.py; m nasty\r')
    t.expect(b'RIGnastyGIR', seconds=120)
    t.type(b'exit\r')
    arena.see(t.shown[-4096:])
    t.wait(PATIENCE)


def sizes(arena):
    """The terminal's size changes all the time, to what no screen has."""
    t = arena.terminal()
    t.type(b'for i in 1 2 3 4 5 6 7 8 9 10; do stty rows 65535 cols 65535; stty rows 1 cols 1; stty rows 0 cols 0; done; '
           b'stty rows 24 cols 80; m sizes\r')
    for n in range(300):
        t.resize(1 + n * 217 % 65535, 1 + n * 431 % 65535)
    t.resize(24, 80)
    t.expect(b'GIR', seconds=PATIENCE)
    arena.done(t)


def memory(arena):
    before = writer_kib(arena.host)
    arena.python(STARTS)
    arena.python(BULK)
    after = writer_kib(arena.host)
    arena.notes.append('the writer has %d MiB' % (after // 1024))
    if after > before + 200000:
        arena.got.append('%d KiB of the writer' % (after - before))


def own_shell(arena):
    """The shell below the recorder is killed, also by itself, also stopped."""
    for n, how in enumerate((b'kill -9 $$', b'exec kill -9 $$', b'kill -SEGV $$', b'(sleep 0.2; kill -9 $PPID) & exec sleep 30')):
        t = arena.terminal()
        t.type(b'm shell%d; %s\r' % (n, how))
        try:
            arena.see(t.shown)
            arena.gone(t)
        except Fail:
            pass
    return 'ended'


def child_debugged(arena):
    """His shell under gdb, from another session of his: it has nothing that he has not."""
    if not os.path.exists('/usr/bin/gdb'):
        return 'untested'
    t = arena.terminal()
    t.type(b'm shell; echo pid=$$=\r')
    t.expect(b'=\r\n', t.expect(b'RIGshellGIR', seconds=PATIENCE), PATIENCE)
    pid = bytes(t.shown).rsplit(b'pid=', 1)[1].split(b'=')[0].decode()
    out, _, _ = arena.command('gdb -q -batch -p %s -ex "print (int)setregid(-1,64123)" -ex "print (int)getegid()" 2>&1' % pid,
                              seconds=120)
    if b'$2 = 64123' in out:
        arena.got.append('the group')
    if b'$1 = -1' in out:
        arena.notes.append('setregid is refused in it')
    arena.done(t)


def stands_still(arena):
    """A recorder that is stopped for good, and a session that so never ends."""
    t = arena.terminal()
    t.type(b'm before; sleep 0.3; kill -STOP %s\r' % RECORDER.encode())
    t.expect(b'RIGbeforeGIR', seconds=PATIENCE)
    try:
        until(lambda: 'stalled' in arena.flags(), 'the flag', 150)
    except Fail:
        arena.got.append('an hour unseen: no flag')
    arena.see(t.shown)
    t.close()


def disk_full(arena):
    """There is little room left, and he fills it."""
    ballast = installedrig.LIB + '/ballast'
    arena.host.restart_writer('[record]\nwriter_timeout_s = 3\n')
    arena.disk_was_full = True
    stat = os.statvfs(installedrig.LIB)
    with open(ballast, 'wb') as f:
        os.posix_fallocate(f.fileno(), 0, stat.f_bavail * stat.f_frsize - (24 << 20))
    t = arena.terminal()
    try:
        t.type(b"yes 'all work and no play' | head -c 200000000; m filled\r")
        end = time.monotonic() + 12
        while time.monotonic() < end and b'RIGfilledGIR' not in t.shown[-200:]:
            if not t.pump(0.1):
                break
        try:
            arena.notes.append('alice waited %.1f s' % arena.alice_lives(30))
            arena.notes.append('commits failed' if 'commit-failed' in arena.host.writer_log() else 'the disk was not full')
        except (Fail, OSError):
            arena.got.append("alice's session")
    finally:
        if os.environ.get("VERBOSE"):
            print(arena.host.writer_log()[-1500:], bytes(arena.host.log[-1500:]), bytes(arena.alice.shown[-300:]))
        arena.see(t.shown[-4096:])
        t.close()
        arena.clean_up()
        os.unlink(ballast)
        arena.host.restart_writer('')
    return 'ended'


ROWS = [
    row('killing', 'kill -9 of the recorder', 'from its own shell, then goes on', 'ended', on_recorder('KILL'), quick=True),
    row('killing', 'kill -SEGV of the recorder', 'the same', 'ended', on_recorder('SEGV')),
    row('killing', 'kill -TERM of the recorder', 'the same', 'ended', on_recorder('TERM')),
    row('killing', 'every signal', '62 recorders, one signal each', 'ended', every_signal),
    row('killing', 'at any moment', 'five recorders killed while they show numbers', 'ended', at_any_moment, quick=True),
    row('killing', 'kill -9 -1', 'everything of his at once', 'ended',
        lambda a: (lambda t: (t.type(b'm before; sleep 0.3; kill -9 -1; m after\r'), a.gone(t), 'ended')[2])(a.terminal())),
    row('killing', 'sshd under the recorder', 'kills the sshd process that runs as him', 'ended', kill_sshd),
    row('killing', 'the shell', 'kill -9, -SEGV, exec, by a job of its own', 'ended', own_shell),
    row('killing', 'the writer killed', 'by somebody else, three times during a session', 'recorded', writer_dies, quick=True),
    row('stopping', 'kill -STOP of the recorder', 'and goes for the outer terminal meanwhile', 'recorded', stopped, quick=True),
    row('stopping', 'kill -STOP -1', 'everything of his at once', 'ended', stopped_group),
    row('stopping', 'a recorder that stands still', 'kill -STOP, and never on', 'recorded', stands_still),
    row('looking', 'into the recorder', '/proc/PID, ptrace, gdb, prlimit, pidfd, and into sshd', 'recorded', LOOK, quick=True),
    row('looking', 'what the shell inherits', 'descriptors and the group', 'recorded', LEAKS, quick=True),
    row('looking', 'a core of the recorder', 'ulimit -c unlimited, SIGSEGV', 'recorded', CORE, quick=True),
    row('looking', 'a recorder under a debugger', 'strace and gdb start it: setgid is lost', 'recorded', DEBUGGED),
    row('looking', 'his shell under gdb', 'from another session of his', 'recorded', child_debugged),
    row('starving', 'a full disk', '200 MB of output where 24 MiB are left', 'ended', disk_full),
    row('starving', 'limits', '40 recorders with low limits of files, memory, processes, time', 'recorded', LIMITS, quick=True),
    row('starving', 'no time', 'SCHED_IDLE, nice 19 and busy loops beside it', 'recorded', NICE),
    row('starving', 'fork bomb', 'within 150 processes', 'ended', FORKS),
    row('flooding', 'output', '60 MB on a terminal while another types', 'recorded', bulk),
    row('flooding', '300 recorders at once', 'by one user', 'recorded', STARTS),
    row('flooding', "the writer's memory", 'after 300 starts and 32 MB without a terminal', 'recorded', memory),
    row('flooding', 'escape sequences', 'pathological ones, and 3 MB long', 'recorded', nasty, quick=True),
    row('flooding', 'sizes', '330 changes of size, up to 65,535 rows', 'recorded', sizes),
]
