#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""policy.py: print-policy, packaging/terraform and packaging/cloudformation say the same, statement by statement,
and what they say is what is meant."""
import glob
import json
import os
import re
import shutil
import string
import subprocess
import sys
import tempfile

import cfn
import hcl
import iam

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
BIN = os.environ.get('TTYTRAIL_BIN', os.path.join(ROOT, 'build/dev/bin'))
PACKAGING = os.path.join(ROOT, 'packaging')
NAMES = {'partition': 'aws', 'account': '111122223333', 'region': 'eu-central-1', 'bucket': 'audit-1',
         'prefix': 'prod/eu', 'vpce': 'vpce-0a1b2c3d', 'trail_bucket': 'trail-1', 'trail_prefix': 'ct',
         'host_role': 'ttytrail-host', 'correlator_role': 'ttytrail-correlator', 'kms_key_id': '9f-1'}
KMS = 'arn:aws:kms:eu-central-1:111122223333:key/9f-1'
IAM_POLICIES = ('host', 'reader', 'correlator')
failures = []


def check(what, ok, detail=''):
    if not ok:
        failures.append(what)
        print('FAILED: %s %s' % (what, detail))


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def run(*args):
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as empty:
        return subprocess.run([os.path.join(BIN, 'ttytrail'), 'print-policy', '--config', empty.name, *args],
                              capture_output=True, text=True, check=False)


def names_as_options(kms):
    n = NAMES
    return ['--bucket', n['bucket'], '--prefix', n['prefix'], '--vpce', n['vpce'], '--account', n['account'],
            '--region', n['region'], '--trail', 's3://%s/%s' % (n['trail_bucket'], n['trail_prefix']),
            *(['--kms-key', KMS] if kms else [])]


def printed(what, *options, kms=False):
    p = run(what, *names_as_options(kms), *options)
    assert p.returncode == 0, p.stderr
    return json.loads(p.stdout)


def by_sid(policy):
    found = {s['Sid']: s for s in policy['Statement']}
    check('every statement has a Sid of its own', len(found) == len(policy['Statement']))
    check('Version', policy['Version'] == '2012-10-17')
    return found


def same(what, ours, theirs):
    a, b = by_sid(ours), by_sid(theirs)
    check('%s: the same statements' % what, a.keys() == b.keys(), sorted(a.keys() ^ b.keys()))
    for sid in a.keys() & b.keys():
        check('%s: %s' % (what, sid), a[sid] == b[sid], '\n  %s\n  %s' % (a[sid], b[sid]))


# ---- Terraform ----

class Filled(string.Template):
    """templatefile() with nothing but variables: "$${" is a dollar and a brace."""
    pattern = r'(?P<escaped>\$)\$(?=\{)|\$\{(?P<braced>[a-z_]+)\}|(?P<named>(?!))|(?P<invalid>[$%]\{)'


def templates():
    with tempfile.TemporaryDirectory() as fresh:
        subprocess.run([os.path.join(ROOT, 'scripts/policies'), fresh], check=True, env=dict(os.environ, TTYTRAIL_BIN=BIN))
        for made in sorted(glob.glob(fresh + '/*/*')):
            kept = os.path.join(PACKAGING, os.path.relpath(made, fresh))
            check('%s is what scripts/policies writes' % os.path.relpath(kept, ROOT),
                  os.path.exists(kept) and read(kept) == read(made))
        made = {os.path.basename(f) for f in glob.glob(fresh + '/policies/*')}
    kept = {os.path.basename(f) for f in glob.glob(PACKAGING + '/policies/*')}
    check('no template is left over', made == kept, made ^ kept)


def terraform_blocks():
    blocks = {}
    for path in sorted(glob.glob(PACKAGING + '/terraform/*.tf')):
        for b in hcl.parse(read(path)).blocks:
            key = (b.kind, *b.labels)
            check('%s stands once' % ' '.join(key), key == ('locals',) or key not in blocks)
            blocks[key] = b
    return blocks


def references(blocks):
    text = ''.join(read(p) for p in glob.glob(PACKAGING + '/terraform/*.tf'))
    for name in set(re.findall(r'\bvar\.(\w+)', text)):
        check('variable %s is declared' % name, ('variable', name) in blocks)
    for kind, name in set(re.findall(r'(?<![\w.])(aws_\w+)\.(\w+)(?=[.\[\]\s])', text)):
        check('%s.%s is declared' % (kind, name), ('resource', kind, name) in blocks or
              'data.%s.%s' % (kind, name) in text and ('data', kind, name) in blocks)
    for key in blocks:
        if key[0] == 'variable':
            check('variable %s is used' % key[1], re.search(r'\bvar\.%s\b' % key[1], text))


def terraform_policy(blocks, kind, name, kms):
    expression = blocks['resource', kind, name].attributes['policy']
    m = re.fullmatch(r'templatefile\("\$\{local\.policies\}/([^"]+)", local\.names\)', expression)
    check('%s.%s takes a template' % (kind, name), m is not None, expression)
    path = m.group(1).replace('${local.kms}', '-kms' if kms else '')
    return json.loads(Filled(read(os.path.join(PACKAGING, 'policies', path))).substitute(NAMES))


def value(blocks, expression):
    m = re.fullmatch(r'var\.(\w+)', expression)
    if m:
        expression = blocks['variable', m.group(1)].attributes['default']
    return json.loads(expression)


def terraform_settings(blocks):
    lock = blocks['resource', 'aws_s3_bucket_object_lock_configuration', 'recordings'].one('rule').one('default_retention')
    ours = printed('object-lock')['Rule']['DefaultRetention']
    check('terraform: Object Lock', ours == {'Mode': value(blocks, lock.attributes['mode']),
                                             'Days': value(blocks, lock.attributes['days'])})
    check('terraform: Object Lock is on',
          blocks['resource', 'aws_s3_bucket', 'recordings'].attributes['object_lock_enabled'] == 'true')
    for bucket in ('recordings', 'trail'):
        rule = blocks['resource', 'aws_s3_bucket_ownership_controls', bucket].one('rule')
        check('terraform: ownership', value(blocks, rule.attributes['object_ownership']) ==
              printed('ownership')['Rules'][0]['ObjectOwnership'])
        block = blocks['resource', 'aws_s3_bucket_public_access_block', bucket]
        for k, v in printed('public-access').items():
            check('terraform: ' + k, value(blocks, block.attributes[re.sub(r'(?<!^)(?=[A-Z])', '_', k).lower()]) == v)
        status = blocks['resource', 'aws_s3_bucket_versioning', bucket].one('versioning_configuration')
        check('terraform: versions', status.attributes['status'] == '"Enabled"')
    trail = blocks['resource', 'aws_cloudtrail', 'trail'].attributes
    check('terraform: the trail', trail['enable_log_file_validation'] == 'true' and
          trail['is_multi_region_trail'] == 'true' and trail['name'] == '"ttytrail"')
    endpoint = blocks['resource', 'aws_vpc_endpoint', 's3'].attributes
    check('terraform: the endpoint', endpoint['vpc_endpoint_type'] == '"Gateway"' and
          endpoint['route_table_ids'] == 'var.route_table_ids')
    for key in (('aws_ec2_instance_connect_endpoint', 'here'), ('aws_ssm_document', 'session'),
                ('aws_iam_instance_profile', 'host')):
        check('terraform: ' + key[0], ('resource', *key) in blocks)


def terraform_lifecycle(blocks):
    """Every rule that print-policy has with --expire-days, with the same prefix and members."""
    b = blocks['resource', 'aws_s3_bucket_lifecycle_configuration', 'recordings']
    rules = [r for r in b.blocks if r.kind == 'rule'] + [r.one('content') for r in b.blocks if r.kind == 'dynamic']
    theirs = {}
    for r in rules:
        inside = {x.labels[0] if x.kind == 'dynamic' else x.kind for x in r.blocks} - {'filter'}
        theirs[json.loads(r.attributes['id'])] = (json.loads(r.one('filter').attributes['prefix']), inside)
    members = {'Transitions': 'transition', 'Expiration': 'expiration',
               'NoncurrentVersionExpiration': 'noncurrent_version_expiration',
               'AbortIncompleteMultipartUpload': 'abort_incomplete_multipart_upload'}
    ours = {r['ID']: (r['Filter']['Prefix'].replace(NAMES['prefix'], '${var.prefix}'),
                      {members[k] for k in r if k in members})
            for r in printed('lifecycle', '--expire-days', '400')['Rules']}
    check('terraform: lifecycle', ours == theirs, '\n  %s\n  %s' % (ours, theirs))
    days = printed('lifecycle')['Rules'][0]['Transitions'][0]['Days']
    check('terraform: cold_days', value(blocks, 'var.cold_days') == days)


def terraform():
    templates()
    blocks = terraform_blocks()
    references(blocks)
    for kms in (False, True):
        for role in IAM_POLICIES:
            same('terraform %s' % role, printed(role, kms=kms), terraform_policy(blocks, 'aws_iam_role_policy', role, kms))
    for what, kind, name in (('session-manager', 'aws_iam_policy', 'session_manager'),
                             ('bucket', 'aws_s3_bucket_policy', 'recordings'),
                             ('trail-bucket', 'aws_s3_bucket_policy', 'trail'),
                             ('endpoint', 'aws_vpc_endpoint_policy', 's3')):
        same('terraform %s' % what, printed(what), terraform_policy(blocks, kind, name, False))
    terraform_settings(blocks)
    terraform_lifecycle(blocks)


# ---- CloudFormation ----

def cloudformation_names(kms):
    n = NAMES
    return {'AWS::Partition': n['partition'], 'AWS::AccountId': n['account'], 'AWS::Region': n['region'],
            'BucketName': n['bucket'], 'Prefix': n['prefix'], 'TrailBucketName': n['trail_bucket'],
            'TrailPrefix': n['trail_prefix'], 'Endpoint': n['vpce'], 'KmsKeyId': n['kms_key_id'] if kms else '',
            'VpcId': 'vpc-1', 'RouteTableIds': ['rtb-1'], 'ReaderPrincipals': ['r'], 'CorrelatorPrincipals': ['c'],
            'Recordings': n['bucket'], 'TrailBucket': n['trail_bucket'], 'HostRole': 'ttytrail-host',
            'InstanceConnectGroup': 'sg-1'}


def cloudformation():
    text = read(PACKAGING + '/cloudformation/ttytrail.yaml')
    for kms in (False, True):
        t = cfn.Template(text, cloudformation_names(kms))
        for role in IAM_POLICIES:
            theirs = t.properties(role.capitalize() + 'Role')
            check('cloudformation: name of role', theirs['RoleName'] == 'ttytrail-' + role)
            same('cloudformation %s' % role, printed(role, kms=kms), theirs['Policies'][0]['PolicyDocument'])
    for what, name in (('bucket', 'RecordingsPolicy'), ('trail-bucket', 'TrailBucketPolicy'), ('endpoint', 'Endpoint'),
                       ('session-manager', 'SessionManagerPolicy')):
        same('cloudformation %s' % what, printed(what), t.properties(name)['PolicyDocument'])
    for name in t.raw['Resources']:
        t.properties(name)
    t.fill(t.raw['Outputs'])
    bucket = t.properties('Recordings')
    check('cloudformation: Object Lock', bucket['ObjectLockConfiguration'] == printed('object-lock') and
          bucket['ObjectLockEnabled'] is True)
    rules = [{'ID': r['Id'], 'Status': r['Status'], 'Filter': {'Prefix': r['Prefix']},
              **({'Transitions': [{'Days': x['TransitionInDays'], 'StorageClass': x['StorageClass']}
                                  for x in r['Transitions']]} if 'Transitions' in r else {}),
              **{k: v for k, v in r.items() if k == 'AbortIncompleteMultipartUpload'}}
             for r in bucket['LifecycleConfiguration']['Rules']]
    check('cloudformation: lifecycle', rules == printed('lifecycle')['Rules'], rules)
    for b in t.resources('AWS::S3::Bucket'):
        check('cloudformation: ownership', b['OwnershipControls'] == printed('ownership'))
        check('cloudformation: public access', b['PublicAccessBlockConfiguration'] == printed('public-access'))
        check('cloudformation: versions', b['VersioningConfiguration'] == {'Status': 'Enabled'})
    trail = t.properties('Trail')
    check('cloudformation: the trail', trail['EnableLogFileValidation'] and trail['IsMultiRegionTrail'] and
          trail['TrailName'] == 'ttytrail')
    endpoint = t.properties('Endpoint')
    check('cloudformation: the endpoint', endpoint['VpcEndpointType'] == 'Gateway' and endpoint['RouteTableIds'] == ['rtb-1'])
    document = json.loads(read(PACKAGING + '/ssm/session-document.json'))
    check('cloudformation: the session document', t.properties('SessionDocument')['Content'] == document)
    check('the session document runs the recorder', 'ttytrail-shell' in document['inputs']['shellProfile']['linux'])
    check('cloudformation: Instance Connect Endpoint', t.resources('AWS::EC2::InstanceConnectEndpoint'))


# ---- what they mean ----

def context(role, session, **more):
    account = NAMES['account']
    c = {'aws:userid': session, 'aws:PrincipalAccount': account, 'aws:SecureTransport': 'true',
         'aws:PrincipalArn': 'arn:aws:iam::%s:role/ttytrail-%s' % (account, role), 'aws:SourceVpce': NAMES['vpce'],
         's3:if-none-match': '*'}
    c.update(more)
    return {k: v for k, v in c.items() if v is not None}


def meaning():
    policies = {w: printed(w) for w in (*IAM_POLICIES, 'bucket', 'endpoint')}
    loose = {'Version': '2012-10-17', 'Statement': [{'Sid': 'x', 'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]}
    me, base = 'AROAHOST:i-0abc', 'arn:aws:s3:::audit-1/prod/eu/'
    own = 'packs/dt=2026-11-26/host=%s/000000000001-x.cast.gz' % me
    put, get, delete = 's3:PutObject', 's3:GetObject', 's3:DeleteObject'
    # (wanted, role, action, object below the prefix or an ARN, changes of the request)
    table = [
        (True, 'host', put, own, {}),
        (True, 'host', put, 'batches/dt=2026-11-26/host=%s/1.json' % me, {}),
        (True, 'host', put, 'keys/host=%s/e-1.json' % me, {}),
        (True, 'host', put, 'packs/dt=2026-11-26/host=%s/probe' % me, {}),
        (False, 'host', put, own.replace('i-0abc', 'i-0abd'), {}),
        (False, 'host', put, 'packs/dt=2026-11-26/x/host=%s/y' % me, {}),
        (False, 'host', put, 'packs/dt=2026-11-2/6host=%s/y' % me, {}),
        (False, 'host', put, 'tables/sessions/dt=2026-11-26/x', {}),
        (False, 'host', put, 'other', {}),
        (False, 'host', put, 'arn:aws:s3:::audit-1/elsewhere/' + own, {}),
        (False, 'host', put, 'arn:aws:s3:::audit-2/prod/eu/' + own, {}),
        (False, 'host', get, own, {}), (False, 'host', delete, own, {}),
        (False, 'host', 's3:ListBucket', 'arn:aws:s3:::audit-1', {}),
        (False, 'host', 's3:PutObjectRetention', own, {}),
        (False, 'host', put, own, {'aws:SourceVpce': 'vpce-1'}), (False, 'host', put, own, {'aws:SourceVpce': None}),
        (False, 'host', put, own, {'s3:if-none-match': None}), (False, 'host', put, own, {'aws:SecureTransport': 'false'}),
        (True, 'reader', get, own, {}), (True, 'reader', get, own, {'aws:SourceVpce': None}),
        (True, 'reader', 's3:GetObjectVersion', own, {}),
        (True, 'reader', 's3:ListBucketVersions', 'arn:aws:s3:::audit-1', {'s3:prefix': 'prod/eu/packs/'}),
        (False, 'reader', 's3:ListBucket', 'arn:aws:s3:::audit-1', {'s3:prefix': 'other/'}),
        (False, 'reader', put, own, {}), (False, 'reader', delete, own, {}),
        (True, 'correlator', put, 'tables/sessions/dt=2026-11-26/x', {}),
        (True, 'correlator', put, 'tables/sessions/dt=2026-11-26/x', {'aws:SourceVpce': None, 's3:if-none-match': None}),
        (True, 'correlator', get, 'batches/dt=2026-11-26/host=%s/1.json' % me, {}),
        (True, 'correlator', get, 'arn:aws:s3:::trail-1/ct/AWSLogs/111122223333/CloudTrail-Digest/x', {}),
        (False, 'correlator', get, own, {}), (False, 'correlator', put, own, {}),
        (False, 'correlator', delete, 'tables/sessions/dt=2026-11-26/x', {}),
    ]
    for wanted, role, action, where, changes in table:
        resource = where if where.startswith('arn:') else base + where
        c = context(role, me if role == 'host' else 'AROA:x', **changes)
        for endpoint in (policies['endpoint'], None):
            # Over another road than the endpoint the bucket's policy decides alone.
            if endpoint is None and c.get('aws:SourceVpce') == NAMES['vpce']:
                continue
            if endpoint is not None and c.get('aws:SourceVpce') is None:
                continue
            got = iam.allowed(policies[role], policies['bucket'], endpoint, action, resource, c)
            check('%s %s %s' % (role, action, where), got == wanted, 'allowed: %s %s' % (got, changes))
    # Whatever else is attached to the hosts' role, the bucket refuses; and so others.
    for action, where in ((get, own), (delete, own), (put, own.replace('i-0abc', 'i-0abd')), (put, 'tables/x'),
                          (put, 'other'), ('s3:ListBucket', '')):
        resource = base + where if where else 'arn:aws:s3:::audit-1'
        check('a host with every right: %s %s' % (action, where),
              not iam.allowed(loose, policies['bucket'], policies['endpoint'], action, resource, context('host', me)))
    check('an administrator reads, and deletes what has no lock',
          all(iam.allowed(loose, policies['bucket'], None, a, base + own, context('admin', 'x', **{'aws:SourceVpce': None}))
              for a in (get, delete)))
    check("somebody else's keys write nothing here", not iam.allowed(
        loose, policies['bucket'], policies['endpoint'], put, base + own,
        context('host', me, **{'aws:PrincipalAccount': '444455556666'})))


# ---- the command itself ----

def command():
    everything = json.loads(run('all', *names_as_options(True)).stdout)
    for what in everything:
        p = run(what, *names_as_options(True))
        alone = json.loads(p.stdout) if what != 'nftables' else p.stdout
        check('all has the same ' + what, everything[what] == alone)
        if isinstance(alone, dict) and 'Statement' in alone:
            size = len(json.dumps(alone, separators=(',', ':')))
            check('size of ' + what, re.search(r': %d of at most \d+ characters' % size, p.stderr), p.stderr)
    check('rights come with what needs them',
          'PutObjectTagging' not in run('host', *names_as_options(False)).stdout and
          by_sid(printed('host', '--tagging', '--retention'))['PutOwnRecordings']['Action'] ==
          ['s3:PutObject', 's3:PutObjectTagging', 's3:PutObjectRetention'])
    check('a named host', 'host=web-1/*' in run('host', '--bucket', 'b', '--host', 'web-1').stdout)
    long = sum((['--read-bucket', 'x' * 60 + str(i)] for i in range(16)), [])
    check('too many resources', run('endpoint', '--bucket', 'b', *long).returncode == 1)
    for bad in (['host'], ['nothing', '--bucket', 'b'], ['host', '--bucket', 'b"c'], ['host', '--bucket', 'b', '--host', 'a/b'],
                ['host', '--bucket', 'b', '--kms-key', 'alias/x'], ['lifecycle', '--bucket', 'b', '--expire-days', '1'],
                ['object-lock', '--bucket', 'b', '--lock-mode', 'NONE'], ['host', '--bucket', 'b', '--retain-days', 'x'],
                ['nftables', '--bucket', 'b', '--imds-user', 'a b'], ['trail-bucket', '--bucket', 'b'], []):
        p = run(*bad)
        check('usage: %s' % bad, p.returncode == 2 and not p.stdout and p.stderr, p)


def nftables():
    nft = shutil.which('nft') or '/usr/sbin/nft'
    rules = run('nftables', '--bucket', 'b').stdout.replace(', ttytrail }', ', nobody }')
    check('nftables: three users', 'skuid { root, ttytrail, www }' in run('nftables', '--bucket', 'b', '--imds-user', 'www').stdout)
    if not os.path.exists(nft):
        print('*** NOT TESTED: nft does not read the rules here: it is not installed')
        return
    p = subprocess.run([nft, '-c', '-f', '-'], input=rules, capture_output=True, text=True, check=False)
    if p.returncode != 0 and 'Operation not permitted' in p.stderr:
        print('*** NOT TESTED: the kernel lets nobody check nftables rules here')
        return
    check('nft takes the rules', p.returncode == 0, p.stderr)


def main():
    for part in (command, terraform, cloudformation, meaning, nftables):
        part()
        print('- %s' % part.__name__)
    print('*** NOT TESTED: terraform validate and cfn-lint: Debian has neither; AWS itself was not asked')
    print('policy: %s' % ('%d FAILED' % len(failures) if failures else 'passed'))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
