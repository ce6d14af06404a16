# SPDX-License-Identifier: Apache-2.0
"""What an attacker's script has at hand: tests/e2e/attackrig.py puts this file on the host, where scripts import it."""
import os
import socket
import struct
import subprocess
import sys
import time

WRITER, CONTROL = '/run/ttytrail/writer.sock', '/run/ttytrail/control.sock'
OPEN, RESUME, EVENT, PENDING, BYE, PONG = 1, 2, 3, 4, 5, 6
OPENED, RESUMED, ACK, PING, GOODBYE, REFUSED = 32, 33, 34, 35, 36, 37
SHELL = '/usr/bin/ttytrail-shell-bin-bash'


def mark(text):
    """What has to stand in the record if anybody sees it."""
    return 'RIG%sGIR' % text


def say(text):
    print(text, flush=True)


def attempt(name, what):
    """GOT when it works, denied when it does not; what may also return False for 'nothing gained'."""
    try:
        got = what()
    except (OSError, EOFError, subprocess.SubprocessError, ValueError) as e:
        say('denied %s: %s' % (name, getattr(e, 'strerror', None) or type(e).__name__))
        return False
    say(('denied %s' if got is False else 'GOT %s') % name)
    return got is not False


def comm(pid):
    try:
        with open('/proc/%d/comm' % pid) as f:
            return f.read().strip()
    except OSError:
        return ''


def parent(pid):
    with open('/proc/%d/stat' % pid) as f:
        return int(f.read().rsplit(')', 1)[1].split()[1])


def recorder(of=None):
    """The pid of the recorder above us."""
    pid = of or os.getpid()
    while pid > 1 and not comm(pid).startswith('ttytrail-shell'):
        pid = parent(pid)
    return pid


# ---- the protocol, as docs/FORMAT.md has it ----

def frame(kind_of_message, body=b'', kind=0, length=None, reserved=0):
    return struct.pack('>IBBH', len(body) if length is None else length, kind_of_message, kind, reserved) + body


def facts(**pairs):
    out = b''
    for key, value in pairs.items():
        key, value = key.replace('__', '.').encode(), value if isinstance(value, bytes) else str(value).encode()
        out += bytes([len(key)]) + key + struct.pack('>I', len(value)) + value
    return out


def event(seq, t, data, kind='o'):
    return frame(EVENT, struct.pack('>QQ', seq, t) + data, ord(kind))


def connect(path=WRITER, seconds=20):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(seconds)
    s.connect(path)
    return s


def receive(s):
    """(type, body) of the next frame, or (None, b'') at the end."""
    data = b''
    while True:
        if len(data) >= 8 and len(data) >= 8 + struct.unpack('>I', data[:4])[0]:
            return data[4], data[8:8 + struct.unpack('>I', data[:4])[0]]
        try:
            # No more than this frame.
            want = 8 - len(data) if len(data) < 8 else 8 + struct.unpack('>I', data[:4])[0] - len(data)
            got = s.recv(want)
        except (ConnectionError, socket.timeout):
            return None, b''
        if not got:
            return None, b''
        data += got


def opened(s, **pairs):
    """Open a session: its id, or None when it is refused."""
    pairs = {'kind': 'stream', 'user': 'mallory', 'way_in': 'command', **pairs}
    try:
        s.sendall(frame(OPEN, struct.pack('>I', 1) + facts(**pairs)))
    except OSError:
        pass
    kind, body = receive(s)
    return body[:16] if kind == OPENED else None


def answer(path, data, seconds=20):
    """Type of the first answer to these bytes on a connection of its own; None: it was closed."""
    with connect(path, seconds) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive(s)[0]


def run(argv, seconds=20, **more):
    """(out + err, status); status None when it had to be ended."""
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    try:
        out = p.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        p.kill()
        return p.communicate()[0].decode(errors='replace'), None
    return out.decode(errors='replace'), p.returncode


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def child_recorded(name, argv=None, env=None, before=None, want=None):
    """A recorder started under hostile circumstances: what it shows has to be recorded, or it refuses."""
    text = mark(name)
    script = want or 'printf RIG; echo %sGIR' % name
    out, status = run(argv or [SHELL, '-c', script], env=env, preexec_fn=before)
    if text in out:
        say('shown %s' % text)
    else:
        say('refused %s status %s: %s' % (name, status, out.strip().split('\n')[-1][:160]))


if __name__ == '__main__':
    sys.exit('this is a module')
