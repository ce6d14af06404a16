# SPDX-License-Identifier: Apache-2.0
"""An installed writer and login shell in a mount namespace of the test's own: /run, /etc/group, /etc/passwd are its own."""
import atexit
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile

from outer import Fail, check, run, until

BIN = os.environ.get('TTYTRAIL_BIN') or os.path.dirname(os.path.abspath(sys.argv[1]))
GROUP, UID, USER = 64123, 64124, 'tty-tester'


def enter():
    """Run this script again inside the namespace; returns there."""
    if os.geteuid() != 0:
        sys.exit('needs root: a setgid program and a socket\'s group are what it looks at')
    if os.environ.get('TTYTRAIL_INSIDE') != '1':
        os.environ['TTYTRAIL_INSIDE'] = '1'
        os.execvp('unshare', ['unshare', '-m', '--propagation', 'private', '/usr/bin/python3'] + sys.argv)


class Host:
    def __init__(self, conf=None):
        self.conf = conf  # of the writer; None: none
        self.dir = tempfile.mkdtemp(prefix='ttytrail-installed.')
        atexit.register(self.stop)
        os.chmod(self.dir, 0o755)
        self.db = self.dir + '/e.db'
        subprocess.run(['mount', '-t', 'tmpfs', 'none', '/run'], check=True)
        os.makedirs('/run/ttytrail')
        os.mkdir('/run/sshd', 0o755)
        os.mkdir(self.dir + '/bin', 0o755)
        own = self.dir + '/bin/ttytrail-shell'
        shutil.copy(BIN + '/ttytrail-shell', own)
        os.chown(own, 0, GROUP)
        os.chmod(own, 0o2755)
        os.symlink('ttytrail-shell', self.dir + '/bin/ttytrail-shell-bin-sh')
        self.program, self.shell = own, self.dir + '/bin/ttytrail-shell-bin-sh'
        self.home = self.dir + '/home'
        os.mkdir(self.home, 0o755)
        os.chown(self.home, UID, UID)
        self.add('/etc/group', 'ttytrail:x:%d:\n%s:x:%d:\n' % (GROUP, USER, UID))
        self.add('/etc/passwd', '%s:x:%d:%d::%s:%s\n' % (USER, UID, UID, self.home, self.shell))
        self.add('/etc/shells', self.shell + '\n')
        self.add('/etc/shadow', '%s:*:19000:0:99999:7:::\n' % USER)
        self.start()

    def add(self, path, text):
        own = self.dir + path.replace('/', '-')
        mounted = os.path.exists(own)
        if not mounted:
            shutil.copy(path, own)
        with open(own, 'a') as f:
            f.write(text)
        if not mounted:
            shutil.copystat(path, own)
            subprocess.run(['mount', '--bind', own, path], check=True)

    def start(self):
        sock = '/run/ttytrail/writer.sock'
        self.log = open(self.dir + '/log', 'wb')
        more = []
        if self.conf is not None:
            more = ['--config', self.dir + '/conf']
            self.configure(self.conf)
        self.writer = subprocess.Popen([BIN + '/ttytraild', '--db', self.db, '--socket', sock] + more, stderr=self.log)
        until(lambda: os.path.exists(sock + '.control'), 'the writer\'s sockets', 60)
        os.chown(sock, 0, GROUP)
        # As a writer of that group publishes it.
        until(lambda: os.path.exists('/run/ttytrail/policy'), 'the policy', 60)
        os.chown('/run/ttytrail/policy', 0, GROUP)
        # The sockets are there before the tables are.
        until(lambda: run([BIN + '/ttytrail', 'list', '--db', self.db], seconds=60)[2] == 0, 'the database', 60)

    def configure(self, text):
        with open(self.dir + '/conf', 'w') as f:
            f.write(text)

    def stop(self):
        self.writer.terminate()
        self.writer.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def become_user(self):
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as after an exec: else /proc/self is root's

    def sessions(self):
        """The catalogue's rows, oldest first."""
        out, err, status = run([BIN + '/ttytrail', 'list', '--db', self.db, '--json'], seconds=60)
        check(status == 0, 'list says %r' % err)
        return [json.loads(line) for line in out.splitlines()]

    def export(self, which='last', form='raw'):
        out, err, status = run([BIN + '/ttytrail', 'export', '--db', self.db, which, '--format', form], seconds=60)
        check(status == 0, 'export says %r' % err)
        return out

    def way_in(self):
        """Of the newest session, from its own bytes in the database."""
        import sqlite3
        c = sqlite3.connect('file:%s?mode=ro' % self.db, uri=True)
        try:
            facts = c.execute('select facts from session order by rowid desc limit 1').fetchone()[0]
        finally:
            c.close()
        at = facts.find(b'way_in')
        if at < 0:
            raise Fail('no way_in')
        rest = facts[at + 6:]
        size = int.from_bytes(rest[:4], 'big')
        return rest[4:4 + size].decode()
