#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The inside of scripts/bench-login: logins by ssh to a recorded user and to one who is not, in turns."""
import os
import statistics
import subprocess
import time

AIM_MS = 15
USERS = {'bash': '/bin/bash', 'recorded': '/usr/bin/ttytrail-shell-bin-bash'}
CONF = '/etc/ttytrail/conf.d/bench.conf'


def run(*argv, **more):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **more)


def must(*argv):
    done = run(*argv)
    if done.returncode != 0:
        raise SystemExit('%s: %s' % (' '.join(argv), done.stdout))


def prepare():
    if os.path.exists('/usr/sbin/policy-rc.d'):
        os.unlink('/usr/sbin/policy-rc.d')
    must('dpkg', '-i', '/out/ttytrail.deb')
    writer('start')
    must('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/tmp/key')
    must('ssh-keygen', '-A')
    os.makedirs('/run/sshd', exist_ok=True)
    for user, shell in USERS.items():
        must('useradd', '-m', '-p', '*', '-s', shell, user)
        where = '/home/%s/.ssh' % user
        must('install', '-d', '-m', '700', '-o', user, where)
        must('install', '-m', '600', '-o', user, '/tmp/key.pub', where + '/authorized_keys')
    # What this machine's sshd says of itself is left out.
    with open('/tmp/sshd_config', 'w', encoding='ascii') as f:
        f.write('UsePAM yes\nMaxStartups 1000\nSubsystem sftp /usr/lib/openssh/sftp-server\n')
    must('/usr/sbin/sshd', '-f', '/tmp/sshd_config')


def writer(what):
    must('/etc/init.d/ttytraild', what)
    if what == 'start':
        until = time.monotonic() + 60
        while not os.path.exists('/run/ttytrail/control.sock') and time.monotonic() < until:
            time.sleep(0.05)


def login(user, seconds=60):
    """Milliseconds of one login, and whether it got in."""
    began = time.monotonic()
    try:
        done = run('ssh', '-F', '/dev/null', '-n', '-i', '/tmp/key', '-o', 'StrictHostKeyChecking=no', '-o',
                   'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', user + '@127.0.0.1', 'true', timeout=seconds)
        inside = done.returncode == 0
    except subprocess.TimeoutExpired:
        inside = False
    return (time.monotonic() - began) * 1000, inside


def compare(what, n):
    times, inside = {user: [] for user in USERS}, {user: 0 for user in USERS}
    for _ in range(n):
        for user in USERS:
            ms, got_in = login(user)
            times[user].append(ms)
            inside[user] += got_in
    base, ours = (statistics.median(times[user]) for user in USERS)
    print('%-28s %8.1f %8.1f %7.2f %+8.1f   %d of %d' % (what, base, ours, ours / base, ours - base,
                                                        inside['recorded'], n), flush=True)
    return ours - base


def main():
    with open('/out/mib', encoding='ascii') as f:
        n = int(f.read())
    prepare()
    for user in USERS:
        login(user)
    print('%-28s %8s %8s %7s %8s   %s' % ('median of %d logins' % n, 'bash ms', 'ours ms', 'ratio', 'more ms', 'let in'))
    more = compare('writer up', n)
    for policy in ('end', 'block', 'continue'):
        with open(CONF, 'w', encoding='ascii') as f:
            f.write('[record]\non_writer_loss = %s\nwriter_timeout_s = 5\n' % policy)
        writer('restart')
        # It has published what is to be done without it, where this version publishes that.
        writer('stop')
        compare('writer down, %s' % policy, min(n, 3) if policy == 'block' else n)
        writer('start')
    print('the aim of %d ms is %s' % (AIM_MS, 'met' if more <= AIM_MS else 'missed: %.1f ms' % more))


main()
