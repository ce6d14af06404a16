# SPDX-License-Identifier: Apache-2.0
"""An installed host for tests, without touching the machine.

    import installedrig
    installedrig.enter()                 # first thing in the program: it starts again inside
    with installedrig.Host() as host:    # accounts, programs with their rights, writer, sshd
        host.ssh('mallory', 'id')        # (out, err, status)
        host.login('mallory')            # an outer.Outer on ssh -tt
        host.sessions()                  # what `ttytrail list --json` knows

Inside are mount, pid, net and ipc namespaces of its own, with an overlay of / whose upper half lies in memory: what
is written there is gone with the last process, and so are the processes.  Needs root, and overlayfs.

Users: mallory (the one who attacks), alice (the one who must not be hurt), both with ttytrail-shell-bin-bash as
their shell; plain, whose shell is /bin/bash; ttytrail, the writer's.  ttytrail-audit is a group.
"""
import fcntl
import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from outer import Fail, Outer, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STAGE = 'TTYTRAIL_INSTALLED_RIG'
PORT = 2222  # of a network of our own
LIB = '/var/lib/ttytrail'
RUN = '/run/ttytrail'
DB = LIB + '/evidence/evidence.db'
SHELL = '/usr/bin/ttytrail-shell-bin-bash'
PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
USERS = {'ttytrail': 64123, 'mallory': 64201, 'alice': 64202, 'plain': 64203}
GROUP, AUDIT = 64123, 64124


# ---- going inside ----

def sh(*argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        raise Fail('%s: %s' % (' '.join(argv), done.stdout.decode(errors='replace').strip()))
    return done.stdout


def enter():
    """Start the program again in namespaces of its own, with an init that reaps; returns inside."""
    stage = os.environ.get(STAGE)
    if stage is None:
        if os.geteuid() != 0:
            sys.exit('needs root: an installed system is what it looks at')
        probe = subprocess.run([os.path.join(ROOT, 'tests/e2e/own_root.sh')], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               timeout=120, check=False)
        if probe.returncode != 0:
            print('*** NOT TESTED: %s: no root directory of its own can be had here: %s' % (
                os.path.basename(sys.argv[0]), probe.stdout.decode(errors='replace').strip()))
            sys.exit(0)
        os.environ[STAGE] = 'init'
        os.execvp('unshare', ['unshare', '-m', '-p', '-n', '-i', '--fork', '--kill-child=KILL', '--propagation',
                              'private', sys.executable, '-B'] + sys.argv)
    if stage == 'init':
        os.environ[STAGE] = 'inside'
        child = os.fork()
        if child != 0:
            _reap_until(child)
        new_root()


def _reap_until(child):
    """Process 1: orphans come here, and their ends must be noticed."""
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 1)


def new_root():
    """pivot_root, not chroot: in that user namespaces are refused."""
    at = '/mnt'
    sh('mount', '-t', 'tmpfs', '-o', 'mode=755', 'rig', at)
    for name in ('upper', 'work', 'root'):
        os.mkdir(at + '/' + name, 0o755)
    new = at + '/root'
    sh('mount', '-t', 'overlay', 'rig', '-o', 'lowerdir=/,upperdir=%s/upper,workdir=%s/work' % (at, at), new)
    sh('mount', '-t', 'proc', 'proc', new + '/proc')
    _devices(new)
    for path, mode in (('/run', '755'), ('/tmp', '1777'), ('/var/tmp', '1777')):
        os.makedirs(new + path, exist_ok=True)
        sh('mount', '-t', 'tmpfs', '-o', 'mode=' + mode, 'rig', new + path)
    for tree in _trees():
        os.makedirs(new + tree, exist_ok=True)
        sh('mount', '--bind', tree, new + tree)
    here = os.getcwd()
    os.chdir(new)
    os.mkdir('.rig-old')
    sh('pivot_root', '.', '.rig-old')
    os.chdir('/')
    sh('umount', '-l', '/.rig-old')
    os.rmdir('/.rig-old')
    try:
        os.chdir(here)
    except OSError:
        pass
    _loopback()


def _trees():
    """What is needed inside and lies on other file systems than /, or where the new root has its own."""
    trees = {ROOT, os.path.realpath(sys.prefix), os.path.dirname(bin_dir())}
    return sorted(t for t in trees if os.stat(t).st_dev != os.stat('/').st_dev
                  or t.startswith(('/tmp/', '/var/tmp/', '/run/')))


def _devices(new):
    sh('mount', '-t', 'tmpfs', '-o', 'mode=755', 'rig', new + '/dev')
    for name in ('null', 'zero', 'full', 'random', 'urandom', 'tty'):
        open(new + '/dev/' + name, 'w').close()
        sh('mount', '--bind', '/dev/' + name, new + '/dev/' + name)
    for name in ('pts', 'shm'):
        os.mkdir(new + '/dev/' + name)
    sh('mount', '-t', 'devpts', '-o', 'newinstance,ptmxmode=666,mode=620,gid=5', 'rig', new + '/dev/pts')
    sh('mount', '-t', 'tmpfs', '-o', 'mode=1777', 'rig', new + '/dev/shm')
    for name, target in (('ptmx', 'pts/ptmx'), ('fd', '/proc/self/fd'), ('stdin', '/proc/self/fd/0'),
                         ('stdout', '/proc/self/fd/1'), ('stderr', '/proc/self/fd/2')):
        os.symlink(target, new + '/dev/' + name)


def _loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack('16sh', b'lo', 0)
        flags = struct.unpack('16sh', fcntl.ioctl(s, 0x8913, request))[1]
        fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', flags | 1))


def bin_dir():
    return os.path.realpath(os.environ.get('TTYTRAIL_BIN') or os.path.join(ROOT, 'build/release/bin'))


# ---- the host ----

class Host:
    """An installed system.  conf: what /etc/ttytrail/ttytrail.conf says; var_mib: how large its disk is."""

    def __init__(self, conf='', var_mib=1024, sshd=''):
        self.conf, self.var_mib, self.sshd_more = conf, var_mib, sshd
        self.writer = self.sshd = self.facts = self.keeper = None
        self.keep_writer = threading.Event()
        self.restarts = 0
        self.log = bytearray()  # of /dev/log: what recorders and the witness say
        self.stopping = False

    def __enter__(self):
        self.accounts()
        self.install()
        self.directories()
        self.configure(self.conf)
        self.pam()
        self.syslog()
        self.start_writer()
        self.start_sshd()
        return self

    def __exit__(self, *why):
        self.stopping = True
        self._let_go()
        for process in (self.sshd, self.facts, self.writer):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    # -- installing

    def accounts(self):
        def without(path, names):
            with open(path) as f:
                return [line for line in f if line.split(':')[0] not in names]

        shells = {'ttytrail': '/usr/sbin/nologin', 'plain': '/bin/bash'}
        passwd, shadow = without('/etc/passwd', USERS), without('/etc/shadow', USERS)
        group = without('/etc/group', list(USERS) + ['ttytrail-audit'])
        for name, uid in USERS.items():
            home = '/nonexistent' if name == 'ttytrail' else '/home/' + name
            passwd.append('%s:x:%d:%d::%s:%s\n' % (name, uid, uid, home, shells.get(name, SHELL)))
            shadow.append('%s:*:19000:0:99999:7:::\n' % name)
            group.append('%s:x:%d:\n' % (name, uid))
        group.append('ttytrail-audit:x:%d:\n' % AUDIT)
        for path, lines in (('/etc/passwd', passwd), ('/etc/shadow', shadow), ('/etc/group', group)):
            with open(path, 'w') as f:
                f.writelines(lines)
        if os.path.exists('/etc/nologin'):
            os.unlink('/etc/nologin')

    def install(self):
        """By the tree's own rules, with the rights of docs/DESIGN.md section 2 put right by hand."""
        build = os.path.dirname(bin_dir())
        if os.path.exists(build + '/cmake_install.cmake'):
            sh('cmake', '--install', build, '--prefix', '/usr')
        else:
            for name in os.listdir(bin_dir()):
                if name.startswith('ttytrail'):
                    shutil.copy2(os.path.join(bin_dir(), name), '/usr/bin/' + name)
        self.recorder('/usr/bin/ttytrail-shell')
        for shell in ('bin-bash', 'bin-sh'):
            link = '/usr/bin/ttytrail-shell-' + shell
            if not os.path.lexists(link):
                os.symlink('ttytrail-shell', link)
        with open('/etc/shells', 'a+') as f:
            f.seek(0)
            listed = f.read().split('\n')
            for shell in (SHELL, '/usr/bin/ttytrail-shell-bin-sh', '/bin/bash', '/bin/sh'):
                if shell not in listed:
                    f.write(shell + '\n')

    @staticmethod
    def recorder(path, mode=0o2755):
        os.chown(path, 0, GROUP)
        os.chmod(path, mode)

    def directories(self):
        os.makedirs(LIB, exist_ok=True)
        sh('mount', '-t', 'tmpfs', '-o', 'size=%dm,mode=711' % self.var_mib, 'rig', LIB)
        for path, mode, uid, gid in ((LIB + '/evidence', 0o2750, GROUP, AUDIT), (LIB + '/ship', 0o700, GROUP, GROUP),
                                     (LIB + '/index', 0o750, GROUP, AUDIT), (LIB + '/ring', 0o1730, GROUP, GROUP),
                                     (RUN, 0o755, GROUP, GROUP), ('/run/sshd', 0o755, 0, 0),
                                     ('/run/screen', 0o1777, 0, 0), ('/etc/ttytrail', 0o755, 0, 0)):
            os.makedirs(path, exist_ok=True)
            os.chown(path, uid, gid)
            os.chmod(path, mode)
        for name, uid in USERS.items():
            home = pwd.getpwnam(name).pw_dir
            if home.startswith('/home/'):
                os.makedirs(home + '/.ssh', exist_ok=True)
                self._own(home, uid)

    def _own(self, home, uid):
        if not os.path.exists('/run/rig.key'):
            sh('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/run/rig.key')
            sh('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/run/rig.host')
        shutil.copy('/run/rig.key.pub', home + '/.ssh/authorized_keys')
        for path, mode in ((home, 0o755), (home + '/.ssh', 0o700), (home + '/.ssh/authorized_keys', 0o600)):
            os.chown(path, uid, uid)
            os.chmod(path, mode)

    def configure(self, text):
        with open('/etc/ttytrail/ttytrail.conf', 'w') as f:
            f.write(text)
        os.chmod('/etc/ttytrail/ttytrail.conf', 0o644)

    def pam(self):
        """The witness of logins, if it is built, and what else Debian's file does that works without systemd."""
        login = next((p for p in ('/usr/lib/ttytrail/ttytrail-login', '/usr/libexec/ttytrail/ttytrail-login',
                                  '/usr/sbin/ttytrail-login', '/usr/bin/ttytrail-login') if os.path.exists(p)), None)
        lines = ['auth required pam_permit.so', 'account required pam_permit.so', 'session optional pam_loginuid.so',
                 'session required pam_limits.so', 'session required pam_permit.so']
        if login is not None:
            lines.append('session optional pam_exec.so quiet ' + login)
        with open('/etc/pam.d/sshd', 'w') as f:
            f.write('\n'.join(lines) + '\n')
        self.witness = login

    def syslog(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind('/dev/log')
        os.chmod('/dev/log', 0o666)

        def read():
            while not self.stopping:
                self.log += s.recv(65536) + b'\n'

        threading.Thread(target=read, daemon=True).start()

    # -- the writer and its helpers

    def start_writer(self, keep=True):
        """keep: start it again when it dies, as systemd does."""
        self._let_go()
        self._spawn_facts()
        self._spawn_writer()
        if keep:
            self.keep_writer.set()
            self.keeper = threading.Thread(target=self._supervise, args=(self.writer,), daemon=True)
            self.keeper.start()

    def _let_go(self):
        """Nobody starts the writer again from here on."""
        self.keep_writer.clear()
        if self.keeper is not None:
            self.keeper.join()
            self.keeper = None

    def _spawn_writer(self):
        def before():
            os.umask(0o027)
            os.setgroups([])
            os.setresgid(GROUP, GROUP, GROUP)
            os.setresuid(GROUP, GROUP, GROUP)

        with open('/run/rig.writer.log', 'ab') as log:
            self.writer = subprocess.Popen(
                [shutil.which('ttytraild', path=PATH), '--db', DB, '--socket', RUN + '/writer.sock', '--control', RUN + '/control.sock'],
                preexec_fn=before, stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=True, cwd='/')
        until(lambda: self.answers() or self.writer.poll() is not None, 'the writer answers', 60)

    def _spawn_facts(self):
        path = next((p for p in ('/usr/lib/ttytrail/ttytrail-facts', '/usr/libexec/ttytrail/ttytrail-facts',
                                 '/usr/sbin/ttytrail-facts', '/usr/bin/ttytrail-facts') if os.path.exists(p)), None)
        if path is None or (self.facts is not None and self.facts.poll() is None):
            return
        with open('/run/rig.facts.log', 'ab') as log:
            self.facts = subprocess.Popen([path, '--socket', RUN + '/facts.sock'], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, cwd='/')
        until(lambda: os.path.exists(RUN + '/facts.sock'), 'facts listens', 60)

    def _supervise(self, process):
        while self.keep_writer.is_set() and not self.stopping:
            if process.poll() is None:
                time.sleep(0.02)
            elif self.keep_writer.is_set():
                time.sleep(0.1)  # RestartSec
                self.restarts += 1
                try:
                    self._spawn_writer()
                except Fail:
                    pass
                process = self.writer

    def stop_writer(self, how=signal.SIGTERM):
        self._let_go()
        if self.writer.poll() is None:
            self.writer.send_signal(signal.SIGCONT)
            self.writer.send_signal(how)
        self.writer.wait(60)

    def restart_writer(self, conf=None, how=signal.SIGTERM):
        self.stop_writer(how)
        if conf is not None:
            self.configure(conf)
        self.start_writer()

    @staticmethod
    def answers():
        for name in ('writer.sock', 'control.sock'):
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                try:
                    s.connect(RUN + '/' + name)
                except OSError:
                    return False
        return True

    def writer_log(self):
        with open('/run/rig.writer.log', 'rb') as f:
            return f.read().decode(errors='replace')

    # -- sshd and its clients

    def start_sshd(self, more=None):
        """Also again, with other settings: sessions that are open stay."""
        if self.sshd is not None:
            self.sshd.kill()
            self.sshd.wait()
        text = '\n'.join(['Port %d' % PORT, 'ListenAddress 127.0.0.1', 'HostKey /run/rig.host', 'UsePAM yes',
                          'PidFile none', 'StrictModes yes', 'PasswordAuthentication no',
                          'KbdInteractiveAuthentication no', 'MaxStartups 100:30:200', 'MaxSessions 50',
                          'PrintMotd no', 'AcceptEnv LANG LC_* RIG_*', 'UseDNS no',
                          more or self.sshd_more, ''])
        if 'Subsystem' not in text:
            text = 'Subsystem sftp /usr/lib/openssh/sftp-server\n' + text
        shutil.rmtree('/etc/ssh/sshd_config.d', ignore_errors=True)
        with open('/etc/ssh/sshd_config', 'w') as f:
            f.write(text)
        log = open('/run/rig.sshd.log', 'ab')
        self.sshd = subprocess.Popen(['/usr/sbin/sshd', '-D', '-e'],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd='/',
                                     env={'PATH': PATH}, start_new_session=True)

        def listens():
            with socket.socket() as s:
                return s.connect_ex(('127.0.0.1', PORT)) == 0

        until(listens, 'sshd listens', 60)

    @staticmethod
    def ssh_argv(user, *options, command=None):
        argv = ['ssh', '-F', 'none', '-p', str(PORT), '-i', '/run/rig.key', '-o', 'BatchMode=yes', '-o',
                'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-o',
                'IdentitiesOnly=yes', '-o', 'ConnectTimeout=30', *options, user + '@127.0.0.1']
        return argv + ([command] if command is not None else [])

    def ssh(self, user, command, *options, data=None, seconds=60):
        """(out, err, status) of a command without a terminal; status None when it had to be ended."""
        p = subprocess.Popen(self.ssh_argv(user, *options, command=command), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env(), start_new_session=True)
        try:
            out, err = p.communicate(data or b'', timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, err = p.communicate()
            return out, err, None
        return out, err, p.returncode

    def login(self, user, *options, command=None):
        """A terminal, with ssh on it."""
        return Outer(self.ssh_argv(user, '-tt', *options, command=command), env=self.env())

    @staticmethod
    def env():
        return {'PATH': PATH, 'HOME': '/root', 'TERM': 'xterm', 'LANG': 'C.UTF-8'}

    def as_user(self, user, argv, data=None, seconds=60, groups=()):
        """(out, err, status) of a program run as that user, outside any session."""
        entry = pwd.getpwnam(user)

        def before():
            os.setgroups(list(groups))
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)

        p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=before, cwd='/', start_new_session=True,
                             env={'PATH': PATH, 'HOME': entry.pw_dir, 'USER': user, 'TERM': 'xterm'})
        try:
            out, err = p.communicate(data or b'', timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, err = p.communicate()
            return out, err, None
        return out, err, p.returncode

    # -- what was recorded

    def ttytrail(self, *argv, seconds=60):
        """(out, err, status) of the command as root."""
        p = subprocess.run(['/usr/bin/ttytrail', *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=seconds, env=self.env(), cwd='/')
        return p.stdout, p.stderr, p.returncode

    def sessions(self, *expression):
        """One dictionary a session, oldest first."""
        out, err, status = self.ttytrail('list', '--json', '--db', DB, *expression)
        if status != 0:
            raise Fail('list: %s' % err.decode(errors='replace'))
        return [json.loads(line) for line in out.decode(errors='replace').splitlines() if line.startswith('{')]

    def output(self, session, stream='output'):
        """What a session showed, as recorded (or its stream input or error)."""
        return self.ttytrail('export', '--db', DB, '-f', 'raw', '-s', stream, session['id'])[0]

    def cast(self, session):
        """Its lines, decoded: the header, then [time, kind, text]."""
        out = self.ttytrail('export', '--db', DB, '-f', 'cast', session['id'])[0]
        return [json.loads(line) for line in out.decode(errors='replace').splitlines()]

    def recorded(self, text):
        """The newest session whose output holds text, or None."""
        for session in reversed(self.sessions()):
            if text in self.output(session) or text in self.output(session, 'error'):
                return session
        return None

    def verify(self):
        """The database and its chains are whole."""
        out, err, status = self.ttytrail('verify', '--db', DB)
        return status == 0, (out + err).decode(errors='replace')


def processes(uid=None, name=None):
    """Pids of that user, of that name (as in /proc/PID/comm)."""
    found = []
    for entry in os.listdir('/proc'):
        if not entry.isdigit():
            continue
        try:
            with open('/proc/%s/status' % entry) as f:
                text = f.read()
        except OSError:
            continue
        if uid is not None and not re.search(r'^Uid:\t%d\t' % uid, text, re.M):
            continue
        if re.search(r'^State:\tZ', text, re.M) or (name and not re.search(r'^Name:\t%s$' % re.escape(name), text, re.M)):
            continue
        found.append(int(entry))
    return found
