#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""redact_a.py TTYTRAIL: secrets typed at canonical no-echo prompts (sudo, su, passwd, getpass, read -s, stty -echo,
ssh's passphrase and password) leave no run of four characters in any file of the database, raw or decompressed;
what is typed visibly does."""
import fcntl
import glob
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import termios
import zlib

from outer import Outer, check, equal, main, run, until

TTYTRAIL = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix='ttytrail-redact.')
DB = DIR + '/e.db'
with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    PORT = free.getsockname()[1]
SSH = ('ssh -F /dev/null -p %d -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR '
       '-o NumberOfPasswordPrompts=1 ' % PORT)

# What is run, the prompt it gives, what is typed, and what appears when it is over.
PROMPTS = [
    ("read -r -s -p 'PIN: ' x; echo", b'PIN: ', 'Kz8-qWxv-Bbb2'),
    ("stty -echo; printf 'Password: '; read -r x; stty echo; echo", b'Password: ', 'Jy7+uRtz=Aaa1'),
    ("/usr/bin/python3 -c 'import getpass; getpass.getpass(\"Passwort: \")'", b'Passwort: ', 'Hx6%pLmk%Ccc3'),
    ("/usr/bin/openssl rsa -in %s/encrypted.pem -noout" % DIR, b'pass phrase for', 'Gw5@nBvc@Sss9'),
    ("ssh-keygen -y -f %s/key > /dev/null" % DIR, b'passphrase: ', 'Fv4!hJkl!Eee5'),
    (SSH + "-i %s/key -o PasswordAuthentication=no root@127.0.0.1 true" % DIR, b'passphrase for key', 'Eu3~sDfg~Fff6'),
    (SSH + "-o PubkeyAuthentication=no root@127.0.0.1 true", b"'s password: ", 'Dt2^yXcv^Ggg7'),
]
AS_ROOT = [
    ("runuser -u nobody -- sudo -k -p '[sudo] password: ' true", b'[sudo] password: ', 'Cs1:wErt:Ddd4'),
    ("runuser -u nobody -- su root -c true", b'Password: ', 'Br0;zUio;Hhh8'),
    ("runuser -u ttyredact -- passwd", b'Current password: ', 'Aq9,kXsq,Iii0'),
]


def grams(secret):
    return [secret[i:i + 4].encode() for i in range(len(secret) - 3)]


def haystacks(file):
    """Every file as it lies there, every blob of the database, and whatever of them decompresses."""
    for path in glob.glob(file + '*'):
        try:
            with open(path, 'rb') as f:
                yield path, f.read()
        except FileNotFoundError:
            pass  # the last writer has just put its -wal and -shm away
    db = sqlite3.connect('file:%s?mode=ro' % file, uri=True)
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for row in db.execute('SELECT * FROM "%s"' % table):
            for value in row:
                if isinstance(value, bytes):
                    yield table, value
                    if value[:2] == b'\x1f\x8b':
                        yield table + ' decompressed', zlib.decompress(value, wbits=31)
                elif isinstance(value, str):
                    yield table, value.encode()
    db.close()


def leaks(secrets, file=DB):
    found = []
    for where, data in haystacks(file):
        for s in secrets:
            found += ['%s in %s' % (s, where) for g in grams(s) if g in data]
    return found


def silent(o):
    """Whether the inner terminal is canonical without echo: the program is waiting for its secret."""
    o.pump(0.02)
    pids = [o.pid]
    for p in pids:
        try:
            with open('/proc/%d/task/%d/children' % (p, p)) as f:
                pids += [int(x) for x in f.read().split()]
        except OSError:
            pass
    for p in reversed(pids[1:]):
        try:
            fd = os.open('/proc/%d/fd/0' % p, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            flags = termios.tcgetattr(fd)[3]
            if flags & termios.ICANON and not flags & termios.ECHO:
                return True
        except termios.error:
            pass
        finally:
            os.close(fd)
    return False


def start_sshd():
    for name, secret in (('key', 'nothing-of-ours'), ('host', '')):
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', secret, '-f', DIR + '/' + name], check=True)
    subprocess.run(['openssl', 'genrsa', '-aes128', '-passout', 'pass:nothing-of-ours', '-out', DIR + '/encrypted.pem'],
                   check=True, capture_output=True)
    with open(DIR + '/sshd_config', 'w') as f:
        f.write('Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nPidFile none\nUsePAM no\nStrictModes no\n'
                'PermitRootLogin yes\nPasswordAuthentication yes\nAuthorizedKeysFile %s/key.pub\n' % (PORT, DIR, DIR))
    os.makedirs('/run/sshd', exist_ok=True)
    return subprocess.Popen(['/usr/sbin/sshd', '-D', '-e', '-f', DIR + '/sshd_config'], stderr=subprocess.DEVNULL)


def test_canonical_no_echo_prompts():
    prompts = PROMPTS + (AS_ROOT if os.getuid() == 0 else [])
    if os.getuid() != 0:
        print('      sudo, su and passwd are not asked: that needs root')
    secrets = [s for _, _, s in prompts]
    o = Outer([TTYTRAIL, 'record', '--quiet', '--db', DB, '--', 'bash', '--norc', '-i'],
              env=dict(os.environ, PS1='ready$ ', SSH_ASKPASS_REQUIRE='never', LC_ALL='C.UTF-8'))
    at = o.expect(b'ready$ ')
    for number, (command, prompt, secret) in enumerate(prompts):
        o.type(command.encode() + b'\r')
        # Behind the echo of the command line, which may hold the words of the prompt.
        at = o.expect(b'\r\n', at)
        at = o.expect(prompt, at)
        until(lambda: silent(o), 'silence at %r' % prompt)
        o.type(secret.encode(), apart=True)
        equal(leaks(secrets), [], 'while %r waits' % prompt)
        o.type(b'\r')
        if command.startswith('runuser -u nobody -- sudo'):
            at = o.expect(prompt, o.expect(b'again', at))  # until then echo may go off anew, and take ^C with it
            until(lambda: silent(o), 'silence at the second prompt')
            o.type(b'\x03')
        at = o.expect(b'ready$ ', at, seconds=40)
        o.type(b'echo visible-%d-word\r' % number)
        at = o.expect(b'ready$ ', at)
    o.type(b'exit\r')
    o.wait()
    until(lambda: sealed(), 'the session is sealed')
    equal(leaks(secrets), [], 'after the end')
    out, err, rc = run([TTYTRAIL, 'export', '--db', DB, 'last', '--format', 'cast'])
    equal(rc, 0, 'export: %r' % err)
    equal([s for s in secrets if any(g in out for g in grams(s))], [], 'in the cast')
    marks = [line for line in out.decode().splitlines() if '"m","redacted canonical no-echo, ' in line]
    check(len(marks) >= len(prompts), '%d marks for %d prompts' % (len(marks), len(prompts)))
    readers = ' '.join(marks)
    for reader in ('bash', 'python3', 'ssh', 'ssh-keygen', 'openssl') + (('runuser',) if os.getuid() == 0 else ()):
        check('reader ' + reader + '"' in readers, 'no mark names %s: %s' % (reader, readers))
    typed, err, rc = run([TTYTRAIL, 'export', '--db', DB, 'last', '--format', 'raw', '--stream', 'input'])
    for number in range(len(prompts)):
        check(b'echo visible-%d-word\r' % number in typed, 'visible typing %d is recorded' % number)
    o.close()


def sealed(file=DB):
    db = sqlite3.connect('file:%s?mode=ro' % file, uri=True)
    try:
        return db.execute('SELECT count(*) FROM session WHERE final = 0').fetchone()[0] == 0
    finally:
        db.close()


def test_control_a_search_that_finds():
    # Without redaction the same search must find the secret, or it proves nothing.
    conf, db = DIR + '/off.conf', DIR + '/control.db'
    with open(conf, 'w') as f:
        f.write('[redact]\nredact = off\n')
    o = Outer([TTYTRAIL, 'record', '--quiet', '--db', db, '--config', conf, '--', 'bash', '--norc', '-c',
               "read -r -s -p 'PIN: ' x"])
    o.expect(b'PIN: ')
    until(lambda: silent(o), 'silence')
    o.type(b'Zz9-control-Zz9\r')
    equal(o.wait(), 0, 'status')
    until(lambda: sealed(db), 'the session is sealed')
    check(leaks(['Zz9-control-Zz9'], db), 'the search finds nothing at all')
    o.close()


sshd = None
made_user = False
try:
    sshd = start_sshd()
    if os.getuid() == 0:
        made_user = subprocess.run(['useradd', '-M', '-s', '/bin/sh', 'ttyredact'], capture_output=True).returncode == 0
        subprocess.run(['chpasswd'], input=b'ttyredact:nothing-of-ours\n', check=True)
    main([test_canonical_no_echo_prompts, test_control_a_search_that_finds])
finally:
    if sshd:
        sshd.terminate()
        sshd.wait()
    if made_user:
        subprocess.run(['userdel', 'ttyredact'], capture_output=True)
    shutil.rmtree(DIR, ignore_errors=True)
