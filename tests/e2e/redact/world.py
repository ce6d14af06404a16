# SPDX-License-Identifier: Apache-2.0
"""What the scenarios stand on: a user of their own, an sshd, small servers; all of it goes away again."""
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading

USER = 'ttyca'
SECRET = 'Rq8!plumTrestle'
DIR = '/tmp/ttyca-world'
HERE = os.path.dirname(os.path.abspath(__file__))
FAR = 'python3 %s/far.py' % DIR
PORTS = {}
SCENARIOS = {}
FILES = {}  # small programs of scenarios, by name in DIR


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


for service in ('ssh', 'http', 'ftp'):
    PORTS[service] = free_port()


class Scenario:
    def __init__(self, name, run, needs='', soak=False, hard=False, masks=False, mark='', near=False):
        self.name, self.run, self.needs = name, run, needs.split()
        self.soak, self.hard, self.masks, self.mark = soak, hard, masks, mark
        self.near = near  # rule T knows the terminal of this host alone, not one behind a relay


def scenario(name, run=None, **how):
    """@scenario(NAME, ...), or scenario(NAME, FUNCTION, ...)."""
    def keep(function):
        SCENARIOS[name] = Scenario(name, function, **how)
        return function
    return keep(run) if run else keep


def run(*argv, **how):
    return subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)


def there(need):
    """Whether a command, or else a Debian package, is there."""
    if shutil.which(need, path='/usr/sbin:/usr/bin:/sbin:/bin'):
        return True
    return subprocess.run(['dpkg', '-s', need], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


class Refuses(http.server.BaseHTTPRequestHandler):
    """Every request needs a name and a password, and none is good enough."""

    def do_GET(self):
        self.send_response(401)
        self.send_header('WWW-Authenticate', 'Basic realm="private"')
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_):
        pass


FTPD = '''
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
class Any(DummyAuthorizer):
    def validate_authentication(self, *_): pass
    def has_user(self, _): return True
    def get_home_dir(self, _): return sys.argv[2]
    def has_perm(self, *_): return True
    def get_perms(self, _): return 'elr'
    def get_msg_login(self, _): return 'in'
    def get_msg_quit(self, _): return 'out'
    def impersonate_user(self, *_): pass
    def terminate_impersonation(self, *_): pass
FTPHandler.authorizer = Any()
FTPServer(('127.0.0.1', int(sys.argv[1])), FTPHandler).serve_forever()
'''


class World:
    def __enter__(self):
        self.servers = []
        self.made_user = False
        shutil.rmtree(DIR, ignore_errors=True)
        os.makedirs(DIR, mode=0o755)
        shutil.copy(HERE + '/far.py', DIR)
        for name, text in FILES.items():
            with open(os.path.join(DIR, name), 'w', encoding='utf-8') as f:
                f.write(text)
        self.make_user()
        self.start_sshd()
        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', PORTS['http']), Refuses)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        if there('python3-pyftpdlib'):
            self.servers.append(subprocess.Popen(['/usr/bin/python3', '-c', FTPD, str(PORTS['ftp']), DIR],
                                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self

    def make_user(self):
        home = '/home/' + USER
        if subprocess.run(['id', USER], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            run('useradd', '-m', '-s', '/bin/bash', USER)
            self.made_user = True
        run('chpasswd', input=('%s:%s\n' % (USER, SECRET)).encode())
        for name in ('.bashrc', '.profile'):
            with open('%s/%s' % (home, name), 'w', encoding='ascii') as f:
                f.write('PS1="\\u@\\h:\\w\\$ "\nHISTFILE=\nexport LANG=C.UTF-8 LC_ALL=C.UTF-8 GIT_TERMINAL_PROMPT=1\n')
        open(home + '/.hushlogin', 'w').close()
        os.makedirs(home + '/.ssh', exist_ok=True)
        if not os.path.exists(home + '/.ssh/id_ed25519'):
            run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', home + '/.ssh/id_ed25519')
        shutil.copy(home + '/.ssh/id_ed25519.pub', home + '/.ssh/authorized_keys')
        with open(home + '/.ssh/config', 'w', encoding='ascii') as f:
            f.write('Host far\n HostName 127.0.0.1\n Port %d\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n'
                    ' LogLevel ERROR\n' % PORTS['ssh'])
        run('chown', '-R', USER, home)
        run('chmod', '700', home + '/.ssh')
        with open('/etc/sudoers.d/' + USER, 'w', encoding='ascii') as f:
            # One command's prompt shows asterisks.
            f.write('%s ALL=(ALL) ALL\nDefaults:%s timestamp_timeout=0\nDefaults!/usr/bin/whoami pwfeedback\n' %
                    (USER, USER))
        os.chmod('/etc/sudoers.d/' + USER, 0o440)

    def start_sshd(self):
        os.makedirs('/run/sshd', exist_ok=True)
        os.makedirs(DIR + '/priv', mode=0o700)
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', DIR + '/priv/host')
        with open(DIR + '/priv/sshd_config', 'w', encoding='ascii') as f:
            f.write('Port %d\nListenAddress 127.0.0.1\nHostKey %s/priv/host\nPidFile none\nUsePAM yes\n'
                    'MaxStartups 200:30:400\nMaxSessions 50\nPasswordAuthentication yes\nPrintMotd no\nPrintLastLog no\n'
                    'AcceptEnv LANG LC_*\n' % (PORTS['ssh'], DIR))
        self.servers.append(subprocess.Popen(['/usr/sbin/sshd', '-D', '-f', DIR + '/priv/sshd_config'],
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def __exit__(self, *_):
        for server in self.servers:
            server.terminate()
            server.wait()
        self.http.shutdown()
        os.unlink('/etc/sudoers.d/' + USER)
        for pid in subprocess.run(['pgrep', '-u', USER], capture_output=True, text=True).stdout.split():
            subprocess.run(['kill', '-9', pid], stderr=subprocess.DEVNULL)
        if self.made_user:
            subprocess.run(['userdel', '-r', USER], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(DIR, ignore_errors=True)
        for name in os.listdir('/tmp'):
            if name.startswith('ttyca.'):
                path = '/tmp/' + name
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


if __name__ == '__main__':
    sys.exit('this is part of redact_corpus.py')
