# SPDX-License-Identifier: Apache-2.0
"""What the fault tests share: a table of calls that are to fail (callfault.c, vfsfault.c), and a writer on a socket."""
import mmap
import os
import re
import signal
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from outer import Fail, check, until  # noqa: E402

KIND, AT, MANY, COUNT, FAILED, AHEAD = range(6)
GROW, MEMORY, VFS = 1, 2, 3
LONG = 60


class Table:
    """The shims' table; .env is what a program needs to be under it."""

    def __init__(self, path, preload, name, below):
        with open(path, 'wb') as f:
            f.write(bytes(4096))
        with open(path, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), 4096)
        self.env = dict(os.environ, LD_PRELOAD=preload, CALLFAULT=path, CALLFAULT_NAME=name, CALLFAULT_DIR=below)

    def __getitem__(self, which):
        return struct.unpack_from('q', self.map, which * 8)[0]

    def __setitem__(self, which, value):
        struct.pack_into('q', self.map, which * 8, value)

    def arm(self, kind, at=0, many=1):
        for which, value in (KIND, 0), (COUNT, 0), (FAILED, 0), (AT, at), (MANY, many), (KIND, kind):
            self[which] = value

    def disarm(self):
        """No call fails any more; how many have, of how many."""
        self[KIND] = 0
        return self[FAILED], self[COUNT]


class Writer:
    """ttytraild on a socket; asked for the processor time that it took, at the end."""

    def __init__(self, bin_dir, top, db='e.db', env=None, conf=''):
        self.bin, self.db, self.socket, self.conf = bin_dir, top + '/' + db, top + '/w', top + '/conf'
        self.log, self.env, self.process, self.cpu_s = top + '/log', env, None, 0.0
        with open(self.conf, 'w') as f:
            f.write('[record]\nwriter_timeout_s = 10\n[store]\nreserve_mib = 0\n' + conf)

    def start(self, env=None):
        program = next(p for p in (self.bin + '/ttytraild', self.bin + '/../sbin/ttytraild') if os.path.exists(p))
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [program, '--db', self.db, '--socket', self.socket, '--config', self.conf], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log, env=env or self.env)
        return self

    def gone(self):
        return self.process.returncode is not None or self.reap(os.WNOHANG)

    def reap(self, options):
        pid, status, used = os.wait4(self.process.pid, options)
        if pid:
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = used.ru_utime + used.ru_stime
        return bool(pid)

    def end(self, sig=signal.SIGTERM, seconds=LONG):
        """Its status; Fail when it does not end."""
        if not self.gone():
            self.process.send_signal(sig)
            try:
                until(self.gone, 'ttytraild ends', seconds)
            except Fail:
                self.process.kill()
                self.reap(0)
                raise
        return self.process.returncode

    def said(self):
        with open(self.log, 'rb') as f:
            return f.read()

    def ask(self, *words):
        """stdout, status."""
        p = subprocess.run([self.bin + '/ttytrail', words[0], '--db', self.db] + list(words[1:]), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONG)
        return p.stdout, p.returncode


def no_damage(writer, what):
    """verify finds nothing wrong; what is open or cut is no damage."""
    out, status = writer.ask('verify')
    check(status == 0 and not re.search(rb'altered|gap|missing|damaged', out), '%s: verify: %d %r' % (what, status, out[-600:]))
