#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""imds.py FILE [CONTROL [LOG]]: a metadata service, version 2 only and strict, with one role, on a port of the
kernel's choice of the loopback address; its URL goes to FILE.  Ends when its standard input does.

A token comes by PUT alone, with a time to live of 1 to 21600 seconds, not through a proxy (X-Forwarded-For), and
ends when that time is over; without a valid token everything else is 401.  CONTROL is read at every request: a JSON
object whose members change what it does:
    token      status of PUT, or "silent": the connection is taken and nothing said (one hop too many)
    max_ttl    tokens end after so many seconds, whatever was asked for
    forget     a number; when it changes, all tokens are forgotten (the service was started anew)
    list, role status of the role's name and of its keys, or "silent"
    keys       the text of the role's keys
    extra_ttl  the keys expire in so many seconds (default 21600)
LOG gets a line for each request: method, path, status, and "v1" where no token came along."""
import http.server
import json
import os
import secrets
import sys
import threading
import time

ROLES = '/latest/meta-data/iam/security-credentials/'
PLAIN = {'/latest/meta-data/instance-id': 'i-0abc', '/latest/meta-data/placement/region': 'us-east-1'}
TOKENS = {}  # token: until
STATE = {'forget': 0, 'keys': 0}
LOCK = threading.Lock()


def control():
    if len(sys.argv) < 3:
        return {}
    try:
        with open(sys.argv[2]) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def keys(how):
    STATE['keys'] += 1
    until = time.gmtime(time.time() + how.get('extra_ttl', 21600))
    return json.dumps({'Code': 'Success', 'LastUpdated': '2026-01-01T00:00:00Z', 'Type': 'AWS-HMAC',
                       'AccessKeyId': 'ASIAOFTHEINSTANCE%03d' % STATE['keys'], 'SecretAccessKey': 'not-to-be-seen',
                       'Token': 'nor-this', 'Expiration': time.strftime('%Y-%m-%dT%H:%M:%SZ', until)})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self, status, text='', **headers):
        if status == 'silent':
            self.note('silent')
            self.close_connection = True
            threading.Event().wait()  # a daemon: it ends with the program
        self.note(status)
        self.send_response(status)
        self.send_header('Content-Length', str(len(text)))
        self.send_header('Server', 'EC2ws')
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()
        self.wfile.write(text.encode())

    def note(self, status):
        if len(sys.argv) > 3:
            v1 = ' v1' if self.command == 'GET' and self.headers.get('X-aws-ec2-metadata-token') is None else ''
            with LOCK, open(sys.argv[3], 'a') as f:
                f.write('%s %s %s%s\n' % (self.command, self.path, status, v1))

    def new_token(self, how):
        ttl = self.headers.get('X-aws-ec2-metadata-token-ttl-seconds', '')
        if self.headers.get('X-Forwarded-For') is not None:
            return self.answer(403)
        if not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            return self.answer(400)
        if how.get('token', 200) != 200:
            return self.answer(how['token'])
        ttl = min(int(ttl), how.get('max_ttl', 21600))
        token = secrets.token_urlsafe(40) + '=='
        with LOCK:
            TOKENS[token] = time.monotonic() + ttl
        return self.answer(200, token, X_aws_ec2_metadata_token_ttl_seconds=str(ttl))

    def do_PUT(self):
        if int(self.headers.get('Content-Length', '0')) != 0:
            return self.answer(400)
        return self.new_token(control()) if self.path == '/latest/api/token' else self.answer(405)

    def valid(self, how):
        with LOCK:
            if STATE['forget'] != how.get('forget', 0):
                STATE['forget'] = how.get('forget', 0)
                TOKENS.clear()
            return time.monotonic() < TOKENS.get(self.headers.get('X-aws-ec2-metadata-token'), 0)

    def do_GET(self):
        how = control()
        if not self.valid(how):
            self.answer(401)
        elif self.path in PLAIN:
            self.answer(200, PLAIN[self.path])
        elif self.path == ROLES:
            self.answer(how.get('list', 200), 'ttytrail-host')
        elif self.path == ROLES + 'ttytrail-host':
            self.answer(how.get('role', 200), how['keys'] if 'keys' in how else keys(how))
        else:
            self.answer(404)

    def do_POST(self):
        self.answer(405)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(sys.argv[1] + '.new', 'w') as f:
    f.write('http://127.0.0.1:%d' % server.server_port)
os.rename(sys.argv[1] + '.new', sys.argv[1])
sys.stdin.read()
os._exit(0)
