# SPDX-License-Identifier: Apache-2.0
"""Two servers of the fault tests, for what HAProxy cannot do.

Proxy: in front of an S3 server, with a clock of its own (it refuses signatures of another time as S3 does, and signs
anew for the server behind, whose clock is right), tokens that it refuses as expired, lists with its own times, and writes that it
holds until the test lets them go.

Metadata: an instance metadata service (version 2) with a role whose keys the test sets."""
import datetime
import email.utils
import http.client
import http.server
import json
import re
import threading
import time
import urllib.parse

import s3client

AUTHORIZATION = re.compile(r'Credential=([^/]+)/\d+/([^/]+)/(\w+)/aws4_request, *SignedHeaders=([^,]+), *'
                           r'Signature=([0-9a-f]{64})')
MODIFIED = re.compile(rb'(<Key>([^<]*)</Key>(?:(?!<Key>).)*?<LastModified>)([^<.Z]*)[^<]*', re.S)
LIMIT_S = 900  # what S3 allows between the signature's time and its own


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # clients that are killed break off


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet

    def log_message(self, *args):
        pass

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def do_GET(self):
        self.server.owner.answer(self)

    do_PUT = do_HEAD = do_POST = do_DELETE = do_GET


class Owner:
    def __init__(self):
        self.server = Server(('127.0.0.1', 0), Handler)
        self.server.owner = self
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.1}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Proxy(Owner):
    def __init__(self, upstream, keys):
        self.upstream, self.keys = upstream, keys
        self.ahead_s = 0        # of this server's clock
        self.ahead_of = {}      # objects: as it was when they were stored
        self.expired = set()    # tokens
        self.lock = threading.Condition()
        self.writes = 0         # that were passed on
        self.held_after = None  # more than so many writes wait
        self.waiting = 0
        self.refusals = []      # codes
        self.refuses = None     # status and code that answer everything
        super().__init__()

    # ---- the test's side ----

    def hold_after(self, writes):
        """From now on this many writes pass; the others wait for release()."""
        with self.lock:
            self.held_after = self.writes + writes

    def release(self):
        with self.lock:
            self.held_after = None
            self.lock.notify_all()

    def wait_held(self, deadline_s=120):
        with self.lock:
            return self.lock.wait_for(lambda: self.waiting > 0, deadline_s)

    # ---- the server's ----

    def shifted(self, entry):
        """An entry of a list with the time that this server would have written, had it stored the object."""
        by = datetime.timedelta(seconds=self.ahead_of.get(urllib.parse.unquote(entry.group(2).decode()), 0))
        at = datetime.datetime.strptime(entry.group(3).decode(), '%Y-%m-%dT%H:%M:%S') + by
        return entry.group(1) + at.strftime('%Y-%m-%dT%H:%M:%S.000Z').encode()

    def date(self):
        return email.utils.formatdate(time.time() + self.ahead_s, usegmt=True)

    def refuse(self, h, status, code):
        with self.lock:
            self.refusals.append(code)
        body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>by shipproxy</Message></Error>'
        h.reply(status, [('Content-Type', 'application/xml'), ('Date', self.date())], (body % code).encode())

    def judge_clock(self, h, path, query):
        """The headers for the server behind, or None: refused."""
        found = AUTHORIZATION.search(h.headers.get('authorization', ''))
        signed = {n: h.headers.get(n, '') for n in found.group(4).split(';')}
        key, region, service = found.group(1, 2, 3)
        said = datetime.datetime.strptime(signed['x-amz-date'] + '+0000', '%Y%m%dT%H%M%SZ%z').timestamp()
        if abs(said - time.time() - self.ahead_s) > LIMIT_S:
            return self.refuse(h, 403, 'RequestTimeTooSkewed')
        if key != self.keys[0] or found.group(5) != s3client.signature(h.command, path, query, signed, self.keys[1],
                                                                       region, service):
            return self.refuse(h, 403, 'SignatureDoesNotMatch')
        signed['x-amz-date'] = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')
        return {'x-amz-date': signed['x-amz-date'],
                'authorization': s3client.authorization(h.command, path, query, signed, self.keys, region, service)}

    def answer(self, h):
        body = h.rfile.read(int(h.headers.get('content-length') or 0))
        path, _, query = h.path.partition('?')
        with self.lock:
            if h.command == 'PUT' and self.held_after is not None and self.writes >= self.held_after:
                self.waiting += 1
                self.lock.notify_all()
                self.lock.wait_for(lambda: self.held_after is None, 300)
                self.waiting -= 1
        if self.refuses:
            return self.refuse(h, *self.refuses)
        if h.headers.get('x-amz-security-token') in self.expired:
            return self.refuse(h, 400, 'ExpiredToken')
        changed = {}
        if self.ahead_s:
            changed = self.judge_clock(h, path, query)
            if changed is None:
                return None
        with self.lock:
            self.writes += h.command == 'PUT'
        return self.pass_on(h, body, changed)

    def pass_on(self, h, body, changed):
        headers = [(n, changed.get(n.lower(), v)) for n, v in h.headers.items() if n.lower() != 'connection']
        up = http.client.HTTPConnection('127.0.0.1', self.upstream, timeout=120)
        try:
            up.putrequest(h.command, h.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                up.putheader(name, value)
            up.endheaders(body)
            answer = up.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            h.close_connection = True
            return
        finally:
            up.close()
        kept = [(n, v) for n, v in answer.getheaders()
                if n.lower() not in ('content-length', 'transfer-encoding', 'connection', 'date', 'keep-alive')]
        if h.command == 'PUT' and answer.status == 200:
            self.ahead_of[urllib.parse.unquote(h.path.split('/', 2)[2])] = self.ahead_s
        elif h.command == 'GET':
            text = MODIFIED.sub(self.shifted, text)
        h.reply(answer.status, kept + [('Date', self.date())], text)


class Metadata(Owner):
    ROLE = '/latest/meta-data/iam/security-credentials/'

    def __init__(self):
        self.keys = None  # (access key, secret key, token), good for lives_s
        self.lives_s = 6 * 3600
        self.asked = 0
        super().__init__()

    def answer(self, h):
        if h.command == 'PUT':
            h.rfile.read(int(h.headers.get('content-length') or 0))
            return h.reply(200, [('x-aws-ec2-metadata-token-ttl-seconds', '21600')], b'token-of-the-test')
        if h.headers.get('x-aws-ec2-metadata-token') != 'token-of-the-test':
            return h.reply(401, [], b'')
        if h.path == self.ROLE and self.keys:
            return h.reply(200, [], b'ttytrail-host')
        if h.path == self.ROLE + 'ttytrail-host' and self.keys:
            self.asked += 1
            ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.lives_s)
            return h.reply(200, [], json.dumps({
                'Code': 'Success', 'Type': 'AWS-HMAC', 'AccessKeyId': self.keys[0], 'SecretAccessKey': self.keys[1],
                'Token': self.keys[2], 'Expiration': ends.strftime('%Y-%m-%dT%H:%M:%SZ')}).encode())
        return h.reply(404, [], b'')
