# SPDX-License-Identifier: Apache-2.0
"""A host as installed, in a mount namespace of its own: the setgid login shell, a writer as a user of its own, its
socket, the directory of rings, and a syslog that can be read.  Nothing of the machine changes."""
import fcntl
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile

from outer import Outer, check, until

WHO = 64123  # user and group ttytrail, as far as anybody here looks
LONG = 60


def inside():
    """Begin again in a mount namespace; True where that has happened."""
    if os.environ.get('TTYTRAIL_INSIDE') == '1':
        return True
    if os.geteuid() != 0:
        sys.exit('needs root: a setgid program and another user\'s files are what it looks at')
    os.environ['TTYTRAIL_INSIDE'] = '1'
    os.execvp('unshare', ['unshare', '-m', '--propagation', 'private', sys.executable] + sys.argv)
    return False


def sh(*words):
    subprocess.run(words, check=True)


class Host:
    def __init__(self, bin_dir, disk_mib=0):
        self.bin, self.writer, self.before = bin_dir, None, ''
        self.top = tempfile.mkdtemp(prefix='ttytrail-host.')
        os.chmod(self.top, 0o755)
        self.log, self.conf = self.top + '/log', self.top + '/conf'
        self.lib, self.ring = '/var/lib/ttytrail', '/var/lib/ttytrail/ring'
        self.db = self.lib + '/evidence/evidence.db'
        self.shell = self.top + '/bin/ttytrail-shell-bin-sh'
        self.make_dev()
        with open('/etc/group') as f, open(self.top + '/group', 'w') as g:
            g.write(f.read() + 'ttytrail:x:%d:\n' % WHO)
        sh('mount', '--bind', self.top + '/group', '/etc/group')
        for where in '/run', '/var/lib':
            sh('mount', '-t', 'tmpfs', 'none', where)
        os.makedirs('/run/ttytrail')
        os.chown('/run/ttytrail', WHO, WHO)
        os.makedirs(self.lib + '/evidence')
        if disk_mib:
            sh('mount', '-t', 'tmpfs', '-o', 'size=%dm' % disk_mib, 'none', self.lib + '/evidence')
        os.mkdir(self.ring)
        for path, mode in (self.lib + '/evidence', 0o750), (self.ring, 0o1730):
            os.chown(path, WHO, WHO)
            os.chmod(path, mode)
        os.mkdir(self.top + '/bin')
        os.chmod(self.top + '/bin', 0o755)
        sh('install', '-m', '2755', '-g', str(WHO), bin_dir + '/ttytrail-shell', self.top + '/bin/ttytrail-shell')
        os.symlink('ttytrail-shell', self.shell)
        self.configure('')

    def make_dev(self):
        """A /dev with a log of ours."""
        old = self.top + '/dev'
        os.mkdir(old)
        sh('mount', '--rbind', '/dev', old)
        sh('mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', '/dev')
        for name in 'null', 'zero', 'full', 'random', 'urandom', 'tty':
            open('/dev/' + name, 'w').close()
            sh('mount', '--bind', old + '/' + name, '/dev/' + name)
        os.mkdir('/dev/pts')
        sh('mount', '--rbind', old + '/pts', '/dev/pts')
        # No link to pts/ptmx, which others may not open; it finds the pts beside it.
        os.mknod('/dev/ptmx', 0o666 | stat.S_IFCHR, os.makedev(5, 2))
        os.chmod('/dev/ptmx', 0o666)
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.syslog.bind('/dev/log')
        os.chmod('/dev/log', 0o666)

    def logged(self):
        """What was said to syslog so far."""
        try:
            while True:
                self.before += self.syslog.recv(65536).decode(errors='replace') + '\n'
        except BlockingIOError:
            return self.before

    def configure(self, text):
        with open(self.conf, 'w') as f:
            f.write(text)

    def start(self):
        """The writer, as its own user; the sockets as systemd would make them."""
        if os.path.exists('/run/ttytrail/policy'):
            os.unlink('/run/ttytrail/policy')
        with open(self.log, 'ab') as log:
            self.writer = subprocess.Popen(
                [self.bin + '/ttytraild', '--db', self.db, '--config', self.conf], stderr=log,
                close_fds=False, preexec_fn=self.hand_over)
        until(self.answers, 'the writer answers', LONG)

    def hand_over(self):
        fds = []
        for name, mode in ('writer', 0o660), ('control', 0o666):
            path = '/run/ttytrail/%s.sock' % name
            if os.path.exists(path):
                os.unlink(path)
            s = socket.socket(socket.AF_UNIX)
            s.bind(path)
            os.chown(path, WHO, WHO)
            os.chmod(path, mode)
            s.listen(64)
            fds.append(s.detach())
        # Out of the way of their own places first.
        fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in fds]
        for i, fd in enumerate(fds):
            os.dup2(fd, 3 + i)
        os.closerange(5, 256)
        for i in range(2):
            os.set_inheritable(3 + i, True)
        os.environ['LISTEN_FDS'], os.environ['LISTEN_PID'] = '2', str(os.getpid())
        os.setgroups([])
        os.setresgid(WHO, WHO, WHO)
        os.setresuid(WHO, WHO, WHO)

    def answers(self):
        check(self.writer.poll() is None, 'the writer ended: %s' % self.said())
        return os.path.exists('/run/ttytrail/policy') and subprocess.run([self.bin + '/ttytrail', 'list', '--db', self.db],
                                                                         stdout=subprocess.DEVNULL,
                                                                         stderr=subprocess.DEVNULL).returncode == 0

    def said(self):
        with open(self.log, 'rb') as f:
            return f.read()

    def stop(self, sig=signal.SIGKILL):
        if self.writer is not None:
            self.writer.send_signal(sig)
            self.writer.wait(LONG)
            self.writer = None
            for name in 'writer', 'control':
                os.unlink('/run/ttytrail/%s.sock' % name)

    def login(self, user='nobody', argv=('-i',)):
        who = pwd.getpwnam(user)
        self.logged()  # a log that nobody reads holds up whoever writes to it

        def become():
            os.fchown(0, who.pw_uid, -1)
            os.setgroups([])
            os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
            os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
        env = {'PATH': '/usr/bin:/bin', 'TERM': 'xterm', 'PS1': '$ ', 'HOME': '/'}
        return Outer([self.shell] + list(argv), env=env, before=become)

    def ask(self, *words):
        return subprocess.run([self.bin + '/ttytrail', words[0], '--db', self.db] + list(words[1:]), check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LONG).stdout

    def sessions(self):
        """(user, state, exit, flags) of all, oldest first; straight from the database."""
        import sqlite3
        db = sqlite3.connect('file:%s?mode=ro' % self.db, uri=True, timeout=LONG)
        try:
            rows = db.execute('SELECT user, state, exit, flags, lower(hex(id)), final FROM session ORDER BY row').fetchall()
            # No ttytrail-facts is here that would hang anybody up.
            return [row[:3] + (' '.join(w for w in row[3].split() if w != 'outer-tty-shared'),) + row[4:] for row in rows]
        finally:
            db.close()

    def rings(self):
        return sorted(os.listdir(self.ring))

    def close(self):
        self.stop()
        self.syslog.close()
        for where in '/etc/group', '/var/lib', '/run', '/dev', self.top + '/dev':
            sh('umount', '-l', '-R', where)
        shutil.rmtree(self.top, ignore_errors=True)
