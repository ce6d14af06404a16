# SPDX-License-Identifier: Apache-2.0
"""Where attacks happen, and the judge of what came of them.

An attack shows marks (RIG...GIR) to its user: over ssh, by a file, by a forwarded port.  What was shown has to stand
in the record of a session of that user, or somebody has to be told.  Outcomes, from good to bad:

    refused   the attempt got nowhere, and the session that tried it is recorded
    recorded  what was shown stands in the record
    ended     the session ended; what was shown until then stands in the record
    flagged   something was shown that is not in the record, and a flag, a log line, doctor or status says so
    silent    ... and nothing says so
    broken    something was gained that must not be, or others were hurt
"""
import os
import re
import select
import shutil
import signal
import time

import installedrig
from installedrig import LIB, USERS
from outer import Fail, until

RANK = {'refused': 0, 'recorded': 0, 'ended': 1, 'flagged': 2, 'silent': 3, 'broken': 4}
MARK = re.compile(rb'RIG\w+GIR')
PYTHON, GROUPED = '/usr/bin/python3', '/usr/bin/rig-grouped'
MALLORY = USERS['mallory']
PATIENCE = 60.0  # for what is expected within a second


class Arena:
    """The host with alice on it; one attack at a time."""

    def __init__(self, host):
        self.host = host
        self.seen, self.notes, self.allowed_restarts = set(), [], 0
        self.disk_was_full = False
        self.prepare()
        self.alice = None
        self.open_alice()

    # -- the stage

    def prepare(self):
        os.makedirs('/opt/rig', exist_ok=True)
        shutil.copy(os.path.join(installedrig.ROOT, 'tests/e2e/attacktool.py'), '/opt/rig/attacktool.py')
        # A program of the recorder's group that does what mallory says: a recorder that was taken over.
        shutil.copy(os.path.realpath(PYTHON), GROUPED)
        self.host.recorder(GROUPED)
        self.write_home('.bashrc', 'm() { echo "RIG${1}GIR"; }\nPS1="mal\\$ "\n')
        self.write_home('.bash_profile', '. ~/.bashrc\n')

    def write_home(self, name, text, mode=0o644):
        path = '/home/mallory/' + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, mode)
        up = path
        while up != '/home/mallory':
            os.chown(up, MALLORY, MALLORY)
            up = os.path.dirname(up)

    def open_alice(self):
        self.alice = self.host.login('alice')
        self.alice_at = self.alice.expect(b'$ ', seconds=PATIENCE)
        self.alice_n = 0

    def alice_lives(self, seconds=PATIENCE):
        """How long a key's echo and a command's output took her."""
        self.alice_n += 1
        began = time.monotonic()
        # Spelt apart: what is looked for is the output, not the echo.
        self.alice.type(b'echo al""ice%d\r' % self.alice_n)
        self.alice_at = self.alice.expect(b'alice%d' % self.alice_n, self.alice_at, seconds)
        return time.monotonic() - began

    # -- a row

    def begin(self):
        self.seen, self.notes, self.got = set(), [], []
        self.allowed_restarts = 0
        self.restarts = self.host.restarts
        self.before = {s['id'] for s in self.host.sessions()}
        self.log_at = len(self.host.log)
        self.flagged_by = []
        self.journal_at = self.journal()

    def see(self, data):
        self.seen.update(MARK.findall(bytes(data)))
        return data

    def take(self, out, status=0):
        """What a script says: marks, GOT and denied lines."""
        self.see(out)
        lines = out.decode(errors='replace').splitlines()
        self.got += [line[4:] for line in lines if line.startswith('GOT ')]
        denied = [line for line in lines if line.startswith('denied ')]
        if denied:
            self.notes.append('%d attempts denied' % len(denied))
        refused = [line for line in lines if line.startswith('refused ')]
        if refused:
            self.notes.append('%d starts refused' % len(refused))
        if os.environ.get('VERBOSE'):
            print('\n'.join('    | ' + line[:200] for line in lines[-60:]))
        if 'Traceback' in out.decode(errors='replace'):
            raise Fail('the script failed: %s' % lines[-1:])
        return lines

    def python(self, script, grouped=False, seconds=PATIENCE, options=()):
        """A script of mallory's in a session without a terminal; its lines."""
        text = 'import sys; sys.path.insert(0, "/opt/rig")\nfrom attacktool import *\n' + script
        out, err, status = self.host.ssh('mallory', (GROUPED if grouped else PYTHON) + ' - 2>&1', *options,
                                         data=text.encode(), seconds=seconds)
        if status is None:
            self.notes.append('had to be ended')
        lines = self.take(out + err, status)
        if not any(line.startswith(('GOT', 'denied', 'shown', 'refused', 'done', 'RIG')) for line in lines):
            self.notes.append('status %s: %s' % (status, (lines or [''])[-1][:80]))
        return lines

    def command(self, text, *options, data=None, seconds=PATIENCE):
        out, err, status = self.host.ssh('mallory', text, *options, data=data, seconds=seconds)
        self.take(out + err, status)
        return out, err, status

    def terminal(self, *options, command=None):
        t = self.host.login('mallory', *options, command=command)
        if command is None:
            t.expect(b'mal$ ', seconds=PATIENCE)
        return t

    def gone(self, t, seconds=PATIENCE):
        """A terminal's end; what it showed counts as seen."""
        try:
            return t.wait(seconds)
        except Fail:
            return None
        finally:
            self.see(t.shown)
            t.close()

    def done(self, t):
        t.type(b'exit\r')
        return self.gone(t)

    def mine(self):
        """Mallory's sessions since the row began."""
        return [s for s in self.host.sessions('user', 'mallory') if s['id'] not in self.before]

    def flags(self):
        return {word for s in self.mine() for word in s['flags']}

    def tell(self, what, words):
        """A sign that an administrator would see."""
        self.flagged_by.append('%s: %s' % (what, words))

    def journal(self):
        """How many connections of his without a session the host's journal has."""
        return sum('connection-unrecorded' in line[2] and '"mallory"' in line[2] for s in self.host.sessions()
                   if s['kind'] == 'host' for line in self.host.cast(s)[1:])

    def logged(self, word):
        return word.encode() in bytes(self.host.log[self.log_at:])

    def doctor(self, word):
        out = self.host.ttytrail('doctor', '--db', installedrig.DB)[0].decode(errors='replace')
        for line in out.splitlines():
            if line.startswith('finding') and word in line:
                self.tell('doctor', word)
                return True
        return False

    # -- the judgement

    def clean_up(self):
        for _ in range(3):
            for sig in (signal.SIGKILL, signal.SIGCONT):
                for pid in installedrig.processes(MALLORY):
                    try:
                        os.kill(pid, sig)
                    except ProcessLookupError:
                        pass
        until(lambda: not installedrig.processes(MALLORY), 'mallory has no process', PATIENCE)

    @staticmethod
    def rings_are_in():
        """What dead recorders left in rings is taken in within a minute; what is not, is missing."""
        end = time.monotonic() + 100
        at = installedrig.LIB + '/ring'
        while time.monotonic() < end and any(not n.startswith('bad.') for n in os.listdir(at)):
            select.select([], [], [], 0.1)

    def missing(self):
        left = set(self.seen)
        for session in reversed(self.mine()):
            if not left:
                break
            text = self.host.output(session) + self.host.output(session, 'error')
            left -= {m for m in left if m in text}
        return left

    def judge(self, hint):
        """(outcome, words)."""
        self.clean_up()
        self.rings_are_in()
        hurt = self.hurt()
        missing = self.missing()
        if self.got or hurt:
            return 'broken', '; '.join(hurt + ['gained: ' + ', '.join(self.got[:4])] * bool(self.got))
        if missing:
            what = 'not in the record: ' + b' '.join(sorted(missing)[:3]).decode()
            if self.flagged_by:
                return 'flagged', '; '.join(self.flagged_by)
            return 'silent', what
        words = list(dict.fromkeys(self.notes))
        flags = sorted(self.flags())
        if flags:
            words.append('flags ' + ' '.join(flags))
        if self.seen:
            words.append('%d marks in the record' % len(self.seen))
        return hint or 'recorded', '; '.join(words)

    def hurt(self):
        """What the row did to others."""
        out = []
        if self.host.restarts - self.restarts > self.allowed_restarts:
            out.append('the writer died')
        try:
            took = self.alice_lives()
            if took > 15:
                out.append('alice waited %.0f s' % took)
        except (Fail, OSError) as e:
            out.append("alice's session: %s" % str(e)[:120])
            self.alice.close()
            try:
                self.open_alice()
            except (Fail, OSError) as again:
                out.append('she cannot log in: %s' % str(again)[:120])
        return out


    def aftermath(self):
        """What still has to hold after all of them: (what, fault or None)."""
        host = self.host
        whole, words = host.verify()
        yield 'the database verifies', None if whole else words
        failed = [line for line in host.writer_log().splitlines() if 'seal-failed' in line or
                  ('commit-failed' in line and not self.disk_was_full)]
        yield 'every session is sealed', None if not failed else '; '.join(failed[:3])
        os.makedirs('/run/rig.store', exist_ok=True)
        os.chown('/run/rig.store', USERS['ttytrail'], USERS['ttytrail'])
        out, err, status = host.as_user('ttytrail', ['/usr/bin/ttytrail', 'ship', '--db', installedrig.DB, '--to',
                                                     'file:///run/rig.store'], seconds=300)
        yield 'everything ships', None if status == 0 else (out + err).decode(errors='replace')
        out, err, status = host.ttytrail('verify', 'file:///run/rig.store', seconds=300)
        yield 'what was shipped verifies', None if status == 0 else (out + err).decode(errors='replace')


def evidence_bytes():
    return sum(os.stat(os.path.join(LIB, 'evidence', f)).st_size for f in os.listdir(LIB + '/evidence'))


def writer_kib(host):
    with open('/proc/%d/status' % host.writer.pid) as f:
        return int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1))
