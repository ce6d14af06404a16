# SPDX-License-Identifier: Apache-2.0
"""Shipping from a host whose disk is full, lost, copied to another host, or whose power goes in the middle.
HOSTFAULT names the library that is preloaded for it (hostfault.c)."""
import contextlib
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys

import shipjudge
import shiprig

LIBRARY = os.environ.get('HOSTFAULT', '')


def machine(case, home, number):
    """The host of that database has this machine id from now on."""
    name = os.path.join(home, 'machine-id')
    with open(name, 'w') as f:
        f.write('%032x\n' % number)
    case.more.update(LD_PRELOAD=LIBRARY, HOSTFAULT_MACHINE=name)


def segments_of(path):
    d = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    found = {(i.hex(), n) for i, n in d.execute(
        'SELECT s.id, g.number FROM segment g JOIN session s ON s.row = g.session')}
    d.close()
    return found


# ---- a full disk ----

def case_full(rig):
    """No room for what ship writes down: nothing is half done, and afterwards all of it arrives."""
    with rig.case('no room on the disk') as c:
        full = c.path('full')
        c.more = {'LD_PRELOAD': LIBRARY, 'HOSTFAULT_DIR': c.home + '/', 'HOSTFAULT_FULL': full}
        c.ship(0, '', '--dry-run')
        for _ in range(2):
            c.record(60000)
            open(full, 'w').close()
            c.ship(1, 'full|No space left', status_knows=False)
            os.unlink(full)
            c.fault('slowdown', 30)
            c.ship((0, 1), '503')
            c.fault('none')
        c.end()


def case_full_tmpfs(rig):
    """The same on a file system that is really full, with so much room left that ship gets further each time."""
    with rig.case('a full file system') as c:
        disk = c.path('disk')
        os.mkdir(disk)
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', disk], stderr=subprocess.DEVNULL).returncode:
            print('*** NOT TESTED: a full file system (mounting a tmpfs is refused); case_full stands for it')
            return
        try:
            shutil.copy(c.db, disk)
            c.use(disk)
            c.databases = [c.db]
            failed = 0
            for kib in 0, 48, 150:
                room = os.statvfs(disk)
                with open(os.path.join(disk, 'ballast'), 'wb') as f:
                    left = room.f_bavail * room.f_bsize - kib * 1024
                    f.write(bytes(max(left, 0)))
                failed += c.ship((0, 1), 'full|No space left', status_knows=False)
                os.unlink(os.path.join(disk, 'ballast'))
            if not failed:
                raise shiprig.Failed('it was never full')
            c.end()
        finally:
            subprocess.run(['umount', disk], check=True)


# ---- a lost ship.db, a clone ----

def lose_state(case):
    for end in '', '-wal', '-shm', '.lock':
        with contextlib.suppress(FileNotFoundError):
            os.unlink(case.db + '.ship.db' + end)


def case_lost(rig):
    with rig.case('ship.db is lost') as c:
        c.ship()
        lose_state(c)
        c.record(times=2)
        c.end(words='a new epoch begins: ship.db was lost')


def case_lost_midway(rig):
    """With batches on their way: what the writer was not told of yet goes again, under the new epoch; a batch that
    was frozen and not stored is missing from the old one, which verify says."""
    with rig.case('ship.db is lost while answers are lost') as c:
        c.fault('lost', 30)
        child = c.start()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.7)
        shiprig.stop(child)
        lose_state(c)
        c.twice, c.cut_off = segments_of(c.db), True
        c.fault('none')
        c.record()
        c.ship(0, 'shipped')
        c.end(findings=None, verdicts=r'; 0 findings$|^repeated |^gap ')


def case_clone(rig):
    """Both go on, the copy in an epoch of its own; what waited on the disk that was copied comes from both."""
    with rig.case('a clone of the host with the same disk') as c:
        machine(c, c.home, 1)
        c.ship()
        c.record(times=2)
        clone = c.path('clone')
        os.mkdir(clone)
        shiprig.wait_for('the private writer to leave', lambda: not os.path.exists(c.db + '-wal'))
        for end in '', '.ship.db', '.key':
            shutil.copy(c.db + end, os.path.join(clone, 'e.db' + end))
        c.twice = segments_of(c.db)
        c.record(times=2)
        c.ship()
        original = c.db
        machine(c, clone, 2)
        c.use(clone)
        c.record(times=2)
        c.ship(0, 'a new epoch begins: another machine: the disk was cloned or moved')
        c.databases = [original, c.db]
        c.end(findings=None, verdicts=r'; 0 findings$|^repeated ')
        machine(c, c.home, 1)
        c.use(c.home)
        c.record()
        store = c.end(findings=None, verdicts=r'; 0 findings$|^repeated ')
        epochs = {w[1] for w in store.manifests}
        if len(epochs) != 2:
            raise shiprig.Failed('%d epochs' % len(epochs))


# ---- the power goes ----

class Power:
    """The host of a case, whose power can go; what was not synced by then is there, or not, or in part."""
    STATE = struct.Struct('=qqii')

    def __init__(self, case, seed):
        self.case, self.random = case, random.Random(seed)
        self.state, self.shadow = case.path('power'), case.path('shadow')
        case.disk = case.path('disk')
        os.mkdir(case.disk)
        shutil.copy(case.db, case.disk)
        case.use(case.disk)
        case.databases = [case.db]
        case.more = {'LD_PRELOAD': LIBRARY, 'HOSTFAULT_STATE': self.state, 'HOSTFAULT_DIR': case.disk + '/',
                     'HOSTFAULT_SHADOW': self.shadow}

    def on(self, at=0):
        """A start of the host: everything that is on the disk is durable.  Off at the at'th call."""
        shutil.rmtree(self.shadow, ignore_errors=True)
        os.mkdir(self.shadow)
        for path in files_below(self.case.disk):
            shutil.copy(path, os.path.join(self.shadow, str(os.stat(path).st_ino)))
        with open(self.state, 'wb') as f:
            f.write(self.STATE.pack(at, 0, 0, 0) + bytes(4 * 256))

    def count(self):
        with open(self.state, 'rb') as f:
            return self.STATE.unpack(f.read(self.STATE.size))[1:3]

    def pids(self):
        with open(self.state, 'rb') as f:
            data = f.read()
        n = self.STATE.unpack_from(data)[3]
        return [p for p in struct.unpack_from('=%di' % n, data, self.STATE.size) if p]

    def off(self):
        """Whoever still runs is killed; the disk as it may be found."""
        for pid in self.pids():
            if alive(pid, self.state):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
        shiprig.wait_for('the end of all', lambda: not any(alive(p, self.state) for p in self.pids()))
        for name in sorted(os.listdir(self.shadow)):
            if name.startswith('names-'):
                self.undo_names(os.path.join(self.shadow, name))
        for path in files_below(self.case.disk):
            if path.endswith('-shm'):
                os.unlink(path)
            else:
                self.reset(path)

    def undo_names(self, pending):
        """A directory holds its new names up to one of them; the newest go first."""
        with open(pending) as f:
            pending = f.read().splitlines()
        for line in reversed(pending[self.random.randint(0, len(pending)):]):
            what, old, new = line.split('\t')
            if what == 'mkdir':
                shutil.rmtree(new, ignore_errors=True)
            elif os.path.exists(new):
                if not os.path.exists(old):
                    os.link(new, old)
                os.unlink(new)

    def reset(self, path):
        """Each sector as it was synced last or as it was written since."""
        synced = b''
        with contextlib.suppress(FileNotFoundError), open(os.path.join(self.shadow, str(os.stat(path).st_ino)), 'rb') as f:
            synced = f.read()
        with open(path, 'rb') as f:
            written = f.read()
        how = self.random.choice(('nothing', 'some', 'some', 'all'))
        size = self.random.choice((len(synced), len(written))) if how == 'some' else \
            len(synced) if how == 'nothing' else len(written)
        with open(path, 'r+b') as f:
            for at in range(0, size, 512):
                new = how == 'all' or how == 'some' and self.random.random() < 0.5
                sector = (written if new else synced)[at:at + 512]
                f.write(sector.ljust(min(512, size - at), b'\0')[:size - at])
            f.truncate(size)


def files_below(top):
    return sorted(path for where, _, names in os.walk(top) for path in (os.path.join(where, n) for n in names)
                  if os.path.isfile(path))


def alive(pid, state):
    """Of ours, and no zombie."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            if f.read().rpartition(')')[2].split()[0] == 'Z':
                return False
        with open('/proc/%d/environ' % pid, 'rb') as f:
            return state.encode() in f.read()
    except (OSError, IndexError):
        return False


def power_cuts(rig, cuts, seed, into_directory=False):
    """A session is written on, others come and go, ship runs; the power goes at a random call of them all.  A run
    that is done before that tells how many calls there are."""
    with rig.case('power cut while shipping%s, %d times, seed %d' % (' to a directory' * into_directory, cuts,
                                                                     seed)) as c:
        power = Power(c, seed)
        c.fault('lost', 20, 0)
        if into_directory:
            c.url = 'file://%s/store' % c.disk
            c.client = shipjudge.Directory(c.disk + '/store')
        calls, done, runs, words = 1000, 0, 0, []
        while done < cuts and runs < 3 * cuts:
            runs += 1
            power.on(power.random.randint(1, calls))
            live, child = None, None
            try:
                live = shiprig.Live(rig, c.db, c.environment())
                live.say(40000)
                c.record(30000)
                child = c.start()
                live.say(40000)
                child.wait(shiprig.DEADLINE_S)
            except shiprig.Failed as e:
                if not power.count()[1]:
                    raise e
            ticks, dead = power.count()
            if live is not None:
                live.kill()
            else:
                for l in list(rig.live):
                    l.kill()
            if child is not None:
                shiprig.stop(child)
                with open(c.err) as f:
                    words.append('%d: %s' % (runs, f.read()))
            power.off()
            for left in 'e.db.live', 'e.db.shown':
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(c.disk, left))
            calls = calls if dead else ticks
            done += dead
        power.on()
        c.more = {}
        if os.environ.get('KEEP'):
            print(''.join(words))
        print('  the power went %d times in %d runs, the last at one of %d calls' % (done, runs, calls))
        if done < cuts:
            raise shiprig.Failed('the power went only %d times' % done)
        c.end()


def case_power(rig):
    power_cuts(rig, 6, 1)


def case_power_directory(rig):
    power_cuts(rig, 6, 1, True)


CASES = [case_full, case_full_tmpfs, case_lost, case_lost_midway, case_clone, case_power,
         case_power_directory]


def soak():
    def long_power(rig):
        for seed in range(8):
            power_cuts(rig, 40, seed)
            power_cuts(rig, 40, seed, True)
    return CASES[:-2] + [long_power]


if __name__ == '__main__':
    if os.environ.get('TTYTRAIL_SANITIZED') == '1':
        print('*** NOT TESTED: a host that fails: nothing can be preloaded before the sanitizers')
        sys.exit(0)
    if not os.path.exists(LIBRARY):
        sys.exit('HOSTFAULT names no library')
    long = '--soak' in sys.argv
    sys.exit(shiprig.main('ship_faults_disk', soak() if long else CASES, [a for a in sys.argv[1:] if a != '--soak']))
