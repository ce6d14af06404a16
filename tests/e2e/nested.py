#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""nested.py TTYTRAIL: a shell that a session records already is no session of its own, and who is not to be recorded gets
the real shell in the recorder's place: same process, terminal, limits and signals, without the recorder's group."""
import os
import pwd
import resource
import shutil
import signal
import subprocess

from outer import Outer, check, equal, main, run, until
import installed_rig

installed_rig.enter()
PATIENCE = 60
OFF, ZSH = 'tty-off', 'tty-other'
CONF = '[record]\nshell = /bin/dash\nmax_depth = 3\n[group %s]\nrecord = off\n' % OFF
with open('/etc/shells') as shells:
    if '/bin/dash\n' not in shells.readlines():
        raise SystemExit('needs /bin/dash among the shells')
HOST = installed_rig.Host(CONF)
BASH = HOST.shell[:-2] + 'bash'
os.symlink('ttytrail-shell', BASH)
HOST.add('/etc/group', '%s:x:%d:\n%s:x:%d:\n' % (OFF, installed_rig.UID + 1, ZSH, installed_rig.UID + 2))
HOST.add('/etc/passwd', '%s:x:%d:%d::%s:%s\n' % (OFF, installed_rig.UID + 1, installed_rig.UID + 1, HOST.home, HOST.shell))
HOST.add('/etc/passwd', '%s:x:%d:%d::%s:%s\n' % (ZSH, installed_rig.UID + 2, installed_rig.UID + 2, HOST.home, HOST.shell))
ENV = {'PATH': '/usr/bin:/bin:/usr/sbin:/sbin', 'HOME': HOST.home, 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8', 'SHELL': '/bin/false'}


def become(name=installed_rig.USER, before=lambda: None):
    def work():
        who = pwd.getpwnam(name)
        before()
        os.setgroups([])
        os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
        os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
        os.chdir(HOST.home)
    return work


def shell(*argv, user=installed_rig.USER, before=lambda: None, program=None, **more):
    return run([program or HOST.shell] + list(argv), env=ENV, preexec_fn=become(user, before), seconds=PATIENCE, **more)


def terminal(*argv, user=installed_rig.USER, before=lambda: None, program=None):
    def its_own():
        os.fchown(0, pwd.getpwnam(user).pw_uid, -1)
        before()
    return Outer([program or HOST.shell] + list(argv), env=ENV, before=become(user, its_own))


def count():
    return len(HOST.sessions())


def ended(o, status=0):
    equal(o.wait(PATIENCE), status, 'status; the screen: %r' % bytes(o.shown[-300:]))
    shown = bytes(o.shown)
    o.close()
    return shown


def nothing_of_ours(status):
    """Of a process in our place: /proc/self/status."""
    gids = [line.split()[1:] for line in status.splitlines() if line.startswith(b'Gid:')]
    check(gids and str(installed_rig.GROUP).encode() not in gids[0], 'groups: %r' % gids)


# ---- record = off ----

def test_not_recorded_is_the_shell_itself():
    before = count()
    p = subprocess.Popen([HOST.shell, '-c', 'echo $$ $PPID $SHELL; echo $(ls /proc/self/fd); grep Gid /proc/self/status; kill -9 $$'],
                         env=ENV, preexec_fn=become(OFF), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    out, err = p.communicate(timeout=PATIENCE)
    equal(p.returncode, -9, 'its own signal: %r %r' % (out, err))
    lines = out.splitlines()
    equal(lines[0].split(), [b'%d' % p.pid, b'%d' % os.getpid(), b'/bin/sh'], 'the same process')
    equal(lines[1].split(), [b'0', b'1', b'2', b'3'], 'descriptors; 3 is the one of ls')
    nothing_of_ours(out)
    until(lambda: HOST.sessions()[-1]['state'] == 'done', 'the end of its row', PATIENCE)
    row = HOST.sessions()[-1]
    equal((count() - before, row['user']), (1, OFF), 'rows')
    check('not-recorded' in str(row['flags']), 'flags: %r' % row['flags'])
    equal(HOST.export(), b'', 'nothing of it')


def test_not_recorded_has_its_terminal():
    def before():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_NOFILE, (77, 200))
        resource.setrlimit(resource.RLIMIT_CORE, (512 * 3, 1024 * 512))
    o = terminal('-c', 'tty; echo pid=$$; ulimit -n; ulimit -c; grep -E "Sig(Blk|Ign)|Gid" /proc/self/status; '
                 'stty -a | grep -q "isig icanon" && echo cooked; : </dev/tty && exec 4<>$(tty) && echo opens; echo rea""dy; read x; exit 7',
                 user=OFF, before=before, program=BASH)
    o.expect(b'ready', seconds=PATIENCE)
    name = os.readlink('/proc/%d/fd/0' % o.pid)
    equal(os.readlink('/proc/%d/exe' % o.pid), os.path.realpath('/bin/bash'), 'the real shell')
    o.type(b'\r')
    shown = ended(o, 7)
    for want in (name.encode(), b'pid=%d' % o.pid, b'cooked', b'opens', b'\r\n77\r\n1\r\n', b'SigBlk:\t0000000000000200'):
        check(want in shown, '%r in %r' % (want, shown))
    check(int(shown.split(b'SigIgn:\t')[1][:16], 16) & (1 << 24 | 1 << 12) == 1 << 24, 'ignored: %r' % shown)
    nothing_of_ours(shown.replace(b'\r\n', b'\n'))
    check('outer-tty-shared' not in str(HOST.sessions()[-1]['flags']), 'flags: %r' % HOST.sessions()[-1]['flags'])


def test_job_control_without_a_recording():
    o = terminal('-i', user=OFF)
    o.type(b'PS1=""; echo on""e\r')
    o.expect(b'one\r', seconds=PATIENCE)
    o.type(b'echo beg""un; sleep 600\r')
    o.expect(b'begun', seconds=PATIENCE)
    until(lambda: os.tcgetpgrp(o.master) != o.pid, 'sleep in the foreground', PATIENCE)
    o.type(b'\x1a')
    until(lambda: os.tcgetpgrp(o.master) == o.pid, 'the shell again', PATIENCE)
    o.type(b'fg\r')
    until(lambda: os.tcgetpgrp(o.master) != o.pid, 'sleep again', PATIENCE)
    o.type(b'\x03')
    until(lambda: os.tcgetpgrp(o.master) == o.pid, 'the shell again', PATIENCE)
    o.type(b'exit 5\r')
    ended(o, 5)


def test_without_a_writer():
    """The published policy says the same, of what is not recorded and of the shell."""
    os.chown('/run/ttytrail/policy', 0, installed_rig.GROUP)
    try:
        os.rename('/run/ttytrail/writer.sock', '/run/ttytrail/away')
        out, err, status = shell('-c', 'echo $0 $(readlink /proc/$$/exe); exit 6', user=OFF, program=HOST.program)
        equal(status, 6, 'status: %r' % err)
        equal((out.split(), err), ([b'dash', os.path.realpath('/bin/dash').encode()], b''), 'nothing is said')
    finally:
        os.rename('/run/ttytrail/away', '/run/ttytrail/writer.sock')


# ---- shell, max_depth ----

def test_the_shell_of_the_policy():
    real = os.path.realpath('/bin/dash').encode()
    for program, want in ((HOST.program, real), (HOST.shell, os.path.realpath('/bin/sh').encode())):
        out, err, status = shell('-c', 'readlink /proc/$$/exe; echo $SHELL; tr "\\0" "\\n" </proc/$$/cmdline | head -n 1', program=program)
        equal(status, 0, 'status: %r' % err)
        equal(out.splitlines()[0], want, 'of %s' % program)
        if program == HOST.program:
            equal(out.splitlines()[1:], [b'/bin/dash', b'dash'], 'SHELL and name')
            check(b'/bin/dash' in HOST.export(form='cast'), 'a mark names it')
    out, err, status = shell('-l', '-c', 'echo $0', program=HOST.program)
    equal(out, b'-dash\n', 'a login shell')


def test_depth():
    """Sessions above each other by way of terminals that nobody knows."""
    with open(HOST.home + '/deeper', 'w') as f:
        f.write('[ $1 -lt 40 ] || exit 0\nexec script -qec "%s -c \\"sh %s/deeper $(($1 + 1))\\"" /dev/null\n' % (HOST.shell, HOST.home))
    before = count()
    out, err, status = shell('-c', 'sh %s/deeper 1' % HOST.home)
    equal(status, 125, 'status')
    check(b'3 recorders above each other' in out + err, 'reason: %r' % (out + err))
    rows = HOST.sessions()[before:]
    equal(len(rows), 4, 'sessions, the refused one among them')
    equal(rows[-1]['exit'], 'exit 125', 'of the refused one')
    check(b'refused: 3 recorders' in HOST.export(form='cast'), 'it says why')


# ---- nested ----

def last_mark(which):
    return until(lambda: b'nested pid=' in HOST.export(which, 'cast'), 'the mark', PATIENCE)


def test_nested_on_a_terminal():
    before = count()
    o = terminal('-c', 'echo outer=$$; %s -c "echo inner=\\$\\$ \\$PPID \\$(grep Gid /proc/self/status | cut -f 2-)"; exit 3' % HOST.shell)
    shown = ended(o, 3)
    outer, inner = (shown.split(name)[1].split() for name in (b'outer=', b'inner='))
    equal(inner[1], outer[0], 'the shell itself, no recorder between')
    check(str(installed_rig.GROUP).encode() not in inner[2:6], 'groups: %r' % inner)
    equal(count() - before, 1, 'sessions')
    check(b'inner=' in HOST.export(), 'recorded in the outer one')
    last_mark('last')
    check('nested' in str(HOST.sessions()[-1]['flags']), 'flags: %r' % HOST.sessions()[-1]['flags'])


def test_nested_without_a_terminal():
    before = count()
    out, err, status = shell('-c', '%s -c "echo \\$PPID; exit 4" </dev/null; echo $$ $?' % HOST.shell)
    words = out.split()
    equal((words[0], words[2]), (words[1], b'4'), 'the shell itself: %r %r' % (out, err))
    equal(count() - before, 1, 'sessions')
    last_mark('last')


def test_another_terminal_is_another_session():
    """As of a terminal multiplexer, whose server is below a session, and of script."""
    before = count()
    o = terminal('-c', 'script -qec "%s -c \\"echo within; exit 9\\"" /dev/null; exit $?' % HOST.shell)
    check(b'within' in ended(o, 9), 'shown')
    equal(count() - before, 2, 'sessions')
    check(b'within' in HOST.export('last') or b'within' in HOST.export(HOST.sessions()[-2]['id']), 'recorded')


def test_another_user_is_another_session():
    """su from a session: the terminal is the session's, the user is not."""
    before = count()
    inner = 'exec setpriv --reuid %s --regid %s --clear-groups %s -c "echo as \\$(id -un)"' % (ZSH, ZSH, HOST.shell)
    for tty in (True, False):
        o = Outer([HOST.shell, '-c', inner], env=ENV) if tty else None
        out = ended(o) if tty else run([HOST.shell, '-c', inner], env=ENV, seconds=PATIENCE)[0]
        check(b'as ' + ZSH.encode() in out, 'shown: %r' % out)
    equal([s['user'] for s in HOST.sessions()[before:]].count(ZSH), 2, 'sessions of the other user')
    check(not any('nested' in str(s['flags']) for s in HOST.sessions()[before:]), 'no flag')


def test_what_a_user_may_try():
    """Descriptor 0 as somebody else's, and words in the environment: sessions all the same."""
    first = count()
    victim = terminal('-c', 'echo rea""dy; read x')
    victim.expect(b'ready', seconds=PATIENCE)
    outer = os.readlink('/proc/%d/fd/0' % victim.pid)
    try:
        inner = until(lambda: [n for n in os.listdir('/dev/pts') if n.isdigit() and os.stat('/dev/pts/' + n).st_uid == installed_rig.UID
                               and '/dev/pts/' + n != outer], 'the pty within', PATIENCE)
        for who, name in ((ZSH, '/dev/pts/' + inner[0]), (ZSH, outer), (installed_rig.USER, outer), (installed_rig.USER, '/dev/null'),
                          (installed_rig.USER, HOST.home), (installed_rig.USER, '/dev/ptmx')):
            before = count()
            fd = os.open(name, os.O_RDONLY | os.O_NOCTTY)
            try:
                env = dict(ENV, TTYTRAIL_NESTED='1', TTYTRAIL_SESSION=HOST.sessions()[-1]['id'])
                p = subprocess.run([HOST.shell, '-c', 'echo mine'], env=env, preexec_fn=become(who), stdin=fd,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
            finally:
                os.close(fd)
            until(lambda: count() == before + 1, 'a session of its own on %s: %r' % (name, p.stderr), PATIENCE)
            equal(p.stdout, b'mine\n', 'shown on %s: %r' % (name, p.stderr))
    finally:
        victim.type(b'\r')
        ended(victim)
    check('nested' not in str([s['flags'] for s in HOST.sessions()[first:]]), 'no flag')


def test_a_way_in_below_a_session():
    """root starts sshd by hand: who comes in by it is not in root's session, though it is root."""
    own = HOST.dir + '/sshd'
    shutil.copy(os.path.realpath('/bin/sh'), own)
    before = count()
    out, err, status = run([HOST.shell, '-c', '%s -c "%s -c \\"echo by ssh\\"; exit 8" </dev/null; exit $?' % (own, HOST.shell)], env=ENV,
                           seconds=PATIENCE)
    equal((out, status), (b'by ssh\n', 8), 'shown: %r' % err)
    equal(count() - before, 2, 'sessions')
    equal(HOST.way_in(), 'command', 'way in')


def test_a_session_that_is_over_records_nobody():
    """What it left behind on its terminal starts a recorder: nobody records it any more."""
    before = count()
    script = 'setsid -f sh -c "until test -e %s/over; do sleep 0.1; done; %s -c \\"echo late\\" > %s/late" </dev/null >/dev/null 2>&1'
    out, err, status = shell('-c', script % (HOST.home, HOST.shell, HOST.home))
    equal(status, 0, 'status: %r' % err)
    until(lambda: HOST.sessions()[-1]['state'] == 'done', 'its end', PATIENCE)
    open(HOST.home + '/over', 'w').close()
    until(lambda: os.path.exists(HOST.home + '/late') and os.path.getsize(HOST.home + '/late') > 0, 'what is left', PATIENCE)
    equal(count() - before, 2, 'sessions')


def test_the_writer_starts_again():
    """Its successor is told of the terminal once more."""
    before = count()
    o = terminal('-c', 'echo rea""dy; read x; %s -c "echo inner=\\$PPID outer=$$"; exit 3' % HOST.shell)
    o.expect(b'ready', seconds=PATIENCE)
    HOST.writer.terminate()
    HOST.writer.wait()
    for name in ('', '.control'):
        if os.path.exists('/run/ttytrail/writer.sock' + name):
            os.unlink('/run/ttytrail/writer.sock' + name)
    HOST.start()
    until(lambda: b'session-resumed' in open(HOST.dir + '/log', 'rb').read(), 'the session again', PATIENCE)
    o.type(b'\r')
    shown = ended(o, 3)
    equal(shown.split(b'inner=')[1].split()[0], shown.split(b'outer=')[1].split()[0], 'no recorder between')
    equal(count() - before, 1, 'sessions')


main([f for name, f in sorted(globals().items(), key=lambda item: getattr(getattr(item[1], '__code__', None),
                                                                         'co_firstlineno', 0))
      if name.startswith('test_')])
