# SPDX-License-Identifier: Apache-2.0
"""A real S3 server, and the strict proxy before it, for a test: on ports that are tried until they are free."""
import hashlib
import json
import os
import random
import re
import subprocess
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EMPTY = hashlib.sha256(b'').hexdigest()


class Server:
    """radosgw (scripts/radosgw) below `top`; `proxied` is the strict proxy's address."""

    def __init__(self, top):
        self.top, self.home, self.proxy_home, self.env = top, None, None, {}

    def start(self):
        for _ in range(8):
            # Below what the kernel gives to clients.
            port = random.randrange(10000, 32000, 100)
            home = os.path.join(self.top, 's3.%d' % port)
            done = subprocess.run([ROOT + '/scripts/radosgw', 'start', home, str(port)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode == 0:
                self.home, self.port = home, port
                self.env = dict(line.split('=', 1) for line in done.stdout.splitlines() if '=' in line)
                return
            subprocess.run([ROOT + '/scripts/radosgw', 'stop', home], check=False)
        raise SystemExit('no S3 server: ' + done.stderr.strip())

    def start_proxy(self):
        for attempt in range(8):
            port = random.randrange(10000, 32000)
            home = os.path.join(self.top, 'proxy.%d' % attempt)
            done = subprocess.run([ROOT + '/scripts/s3faults', 'start', home, str(port), str(self.port)],
                                  env=dict(os.environ, STRICT='1'), stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode == 0:
                self.proxy_home = home
                self.proxied = 'http://127.0.0.1:%d' % port
                return
        raise SystemExit('no proxy: ' + done.stderr.strip())

    def stop(self):
        if self.proxy_home:
            subprocess.run([ROOT + '/scripts/s3faults', 'stop', self.proxy_home], check=False)
        if self.home:
            subprocess.run([ROOT + '/scripts/radosgw', 'stop', self.home], check=False)
        self.home = self.proxy_home = None

    def admin(self, *args):
        done = subprocess.run(['radosgw-admin', '-c', self.home + '/ceph.conf', *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise SystemExit('radosgw-admin %s: %s' % (args, done.stderr))
        return done.stdout

    def curl(self, service, keys, *args):
        done = subprocess.run(['curl', '-sf', '--aws-sigv4', 'aws:amz:%s:%s' % (self.env['AWS_REGION'], service), '-u', keys,
                               *args], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit('curl %s: status %d' % (args[-1], done.returncode))
        return done.stdout

    def keys(self):
        return self.env['AWS_ACCESS_KEY_ID'] + ':' + self.env['AWS_SECRET_ACCESS_KEY']

    def list(self, bucket, prefix):
        """{key: size} of all objects below `prefix`, asked for without ttytrail."""
        found, token = {}, ''
        while True:
            query = {'list-type': '2', 'max-keys': '1000', 'prefix': prefix}
            if token:
                query['continuation-token'] = token
            url = '%s/%s?%s' % (self.env['S3_ENDPOINT'], bucket, '&'.join(
                k + '=' + urllib.parse.quote(v, safe='') for k, v in sorted(query.items())))
            page = self.curl('s3', self.keys(), '-H', 'x-amz-content-sha256: ' + EMPTY, url)
            for item in re.findall('<Contents>.*?</Contents>', page, re.S):
                found[re.search('<Key>(.*?)</Key>', item).group(1)] = int(re.search('<Size>(.*?)</Size>', item).group(1))
            more = re.search('<NextContinuationToken>(.*?)</NextContinuationToken>', page)
            if not more:
                return found
            token = more.group(1)

    def session_keys(self, prefix):
        """Keys of a role's session that may put below `prefix` of the bucket, and nothing else."""
        self.admin('user', 'create', '--uid=nobody', '--display-name=nobody', '--access-key=nobody-key',
                   '--secret=nobody-secret')
        trust = {'Version': '2012-10-17', 'Statement': [{
            'Effect': 'Allow', 'Principal': {'AWS': ['arn:aws:iam:::user/nobody']}, 'Action': ['sts:AssumeRole']}]}
        policy = {'Version': '2012-10-17', 'Statement': [{
            'Effect': 'Allow', 'Action': ['s3:PutObject'],
            'Resource': ['arn:aws:s3:::%s/%s/*' % (self.env['S3_BUCKET'], prefix)]}]}
        self.admin('role', 'create', '--role-name=shipper', '--assume-role-policy-doc=' + json.dumps(trust))
        self.admin('role-policy', 'put', '--role-name=shipper', '--policy-name=put', '--policy-doc=' + json.dumps(policy))
        role = json.loads(self.admin('role', 'get', '--role-name=shipper'))
        answer = self.curl('sts', 'nobody-key:nobody-secret', '-d', 'Action=AssumeRole', '-d', 'RoleSessionName=i-0abc',
                           '--data-urlencode', 'RoleArn=' + (role.get('Arn') or role['arn']), self.env['S3_ENDPOINT'] + '/')

        # What a role stored is the role's: here the bucket's owner is granted to read it too.
        self.admin('caps', 'add', '--uid=test', '--caps=user-policy=*')
        everything = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': ['s3:*'], 'Resource': ['*']}]}
        self.curl('iam', self.keys(), '-d', 'Action=PutUserPolicy', '-d', 'PolicyName=all', '-d', 'UserName=test',
                  '--data-urlencode', 'PolicyDocument=' + json.dumps(everything), self.env['S3_ENDPOINT'] + '/')

        def part(name):
            return re.search('<%s>(.*?)</%s>' % (name, name), answer).group(1)

        return {'AWS_ACCESS_KEY_ID': part('AccessKeyId'), 'AWS_SECRET_ACCESS_KEY': part('SecretAccessKey'),
                'AWS_SESSION_TOKEN': part('SessionToken')}


def measured(command, env, log):
    """Run it: its status, seconds, CPU seconds and the most memory in KiB that it or its children had."""
    began = time.monotonic()
    with open(log, 'wb') as out:
        child = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss
