#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""verify_s3.py: verify over a real S3 server, and over a bucket that keeps versions: what is laid over good objects, what is deleted,
and the store's clock, which no host can set."""
import datetime
import glob
import hashlib
import hmac
import http.client
import json
import os
import shutil
import sys
import urllib.parse

import verify_store as base  # makes the directory, before what needs it
import s3rig
from verify_rows import days, objects, parts
from verify_writer import Host, Key, Session, seal

TMP = base.TMP


class Bucket:
    """Path style, one connection a request, Signature Version 4."""
    def __init__(self, env, name):
        self.env, self.name, self.host = env, name, urllib.parse.urlsplit(env['S3_ENDPOINT']).netloc

    def ask(self, method, key='', body=b'', query=''):
        path = urllib.parse.quote('/%s/%s' % (self.name, key))
        now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')
        headers = {'host': self.host, 'x-amz-content-sha256': hashlib.sha256(body).hexdigest(), 'x-amz-date': now}
        names = ';'.join(sorted(headers))
        canonical = '\n'.join([method, path, query, *('%s:%s' % (k, headers[k]) for k in sorted(headers)), '', names,
                               headers['x-amz-content-sha256']])
        scope = '%s/%s/s3/aws4_request' % (now[:8], self.env['AWS_REGION'])
        text = '\n'.join(['AWS4-HMAC-SHA256', now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        k = ('AWS4' + self.env['AWS_SECRET_ACCESS_KEY']).encode()
        for part in (*scope.split('/'), text):
            k = hmac.new(k, part.encode(), 'sha256').digest()
        headers['authorization'] = 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s' % (
            self.env['AWS_ACCESS_KEY_ID'], scope, names, k.hex())
        c = http.client.HTTPConnection(self.host, timeout=120)
        try:
            c.request(method, path + (query and '?' + query), body, headers)
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        if r.status >= 300:
            raise AssertionError('%s %s: %d %s' % (method, path, r.status, data[:200]))
        return data

    def upload(self, top, prefix):
        for where, _, names in os.walk(top):
            for n in names:
                path = os.path.join(where, n)
                with open(path, 'rb') as f:
                    self.ask('PUT', prefix + os.path.relpath(path, top), f.read())


def check(row, url, words, *options, sessions=None, detail=None):
    status, got, found, lines, peak = base.ours(url, '--config', TMP + '/s3.conf', *options)
    bad = []
    if got != sorted(words) or status != (1 if words else 0):
        bad.append('verify says %s (%d), not %s: %s' % (got, status, sorted(words), [i for i in lines if i.get('finding')]))
    if sessions is not None and found != sessions:
        bad.append('sessions: %s, not %s' % (found, sessions))
    if detail and not any(detail in json.dumps(i) for i in lines):
        bad.append('no line has %r' % detail)
    if not base.SANITIZED and peak > base.KIB_OURS:
        bad.append('%d KiB' % peak)
    print('%s %s: %s' % ('FAILED' if bad else 'ok', row, '; '.join(bad) or ', '.join(sorted(words)) or 'no finding'))
    base.failures.extend(bad)


def first(top, room):
    return os.path.relpath(objects(top, room)[1], top)


def over_good_ones(bucket, url, real, host):
    """Each in a prefix of its own: a bucket whose newest versions are not the good ones."""
    manifest, pack = first(real, 'batches'), first(real, 'packs')
    key = os.path.relpath(glob.glob(real + '/keys/*/*')[0], real)
    forged = Host(TMP + '/forged', host.name, epoch=host.epoch)
    with open('%s/forged/%s' % (TMP, key), 'rb') as f:
        forged_key = f.read()
    with open(os.path.join(real, manifest), 'rb') as f:
        m = json.loads(f.read())
    size = m['objects'][0]['size']
    whole = base.ours('file://' + real)[2]
    rows = [
        ('other bytes of the same size over a pack', pack, b'x' * size, ['versions']),
        ('a shorter one over a pack', pack, b'x', ['versions']),
        ('nothing of ours over a manifest', manifest, b'{}', ['unsigned', 'versions']),
        ('a forged manifest over a manifest', manifest, seal(m, b'ttytrail manifest 1\n', Key()), ['altered', 'versions']),
        ('a forged key over a key', key, forged_key, ['altered', 'versions']),
    ]
    for i, (row, name, data, words) in enumerate(rows):
        prefix = 'over%d/' % i
        bucket.upload(real, prefix)
        bucket.ask('PUT', prefix + name, data)
        check(row, url + prefix, words, sessions=whole, detail='not the signed bytes: version ')
    bucket.upload(real, 'twice/')
    bucket.upload(real, 'twice/')  # as --again does
    check('everything once more', url + 'twice/', [], sessions=whole, detail='once more (version ')
    for i, (row, name) in enumerate((('a pack deleted, and its version there', pack), ('a manifest deleted so', manifest),
                                     ('a key deleted so', key))):
        prefix = 'gone%d/' % i
        bucket.upload(real, prefix)
        bucket.ask('DELETE', prefix + name)
        check(row, url + prefix, ['versions'], sessions=whole)
    assert forged.name == host.name


def without_versions(bucket, url, real, host):
    manifest, pack = first(real, 'batches'), first(real, 'packs')
    bucket.upload(real, 'a/')
    check('as it is', url + 'a', [], '--expect', host.name)
    bucket.ask('PUT', 'a/' + pack, b'x' * os.path.getsize(os.path.join(real, pack)))
    check('other bytes over a pack', url + 'a', ['altered'])
    check('the same, quickly', url + 'a', [], '--quick')
    bucket.ask('DELETE', 'a/' + manifest)
    check('a manifest deleted', url + 'a', ['gap'])
    check('a host that never shipped', url + 'a', ['gap'], '--expect', 'web1,web2', detail='it never shipped')
    dates = sorted(os.path.basename(d)[3:] for d in glob.glob(real + '/batches/*'))  # two around midnight
    check('its days', url + 'a', ['gap'], '--since', dates[0], '--until', dates[-1], '--host', host.name)
    check('a day on which nothing was', url + 'a', ['gap'], '--day', '2020-01-01', '--expect', 'web1',
          detail='no manifest that counts in this time')


def clock(bucket, url, real, host):
    """Stored now, and made three days ago, as the host says."""
    top = TMP + '/clock'
    shutil.copytree(real, top)
    h, _ = days(top)
    bucket.upload(top, 'clock/')
    check('a back-dated batch, by the store\'s clock', url + 'clock', ['back_dated', 'silent'],
          detail='h after it says it was made')
    check('an outage is believed', url + 'clock', [], '--late', '0', '--host', host.name)
    host.us += 5 * 3600 * 10**6
    host.top = top
    host.write(segments=[Session(host.name, host.epoch).segment(True)])
    bucket.upload(top, 'ahead/')
    check('a batch of the future', url + 'ahead', ['back_dated', 'silent'], '--late', '0', '--host', host.name,
          detail='before it says it was made')
    assert h.name == 'days'


def main():
    server = s3rig.Server(TMP)
    try:
        server.start()
        env = server.env
        os.environ.update(env)
        real = TMP + '/real'
        key = base.make_real(real)
        with open(TMP + '/s3.conf', 'w', encoding='utf-8') as f:
            f.write('[s3]\nendpoint = %s\nregion = %s\npath_style = yes\n' % (env['S3_ENDPOINT'], env['AWS_REGION']))
        host = Host.of_store(real, key)
        assert parts(real)[0]['host'] == host.name
        plain, lock = Bucket(env, env['S3_BUCKET']), Bucket(env, env['S3_LOCK_BUCKET'])
        over_good_ones(lock, 's3://%s/' % lock.name, real, host)
        without_versions(plain, 's3://%s/' % plain.name, real, host)
        clock(plain, 's3://%s/' % plain.name, real, host)
    finally:
        server.stop()
        shutil.rmtree(TMP, ignore_errors=True)
    print('verify_s3: %s' % ('FAILED' if base.failures else 'passed'))
    return 1 if base.failures else 0


if __name__ == '__main__':
    sys.exit(main())
