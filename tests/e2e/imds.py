#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""imds.py FILE: a metadata service (version 2 only) with one role, on a port of the kernel's choice of the
loopback address; its URL goes to FILE.  Ends when its standard input does."""
import http.server
import os
import sys
import threading

ANSWERS = {'/latest/meta-data/instance-id': 'i-0abc',
           '/latest/meta-data/iam/security-credentials/': 'ttytrail-host', '/latest/meta-data/placement/region': 'us-east-1'}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self, status, text):
        self.send_response(status)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        self.answer(200, 'token-of-the-test')

    def do_GET(self):
        if self.headers.get('X-aws-ec2-metadata-token') != 'token-of-the-test':
            self.answer(401, '')
        elif self.path in ANSWERS:
            self.answer(200, ANSWERS[self.path])
        else:
            self.answer(404, '')

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(sys.argv[1] + '.new', 'w') as f:
    f.write('http://127.0.0.1:%d' % server.server_port)
os.rename(sys.argv[1] + '.new', sys.argv[1])
sys.stdin.read()
