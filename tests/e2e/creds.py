#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Credentials of whole programs: 'doctor' against a strict metadata service in good and bad health, and against an
address that drops packets; no key is ever printed, and version 1 never tried."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TTYTRAIL = os.path.join(os.environ['TTYTRAIL_BIN'], 'ttytrail')
DEADLINE = 120
TMP = tempfile.mkdtemp(prefix='ttytrail-creds.')
CONTROL, LOG, URL = (os.path.join(TMP, name) for name in ('control', 'log', 'url'))
SECRETS = ('not-to-be-seen', 'nor-this', 'of-the-file')


def put(name, text):
    path = os.path.join(TMP, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)
    return path


def environment(**more):
    env = {'HOME': TMP, 'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8', 'XDG_DATA_HOME': TMP, 'XDG_CONFIG_HOME': TMP}
    env.update(more)
    return env


def doctor(**env):
    """What doctor says of the credentials: (result, text)."""
    done = subprocess.run([TTYTRAIL, 'doctor', '--json', '--db', os.path.join(TMP, 'e.db'), '--config', CONF, '--to',
                           's3://audit/prod'], env=environment(**env), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=DEADLINE, check=False)
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr, 'a key was printed'
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [(line['result'], line['text']) for line in lines if line['check'] == 'credentials']


def log():
    try:
        with open(LOG) as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def service(**how):
    put('control', json.dumps(how))
    if os.path.exists(LOG):
        os.unlink(LOG)


def says(what, result, words, **env):
    if 'silent' not in open(CONTROL).read():
        env['AWS_METADATA_SERVICE_TIMEOUT'] = '60'  # machines may be slow
    found = doctor(AWS_EC2_METADATA_SERVICE_ENDPOINT=open(URL).read(), **env)
    assert any(r == result and all(w in t for w in words) for r, t in found), (what, found)
    assert not [line for line in log() if line.endswith(' v1')], 'version 1 was tried: %s' % what
    print('- ' + what)


def health():
    service()
    says('a healthy service', 'ok', ['from: imds', 'temporary'], http_proxy='http://127.0.0.1:1')
    assert any(line.startswith('PUT /latest/api/token 200') for line in log())
    service(max_ttl=30)
    says('tokens that end soon are not used again', 'ok', ['from: imds'])
    lines = log()
    assert len([x for x in lines if x.startswith('PUT ')]) >= len([x for x in lines if x.startswith('GET ')]), lines
    service(extra_ttl=-60)
    says('keys that have expired are told of', 'finding', ['expired'])
    service(keys='{"Code": "Success", "AccessKeyId": "not-to-be-seen"')
    says('keys that are no JSON', 'finding', ['instance metadata', 'JSON'])
    service(keys='{"Code": "Failed", "Message": "not-to-be-seen"}')
    says('no keys for the role', 'finding', ['not available: Failed'])
    service(keys='x' * 40000)
    says('keys without end', 'finding', ['instance metadata'])
    service(token=403)
    says('no token: 403', 'finding', ['403', 'version 1 is never used'])
    service(token=404)
    says('no token: 404', 'finding', ['404', 'version 1 is never used'])
    service(token=503)
    says('no token: 503', 'finding', ['503'])
    service(list=404)
    says('no role', 'finding', ['this instance has no role'])
    service(role=500)
    says('the keys: 500', 'finding', ['500'])
    service(token='silent')
    says('one hop too many', 'finding', ['hop limit 2?'])
    service(role='silent')
    says('silence in the middle', 'finding', ['instance metadata'])


def absent():
    """A queue that is full: further packets are dropped."""
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen(0)
        fill = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(server.getsockname())
            fill.append(s)
        begin = time.monotonic()
        found = doctor(AWS_EC2_METADATA_SERVICE_ENDPOINT='http://127.0.0.1:%d' % server.getsockname()[1])
        assert any(r == 'finding' and 'no AWS credentials' in t for r, t in found), found
        print('- an address that drops packets (doctor, which asks for more than keys: %.1f s)' % (time.monotonic() - begin))
        for s in fill:
            s.close()


def profiles():
    put('.aws/config', '[profile a]\nregion = us-east-1\nrole_arn = arn:aws:iam::000000000001:role/x\nsource_profile = a\n')
    service()
    says('a profile that leads nowhere is no reason for the instance\'s role', 'finding', ["'a'"], AWS_PROFILE='a')
    assert not [line for line in log() if 'security-credentials/ttytrail-host' in line], log()
    process = put('give', '#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"AKIAOFTHEPROCESS00","SecretAccessKey":'
                          '"of-the-file","SessionToken":"of-the-file","Expiration":"2099-01-01T00:00:00Z"}\'\n')
    os.chmod(process, 0o755)
    put('.aws/config', '[profile a]\nregion = us-east-1\ncredential_process = "%s" --for us\n' % process)
    says('a process', 'ok', ['from: profile a', 'temporary', '2099'], AWS_PROFILE='a')
    os.unlink(os.path.join(TMP, '.aws', 'config'))


with socket.socket() as closed:  # nobody listens there, and nobody will
    closed.bind(('127.0.0.1', 0))
    CONF = put('s3.conf', '[s3]\nregion = us-east-1\nendpoint = http://127.0.0.1:%d\n' % closed.getsockname()[1])
    imds = subprocess.Popen([sys.executable, '-B', os.path.join(HERE, 'imds.py'), URL, CONTROL, LOG],
                            stdin=subprocess.PIPE)
    try:
        until = time.monotonic() + DEADLINE
        while not os.path.exists(URL):
            assert time.monotonic() < until and imds.poll() is None, 'no metadata service'
            time.sleep(0.05)
        health()
        absent()
        profiles()
        print('creds: passed')
    finally:
        imds.stdin.close()
        imds.wait(timeout=DEADLINE)
        shutil.rmtree(TMP)
