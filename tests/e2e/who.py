#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""who.py: logins through a real sshd with keys that Instance Connect pushed (its AuthorizedKeysCommand played by a script), the
records of CloudTrail written here: who it was, how sure that is, and what nobody recorded."""
import gzip
import json
import os
import subprocess
import sys
import time

import installedrig
from installedrig import AUDIT, PORT, USERS, sh
from outer import check, equal, main, until

HOST = None
PATIENCE = 60
COMMAND = '/usr/share/ec2-instance-connect/eic_run_authorized_keys'
PUSHED = '/run/pushed'
TRAIL = '/run/trail'
INSTANCE = 'i-0123456789abcdef0'
SSHD = 'AuthorizedKeysCommand %s %%u %%f\nAuthorizedKeysCommandUser nobody' % COMMAND
N = [0]


# ---- AWS ----

def person(name, mfa='true'):
    return {'type': 'AssumedRole', 'principalId': 'AROAEXAMPLE:' + name, 'accountId': '111122223333',
            'arn': 'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/' + name, 'accessKeyId': 'ASIA' + name,
            'sessionContext': {'sessionIssuer': {'type': 'Role', 'principalId': 'AROAEXAMPLE', 'accountId': '111122223333',
                                                 'arn': 'arn:aws:iam::111122223333:role/aws-reserved/AWSReservedSSO_Admin_0123456789abcdef',
                                                 'userName': 'AWSReservedSSO_Admin_0123456789abcdef'},
                               'attributes': {'creationDate': '2026-11-27T10:00:00Z', 'mfaAuthenticated': mfa}}}


def record(source, name, who, parameters, response, at=None):
    N[0] += 1
    return {'eventVersion': '1.09', 'userIdentity': person(who), 'eventTime': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at)),
            'eventSource': source + '.amazonaws.com', 'eventName': name, 'awsRegion': 'eu-central-1', 'sourceIPAddress': '203.0.113.9',
            'userAgent': 'aws-cli/2', 'requestParameters': parameters, 'responseElements': response,
            'requestID': '00000000-0000-4000-8000-%012d' % N[0], 'eventID': '11111111-0000-4000-8000-%012d' % N[0],
            'readOnly': False, 'eventType': 'AwsApiCall', 'managementEvent': True, 'recipientAccountId': '111122223333',
            'eventCategory': 'Management'}


def push(who, key, user='alice', instance=INSTANCE):
    return record('ec2-instance-connect', 'SendSSHPublicKey', who,
                  {'instanceId': instance, 'instanceOSUser': user, 'sSHPublicKey': key, 'availabilityZone': 'eu-central-1a'},
                  {'requestId': 'x', 'success': True})


def deliver(*records):
    now = time.gmtime()
    at = '%s/AWSLogs/111122223333/CloudTrail/eu-central-1/%s' % (TRAIL, time.strftime('%Y/%m/%d', now))
    os.makedirs(at, exist_ok=True)
    name = '%s/111122223333_CloudTrail_eu-central-1_%s_%016d.json.gz' % (at, time.strftime('%Y%m%dT%H%MZ', now), N[0])
    with gzip.open(name, 'wt') as f:
        json.dump({'Records': list(records)}, f)


# ---- this host ----

def key(name):
    path = '/tmp/key-' + name
    sh('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path)
    with open(path + '.pub', encoding='ascii') as f:
        return path, f.read().strip()


def allow(public):
    """What Instance Connect would answer sshd with, for a minute."""
    with open(PUSHED, 'w', encoding='ascii') as f:
        f.write(public + '\n')


def login(path, command='true', *options):
    argv = ['ssh', '-p', str(PORT), '-i', path, '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no', '-o',
            'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', *options, 'alice@127.0.0.1', command]
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    equal(p.returncode, 0, 'login: %r' % p.stderr[-300:])


def newest():
    return HOST.sessions()[-1]['id']


def correlate(*more, status=0):
    p = subprocess.run(['ttytrail', 'correlate', '--trail', 'file://' + TRAIL, '--instance', INSTANCE, '--json', *more],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    equal(p.returncode, status, 'correlate: %r' % p.stderr[-500:])
    return [json.loads(x) for x in p.stdout.decode().splitlines()]


def who(sid, **more):
    p = subprocess.run(['ttytrail', 'who', sid, '--json'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=PATIENCE, check=False, **more)
    equal(p.returncode, 0, 'who: %r' % p.stderr[-300:])
    return json.loads(p.stdout)


def is_(sid, *want):
    v = who(sid)
    equal((v['grade'], v['rule'], v['principal']), want, v['reasons'])
    return v


def test_a_pushed_key_is_its_pushers():
    path, public = key('one')
    allow(public)
    deliver(push('alice@corp', public))
    login(path)
    sid = newest()
    lines = correlate()
    v = is_(sid, 'exact', 'key', 'alice@corp')
    equal((v['role'], v['mfa'], v['address'], v['digest']), ('Admin', 'true', '203.0.113.9', 'none'), 'evidence')
    check(v['record_sha256'] != '0' * 64 and v['object'].endswith('.json.gz'), 'the record: %r' % v)
    said = subprocess.run(['ttytrail', 'who', sid], stdout=subprocess.PIPE, timeout=PATIENCE, check=True).stdout.decode()
    check(said.startswith('alice@corp, through role Admin with MFA, by Instance Connect from 203.0.113.9, exact: same key'), said)
    equal(lines[-1]['exact'], 1, 'sum')


def test_again_nothing_changes():
    lines = correlate()
    equal((lines[-1]['files'], lines[-1]['changed'], [x for x in lines if 'verdict' in x]), (0, 0, []), 'again')


def test_a_static_key_is_nobodys():
    out, _, status = HOST.ssh('alice', 'true')
    equal((out, status), (b'', 0), 'login')
    sid = newest()
    correlate()
    is_(sid, 'none', 'nothing', '')


def test_a_key_that_stands_there_too():
    path, public = key('standing')
    home = '/home/alice/.ssh/authorized_keys'
    with open(home, 'a', encoding='ascii') as f:
        f.write(public + '\n')
    allow('')
    deliver(push('bob@corp', public))
    login(path)
    sid = newest()
    correlate()
    is_(sid, 'strong', 'key-standing', 'bob@corp')


def test_two_who_pushed_one_key():
    path, public = key('shared')
    allow(public)
    deliver(push('bob@corp', public), push('alice@corp', public))
    login(path)
    sid = newest()
    correlate()
    v = is_(sid, 'ambiguous', 'key', '')
    equal(sorted(c['principal'] for c in v['candidates']), ['alice@corp', 'bob@corp'], 'candidates')


def test_pushed_to_another_instance():
    path, public = key('elsewhere')
    allow(public)
    deliver(push('bob@corp', public, instance='i-0fedcba9876543210'))
    login(path)
    sid = newest()
    correlate()
    is_(sid, 'none', 'nothing', '')


def test_a_late_file_revises():
    path, public = key('late')
    allow(public)
    late = push('carol@corp', public)
    login(path)
    sid = newest()
    correlate()
    equal(is_(sid, 'none', 'nothing', '')['revision'], 1, 'revision')
    deliver(late)
    correlate()
    equal(is_(sid, 'exact', 'key', 'carol@corp')['revision'], 2, 'revision')


def test_channels_of_one_connection():
    path, public = key('mux')
    allow(public)
    deliver(push('dave@corp', public))
    control = '/tmp/mux'
    master = subprocess.Popen(['ssh', '-p', str(PORT), '-i', path, '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no', '-o',
                               'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-N', '-M', '-S', control, 'alice@127.0.0.1'],
                              stdin=subprocess.DEVNULL)
    until(lambda: os.path.exists(control), 'the master', PATIENCE)
    before = len(HOST.sessions())
    for _ in range(3):
        login(path, 'true', '-S', control)
    master.terminate()
    master.wait(PATIENCE)
    sids = [s['id'] for s in HOST.sessions()[before:]]
    equal(len(sids), 3, 'sessions')
    correlate()
    for sid in sids:
        is_(sid, 'exact', 'key', 'dave@corp')
    equal(len({who(sid)['subject'] for sid in sids}), 1, 'one connection')


def test_the_other_direction():
    shell = record('ssm', 'StartSession', 'mallory@corp', {'target': INSTANCE}, {'sessionId': 'mallory-0123456789abcdef0',
                   'tokenValue': 'Value hidden due to security reasons.', 'streamUrl': 'wss://x'}, time.time() - 200)
    port = record('ssm', 'StartSession', 'mallory@corp', {'target': INSTANCE, 'documentName': 'AWS-StartPortForwardingSession'},
                  {'sessionId': 'mallory-0123456789abcdef1'}, time.time() - 200)
    failed = record('ssm', 'StartSession', 'mallory@corp', {'target': INSTANCE}, None, time.time() - 200)
    failed['errorCode'] = 'AccessDenied'
    # The host's first session is younger than that: what was before it recorded is not held against it.
    deliver(shell, port, failed)
    lines = correlate()
    equal([x for x in lines if 'access' in x and 'mallory' in x['arn']], [], 'before the host recorded')


def test_auditors_read_it_in_the_journal():
    sid = next(s['id'] for s in HOST.sessions() if who(s['id'])['grade'] == 'exact')
    v = who(sid, user=USERS['plain'], group=USERS['plain'], extra_groups=[AUDIT], env={'PATH': '/usr/bin:/bin', 'HOME': '/tmp'})
    equal(v, who(sid), 'the same')


def test_verdicts_are_chained():
    rows = [json.loads(x) for x in sh('ttytrail', 'list', '--json').splitlines()]
    host = [r for r in rows if r['kind'] == 'host']
    check(host, 'no journal')
    text = sh('ttytrail', 'export', '--format', 'cast', host[-1]['id'])
    check(text.count(b'"verdict {') >= 8, 'marks: %d' % text.count(b'verdict'))
    sh('ttytrail', 'verify', host[-1]['id'])


def test_a_broken_file_is_named_and_stops_nothing():
    at = TRAIL + '/AWSLogs/111122223333/CloudTrail/eu-central-1/' + time.strftime('%Y/%m/%d', time.gmtime())
    with open(at + '/111122223333_CloudTrail_eu-central-1_%s_broken.json.gz' % time.strftime('%Y%m%dT%H%MZ', time.gmtime()), 'wb') as f:
        f.write(gzip.compress(b'{"Records":[]}')[:-6])
    path, public = key('beside')
    allow(public)
    deliver(push('erin@corp', public))
    login(path)
    sid = newest()
    lines = correlate(status=1)
    equal(lines[-1]['failed'], 1, 'failed')
    is_(sid, 'exact', 'key', 'erin@corp')


if __name__ == '__main__':
    if os.geteuid() != 0 or not os.path.exists('/usr/sbin/sshd'):
        print('*** NOT TESTED: who it was: needs root and an sshd')
        sys.exit(0)
    installedrig.enter()
    os.makedirs(os.path.dirname(COMMAND), exist_ok=True)
    with open(COMMAND, 'w', encoding='ascii') as script:
        script.write('#!/bin/sh\n[ "$1" != alice ] || cat %s\n' % PUSHED)
    os.chmod(COMMAND, 0o755)
    allow('')
    with installedrig.Host(sshd=SSHD) as HOST:
        main([f for name, f in sorted(globals().items(), key=lambda i: getattr(i[1], '__code__', None)
              and i[1].__code__.co_firstlineno or 0) if name.startswith('test_')])
