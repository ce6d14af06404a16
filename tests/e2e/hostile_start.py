#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hostile_start.py TTYTRAIL: however its user starts the login shell, what runs is recorded, or nothing runs and the
reason is given.  Also: by which way a session came in, and what it leaves running."""
import ctypes
import os
import resource
import signal
import subprocess

from outer import Outer, check, equal, main, run, until
import installed_rig

installed_rig.enter()
HOST = installed_rig.Host()
LIBC = ctypes.CDLL(None, use_errno=True)
# LOADER: the dynamic loader may refuse before the program is there; None: either is right, unrecorded never.
RECORDED, REFUSED, LOADER = 'recorded', 'refused', 'loader'
PATIENCE = 60
PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, PTRACE_TRACEME, PTRACE_CONT = 38, 1, 0, 7
ENV = {'PATH': '/usr/bin:/bin', 'HOME': HOST.home, 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'}


def limit(kind, soft, hard=None):
    return lambda: resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1] if hard is None else hard))


def block_all():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def ignore_all():
    for sig in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(sig, signal.SIG_IGN)
        except OSError:
            pass


def gone_directory():
    os.mkdir(HOST.home + '/gone')
    os.chdir(HOST.home + '/gone')
    os.rmdir(HOST.home + '/gone')


def closed_directory():
    os.makedirs(HOST.home + '/closed', exist_ok=True)
    os.chdir(HOST.home + '/closed')
    os.chmod('.', 0)


def traced():
    """By a process of the same user: the kernel then takes the group away."""
    pid = os.fork()
    if pid == 0:
        LIBC.ptrace(PTRACE_TRACEME, 0, 0, 0)
        return
    while True:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            os._exit(os.waitstatus_to_exitcode(status) & 255)
        sig = os.WSTOPSIG(status)
        LIBC.ptrace(PTRACE_CONT, pid, 0, 0 if sig == signal.SIGTRAP else sig)


def seccomp():
    class Filter(ctypes.Structure):
        _fields_ = [('code', ctypes.c_ushort), ('jt', ctypes.c_ubyte), ('jf', ctypes.c_ubyte), ('k', ctypes.c_uint)]

    class Program(ctypes.Structure):
        _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.POINTER(Filter))]
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    allow = (Filter * 1)(Filter(6, 0, 0, 0x7fff0000))
    check(LIBC.prctl(22, 2, ctypes.byref(Program(1, allow)), 0, 0) == 0, 'seccomp')


def no_terminal():
    import fcntl
    import termios
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    fcntl.ioctl(0, termios.TIOCNOTTY)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def close_all():
    os.closerange(0, 3)


def idle():
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def oom():
    with open('/proc/self/oom_score_adj', 'w') as f:
        f.write('1000')


def fill_descriptors():
    for _ in range(500):
        os.set_inheritable(os.open('/dev/null', os.O_RDWR), True)


# What is done before the exec; what has to come of it; the environment's changes.
ROWS = [
    ('nothing special', lambda: None, RECORDED, {}),
    ('descriptors 0 to 2 closed', close_all, RECORDED, {}),
    ('500 descriptors open', fill_descriptors, RECORDED, {}),
    ('NOFILE 3, soft', limit(resource.RLIMIT_NOFILE, 3), None, {}),
    ('NOFILE 12, soft', limit(resource.RLIMIT_NOFILE, 12), RECORDED, {}),
    ('NOFILE 3', limit(resource.RLIMIT_NOFILE, 3, 3), LOADER, {}),
    ('NOFILE 8', limit(resource.RLIMIT_NOFILE, 8, 8), REFUSED, {}),
    ('NOFILE 16', limit(resource.RLIMIT_NOFILE, 16, 16), None, {}),
    ('NOFILE 64', limit(resource.RLIMIT_NOFILE, 64, 64), RECORDED, {}),
    ('FSIZE 0', limit(resource.RLIMIT_FSIZE, 0, 0), RECORDED, {}),
    ('AS 64 KiB, soft', limit(resource.RLIMIT_AS, 1 << 30), RECORDED, {}),
    ('AS 8 MiB', limit(resource.RLIMIT_AS, 8 << 20, 8 << 20), None, {}),
    ('AS 24 MiB', limit(resource.RLIMIT_AS, 24 << 20, 24 << 20), None, {}),
    ('DATA 1 MiB', limit(resource.RLIMIT_DATA, 1 << 20, 1 << 20), None, {}),
    ('STACK 64 KiB', limit(resource.RLIMIT_STACK, 65536, 65536), None, {}),
    ('NPROC 0', limit(resource.RLIMIT_NPROC, 0, 0), REFUSED, {}),
    ('CORE unlimited', limit(resource.RLIMIT_CORE, resource.RLIM_INFINITY), RECORDED, {}),
    ('MEMLOCK 0', limit(resource.RLIMIT_MEMLOCK, 0, 0), RECORDED, {}),
    ('CPU 1 s, soft', limit(resource.RLIMIT_CPU, 1), RECORDED, {}),
    ('umask 0777', lambda: os.umask(0o777), RECORDED, {}),
    ('all signals blocked', block_all, RECORDED, {}),
    ('all signals ignored', ignore_all, RECORDED, {}),
    ('no TERM, no HOME', lambda: None, RECORDED, {'TERM': None, 'HOME': None}),
    ('odd locale', lambda: None, RECORDED, {'LC_ALL': '../../../../tmp/x\n', 'LANG': 'xx_XX.\x01'}),
    ('LD_PRELOAD', lambda: None, RECORDED, {'LD_PRELOAD': '/nonexistent.so', 'LD_AUDIT': '/nonexistent.so'}),
    ('a huge environment', lambda: None, RECORDED, {'X%d' % i: 'y' * 100000 for i in range(10)}),
    ('nobody listens to the environment', lambda: None, RECORDED,
     {'SHELL': '/bin/false', 'TTYTRAIL_DB': '/nonexistent', 'TTYTRAIL_NESTED': '1', 'SSH_ORIGINAL_COMMAND': 'true'}),
    ('directory removed', gone_directory, RECORDED, {}),
    ('directory unreadable', closed_directory, RECORDED, {}),
    ('no controlling terminal', no_terminal, RECORDED, {}),
    ('nice 19', lambda: os.nice(19), RECORDED, {}),
    ('SCHED_IDLE', idle, RECORDED, {}),
    ('first to be killed', oom, RECORDED, {}),
    ('PDEATHSIG', lambda: LIBC.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), RECORDED, {}),
    ('no_new_privs', lambda: LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), REFUSED, {}),
    ('a seccomp filter', seccomp, REFUSED, {}),
    ('traced from its start', traced, REFUSED, {}),
]


def prepared(before):
    def go():
        HOST.become_user()
        os.chdir(HOST.home)
        before()
    return go


def environment(changes):
    return {k: v for k, v in dict(ENV, **changes).items() if v is not None}


def look(name, want, ran, said, status, marker, before_count):
    """Never: it ran, and is not in the record."""
    if ran:
        check(want not in (REFUSED, LOADER), '%s: it ran; %r' % (name, said[-200:]))
        check(len(HOST.sessions()) > before_count, '%s: no session' % name)
        if name != 'descriptors 0 to 2 closed':
            until(lambda: marker in HOST.export(), name + ': not recorded', PATIENCE)
        return
    check(want != RECORDED, '%s: refused, status %r: %r' % (name, status, said[-300:]))
    check(status != 0, name + ': nothing ran, status 0')
    if want == REFUSED:
        check(b'ttytrail-shell: ' in said or status < 0, '%s: no reason: %r' % (name, said[-300:]))


def one(row, terminal):
    name, before, want, changes = row
    number = '%d%s' % (ROWS.index(row), 't' if terminal else 'p')
    marker, trace = ('mark-' + number).encode(), HOST.home + '/ran-' + number
    # The trace is left without writing a byte: some limits forbid it; the calculation keeps the marker out of the input.
    script = 'mkdir %s; echo mar""k-%s; exit 3' % (trace, number)
    count = len(HOST.sessions())
    os.system('chmod 755 %s/closed 2>/dev/null' % HOST.home)
    if terminal:
        o = Outer([HOST.shell, '-c', script], env=environment(changes), before=prepared(before))
        status = o.wait(PATIENCE)
        said = bytes(o.shown)
        o.close()
    else:
        out, err, status = run([HOST.shell, '-c', script], env=environment(changes), preexec_fn=prepared(before),
                               seconds=PATIENCE)
        said = out + err
    look(('terminal: ' if terminal else '') + name if name != 'descriptors 0 to 2 closed' else name, want,
         os.path.isdir(trace), said, status, marker, count)


def test_hostile_starts_on_a_terminal():
    for row in ROWS:
        one(row, True)


def test_hostile_starts_without_one():
    for row in ROWS:
        if row[0] not in ('no controlling terminal', 'descriptors 0 to 2 closed'):
            one(row, False)


def test_odd_arguments():
    for argv in ([], [''], ['-'], ['x' * 100000]):
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            HOST.become_user()
            null = os.open('/dev/null', os.O_RDWR)
            for fd, to in ((null, 0), (w, 1), (w, 2)):
                os.dup2(fd, to)
            array = (ctypes.c_char_p * (len(argv) + 1))(*[a.encode() for a in argv], None)
            LIBC.execve(HOST.shell.encode(), array, (ctypes.c_char_p * 1)(None))
            os._exit(99)
        os.close(w)
        count = len(HOST.sessions())
        said = os.read(r, 4096)
        _, status = os.waitpid(pid, 0)
        os.close(r)
        status = os.waitstatus_to_exitcode(status)
        check(status in (0, 125), '%d arguments: status %d, %r' % (len(argv), status, said))
        if status == 0:
            check(len(HOST.sessions()) >= count, 'no session')


def test_limits_come_back():
    def before():
        resource.setrlimit(resource.RLIMIT_NOFILE, (77, 200))
        resource.setrlimit(resource.RLIMIT_CPU, (1000, 2000))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 512, 1024 * 1024))
        resource.setrlimit(resource.RLIMIT_CORE, (512 * 3, 1024 * 512))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    out, err, status = run([HOST.shell, '-c', 'ulimit -n; ulimit -t; ulimit -f; ulimit -c; exec grep SigIgn /proc/self/status'],
                           env=ENV, preexec_fn=prepared(before), seconds=PATIENCE)
    words = out.split()
    equal(words[:4], [b'77', b'1000', b'1024', b'3'], 'limits in the session: %r' % err)
    check(int(words[-1], 16) & 1 << (signal.SIGXFSZ - 1), 'SIGXFSZ stays ignored')
    out, err, status = run([HOST.shell, '-c', 'exec grep SigIgn /proc/self/status'], env=ENV,
                           preexec_fn=prepared(lambda: signal.signal(signal.SIGXFSZ, signal.SIG_DFL)), seconds=PATIENCE)
    check(not int(out.split()[-1], 16) & 1 << (signal.SIGXFSZ - 1), 'SIGXFSZ is default')


def test_timers_do_not_end_it():
    def before():
        signal.setitimer(signal.ITIMER_REAL, 4)
        signal.setitimer(signal.ITIMER_PROF, 60)
    out, err, status = run([HOST.shell, '-c', 'sleep 5; echo still; exit 3'], env=ENV, preexec_fn=prepared(before),
                           seconds=PATIENCE)
    equal((out, status), (b'still\n', 3), 'behind the alarm')


def test_the_recorder_is_closed_to_its_user():
    script = '''
import ctypes, os
c = ctypes.CDLL(None, use_errno=True)
p = os.getppid()
print('attach', c.ptrace(16, p, 0, 0), ctypes.get_errno())
for what in ('mem', 'environ', 'maps', 'fd'):
    try:
        os.listdir('/proc/%d/fd' % p) if what == 'fd' else open('/proc/%d/%s' % (p, what), 'rb').read(1)
        print(what, 'open')
    except OSError as e:
        print(what, 'closed')
'''
    out, err, status = run([HOST.shell, '-c', 'exec /usr/bin/python3 -c "$0"', script], env=ENV,
                           preexec_fn=prepared(lambda: None), seconds=PATIENCE)
    check(b'attach -1 1' in out, 'ptrace: %r %r' % (out, err))
    check(b'open' not in out and out.count(b'closed') == 4, 'its files: %r' % out)


def test_an_outer_terminal_is_exclusive_and_flagged():
    o = Outer([HOST.shell, '-c', 'echo rea""dy; read x; exit 0'], env=ENV, before=prepared(lambda: None))
    o.expect(b'ready', seconds=PATIENCE)
    name = os.readlink('/proc/%d/fd/0' % o.pid)
    pid = os.fork()
    if pid == 0:
        try:
            os.chmod(name, 0o666)
            HOST.become_user()
            os.open(name, os.O_RDWR | os.O_NOCTTY)
            os._exit(1)
        except OSError as e:
            os._exit(0 if e.errno == 16 else 2)
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, 'opening it again is EBUSY')
    o.type(b'\r')
    equal(o.wait(PATIENCE), 0, 'status')
    o.close()
    check('outer-tty-shared' in str(HOST.sessions()[-1]['flags']), 'flag on a terminal')
    run([HOST.shell, '-c', 'true'], env=ENV, preexec_fn=prepared(lambda: None), seconds=PATIENCE)
    check('outer-tty-shared' not in str(HOST.sessions()[-1]['flags']), 'flag without one')


def test_recorders_above_each_other_end_somewhere():
    """Each on a terminal that no session has; without one, all are one session."""
    with open(HOST.home + '/same', 'w') as f:
        f.write('[ $1 -lt 20 ] || exit 9\n%s -c "sh %s/same $(($1 + 1))"\n' % (HOST.shell, HOST.home))
    with open(HOST.home + '/deeper', 'w') as f:
        f.write('[ $1 -lt 40 ] || exit 0\nexec script -qec "%s -c \\"sh %s/deeper $(($1 + 1))\\"" /dev/null\n' % (HOST.shell, HOST.home))
    count = len(HOST.sessions())
    out, err, status = run([HOST.shell, '-c', 'sh %s/same 1' % HOST.home], env=ENV, preexec_fn=prepared(lambda: None),
                           seconds=PATIENCE)
    equal((status, len(HOST.sessions()) - count), (9, 1), 'status and sessions: %r' % err)
    count = len(HOST.sessions())
    out, err, status = run([HOST.shell, '-c', 'sh %s/deeper 1' % HOST.home], env=ENV, preexec_fn=prepared(lambda: None),
                           seconds=PATIENCE)
    equal(status, 125, 'status')
    check(b'16 recorders above each other' in out + err, 'reason: %r' % (out + err))
    equal(len(HOST.sessions()) - count, 17, 'sessions, the refused one among them')


# ---- what is left behind ----

def test_left_behind_is_named():
    for terminal in (True, False):
        pid_file = HOST.home + '/left'
        script = ('setsid -f sh -c "echo \\$\\$ > %s.new; mv %s.new %s; exec sleep 600" </dev/null >/dev/null 2>&1; '
                  'until test -s %s; do :; done; exit 5' % ((pid_file,) * 4))
        if os.path.exists(pid_file):
            os.unlink(pid_file)
        if terminal:
            o = Outer([HOST.shell, '-c', script], env=ENV, before=prepared(lambda: None))
            status = o.wait(PATIENCE)
            o.close()
        else:
            status = run([HOST.shell, '-c', script], env=ENV, preexec_fn=prepared(lambda: None), seconds=PATIENCE)[2]
        equal(status, 5, 'status')
        pid = int(open(pid_file).read())
        check(os.path.exists('/proc/%d' % pid), 'it lives on')
        os.kill(pid, signal.SIGKILL)
        text = HOST.export(form='cast').decode()
        check('left-behind processes=1: %d sleep' % pid in text, 'the mark: ' + text[-400:])
        check('left-behind' in str(HOST.sessions()[-1]['flags']), 'the flag')


def test_nothing_left_is_no_flag():
    run([HOST.shell, '-c', '(exit 3) & (sleep 0.01 &) ; wait; exit 0'], env=ENV, preexec_fn=prepared(lambda: None))
    check('left-behind' not in str(HOST.sessions()[-1]['flags']), 'flag without a process')


def test_strangers_do_not_change_the_status():
    """Orphans come to the recorder: their ends are not the session's."""
    script = 'i=0; while [ $i -lt 50 ]; do (sh -c "exit 9" &) ; i=$((i+1)); done; exit 6'
    equal(run([HOST.shell, '-c', script], env=ENV, preexec_fn=prepared(lambda: None), seconds=PATIENCE)[2], 6, 'status')


# ---- ways in ----

def test_ways_in():
    user = installed_rig.USER
    for argv, want in ((['su', '-', user, '-c', 'true'], 'su'), (['su', user, '-c', 'true'], 'su'),
                       (['sudo', '-u', user, '-i', 'true'], 'sudo')):
        count = len(HOST.sessions())
        out, err, status = run(argv, seconds=PATIENCE, env=ENV)
        equal(status, 0, '%r: %r' % (argv, err))
        equal(len(HOST.sessions()), count + 1, 'sessions of %r' % argv)
        equal(HOST.way_in(), want, ' '.join(argv))


def sshd(options, sftp):
    d = HOST.dir + '/ssh'
    if not os.path.isdir(d):
        os.mkdir(d, 0o755)
        for name in ('host', 'user'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', d + '/' + name], check=True)
        os.chmod(d + '/user.pub', 0o644)
    with open(d + '/conf', 'w') as f:
        f.write('HostKey %s/host\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nUsePAM no\nPidFile none\n'
                'Subsystem sftp %s\n%s\n' % (d, d, sftp, '\n'.join(options)))
    return ['-F', 'none', '-i', d + '/user', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null',
            '-o', 'LogLevel=ERROR', '-o', 'ProxyCommand=/usr/sbin/sshd -i -f %s/conf' % d]


def test_ways_in_by_sshd():
    host = installed_rig.USER + '@test'
    batch = HOST.dir + '/batch'
    with open(batch, 'w') as f:
        f.write('pwd\n')
    forced = ['ForceCommand ' + HOST.program]
    server, internal = '/usr/lib/openssh/sftp-server', 'internal-sftp'
    for options, sftp, argv, want in (([], server, ['ssh', host, 'echo shown'], 'command'),
                                      ([], server, ['sftp', '-b', batch, host], 'subsystem'),
                                      ([], server, ['ssh', '-tt', host], 'login'),
                                      (forced, server, ['ssh', host, 'echo shown; exit 4'], 'command'),
                                      (forced, server, ['sftp', '-b', batch, host], 'subsystem'),
                                      (forced, internal, ['sftp', '-b', batch, host], 'subsystem'),
                                      (forced, server, ['ssh', '-tt', host], 'login')):
        count = len(HOST.sessions())
        argv = argv[:1] + sshd(options, sftp) + argv[1:]
        p = subprocess.run(argv, input=b'exit 4\n', stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        check(p.returncode in (0, 4), '%r: status %d: %r' % (argv[-2:], p.returncode, p.stderr))
        until(lambda: len(HOST.sessions()) > count, 'a session of %r' % argv[-2:], PATIENCE)
        equal(len(HOST.sessions()), count + 1, 'sessions of %r: no nested one' % argv[-2:])
        equal(HOST.way_in(), want, '%r %s %r' % (options, sftp, argv[-2:]))


main([f for name, f in sorted(globals().items(), key=lambda item: getattr(getattr(item[1], '__code__', None),
                                                                         'co_firstlineno', 0))
      if name.startswith('test_')])
