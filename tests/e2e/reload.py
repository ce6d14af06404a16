#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What of [redact] a recorder is told when its session opens, and that a mistake in it locks nobody out: the
writer names file and line and keeps the last good policy.  Speaks docs/FORMAT.md, "Messages"."""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from outer import check, equal, main, run, until

BIN = os.path.dirname(sys.argv[1])
DIR = tempfile.mkdtemp(prefix='ttyreload-')
CONF, LOG, SOCK = DIR + '/c.conf', DIR + '/log', DIR + '/w'
OPEN, OPENED = 1, 32
GOOD = '[redact]\nblind_commands = redact\nmask_output = keep\ntypeahead_hold_s = 7\ntokens = off\nmax_no_echo = 9\n' \
       'prompt_patterns = losung:\nprompt_patterns = (pin|puk) [0-9]\n'
TOLD = {'blind': '1', 'mask_hide': '0', 'typeahead_hold_s': '7', 'tokens': '0', 'max_no_echo': '9',
        'prompt_patterns': 'losung:|(pin|puk) [0-9]'}
BUILT_IN = {'blind': '0', 'mask_hide': '1', 'typeahead_hold_s': '2', 'tokens': '1', 'max_no_echo': '512',
            'prompt_patterns': ''}
BAD = '[redact]\ntokens = on\nprompt_patterns = pin (\n'


def configure(text):
    with open(CONF, 'w', encoding='utf-8') as f:
        f.write(text)


def log():
    with open(LOG, encoding='utf-8') as f:
        return f.read()


def start():
    with open(LOG, 'w', encoding='utf-8') as f:
        return subprocess.Popen([BIN + '/ttytraild', '--db', DIR + '/e.db', '--socket', SOCK, '--config', CONF],
                                stderr=f)


def receive(s, n):
    got = b''
    while len(got) < n:
        more = s.recv(n - len(got))
        check(more, 'the writer hangs up')
        got += more
    return got


def policy():
    """The facts that a recorder gets."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(SOCK)
        body = struct.pack('>I', 1)
        s.sendall(struct.pack('>IBBH', len(body), OPEN, 0, 0) + body)
        length, kind, _, _ = struct.unpack('>IBBH', receive(s, 8))
        body = receive(s, length)
        equal(kind, OPENED, 'the answer')
    facts, at = {}, 24
    while at < len(body):
        name = body[at + 1:at + 1 + body[at]].decode()
        at += 1 + len(name)
        (size,) = struct.unpack_from('>I', body, at)
        facts[name] = body[at + 4:at + 4 + size].decode()
        at += 4 + size
    return {name: facts.get(name) for name in TOLD}


def test_the_policy_reaches_recorders_and_outlives_mistakes():
    configure('')
    writer = start()
    try:
        until(lambda: os.path.exists(SOCK + '.control'), 'the sockets')
        equal(policy(), BUILT_IN, 'without settings')
        for text, said, told in ((GOOD, 'reloaded', TOLD), (BAD, 'c.conf:3: prompt_patterns: no regular', TOLD),
                                 ('[redact]\nmax_no_echo = -1\n', 'c.conf:2: max_no_echo must be', TOLD),
                                 ('[redact]\n', 'reloaded', BUILT_IN)):
            configure(text)
            before = len(log())
            writer.send_signal(signal.SIGHUP)
            until(lambda: said in log()[before:], 'the log says ' + said)
            equal(policy(), told, 'after %r' % text)
    finally:
        writer.terminate()
        equal(writer.wait(20), 0, 'the writer ends in order')


def test_a_mistake_locks_nobody_out():
    """Without a policy that was published before, the built-in one counts."""
    configure(BAD)
    os.unlink(DIR + '/policy')
    writer = start()
    try:
        until(lambda: os.path.exists(DIR + '/policy'), 'the policy')
        check('c.conf:3: prompt_patterns: no regular expression' in log(), log())
        equal(policy(), BUILT_IN, 'with a mistake')
    finally:
        writer.terminate()
        equal(writer.wait(20), 0, 'the writer ends in order')
    # A file that was asked for by name; nobody is locked out by the default one.
    _, err, status = run([sys.argv[1], 'record', '--config', CONF, '--db', DIR + '/own.db', '--', 'true'])
    equal(status, 125, 'status of record')
    check(b'c.conf:3: prompt_patterns: no regular expression' in err, err)
    os.makedirs(DIR + '/config/ttytrail')
    shutil.copy(CONF, DIR + '/config/ttytrail/ttytrail.conf')
    if os.path.exists('/etc/ttytrail/ttytrail.conf'):
        print('*** NOT TESTED: a user\'s own settings: /etc/ttytrail/ttytrail.conf goes first')
        return
    out, err, status = run([sys.argv[1], 'record', '--quiet', '--db', DIR + '/own.db', '--', 'echo', 'ran'],
                           env=dict(os.environ, XDG_CONFIG_HOME=DIR + '/config'))
    equal((out, status), (b'ran\n', 0), 'with a mistake in the default file')


try:
    main([test_the_policy_reaches_recorders_and_outlives_mistakes, test_a_mistake_locks_nobody_out])
finally:
    shutil.rmtree(DIR, ignore_errors=True)
