#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ship_many.py BIN [--sessions N] [--mib M] [--only PLACE]: a large backlog arrives, everywhere, in little memory.

N small sessions and one whose segments take M MiB go to a real S3 server plain, over TLS, with a role's session keys and
through the strict proxy, and to a directory.  Objects and bytes are counted without ttytrail, requests by what it says and
by what is there; run again it sends nothing; `verify` finds all of it; no process needs more than 40 MiB."""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import s3rig

MOST_KIB = 40 * 1024
SANITIZED = os.environ.get('TTYTRAIL_SANITIZED') == '1'  # which takes memory of its own


def fail(words):
    sys.exit('ship_many: FAILED: ' + words)


class Backlog:
    def __init__(self, bin_dir, top, sessions, mib):
        self.ttytrail, self.top = bin_dir + '/ttytrail', top
        self.path = top + '/filled.db'
        self.owner = {}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(('AWS_', 'TTYTRAIL_'))}
        self.env.update(HOME=top, XDG_CONFIG_HOME=top + '/none', AWS_EC2_METADATA_DISABLED='true')
        # One real recording makes the database.
        self.run([self.ttytrail, 'record', '--quiet', '--db', self.path, '--', 'true'])
        self.sessions, self.segments, self.bytes = 1, 1, 0
        for args in ([sessions, 5, 1], [1, mib * 1024 * 4 // 3, 2]):
            said = self.run([bin_dir + '/fill', self.path] + [str(a) for a in args]).split()
            self.sessions, self.segments = self.sessions + int(said[0]), self.segments + int(said[1])
            self.bytes += int(said[2])

    def run(self, command):
        done = subprocess.run(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            fail('%s: %s' % (command, done.stdout[-500:] + done.stderr[-500:]))
        return done.stdout

    def verify(self, to, conf):
        return subprocess.run([self.ttytrail, 'verify', to, '--config', conf], env=dict(self.env, **self.owner),
                              stdout=subprocess.PIPE, text=True, check=False).stdout

    def copy(self, name):
        """The backlog once more, not shipped yet."""
        where = os.path.join(self.top, name + '.db')
        shutil.copyfile(self.path, where)
        return where


def ship(back, db, to, conf, env, log):
    status, seconds, cpu, kib = s3rig.measured(
        [back.ttytrail, 'ship', '--db', db, '--to', to, '--config', conf, '--json'], dict(back.env, **env), log)
    lines = open(log, encoding='utf-8').read().splitlines()
    if status != 0:
        fail('%s: status %d: %s' % (to, status, '\n'.join(lines[-5:])))
    if kib > MOST_KIB and not SANITIZED:
        fail('%s: %d KiB of memory' % (to, kib))
    return json.loads(lines[-1]), seconds, cpu, kib


def place(back, name, to, conf, env, listed):
    db = back.copy(name)
    said, seconds, cpu, kib = ship(back, db, to, conf, env, back.top + '/log')
    objects = listed()
    packs = {k: v for k, v in objects.items() if k.startswith('packs/')}
    manifests = [k for k in objects if k.startswith('batches/')]
    keys = [k for k in objects if k.startswith('keys/')]
    again, _, _, kib2 = ship(back, db, to, conf, env, back.top + '/log')
    if said['segments'] != back.segments:
        fail('%s: %d segments, not %d' % (name, said['segments'], back.segments))
    if len(objects) != len(packs) + len(manifests) + len(keys) or len(keys) != 1:
        fail('%s: objects that nobody knows: %d' % (name, len(objects)))
    if len(packs) != len(manifests) or len(manifests) != said['batches'] - said['heartbeats']:
        fail('%s: %d packs, %d manifests, %d batches' % (name, len(packs), len(manifests), said['batches']))
    if sum(packs.values()) != said['bytes'] or said['bytes'] < back.bytes:
        fail('%s: %d bytes, not %d' % (name, sum(packs.values()), said['bytes']))
    if said['puts'] != len(objects):
        fail('%s: %d requests for %d objects' % (name, said['puts'], len(objects)))
    if again['puts'] != 0 or listed() != objects:
        fail('%s: the second run sent something' % name)
    verified = back.verify(to, conf)
    told = re.search(r'(\d+) complete; (\d+) segments, .* (\d+) orphans?; (\d+) findings?', verified)
    if not told or told.groups() != (str(back.sessions), str(back.segments), '0', '0'):
        fail('%s: verify: %s' % (name, verified[-300:]))
    os.unlink(db)
    print('%-9s %d objects, %d requests, %d bytes; %.1f s, %.1f s of CPU, %.1f and %.1f MiB of memory' % (
        name, len(objects), said['puts'], sum(objects.values()), seconds, cpu, kib / 1024, kib2 / 1024), flush=True)


def in_directory(path):
    found = {}
    for where, _, names in os.walk(path):
        for n in names:
            full = os.path.join(where, n)
            found[os.path.relpath(full, path)] = os.path.getsize(full)
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('bin')
    ap.add_argument('--sessions', type=int, default=300)
    ap.add_argument('--mib', type=int, default=16)
    ap.add_argument('--only', action='append', choices=['plain', 'tls', 'sts', 'strict', 'directory'])
    o = ap.parse_args()
    o.bin = os.path.abspath(o.bin)
    top = tempfile.mkdtemp(prefix='ttytrail-ship_many.')
    server = s3rig.Server(top)
    try:
        back = Backlog(o.bin, top, o.sessions, o.mib)
        print('%d sessions, %d segments, %d bytes' % (back.sessions, back.segments, back.bytes), flush=True)
        wanted = o.only or ['plain', 'tls', 'sts', 'strict', 'directory']

        def conf(name, endpoint, more=''):
            path = os.path.join(top, name + '.conf')
            with open(path, 'w', encoding='ascii') as f:
                f.write('[ship]\nheartbeat_h = 0\n[s3]\nendpoint = %s\nregion = %s\npath_style = yes\n%s\n' % (
                    endpoint, server.env.get('AWS_REGION', ''), more))
            return path

        for name in wanted:
            if name == 'directory':
                continue
            if server.home is None:
                server.start()
            back.owner = {k: v for k, v in server.env.items() if k.startswith('AWS_')}
            endpoint, env, more, bucket = server.env['S3_ENDPOINT'], back.owner, '', server.env['S3_BUCKET']
            if name == 'tls':
                endpoint, more = server.env['S3_TLS_ENDPOINT'], 'ca_file = ' + server.env['S3_CA_FILE']
            elif name == 'sts':
                env = server.session_keys('sts')
            elif name == 'strict':
                server.start_proxy()
                endpoint, bucket = server.proxied, server.env['S3_LOCK_BUCKET']
            place(back, name, 's3://%s/%s' % (bucket, name), conf(name, endpoint, more), env,
                  lambda: {k[len(name) + 1:]: v for k, v in server.list(bucket, name + '/').items()})
            if o.mib > 256:
                server.stop()  # it keeps everything in memory
        if 'directory' in wanted:
            store = top + '/store'
            with open(top + '/dir.conf', 'w', encoding='ascii') as f:
                f.write('[ship]\nheartbeat_h = 0\n')
            place(back, 'directory', 'file://' + store, top + '/dir.conf', {}, lambda: in_directory(store))
        if SANITIZED:
            print('*** NOT TESTED: memory, since the sanitizers take some')
        print('ship_many: passed')
    finally:
        server.stop()
        shutil.rmtree(top, ignore_errors=True)


main()
