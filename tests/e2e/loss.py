#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""loss.py TTYTRAIL: a login shell whose writer is not there, goes, and comes back, under each on_writer_loss; and root,
who is let in all the same and recorded into the ring."""
import os
import pwd
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lossrig  # noqa: E402
from lossrig import LONG, Host  # noqa: E402
from outer import Fail, check, equal, until  # noqa: E402


def policy(host, loss, timeout=2):
    host.configure('[record]\non_writer_loss = %s\nwriter_timeout_s = %d\n' % (loss, timeout))
    host.start()


def logged_in(host, user='nobody'):
    o = host.login(user)
    o.expect(b'$ ', seconds=LONG)
    o.type(b'echo be""gun\r')
    o.expect(b'begun', seconds=LONG)
    return o


def goes_on(host):
    """continue: an hour unrecorded is better than nobody logged in; the record says so."""
    policy(host, 'continue')
    o = logged_in(host)
    host.stop()
    o.expect(b'ttytrail: the recording is interrupted', seconds=LONG)
    o.expect(b'this session goes on unrecorded', seconds=LONG)
    o.type(b'echo with""out\r')
    o.expect(b'without', seconds=LONG)
    host.start()
    o.expect(b'ttytrail: recorded again', seconds=LONG)
    o.type(b'echo a""gain; exit 3\r')
    equal(o.wait(LONG), 3, 'exit status')
    equal(bytes(o.shown).count(b'ttytrail: '), 3, 'lines of ours: interrupted, goes on, again')
    o.close()
    user, state, end, flags, sid, _ = host.sessions()[-1]
    equal((user, state, end, flags), ('nobody', 1, 'exit 3', 'writer-lost'), 'the session')
    raw = host.ask('export', sid, '--format', 'raw')
    check(b'begun' in raw and b'again' in raw and b'without' not in raw, 'what is recorded')
    check(b', writer lost' in host.ask('export', sid, '--format', 'cast'), 'the mark')
    check('goes on unrecorded' in host.logged() and 'recorded again' in host.logged(), 'syslog: %s' % host.logged())
    host.stop()


def waits(host):
    """block: nothing is shown and nothing typed gets through; hung up, it ends."""
    policy(host, 'block', 1)
    o = logged_in(host)
    host.stop()
    o.expect(b'this session stands still until it goes on', seconds=LONG)
    ran = host.top + '/ran'
    os.mkdir(host.top + '/w')
    os.chmod(host.top + '/w', 0o777)
    ran = host.top + '/w/ran'
    o.type(b'touch %s\r' % ran.encode())
    o.pump(3)
    check(not os.path.exists(ran), 'typed blind, it ran')
    host.start()
    o.expect(b'ttytrail: recorded again', seconds=LONG)
    until(lambda: o.pump(0.01) and os.path.exists(ran), 'it runs once there is a writer', LONG)
    # A writer that is there and stands still is no better: the keys wait, too.
    host.writer.send_signal(signal.SIGSTOP)
    o.type(b'echo one\r')
    o.expect(b'this session stands still', len(o.shown), LONG)
    o.type(b'rm %s\r' % ran.encode())
    o.pump(1)
    check(os.path.exists(ran), 'typed blind, it ran')
    host.writer.send_signal(signal.SIGCONT)
    until(lambda: o.pump(0.01) and not os.path.exists(ran), 'it runs', LONG)
    o.type(b'exit 4\r')
    equal(o.wait(LONG), 4, 'exit status')
    o.close()
    equal(host.sessions()[-1][1:4], (1, 'exit 4', ''), 'the session')
    host.stop()


def a_command_ends_with_its_caller(host):
    """block, without a terminal: who asked for it has gone, so it never runs, whoever comes back."""
    who, ran = pwd.getpwnam('nobody'), '/tmp/ttytrail-ran'
    p = subprocess.Popen([host.shell, '-c', 'touch ' + ran], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, user=who.pw_uid, group=who.pw_gid, extra_groups=[],
                         env={'PATH': '/usr/bin:/bin', 'HOME': '/'})
    states = []

    def waits():
        with open('/proc/%d/stat' % p.pid, encoding='ascii') as f:
            states.append(f.read().rsplit(')', 1)[1].split()[0])
        return states[-50:] == ['S'] * 50
    until(waits, 'it to wait', LONG)
    equal(p.poll(), None, 'it waits')
    p.stdout.close()
    p.wait(LONG)
    p.stderr.close()
    check(p.returncode != 0 and not os.path.exists(ran), 'status %r, ran: %s' % (p.returncode, os.path.exists(ran)))


def before_the_login(host):
    """By the policy that the writer published, if it is nobody else's."""
    policy(host, 'continue')
    host.stop()
    o = logged_in(host)
    check(b'this session goes on unrecorded' in o.shown, 'told: %r' % bytes(o.shown))
    host.start()
    o.expect(b'ttytrail: recorded again', seconds=LONG)
    o.type(b'echo la""ter; exit 3\r')
    equal(o.wait(LONG), 3, 'exit status')
    o.close()
    user, state, end, flags, sid, _ = host.sessions()[-1]
    equal((user, state, end, flags), ('nobody', 1, 'exit 3', 'writer-lost'), 'opened late')
    check(b'unrecorded 0.0' in host.ask('export', sid, '--format', 'cast'), 'the mark')
    host.stop()
    policy(host, 'block')
    host.stop()
    o = host.login()
    o.expect(b'this session begins when there is one', seconds=LONG)
    o.pump(1)
    check(b'$ ' not in o.shown, 'a shell without a recording')
    host.start()
    o.expect(b'$ ', seconds=LONG)
    o.type(b'exit 4\r')
    equal(o.wait(LONG), 4, 'exit status')
    o.close()
    equal(host.sessions()[-1][1:4], (1, 'exit 4', ''), 'the session')
    host.stop()
    gone = host.login()
    gone.expect(b'this session begins when there is one', seconds=LONG)
    gone.hang_up()
    gone.wait(LONG)
    a_command_ends_with_its_caller(host)
    policy(host, 'continue')
    host.stop()
    os.chmod('/run/ttytrail/policy', 0o666)
    o = host.login()
    equal(o.wait(LONG), 125, 'a published policy that anybody may write counts for nothing')
    o.close()
    os.unlink('/run/ttytrail/policy')


def ends(host):
    policy(host, 'end')
    o = logged_in(host)
    host.stop()
    o.expect(b'this session ends in 2 seconds', seconds=LONG)
    equal(o.wait(LONG), 125, 'exit status')
    check(b'the recording cannot go on' in o.shown, 'the reason')
    o.close()
    for name in 'by the published policy', 'by the built-in one':
        o = host.login()
        equal(o.wait(LONG), 125, 'a login without a writer ' + name)
        check(b'no recording, no session: connect to the writer' in o.shown, 'the reason: %r' % bytes(o.shown))
        o.close()
        if os.path.exists('/run/ttytrail/policy'):
            os.unlink('/run/ttytrail/policy')


def newest(host, flags):
    return [s for s in host.sessions() if s[3] == flags and s[5]]


def root_into_the_ring(host):
    o = logged_in(host, 'root')
    check(b'this session goes on into a ring' in o.shown, 'root is told')
    o.type(b"stty -echo; printf 'pass''word: '; read x; stty echo; echo d''one\r")
    o.expect(b'password: ', seconds=LONG)
    o.type(b'hunter2hunter2\r')
    o.expect(b'done', seconds=LONG)
    for name in host.rings():
        st = os.stat(host.ring + '/' + name)
        equal((st.st_uid, st.st_gid, st.st_mode & 0o7777, st.st_size), (0, lossrig.WHO, 0o640, 2 * 1024 * 1024), name)
        with open(host.ring + '/' + name, 'rb') as f:
            check(b'hunter2' not in f.read(), 'a secret in the ring')
    equal(len(host.rings()), 2, 'files')
    o.type(b'exit 5\r')
    equal(o.wait(LONG), 5, 'exit status')
    o.close()
    killed = logged_in(host, 'root')
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(LONG)
    killed.close()
    host.start()
    until(lambda: len(newest(host, 'ring')) == 2, 'both are taken in', LONG)
    until(lambda: host.rings() == [], 'and removed', LONG)
    done, cut = newest(host, 'ring')
    if done[2] == 'cut':
        done, cut = cut, done
    equal((done[0], done[1], done[2]), ('root', 1, 'exit 5'), 'the one that ended')
    equal((cut[0], cut[1], cut[2]), ('root', 2, 'cut'), 'the one that was killed')
    for sid in done[4], cut[4]:
        check(b'begun' in host.ask('export', sid, '--format', 'raw'), 'what was shown is there')
    check(b'redacted' in host.ask('export', done[4], '--format', 'cast'), 'redaction, as ever')
    host.stop()


def comes_back(host):
    """In the ring at first; once there is a writer the session is opened, and the ring is taken in meanwhile."""
    o = logged_in(host, 'root')
    before = len(host.sessions())
    host.start()
    o.expect(b'ttytrail: recorded again', seconds=LONG)
    o.type(b'echo la""ter; exit 6\r')
    equal(o.wait(LONG), 6, 'exit status')
    o.close()
    until(lambda: host.rings() == [] and len(host.sessions()) == before + 2, 'the ring becomes a session', 2 * LONG + 30)
    new = host.sessions()[before:]
    equal(sorted(s[3] for s in new), ['ring', 'writer-lost'], 'flags')
    live = [s for s in new if s[3] == 'writer-lost'][0]
    equal(live[2], 'exit 6', 'its end')
    raw = host.ask('export', live[4], '--format', 'raw')
    check(b'later' in raw and b'begun' not in raw, 'what it holds')
    host.stop()


def only_once(host):
    """A writer that cannot remove a ring, as one that died before it did, has it once all the same; what is no ring is
    set aside; what went round says so."""
    policy(host, 'end')
    host.stop()
    before = len(host.sessions())
    o = logged_in(host, 'root')
    o.type(b"head -c 6000000 /dev/zero | tr '\\0' y; echo la''st; exit 7\r")
    equal(o.wait(LONG), 7, 'exit status')
    o.close()
    boot = open('/proc/sys/kernel/random/boot_id').read().strip().replace('-', '')
    bad = ['%d-%s-1-1-%d.0' % (who, boot, n) for who, n in ((0, 1), (7, 2), (0, 3), (0, 4))]
    for name in bad[:2]:
        with open(host.ring + '/' + name, 'wb') as f:
            f.write(b'ttytring' + bytes(range(256)) * 9)
        os.chmod(host.ring + '/' + name, 0o644)
    os.symlink('/etc/passwd', host.ring + '/' + bad[2])
    os.mkfifo(host.ring + '/' + bad[3])
    os.chown(host.ring, 0, lossrig.WHO)
    os.chmod(host.ring, 0o1770)
    host.start()
    until(lambda: len(newest(host, 'ring ring-lost')) == 1, 'it is taken in', LONG)
    check(host.rings(), 'the files cannot be removed')
    host.stop()
    os.chown(host.ring, lossrig.WHO, lossrig.WHO)
    host.start()
    until(lambda: not [n for n in host.rings() if '-1-1-' not in n], 'they are removed by the next one', LONG)
    equal(len(host.sessions()), before + 1, 'and it is one session')
    sid = newest(host, 'ring ring-lost')[0][4]
    check(b'last' in host.ask('export', sid, '--format', 'raw'), 'the newest is kept')
    check(b'ring lost ' in host.ask('export', sid, '--format', 'cast'), 'the mark')
    until(lambda: all('bad.' + name in host.rings() for name in bad), 'what is none is set aside', LONG)
    check(host.writer.poll() is None, 'the writer lives')
    host.stop()


def not_recorded(host):
    """record = off: a row and its flag; nothing of what was typed or shown, and no writer is missed."""
    host.configure('[record]\nrecord = off\non_writer_loss = end\nwriter_timeout_s = 1\n')
    host.start()
    before = host.rings()
    o = logged_in(host)
    host.stop()
    o.type(b'echo with""out\r')
    o.expect(b'without', seconds=LONG)
    host.start()
    sid = host.sessions()[-1][4]
    o.type(b'echo a""gain; exit 3\r')
    equal(o.wait(LONG), 3, 'exit status')
    o.close()
    check(b'ttytrail: ' not in o.shown, 'nothing is said of a recording: %r' % bytes(o.shown))
    o = host.login()  # and by the published policy, before there is a writer
    o.expect(b'$ ', seconds=LONG)
    host.stop()
    o.type(b'exit 4\r')
    equal(o.wait(LONG), 4, 'exit status without a writer')
    o.close()
    o = host.login()
    o.expect(b'$ ', seconds=LONG)
    o.type(b'echo un""seen; exit 5\r')
    equal(o.wait(LONG), 5, 'exit status of a login without a writer')
    check(b'ttytrail: ' not in o.shown and host.rings() == before, 'no word and no ring: %r' % bytes(o.shown))
    o.close()
    host.start()
    until(lambda: all(row[5] for row in host.sessions()), 'all is sealed', LONG)
    equal([row[0:1] + row[3:4] for row in host.sessions() if row[4] == sid], [('nobody', 'not-recorded')], 'the row')
    for row in host.sessions():
        if 'not-recorded' in row[3]:
            equal(host.ask('export', row[4], '--format', 'raw'), b'', 'what is recorded')
            lines = host.ask('export', row[4], '--format', 'cast').splitlines()[1:]
            check(all(b'"x"' in line or b'"m","cut"' in line for line in lines), 'events: %r' % lines)
    host.stop()


def main():
    host = Host(os.path.dirname(os.path.abspath(sys.argv[1])))
    only = sys.argv[2:]
    try:
        for case in goes_on, waits, before_the_login, ends, root_into_the_ring, comes_back, only_once, not_recorded:
            if not only or case.__name__ in only:
                case(host)
                print('  ok: %s' % case.__name__, flush=True)
        print('loss: passed')
    except Fail as e:
        sys.exit('loss: FAILED: %s\n%s' % (e, host.said().decode(errors='replace')[-2000:]))
    finally:
        host.close()


lossrig.inside() and main()
