# SPDX-License-Identifier: Apache-2.0
"""How IAM decides, as far as our policies need it: explicit denials win, then somebody has to allow.  Source: the
IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"."""
import re


def fill(text, context):
    return re.sub(r'\$\{([^}]+)\}', lambda m: context.get(m.group(1), '\0'), text)


def like(pattern, value):
    """'*' and '?' stand for any characters, '/' too."""
    rx = ''.join('.*' if c == '*' else '.' if c == '?' else re.escape(c) for c in pattern)
    return re.fullmatch(rx, value, re.S) is not None


def as_list(v):
    return v if isinstance(v, list) else [v]


def holds(op, key, wanted, context):
    have, wanted = context.get(key), [fill(w, context) for w in as_list(wanted)]
    if op == 'Null':
        return (have is None) == (wanted[0] == 'true')
    if op.endswith('IfExists'):
        return have is None or holds(op[:-len('IfExists')], key, wanted, context)
    if op in ('StringNotEquals', 'ArnNotLike', 'StringNotLike'):
        return have is None or not holds(op.replace('Not', ''), key, wanted, context)
    if have is None:
        return False
    if op in ('StringEquals', 'Bool'):
        return have in wanted
    if op in ('StringLike', 'ArnLike'):
        return any(like(w, have) for w in wanted)
    raise ValueError('operator ' + op)


def matches(s, action, resource, context):
    if not any(like(a.lower(), action.lower()) for a in as_list(s['Action'])):
        return False
    if 'Resource' in s and not any(like(fill(r, context), resource) for r in as_list(s['Resource'])):
        return False
    if 'NotResource' in s and any(like(fill(r, context), resource) for r in as_list(s['NotResource'])):
        return False
    return all(holds(op, k, v, context) for op, keys in s.get('Condition', {}).items() for k, v in keys.items())


def effects(policy, action, resource, context):
    return {s['Effect'] for s in policy['Statement'] if matches(s, action, resource, context)}


def allowed(identity, bucket, endpoint, action, resource, context):
    """endpoint None: the request comes over another road."""
    own, theirs = (effects(p, action, resource, context) for p in (identity, bucket))
    road = {'Allow'} if endpoint is None else effects(endpoint, action, resource, context)
    return 'Deny' not in own | theirs | road and 'Allow' in own | theirs and 'Allow' in road
