# SPDX-License-Identifier: Apache-2.0
"""An S3 client of a few calls for the tests, with the signature of AWS (version 4): it shares nothing with what
is tested.  `signature` also serves the servers of the tests, which check one."""
import datetime
import hashlib
import hmac
import http.client
import urllib.parse
import xml.etree.ElementTree

EMPTY = hashlib.sha256(b'').hexdigest()


def quote(text, safe='/'):
    return urllib.parse.quote(text, safe=safe + '-_.~')


def signature(method, path, query, headers, secret, region, service='s3'):
    """The hex signature; `headers`: those that are signed, names in lower case, with x-amz-date and, for s3,
    x-amz-content-sha256.  `path` as it is sent, `query` in canonical order."""
    date = headers['x-amz-date']
    names = ';'.join(sorted(headers))
    lines = ''.join('%s:%s\n' % (n, ' '.join(headers[n].split())) for n in sorted(headers))
    request = '\n'.join((method, path, query, lines, names, headers['x-amz-content-sha256']))
    scope = '%s/%s/%s/aws4_request' % (date[:8], region, service)
    text = '\n'.join(('AWS4-HMAC-SHA256', date, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = ('AWS4' + secret).encode()
    for part in scope.split('/'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def authorization(method, path, query, headers, keys, region, service='s3'):
    return 'AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s' % (
        keys[0], headers['x-amz-date'][:8], region, service, ';'.join(sorted(headers)),
        signature(method, path, query, headers, keys[1], region, service))


class Answer(Exception):
    def __init__(self, status, body):
        super().__init__('%d %s' % (status, body[:300]))
        self.status, self.body = status, body


def plain(tree):
    """Without the namespace that every element's name carries."""
    for e in tree.iter():
        e.tag = e.tag.rpartition('}')[2]
    return tree


class Client:
    def __init__(self, port, keys, region='us-east-1', host='127.0.0.1'):
        self.address, self.keys, self.region = (host, port), keys, region
        self.connection = None

    def call(self, method, path, query=(), body=b'', headers=(), service='s3'):
        """The body of a 2xx answer, else Answer."""
        query = '&'.join('%s=%s' % (quote(k, ''), quote(v, '')) for k, v in sorted(dict(query).items()))
        signed = {'host': '%s:%d' % self.address, 'x-amz-content-sha256': hashlib.sha256(body).hexdigest(),
                  'x-amz-date': datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')}
        signed.update((k.lower(), v) for k, v in dict(headers).items())
        sent = dict(signed, authorization=authorization(method, quote(path), query, signed, self.keys, self.region,
                                                        service))
        del sent['host']
        if len(self.keys) > 2:
            raise ValueError('no session keys here')
        for last in False, True:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(*self.address, timeout=120)
            try:
                self.connection.request(method, quote(path) + ('?' + query if query else ''), body, sent)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()
                self.connection = None
                if last or method == 'POST':
                    raise
        if answer.status // 100 != 2:
            raise Answer(answer.status, text)
        return text

    def get(self, bucket, key, version=None):
        return self.call('GET', '/%s/%s' % (bucket, key), {'versionId': version} if version else ())

    def put(self, bucket, key, body, headers=()):
        return self.call('PUT', '/%s/%s' % (bucket, key), (), body, headers)

    def versions(self, bucket, prefix):
        """Every version below the prefix, as (key, version, is it a delete marker)."""
        query = {'versions': '', 'prefix': prefix, 'max-keys': '1000'}
        found = []
        while True:
            page = plain(xml.etree.ElementTree.fromstring(self.call('GET', '/' + bucket, query)))
            for e in page:
                if e.tag in ('Version', 'DeleteMarker'):
                    found.append((e.findtext('Key'), e.findtext('VersionId'), e.tag == 'DeleteMarker'))
            if page.findtext('IsTruncated') != 'true':
                return found
            query['key-marker'] = page.findtext('NextKeyMarker') or ''
            query['version-id-marker'] = page.findtext('NextVersionIdMarker') or ''

    def sts(self, action, **parameters):
        """An answer's elements by name: AccessKeyId, SecretAccessKey, SessionToken."""
        body = urllib.parse.urlencode(dict(parameters, Action=action, Version='2011-06-15')).encode()
        text = self.call('POST', '/', (), body, {'content-type': 'application/x-www-form-urlencoded'}, 'sts')
        return {e.tag: e.text for e in plain(xml.etree.ElementTree.fromstring(text)).iter()}
