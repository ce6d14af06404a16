# SPDX-License-Identifier: Apache-2.0
"""Recorders that he starts himself: with hostile surroundings, arguments, copies, and without the right to be setgid."""
import os
import subprocess

import installedrig
from attackrig import PATIENCE
from attackrow import row
from outer import Fail

SPY = r'''
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
unsigned int la_version(unsigned int v) { return v; }
__attribute__((constructor)) static void began(void)
{
    gid_t r, e, s;
    getresgid(&r, &e, &s);
    if (e == 64123 || s == 64123) {
        int fd = open("/tmp/spied", O_CREAT | O_WRONLY | O_APPEND, 0666);
        (void)!write(fd, "x", 1);
    }
}
'''

ENVIRONMENT = '''
home = '/home/mallory'
base = {'PATH': '/usr/bin:/bin', 'HOME': home, 'TERM': 'xterm'}
def spied():
    try:
        os.unlink('/tmp/spied')
        return True
    except OSError:
        return False
hostile = [('LD_PRELOAD', home + '/spy.so'), ('LD_AUDIT', home + '/spy.so'), ('LD_LIBRARY_PATH', home), ('LD_DEBUG', 'all'),
           ('LD_DEBUG_OUTPUT', home + '/debug'), ('LD_PROFILE', 'libc.so.6'), ('LD_ORIGIN_PATH', home), ('LD_BIND_NOT', '1'),
           ('LD_HWCAP_MASK', '0'), ('GCONV_PATH', home), ('LOCPATH', home), ('NLSPATH', home + '/%N'),
           ('GLIBC_TUNABLES', 'glibc.malloc.check=3:glibc.malloc.perturb=255'), ('MALLOC_CHECK_', '3'), ('MALLOC_PERTURB_', '255'),
           ('MALLOC_ARENA_MAX', '0'), ('MALLOC_TRACE', home + '/trace'), ('TMPDIR', home), ('TERMINFO', home), ('TERMCAP', home),
           ('TERM', 'x' * 100000), ('TERM', '../../../../etc/passwd'), ('TZ', ':/etc/shadow'), ('TZDIR', home), ('BASH_ENV', home + '/env'),
           ('ENV', home + '/env'), ('SHELL', '/home/mallory/evil'), ('PATH', home), ('PATH', ''), ('IFS', '/'), ('HOME', '/nonexistent'),
           ('USER', 'alice'), ('LOGNAME', 'root'), ('LC_ALL', '../../home/mallory/x'), ('LANG', 'x' * 4096), ('COLUMNS', '99999999999'),
           ('LINES', '-1'), ('HOSTALIASES', '/etc/shadow'), ('RES_OPTIONS', 'debug'), ('OPENSSL_CONF', home + '/ssl.cnf'),
           ('OPENSSL_ENGINES', home), ('OPENSSL_MODULES', home), ('SSH_CONNECTION', 'x' * 100000), ('SSH_TTY', '/dev/pts/0'),
           ('XDG_CONFIG_HOME', home + '/.config'), ('XDG_DATA_HOME', home), ('XDG_RUNTIME_DIR', home), ('TTYTRAIL_DB', home + '/db'),
           ('TTYTRAIL_SOCKET', home + '/sock'), ('LISTEN_FDS', '3'), ('NOTIFY_SOCKET', home + '/sock'), ('ASAN_OPTIONS', 'log_path=' + home),
           ('GETCONF_DIR', home), ('PYTHONSTARTUP', home), ('A' * 100000, 'x'), ('', '')]
for n, (name, value) in enumerate(hostile):
    try:
        child_recorded('env%d' % n, env=dict(base, **({name: value} if name else {})))
    except (OSError, ValueError) as e:
        say('refused by exec %s' % e)
    attempt('code in the recorder by ' + name[:20], lambda: spied())
child_recorded('many', env=dict(base, **{'V%d' % n: 'y' * 1000 for n in range(1500)}))
'''

NAMES = '''
for n, argv in enumerate((['-ttytrail-shell-usr-bin-python3'], ['ttytrail-shell-home-mallory-evil'], ['ttytrail-shell-..-..-home-mallory-evil'],
                          ['ttytrail-shell-'], ['ttytrail-shell-usr-bin-ttytrail-shell'], ['-'], [''], ['x' * 5000],
                          ['ttytrail-shell-' + '-' * 3000], ['ttytrail-shell-bin-bash\\n'], ['/ttytrail-shell-bin-bash/'])):
    text = 'name%d' % n
    out, status = run(argv + ['-c', 'printf RIG; echo %sGIR $0 $SHELL' % text], executable='/usr/bin/ttytrail-shell')
    if mark(text) in out:
        say('shown ' + mark(text))
        attempt('another program by ' + argv[0][:40], lambda: 'python' in out or 'evil' in out)
    else:
        say('refused %s' % out[:100])
import ctypes
libc = ctypes.CDLL(None)
pid = os.fork()
if pid == 0:
    os.dup2(os.open('/dev/null', os.O_RDONLY), 0)
    libc.execve(b'/usr/bin/ttytrail-shell', (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None))
    os._exit(99)
say('done without argv: status %d' % os.waitstatus_to_exitcode(os.wait()[1]))
'''

ARGUMENTS = '''
for n, argv in enumerate((['-c'], ['-c', ''], ['-lc', 'x'], ['-c', '--', 'x'], ['--'], ['--', 'script'], ['--rcfile', '/x'], ['-s'], ['-x', '-c', 'x'],
                          ['-o', 'x'], ['-' * 5000], ['-' + 'l' * 50000 + 'c', 'echo'], ['--db', 'x'], ['--socket', 'x', '-c', 'x'],
                          ['--config=x'], ['--norc'], ['-p'], ['-c', 'printf RIG; echo argGIR', 'a', 'b'],
                          ['-c', '\\x1b]0;x\\x07\\n\\udcff' * 100], ['-c', ': ' + 'y' * 130000 + '; printf RIG; echo longGIR'],
                          ['-c', 'x'] + ['y'] * 20000)):
    out, status = run([SHELL] + argv)
    say('done %d: status %s' % (n, status))
    say('shown ' + mark('arg') if mark('arg') in out else 'shown ' + mark('long') if mark('long') in out else 'refused')
'''

SURROUNDINGS = '''
import select, signal
def closed(*fds):
    return lambda: [os.close(f) for f in fds]
kept = []
def keep(what):
    kept.append(what)
    return what.fileno()
def onto(what):
    return lambda: os.dup2(what(), 0)
def ignored():
    for s in range(1, 65):
        try:
            signal.signal(s, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
def blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
def full():
    for _ in range(900):
        os.dup(1)
def nowhere():
    os.mkdir('/home/mallory/gone'); os.chdir('/home/mallory/gone'); os.rmdir('/home/mallory/gone')
for name, before in (('closed0', closed(0)), ('closed2', closed(2)), ('closed02', closed(0, 2)), ('ignored', ignored), ('blocked', blocked),
                     ('umask', lambda: os.umask(0o777)), ('full', full), ('nowhere', nowhere), ('session', os.setsid),
                     ('folder', onto(lambda: os.open('/', os.O_RDONLY))), ('path', onto(lambda: os.open('/dev/tty', os.O_PATH))),
                     ('poll', onto(lambda: keep(select.epoll()))),
                     ('pty', onto(lambda: os.openpty()[0])), ('slave', onto(lambda: os.openpty()[1])), ('memory', onto(lambda: os.memfd_create('x'))),
                     ('event', onto(lambda: os.eventfd(0))), ('socket', onto(lambda: keep(socket.socket(socket.AF_INET)))),
                     ('nice', lambda: os.nice(19)), ('alarm', lambda: signal.alarm(1))):
    child_recorded(name, before=before)
'''

WITHOUT_GROUP = '''
import shutil, glob, ctypes
home = '/home/mallory'
real = '/usr/bin/ttytrail-shell'
def start(name, argv, **more):
    out, status = run(argv, **more)
    if mark(name) in out:
        say('shown ' + mark(name))
    else:
        say('refused %s: %s' % (name, out.strip().split('\\n')[-1][:150]))
say_it = lambda name: 'printf RIG; echo %sGIR' % name
start('nonew', ['setpriv', '--no-new-privs', SHELL, '-c', say_it('nonew')])
start('userns', ['unshare', '-U', SHELL, '-c', say_it('userns')])
start('rootns', ['unshare', '-Ur', SHELL, '-c', say_it('rootns')])
start('nosuid', ['unshare', '-Urm', 'sh', '-c', 'mount -o bind,nosuid /usr/bin /usr/bin; mount -o remount,bind,nosuid /usr/bin; exec ' + SHELL +
      ' -c "%s"' % say_it('nosuid')])
start('fakerun', ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs none /run; mkdir /run/ttytrail; exec ' + SHELL + ' -c "%s"' % say_it('fakerun')])
start('fakegroup', ['unshare', '-Urm', 'sh', '-c', 'echo ttytrail:x:0: > group; mount --bind group /etc/group; exec ' + SHELL + ' -c "%s"' % say_it('fakegroup')])
shutil.copy(real, home + '/copy')
os.chmod(home + '/copy', 0o2755)
start('copy', [home + '/copy', '-c', say_it('copy')])
def link():
    os.link(real, home + '/hard')
    start('hard', [home + '/hard', '-c', say_it('hard')])
    return False
attempt('a hard link', link)
fd = os.open(real, os.O_RDONLY)
start('byfd', ['/proc/self/fd/%d' % fd, '-c', say_it('byfd')], pass_fds=(fd,))
start('loader', [glob.glob('/lib64/ld-linux*')[0] if glob.glob('/lib64/ld-linux*') else '/bin/false', real, '-c', say_it('loader')])
'''

SETTINGS = '[record]\non_writer_loss = continue\ncommit = batch\ninput = off\n[redact]\nredact = off\n'


def spy(arena):
    """Built for him: he can bring his own."""
    with open('/run/spy.c', 'w') as f:
        f.write(SPY)
    done = subprocess.run(['cc', '-shared', '-fPIC', '-o', '/home/mallory/spy.so', '/run/spy.c'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Fail('no spy: %s' % done.stdout[-200:])
    for name in ('libc.so.6', 'libcrypto.so.3', 'libm.so.6'):
        if os.path.lexists('/home/mallory/' + name):
            os.unlink('/home/mallory/' + name)
        os.link('/home/mallory/spy.so', '/home/mallory/' + name)
    arena.write_home('evil', '#!/bin/sh\necho evil\n', 0o755)
    arena.write_home('env', 'printf RIG; echo envfileGIR\n')
    # The spy does speak where nothing stops it.
    installedrig.sh('setpriv', '--rgid', '64123', '--egid', '64123', '--clear-groups', 'env', 'LD_PRELOAD=/home/mallory/spy.so', 'true')
    if not os.path.exists('/tmp/spied'):
        raise Fail('the spy does not speak')
    os.unlink('/tmp/spied')


def environment(arena):
    spy(arena)
    arena.python(ENVIRONMENT, seconds=120)


def names(arena):
    spy(arena)
    arena.python(NAMES)


def settings(arena):
    """His own settings, and an environment that names them: nothing of them holds in a login shell."""
    arena.write_home('.config/ttytrail/ttytrail.conf', SETTINGS)
    arena.write_home('.bash_profile', 'export XDG_CONFIG_HOME=~/.config\n. ~/.bashrc\n')
    try:
        t = arena.terminal()
        t.type(b'ttytrail-shell-bin-bash -c "m() { echo RIG\\$1GIR; }; m own"; m after\r')
        t.expect(b'RIGafterGIR', seconds=PATIENCE)
        arena.done(t)
    finally:
        arena.prepare()
    if arena.flags() & {'not-redacted', 'commit-batch', 'writer-lost'}:
        arena.got.append('his settings hold: %s' % arena.flags())


def nested(arena):
    """Recorders in recorders, to the end."""
    arena.write_home('deep.sh', 'n=$(($1 + 1)); echo "RIGdeep${n}GIR"; [ $n -lt 40 ] && exec ttytrail-shell-bin-bash -c "sh deep.sh $n"\n')
    arena.command('sh deep.sh 0', seconds=120)
    most = max([int(m[7:-3]) for m in arena.seen if m.startswith(b'RIGdeep')] or [0])
    arena.notes.append('%d sessions, depth %d' % (len(arena.mine()), most))


def recursion(arena):
    """A start-up file that starts a recorder, which reads it."""
    arena.write_home('.bashrc', 'echo RIG""againGIR\nSHELL=/usr/bin/ttytrail-shell-bin-bash script -qc "" /dev/null\n')
    try:
        t = arena.host.login('mallory')
        for _ in range(60):
            t.pump(0.1)
        most = len(installedrig.processes(installedrig.USERS['mallory']))
        arena.notes.append('%d processes after six seconds, %d sessions' % (most, len(arena.mine())))
        if most > 200:
            arena.got.append('recorders without end')
        arena.see(t.shown[-4096:])
        t.close()
    finally:
        arena.clean_up()
        arena.prepare()


def without_writer(arena):
    """The writer is away: he may not go on for that."""
    arena.host.stop_writer()
    try:
        out, err, status = arena.host.ssh('mallory', 'echo RIG""alonGIR')
        arena.see(out)
        arena.notes.append('status %s' % status)
        if not arena.logged('refused'):
            arena.got.append('not logged')
    finally:
        arena.allowed_restarts = 1
        arena.host.start_writer()
    return 'refused'


def embedded(arena):
    """`ttytrail record` in his session: a notebook of his own, within the recording."""
    arena.command('ttytrail record --db ~/own.db -- sh -c "echo RIG\\"\\"bookGIR"')


ROWS = [
    row('start', 'environment', '57 hostile variables: LD_*, GCONV_PATH, LOCPATH, TZ, BASH_ENV, PATH...', 'recorded', environment,
        quick=True),
    row('start', 'names', 'argv[0] of another shell, of nothing, of 5,000 bytes; none at all', 'recorded', names, quick=True),
    row('start', 'arguments', '21 odd command lines', 'recorded', ARGUMENTS),
    row('start', 'surroundings', 'closed and full descriptors, signals, no directory', 'recorded', SURROUNDINGS, quick=True),
    row('start', 'without the group', 'no_new_privs, user namespaces, nosuid, copies, links, the loader', 'recorded', WITHOUT_GROUP,
        quick=True),
    row('start', 'settings of his own', '~/.config/ttytrail and XDG_CONFIG_HOME', 'recorded', settings, quick=True),
    row('start', 'nested', '40 recorders in one another', 'recorded', nested),
    row('start', 'recursion', 'a ~/.bashrc that starts what reads it, with SHELL of a recorder', 'recorded', recursion),
    row('start', 'without a writer', 'a login while it is away', 'recorded', without_writer, quick=True),
    row('start', 'his own notebook', 'ttytrail record inside', 'recorded', embedded),
]
