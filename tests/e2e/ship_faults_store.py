# SPDX-License-Identifier: Apache-2.0
"""Shipping when credentials, clock, rights and objects are not what they should be."""
import contextlib
import json
import socket
import sqlite3
import sys

import shiprig
import shipproxy
import s3client


class Between:
    """A proxy of ours between the shipper of a case and the fault proxy."""

    def __init__(self, rig, case):
        self.proxy = shipproxy.Proxy(rig.port, rig.keys)
        rig.write_conf(case.conf, 'http://127.0.0.1:%d' % self.proxy.port)

    def __enter__(self):
        return self.proxy

    def __exit__(self, *_):
        self.proxy.release()
        self.proxy.close()


def role(rig):
    """A role that may put objects into the bucket, for a user who may do nothing else; a function that assumes it."""
    everybody = {'Effect': 'Allow', 'Principal': {'AWS': ['arn:aws:iam:::user/nobody']}, 'Action': ['sts:AssumeRole']}
    puts = {'Effect': 'Allow', 'Action': ['s3:PutObject'], 'Resource': ['arn:aws:s3:::%s/*' % rig.bucket]}
    rig.admin('user', 'create', '--uid=nobody', '--display-name=nobody', '--access-key=nobody-key',
              '--secret=nobody-secret')
    rig.admin('role', 'create', '--role-name=host', '--assume-role-policy-doc=' + policy(everybody))
    rig.admin('role-policy', 'put', '--role-name=host', '--policy-name=put', '--policy-doc=' + policy(puts))
    made = json.loads(rig.admin('role', 'get', '--role-name=host'))
    nobody = s3client.Client(rig.s3_port, ('nobody-key', 'nobody-secret'))

    def assume():
        got = nobody.sts('AssumeRole', RoleSessionName='i-0abc', RoleArn=made.get('Arn') or made['arn'])
        return got['AccessKeyId'], got['SecretAccessKey'], got['SessionToken']
    return assume


def policy(statement):
    return json.dumps({'Version': '2012-10-17', 'Statement': [statement]})


def case_expiring(rig):
    """Session keys that end while batches are on their way: newer ones are fetched, and where there are none the
    run ends and says so."""
    metadata, token = shipproxy.Metadata(), role(rig)
    # Here an object is its writer's: the judge and verify are let in.
    rig.s3.call('PUT', '/' + rig.bucket, {'policy': ''}, policy({
        'Effect': 'Allow', 'Principal': '*', 'Action': ['s3:GetObject', 's3:GetObjectVersion'],
        'Resource': ['arn:aws:s3:::%s/*' % rig.bucket]}).encode())
    try:
        with rig.case('credentials expire in the middle') as c, Between(rig, c) as proxy:
            c.more = {'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None, 'AWS_EC2_METADATA_DISABLED': None,
                      'AWS_EC2_METADATA_SERVICE_ENDPOINT': 'http://127.0.0.1:%d' % metadata.port}
            first, second, third = token(), token(), token()
            metadata.keys = first
            proxy.hold_after(3)
            child = c.start()
            held(proxy, child, c)
            proxy.expired.add(first[2])
            metadata.keys = second
            proxy.release()
            c.ended(child)
            if 'ExpiredToken' not in proxy.refusals:
                raise shiprig.Failed('no token was refused')
            c.record(60000, times=3)
            proxy.hold_after(2)
            child = c.start()
            held(proxy, child, c)
            proxy.expired.add(second[2])
            proxy.release()
            c.ended(child, 'ExpiredToken.*the credentials have expired and no newer ones were found', 1)
            metadata.keys = None
            c.ship(1, 'no AWS credentials')
            metadata.keys = third
            c.end()
    finally:
        rig.s3.call('DELETE', '/' + rig.bucket, {'policy': ''})
        metadata.close()


def held(proxy, child, case):
    if not proxy.wait_held():
        shiprig.stop(child)
        with open(case.err) as f:
            raise shiprig.Failed('no write came that far: ' + f.read())


def number(path, query):
    d = sqlite3.connect('file:%s?mode=ro' % path, uri=True, timeout=60)
    try:
        return d.execute(query).fetchone()[0]
    finally:
        d.close()


def skewed(rig, ahead_s):
    with rig.case("the server's clock %+d s" % ahead_s) as c, Between(rig, c) as proxy:
        proxy.ahead_s = ahead_s
        c.ship(0, "the store refused this host's clock, which is (36..|3599) s %s" % (
            'behind' if ahead_s > 0 else 'ahead'))
        if not proxy.refusals or set(proxy.refusals) != {'RequestTimeTooSkewed'}:
            raise shiprig.Failed('refused: %s' % proxy.refusals)
        c.record(times=2)
        c.verify_port = proxy.port
        # What was frozen before an answer told the clock may say a time at which, for the store, it could not be
        # there yet: with the clock ahead in the first run, and when the store's is set.
        maybe = {'findings': None, 'verdicts': '; 0 findings$|^back-dated '}
        c.end(**({} if ahead_s > 0 else maybe))
        proxy.ahead_s = 0
        c.record(times=2)
        c.ship()
        c.record(times=2)
        c.end(**maybe)
        if number(c.db + '.ship.db', "SELECT abs(value) < 60000000 FROM facts WHERE name = 'skew_us'") != 1:
            raise shiprig.Failed('ship.db holds a skew that is over')


def case_clock_ahead(rig):
    skewed(rig, 3600)


def case_clock_behind(rig):
    skewed(rig, -3600)


def case_read_only(rig):
    deny = policy({'Effect': 'Deny', 'Principal': '*', 'Action': ['s3:PutObject'],
                   'Resource': ['arn:aws:s3:::%s/*' % rig.bucket]}).encode()
    with rig.case('a bucket turns read-only, and back') as c, Between(rig, c) as proxy:
        proxy.hold_after(3)
        child = c.start()
        held(proxy, child, c)
        rig.s3.call('PUT', '/' + rig.bucket, {'policy': ''}, deny)
        try:
            proxy.release()
            c.ended(child, '403 AccessDenied.*s3:PutObject', 1)
            c.record()
            c.ship(1, '403 AccessDenied.*s3:PutObject')
        finally:
            rig.s3.call('DELETE', '/' + rig.bucket, {'policy': ''})
        c.end()


def frozen(case):
    """Names of what is frozen and not stored: [(pack, manifest)]."""
    names = []
    try:
        d = sqlite3.connect('file:%s?mode=ro' % (case.db + '.ship.db'), uri=True, timeout=60)
        for (line,) in d.execute('SELECT line FROM batches WHERE done = 0 ORDER BY id'):
            pack = json.loads(line)['objects'][0]['name']
            names.append((pack, pack.replace('packs/', 'batches/').replace('.cast.gz', '.json')))
        d.close()
    except sqlite3.OperationalError:
        pass  # not made yet
    return names


def case_taken(rig):
    """412 on a first attempt: frozen while the server fails, then somebody lays objects of those names."""
    with rig.case('412 on a first attempt') as c:
        c.fault('slowdown', 100)
        child = c.start()
        pack, manifest = shiprig.wait_for('a frozen batch', lambda: frozen(c))[0]
        shiprig.stop(child)
        c.fault('none')
        for name in pack, manifest:
            rig.behind.put(rig.bucket, '%s/%s' % (c.prefix, name), b'not yours')
        c.ship(0, r'ALARM: packs/.*taken before our first attempt(?s:.*)ALARM: batches/.*taken before our first')
        c.check_status(ill=['alarms'])
        c.end(findings=1, verdicts='^unsigned ', foreign=2)


def lay_over(rig, case, folder):
    """Other bytes over every object there that is so far, past the proxy; how many."""
    names = {k for k, _, _ in rig.s3.versions(rig.bucket, '%s/%s' % (case.prefix, folder))}
    for name in names:
        rig.s3.put(rig.bucket, name, b'laid over')
    return len(names)


def case_over_later(rig):
    with rig.case('somebody lays objects over confirmed ones') as c:
        c.ship()
        laid = lay_over(rig, c, 'packs/') + lay_over(rig, c, 'batches/')
        c.record(times=2)
        c.end(findings=1, verdicts='^versions ', foreign=laid)


def case_over_unconfirmed(rig):
    with rig.case('somebody lays objects over ones whose answer was lost') as c:
        c.ship()
        before = rig.writes()
        c.record(60000, times=4)
        c.fault('lost', 100)
        child = c.start()
        shiprig.wait_for('some writes', lambda: rig.writes() > before + 2)
        shiprig.stop(child)
        laid = lay_over(rig, c, 'packs/') + lay_over(rig, c, 'batches/')
        c.end(findings=1, verdicts='^versions |^unsigned ', foreign=laid)


def case_outage_begins(rig):
    """Three hosts that find no server, side by side, since each tries for a while: an answer of 503 to everything,
    nobody who listens, and no name.  Meanwhile the other cases are run."""
    stack = rig.outage = contextlib.ExitStack()
    names = '100 % outage: 503', '100 % outage: nobody listens', '100 % outage: DNS gone'
    words = '503 SlowDown', '[Cc]onnect', '[Rr]esolve'
    cases = [stack.enter_context(rig.case(n)) for n in names]
    proxy = stack.enter_context(Between(rig, cases[0]))
    proxy.refuses = 503, 'SlowDown'
    s = stack.enter_context(socket.socket())
    s.bind(('127.0.0.1', 0))  # and never listens
    rig.write_conf(cases[1].conf, 'http://127.0.0.1:%d' % s.getsockname()[1])
    cases[2].more = {'RES_OPTIONS': 'timeout:1 attempts:1'}
    rig.write_conf(cases[2].conf, 'http://s3.ttytrail-test.invalid:%d' % rig.port)
    rig.out = [(c, w, c.start()) for c, w in zip(cases, words)]
    for _, _, child in rig.out:
        stack.callback(shiprig.stop, child)


def case_outage_ends(rig):
    """All of it was kept, and arrives when the server is back."""
    with rig.outage:
        for c, words, child in rig.out:
            c.ended(child, words, 1)
            left = shiprig.backlog(c)
            if left['frozen'] + left['segments'] == 0:
                raise shiprig.Failed('nothing waits')
            rig.write_conf(c.conf)
            print('- after ' + c.name)
            c.end()


CASES = [case_outage_begins, case_expiring, case_clock_ahead, case_clock_behind, case_read_only, case_taken, case_over_later,
         case_over_unconfirmed, case_outage_ends]

if __name__ == '__main__':
    sys.exit(shiprig.main('ship_faults_store', CASES, [a for a in sys.argv[1:] if a != '--soak']))
