#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""activated.py TTYTRAILD TTYTRAIL: sockets handed over as systemd does; which is which is told by their names."""
import os
import socket
import subprocess
import sys
import tempfile

WRITER, TTYTRAIL = sys.argv[1:3]


def listening(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(8)
    return s


def start(where, names, socks):
    """The writer with the sockets from descriptor 3 on; LISTEN_PID has to be its own."""
    env = dict(os.environ, LISTEN_FDS=str(len(socks)))
    if names:
        env['LISTEN_FDNAMES'] = ':'.join(names)
    fds = [s.fileno() for s in socks]
    pid = os.fork()
    if pid == 0:
        try:
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)
            os.closerange(3 + len(fds), 256)
            os.execve(WRITER, [WRITER, '--db', where + '/e.db', '--syslog'], dict(env, LISTEN_PID=str(os.getpid())))
        finally:
            os._exit(127)
    return pid


def records(where, names, order):
    with tempfile.TemporaryDirectory(dir=where) as home:
        paths = {'writer': home + '/w', 'control': home + '/c'}
        socks = [listening(paths[name]) for name in order]
        pid = start(home, names, socks)
        try:
            done = subprocess.run([TTYTRAIL, 'record', '--quiet', '--socket', paths['writer'], '--', 'echo', 'it'],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                                  env=dict(os.environ, HOME=home))
            if done.returncode != 0 or done.stdout != 'it\n':
                return 'status %d: %s' % (done.returncode, done.stderr)
        finally:
            os.kill(pid, 15)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return None if status == 0 else 'the writer ended with %d' % status


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as where:
        for names, order in ((['writer', 'control'], ['writer', 'control']), (['control', 'writer'], ['control', 'writer']),
                             (None, ['writer', 'control']), (['ttytraild.socket'], ['writer'])):
            why = records(where, names, order)
            print('%s  %s in the order %s%s' % ('ok  ' if why is None else 'FAIL', names, order, '' if why is None else ': ' + why))
            bad += why is not None
    return 1 if bad else 0


sys.exit(main())
