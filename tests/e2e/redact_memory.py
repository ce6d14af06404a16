#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""While a password is half typed, here or at the far side of ssh: it lies in memory that is locked and left out of
dumps, and nowhere else; no core file; no other process of the same user reads or traces the recorder or its writer;
a kill -9 leaves no byte of it on disk.  Needs root, for users of its own."""
import contextlib
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

from memory import (DIR, HALF, World, as_user, environment, home_of, in_memory, intrude, intrude_ordinary, leaks,
                    read, regions, type_half, windows, writer_of)
from outer import Outer, check, equal, main, run, until

TTYTRAIL = sys.argv[1]
CORE_PATTERN = '/proc/sys/kernel/core_pattern'


def start(world, name, argv=None, **limits):
    home = home_of(name, world.uid)
    o = Outer([TTYTRAIL, 'record', '--quiet', '--db', home + '/e.db', '--'] + (argv or world.prompts[name]),
              env=environment(home), before=as_user(world.uid, **limits))
    return o, home


@contextlib.contextmanager
def half_typed(world, name, **limits):
    """A recorder with half a password typed at that prompt, and the home of its user."""
    o, home = start(world, name, **limits)
    try:
        type_half(o)
        yield o, home
    finally:
        o.close()
        shutil.rmtree(home, ignore_errors=True)


def sessions(home, world):
    out, err, status = run([TTYTRAIL, 'list', '--db', home + '/e.db', '--json'], env=environment(home),
                           preexec_fn=as_user(world.uid))
    equal(status, 0, err)
    return [json.loads(line) for line in out.splitlines()]


# ---- memory ----

def test_memory_of_recorder_and_writer_is_closed(world):
    open_to_all = intrude_ordinary(world.uid)
    check('maps' in open_to_all and 'fd' in open_to_all, 'the intruder finds nothing at all')
    for way in ('mem', 'attach', 'seize', 'process_vm_readv', 'pidfd_getfd'):
        if way not in open_to_all:
            print('*** NOT TESTED: %s: closed here for every process' % way)
    for name in world.prompts:
        with half_typed(world, name) as (o, home):
            equal(intrude(o.pid, world.uid), [], 'read of the recorder, ' + name)
            equal(intrude(writer_of(home), world.uid), [], 'read of the writer, ' + name)
            equal(leaks(home), [], 'on disk while it is half typed, ' + name)


def test_a_secret_is_in_locked_memory_alone(world):
    for name in world.prompts:
        with half_typed(world, name) as (o, home):
            found = in_memory(o.pid, windows())
            check(found, 'it is found nowhere, ' + name)
            for r in found:
                check(r.is_secret(), 'part of it lies in %s, %s' % (r.name or hex(r.start), name))
            equal([r.name for r in in_memory(writer_of(home), windows())], [], 'in the writer, ' + name)
            o.type(b'\r')
            o.expect(b'taken')
            until(lambda: o.pump(0.01) and not in_memory(o.pid, windows()), 'it is wiped when decided, ' + name)
            check(regions(o.pid), 'the recorder is gone')


def test_control_a_search_that_finds(world):
    o, home = start(world, 'control', ['cat'])
    try:
        o.type(HALF + b'\r')
        o.expect(HALF, o.expect(HALF))
        check([r for r in in_memory(o.pid, windows()) if not r.is_secret()], 'shown, and in no memory')
        until(lambda: leaks(home), 'shown, and on no disk')
    finally:
        o.close()


def test_undecided_memory_is_locked_and_left_out_of_dumps(world):
    with half_typed(world, 'far side of ssh') as (o, _):
        found = [r for r in regions(o.pid) if r.is_secret()]
        check(found, 'no such memory')
        for r in found:
            check({'lo', 'dd', 'wf'} <= set(r.flags), 'VmFlags: %s' % ' '.join(r.flags))
        check(sum(r.locked for r in found) > 0, 'nothing is locked')
        check(any('ttytrail-secret' in r.name for r in found) or not names_are_kept(), 'it has no name')


def names_are_kept():
    """Whether the kernel keeps names of anonymous memory (CONFIG_ANON_VMA_NAME)."""
    code = ("import ctypes, mmap; m = mmap.mmap(-1, 4096); c = ctypes.c_char.from_buffer(m)\n"
            "libc = ctypes.CDLL(None); libc.prctl(0x53564d41, 0, ctypes.c_void_p(ctypes.addressof(c)), 4096, b'probe')\n"
            "print('probe' in open('/proc/self/maps').read())")
    return run(['/usr/bin/python3', '-c', code])[0] == b'True\n'


def test_memory_that_cannot_be_locked_is_a_flag(world):
    with half_typed(world, 'line mode', RLIMIT_MEMLOCK=0) as (o, home):
        until(lambda: 'memory-not-locked' in sessions(home, world)[0]['flags'], 'the flag of a live session')
        o.type(b'\r')
        o.expect(b'taken')
        o.type(b'\x04')
        equal(o.wait(), 0, 'status')
        until(lambda: sessions(home, world)[0]['redactions'] == 1, 'the mark of the redaction')
        equal(leaks(home), [], 'without locked memory')
    with half_typed(world, 'line mode') as (o, home):
        equal(sessions(home, world)[0]['flags'], [], 'flags where it can be locked')


# ---- core files ----

@contextlib.contextmanager
def core_pattern(pattern):
    with open(CORE_PATTERN, encoding='ascii') as f:
        old = f.read()
    with open(CORE_PATTERN, 'w', encoding='ascii') as f:
        f.write(pattern)
    try:
        yield
    finally:
        with open(CORE_PATTERN, 'w', encoding='ascii') as f:
            f.write(old)


def cores():
    return glob.glob(DIR + '/cores/core.*')


def no_core(world):
    for sig in (signal.SIGQUIT, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
        for name in ('line mode', 'single keys'):
            with half_typed(world, name) as (o, home):
                os.kill(o.pid, sig)
                _, status = os.waitpid(o.pid, 0)
                o.status = os.waitstatus_to_exitcode(status)
                check(not os.WCOREDUMP(status), 'dumped after signal %d' % sig)
                equal(cores(), [], 'after signal %d' % sig)
                equal(leaks(home), [], 'on disk after signal %d' % sig)
    with half_typed(world, 'line mode') as (o, home):
        writer = writer_of(home)
        os.kill(writer, signal.SIGSEGV)
        until(lambda: o.pump(0.01) and is_dead(writer), 'the end of the writer')
        equal(cores(), [], 'of the writer')


def is_dead(pid):
    try:
        return read('/proc/%d/stat' % pid).rsplit(b')', 1)[1].split()[0] in (b'Z', b'X')
    except OSError:
        return True


def test_no_core_file(world):
    os.mkdir(DIR + '/cores')
    os.chmod(DIR + '/cores', 0o777)
    helper = DIR + '/keep-core'
    with open(helper, 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\nexec cat > %s/cores/core.$1\n' % DIR)
    os.chmod(helper, 0o755)
    # To a program the limit on core files means nothing: there it is the undumpable process alone that counts.
    for how, pattern in (('a file', DIR + '/cores/core.%p'), ('a program', '|%s %%p' % helper)):
        try:
            with core_pattern(pattern):
                no_core(world)
                # The control: an ordinary process of the same user leaves one.
                victim = subprocess.Popen(['sh', '-c', 'kill -SEGV $$'], preexec_fn=as_user(world.uid))
                victim.wait()
                if not cores():
                    print('*** NOT TESTED: core files to %s: this kernel keeps none' % how)
                for path in cores():
                    os.unlink(path)
        except OSError as why:
            print('*** NOT TESTED: core files to %s: %s' % (how, why))


# ---- kill -9 ----

def lost_mark(home, world):
    """Whether the killed session is closed, and says that input was lost."""
    with open(home + '/c.conf', 'w', encoding='ascii') as f:
        f.write('[record]\nwriter_timeout_s = 1\n')
    env = environment(home)
    _, err, status = run([TTYTRAIL, 'record', '--quiet', '--config', home + '/c.conf', '--db', home + '/e.db', '--', 'true'],
                         env=env, preexec_fn=as_user(world.uid))
    equal(status, 0, err)
    for session in sessions(home, world):
        if session['state'] == 'cut' and session['final']:
            out, err, status = run([TTYTRAIL, 'export', '--db', home + '/e.db', session['id'], '--format', 'cast'], env=env,
                                   preexec_fn=as_user(world.uid))
            equal(status, 0, err)
            equal(session['flags'], ['lost-input'], 'flags')
            check(b'undecided input lost since' in out, 'no mark of lost input')
            return True
    return False


def is_pending(home):
    """Whether the writer has committed that something waits for a decision."""
    with contextlib.closing(sqlite3.connect('file:%s/e.db?mode=ro' % home, uri=True)) as db:
        return db.execute('SELECT count(*) FROM session WHERE pending_us > 0').fetchone()[0] == 1


def test_kill_leaves_nothing_on_disk(world):
    for name in world.prompts:
        for who in ('recorder', 'both'):
            with half_typed(world, name) as (o, home):
                writer = writer_of(home)
                until(lambda: is_pending(home), 'the writer knows of undecided keys, ' + name)
                os.kill(o.pid, signal.SIGKILL)
                if who == 'both':
                    os.kill(writer, signal.SIGKILL)
                _, status = os.waitpid(o.pid, 0)
                o.status = os.waitstatus_to_exitcode(status)
                equal(leaks(home), [], 'after a kill of %s, %s' % (who, name))
                until(lambda: lost_mark(home, world), 'recovery after a kill of %s, %s' % (who, name), 60)
                equal(leaks(home), [], 'after recovery from a kill of %s, %s' % (who, name))


def in_world(test, world):
    def wrapped():
        test(world)
    wrapped.__name__ = test.__name__
    return wrapped


if os.getuid() != 0:
    print('*** NOT TESTED: redact_memory needs root, for a user of its own')
    sys.exit(0)
with World() as made:
    main([in_world(t, made) for t in (
        test_memory_of_recorder_and_writer_is_closed, test_a_secret_is_in_locked_memory_alone,
        test_control_a_search_that_finds, test_undecided_memory_is_locked_and_left_out_of_dumps,
        test_memory_that_cannot_be_locked_is_a_flag, test_no_core_file, test_kill_leaves_nothing_on_disk)])
