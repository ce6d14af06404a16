# SPDX-License-Identifier: Apache-2.0
"""Attacks on what is kept, and on who may say what: tampering and forging."""
import glob
import hashlib
import time

from attackrow import row
from installedrig import DB, LIB

KEPT = '''
import glob
base = '/var/lib/ttytrail'
files = [base + '/evidence/evidence.db' + s for s in ('', '-wal', '-shm')] + [base + '/ship/ship.db',
         base + '/ship/host.key', base + '/ring/x', base + '/index/x', '/run/ttytrail/policy']
'''

READ = KEPT + '''
for path in files:
    attempt('read ' + path, lambda: open(path, 'rb').read(1))
for path in (base, base + '/evidence', base + '/ship', base + '/ring', base + '/index'):
    attempt('list ' + path, lambda: os.listdir(path))
'''

CHANGE = KEPT + '''
for path in files:
    attempt('write ' + path, lambda: open(path, 'r+b').write(b'x'))
    attempt('truncate ' + path, lambda: os.truncate(path, 0))
    attempt('remove ' + path, lambda: os.unlink(path))
    attempt('rename ' + path, lambda: os.rename(path, path + '.old'))
    attempt('chmod ' + path, lambda: os.chmod(path, 0o666))
    attempt('touch ' + path, lambda: os.utime(path))
'''

PLANT = KEPT + '''
for place in (base, base + '/evidence', base + '/ship', base + '/ring', base + '/index', '/run/ttytrail', '/run',
              '/etc/ttytrail', '/etc/ttytrail/conf.d', '/usr/bin', '/usr/libexec/ttytrail'):
    attempt('file in ' + place, lambda: open(place + '/planted', 'w').close())
    attempt('link in ' + place, lambda: os.symlink('/home/mallory/x', place + '/planted'))
attempt('settings', lambda: open('/etc/ttytrail/ttytrail.conf', 'a').close())
attempt('settings removed', lambda: os.unlink('/etc/ttytrail/ttytrail.conf'))
attempt('program', lambda: open('/usr/bin/ttytrail-shell', 'r+b'))
'''

SOCKETS = '''
for name in ('writer.sock', 'control.sock', 'facts.sock', 'policy'):
    path = '/run/ttytrail/' + name
    attempt('remove ' + name, lambda: os.unlink(path))
    attempt('rename ' + name, lambda: os.rename(path, '/run/ttytrail/old'))
    attempt('chmod ' + name, lambda: os.chmod(path, 0o777))
def bind():
    s = socket.socket(socket.AF_UNIX); s.bind('/run/ttytrail/writer2.sock')
attempt('a socket of ours', bind)
attempt('the directory', lambda: os.rename('/run/ttytrail', '/run/other'))
attempt('connect to the writer', lambda: connect(WRITER))
attempt('connect to facts', lambda: connect('/run/ttytrail/facts.sock'))
'''

COMMANDS = '''
for argv in (['list', '--json'], ['export', '-f', 'cast', 'last'], ['play', 'last'], ['verify'], ['prune', '--yes']):
    def read():
        out, status = run(['/usr/bin/ttytrail', argv[0], '--db', '/var/lib/ttytrail/evidence/evidence.db'] + argv[1:])
        return status == 0 and 'denied' not in out
    attempt('ttytrail ' + argv[0], read)
'''

CONTROL = '''
sid = bytes(16)
asks = {'SHIPPED': frame(64, sid + struct.pack('>I', 9)), 'SEAL_NOW': frame(65), 'EPOCH': frame(66, b'mine'),
        'IMPORT': frame(67, struct.pack('>I', 1) + facts(kind='tty', user='alice', uid=64202, started_us=1, import_='x')),
        'NOTE': frame(68, sid + b'hello'), 'PRUNE': frame(69, sid + struct.pack('>II', 9, 9)),
        'GIVE_BACK': frame(70, struct.pack('>I', 1000)),
        'IMPORT_SESSION': frame(71, struct.pack('>I', 0)), 'IMPORT_SEGMENT': frame(72, sid + bytes(12))}
for name, ask in asks.items():
    attempt(name, lambda: answer(CONTROL, ask) == 96)
for name, ask in (('OPEN', frame(OPEN, struct.pack('>I', 1) + facts(kind='tty'))), ('EVENT', event(1, 1, b'x')),
                  ('RESUME', frame(RESUME, struct.pack('>I', 1) + sid)), ('BYE', frame(BYE))):
    attempt(name + ' by the socket for commands', lambda: answer(CONTROL, ask) not in (REFUSED, None))
'''

CONTROL_GROUPED = CONTROL.replace('answer(CONTROL', 'answer(WRITER').split("for name, ask in (('OPEN'")[0]

ANY_TYPE = '''
for kind in list(range(2, 256)) + [0]:
    for body in (b'', bytes(20)):
        attempt('message %d' % kind, lambda: answer(WRITER, frame(kind, body)) not in (REFUSED, None))
'''

FORGED_FACTS = '''
def mine(**pairs):
    with connect() as s:
        sid = opened(s, **pairs)
        if sid is None:
            return False
        s.sendall(event(1, 1, b'forged ' + mark('forged').encode()) + frame(BYE))
        receive(s)
        say('opened')
for pairs in ({'kind': 'host'}, {'kind': 'import'}, {'kind': 'log'}, {'flags': 'imported'}, {'flags': 'ring'},
              {'flags': 'commit-batch imported'}, {'flags': 'pruned'}):
    attempt('opened with %r' % pairs, lambda: opened(connect(), **pairs) is not None and None)
mine(user='alice', uid=64202, host='other', pid=1, pid_began=1, boot_id='0' * 32, tty='/dev/pts/0')
mine(user='root', uid=0, started_us=1, exit='exit 0', conn__source='witness', **{'conn__uid': '0'})
say('done')
'''

CASES = '''
import random
random.seed(%d)
V = struct.pack('>I', 1)
def sane():
    return frame(OPEN, V + facts(kind='stream', user='mallory', way_in='command'))
def raw(key, value, klen=None, vlen=None):
    return bytes([len(key) if klen is None else klen]) + key + struct.pack('>I', len(value) if vlen is None else vlen) + value
heads = [frame(OPEN, b'', length=n) for n in (0, 1, 3, 65552, 65553, 1 << 24, 0x7fffffff, 0xffffffff)]
heads += [frame(OPEN, V, reserved=n) for n in (1, 255, 65535)] + [b'', b'\\0', bytes(7), bytes(8), b'GET / HTTP/1.0\\r\\n\\r\\n']
heads += [frame(OPEN, struct.pack('>I', v)) for v in (0, 2, 3, 0xffffffff)] + [frame(OPEN, b'\\0\\0')]
lists = [raw(b'', b'x'), raw(b'kind', b'tty', klen=0), raw(b'kind', b'tty', klen=64), raw(b'kind', b'tty', klen=255),
         raw(b'kind', b'tty', vlen=4), raw(b'kind', b'tty', vlen=0xffffffff), raw(b'KIND', b'tty'), raw(b'k\\0', b'tty'),
         raw(b'kind', b'tty') * 2, raw(b'kind', b'tty') + b'\\4kin', raw(b'k' * 64, b''), raw(b'k' * 65, b''),
         b''.join(raw(b'k%%d' %% i, b'') for i in range(300)), raw(b'kind', b'\\xff\\xfe'), raw(b'kind', b'tty') + raw(b'cols', b'-1'),
         raw(b'kind', b'tty') + raw(b'cols', b'99999999999999999999') + raw(b'rows', b'1e9'),
         raw(b'kind', b'tty') + raw(b'command', b'[' * 20000), raw(b'kind', b'tty') + raw(b'title', b'\\x1b]0;x\\7' * 5000),
         raw(b'kind', b'tty') + raw(b'user', b'a\\nb\\0c') + raw(b'tty', b'\\x1b[31m'), raw(b'kind', b'tty') + raw(b'title', b'x' * 61000)]
heads += [frame(OPEN, V + x) for x in lists]
heads += [frame(RESUME, V + x) for x in (b'', bytes(15), bytes(16), bytes(17), os.urandom(16))]
Q = struct.pack
tails = [event(0, 1, b'x'), event(2, 1, b'x'), event(1 << 63, 1, b'x'), event((1 << 64) - 1, 1, b'x'), event(1, 1 << 53, b'x'),
         event(1, (1 << 53) + 1, b'x'), event(1, (1 << 64) - 1, b'x'), event(1, 1, b'x' * 65536), event(1, 1, b'x' * 65537),
         frame(EVENT, bytes(15), 111), frame(EVENT, b'', 111), event(1, 5, b'x') + event(2, 1, b'y'),
         event(1, 5, b'x') + event(1, 5, b'x'), frame(PENDING), frame(PENDING, bytes(7)), frame(PENDING, b'\\xff' * 8),
         frame(PENDING, Q('>Q', 1 << 60)), frame(PENDING, Q('>Q', 0)) + event(1, 5, b'x') + frame(BYE), frame(BYE, b'x'),
         frame(BYE) + frame(BYE), frame(BYE) + event(1, 1, b'x'), frame(PONG, b'x'), frame(PONG) * 5000, frame(OPEN, V),
         event(1, 1, b'99999999x99999999', 'r'), event(1, 1, b'x', 'r'), event(1, 1, b'', 'r'), event(1, 1, b'80x24\\0', 'r'),
         event(1, 1, b'clock 99999999999999999999', 'm'), event(1, 1, b'a\\nb\\0c', 'm'), event(1, 1, b'\\xff' * 65536, 'm'),
         event(1, 1, b'exit 99999999999', 'x'), event(1, 1, b'x' * 65536, 'x'), event(1, 1, b'', 'x'), event(1, 1, b'cut', 'x'),
         event(1, 1, b'\\xf0\\x9f', 'o') + event(2, 2, b'\\x98', 'o'), event(1, 1, b'\\x80' * 65536, 'o'), event(1, 1, b'', 'o'),
         event(1, 1, b'token', 'm') * 3, event(1, 1, b'x', 'b'), event(1, 1, b'x', '\\0'), event(1, 1, b'x', '\\xff')]
def throw(data):
    try:
        with connect() as s:
            s.settimeout(2)
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            while receive(s)[0] not in (None, REFUSED):
                pass
    except OSError:
        pass
n = 0
for data in heads + [sane() + t for t in tails]:
    throw(data)
    n += 1
for _ in range(%d):
    data = bytearray(sane() + random.choice(tails) + random.choice(tails))
    for _ in range(random.randint(1, 6)):
        data[random.randrange(len(data))] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))
    throw(bytes(data[:random.randint(1, len(data))]))
    n += 1
say('done %%d' %% n)
'''

HALF_OPEN = '''
held = []
try:
    for _ in range(2000):
        s = connect(%s, 5)
        s.send(b'\\0\\0')
        held.append(s)
except OSError as e:
    say('stopped %%s' %% e)
say('held %%d' %% len(held))
say('done')
sys.stdin.close(); time.sleep(%d)
'''

MANY_SESSIONS = '''
held, ids = [], []
for _ in range(600):
    try:
        s = connect(WRITER, 5)
        ids.append(opened(s, kind='tty'))
        held.append(s)
    except OSError as e:
        break
say('opened %d' % len([i for i in ids if i]))
say('done')
'''

FLOOD = '''
with connect() as s:
    sid = opened(s)
    end, seq, data = time.monotonic() + 6, 0, b'y' * 65536
    s.settimeout(1)
    while sid and time.monotonic() < end and seq < 1600:
        seq += 1
        try:
            s.sendall(event(seq, seq, data))
            s.setblocking(False)
            try:
                s.recv(65536)
            except BlockingIOError:
                pass
            s.settimeout(1)
        except OSError:
            break
say('done')
'''

OTHERS = '''
sid = bytes.fromhex(%r)
def go_on():
    with connect() as s:
        s.sendall(frame(RESUME, struct.pack('>I', 1) + sid))
        kind, body = receive(s)
        if kind != RESUMED:
            return False
attempt("go on with alice's session", go_on)
attempt('say that it is shipped', lambda: answer(WRITER, frame(64, sid + struct.pack('>I', 9))) == 96)
attempt('prune it', lambda: answer(WRITER, frame(69, sid + struct.pack('>II', 9, 9))) == 96)
def mine_twice():
    with connect() as s:
        first = opened(s)
        if first is None:
            return False
        if os.fork() == 0:
            with connect() as t:
                t.sendall(frame(RESUME, struct.pack('>I', 1) + first))
                os._exit(0 if receive(t)[0] == RESUMED else 1)
        return os.waitstatus_to_exitcode(os.wait()[1]) == 0 and None
attempt('another process goes on with a session', mine_twice)
'''


RINGS = '''
boot = open('/proc/sys/kernel/random/boot_id').read().strip().replace('-', '')
def ring(uid, pid, text, mode=0o640, half=0):
    head = b'ttytring' + struct.pack('>IIQQqII', 1, half, half, 1, 1795000000000000, len(FACTS), 0) + FACTS
    fd = os.open('%s/%d-%s-%d-%d-0.%d' % (base, uid, boot, pid, 7, half), os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    os.write(fd, head + event(1, 1, text) + bytes(8))
    os.close(fd)
base, FACTS = '/var/lib/ttytrail/ring', facts(kind='tty', user='alice', uid=64202)
ring(64202, 400001, b'forged as alice')
ring(0, 400002, b'forged as root')
ring(64201, 400003, b'of his own')
name = lambda pid: '%s/64201-%s-%d-7-0.0' % (base, boot, pid)
os.mkfifo(name(400004))
os.symlink('/var/lib/ttytrail/evidence/evidence.db', name(400005))
os.mkdir(name(400006))
os.truncate(os.open(name(400007), os.O_CREAT | os.O_RDWR, 0o640), 1 << 40)
for n in range(500):
    os.close(os.open(name(400010 + n), os.O_CREAT | os.O_RDWR, 0))
attempt('list the rings', lambda: os.listdir(base))
say('done')
'''


def rings(arena):
    """What recorders leave when the writer is away, written by his own hand."""
    arena.python(RINGS, grouped=True)
    arena.host.restart_writer()
    for s in arena.host.sessions():
        if s['id'] not in arena.before and s['kind'] != 'host':
            if s['user'] != 'mallory':
                arena.got.append("a session in another's name")
            elif 'ring' in s['flags']:
                arena.notes.append("his own stands with the flag ring")


def kept(arena, script):
    """Attempts on files, and the files are afterwards what they were."""
    def state():
        return {p: open(p, 'rb').read() for p in glob.glob(LIB + '/ship/*') + glob.glob('/etc/ttytrail/*')}

    before, chain = state(), arena.host.verify()
    arena.python(script)
    if state() != before:
        arena.got.append('files changed')
    if not chain[0] or not arena.host.verify()[0]:
        arena.got.append('verify fails')
    return 'refused'


def resume(arena):
    alice = [s for s in arena.host.sessions('user', 'alice') if s['state'] == 'open'][-1]
    arena.python(OTHERS % alice['id'], grouped=True)
    return 'refused'


def forged(arena):
    arena.python(FORGED_FACTS, grouped=True)
    for s in arena.mine():
        if s['uid'] != 64201 or s['user'] != 'mallory' or set(s['flags']) - {'stalled'}:
            arena.got.append('a session of uid %s, %s, %s' % (s['uid'], s['user'], s['flags']))
    if [s for s in arena.host.sessions() if s['id'] not in arena.before and s['user'] != 'mallory' and
            s['kind'] != 'host']:
        arena.got.append("a session in another's name")
    arena.notes.append("stands as mallory's")


def held(path, grouped):
    """Connections that say half a word, while others log in and root asks."""
    def run(arena):
        text = 'import sys; sys.path.insert(0, "/opt/rig")\nfrom attacktool import *\n' + HALF_OPEN % (path, 120)
        arena.write_home('held.py', text)
        t = arena.terminal()
        t.type(b'%s held.py\r' % (b'/usr/bin/rig-grouped' if grouped else b'/usr/bin/python3'))
        t.expect(b'done', seconds=60)
        out, err, status = arena.host.ssh('alice', 'echo fine')
        if out != b'fine\n':
            arena.got.append('alice cannot log in: %s' % err[:100])
        out, err, status = arena.host.ttytrail('list', '--db', DB)
        if status != 0:
            arena.got.append('root cannot list')
        arena.see(t.shown)
        t.close()
    return run


STORM = '''
end = time.monotonic() + 15
for _ in range(12):
    if os.fork() == 0:
        while time.monotonic() < end:
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(CONTROL)
                s.close()
            except OSError:
                pass
        os._exit(0)
say('done')
time.sleep(15)
'''


def storm(arena):
    """Connections to the socket that all may open, while another types."""
    text = 'import sys; sys.path.insert(0, "/opt/rig")\nfrom attacktool import *\n' + STORM
    arena.write_home('storm.py', text)
    t = arena.terminal()
    t.type(b'python3 storm.py\r')
    t.expect(b'done', seconds=60)
    worst, end = 0.0, time.monotonic() + 10
    while time.monotonic() < end:
        worst = max(worst, arena.alice_lives())
    arena.notes.append("alice's echo within %.2f s" % worst)
    if worst > 3:
        arena.got.append('alice waited %.1f s' % worst)
    arena.see(t.shown)
    t.close()


def own_recording(arena):
    """What he wrote a moment ago, looked for with everything he has."""
    first = arena.command('echo RIG''ownGIR')[0]
    sums = {s['id']: hashlib.sha256(arena.host.output(s)).hexdigest() for s in arena.mine()}
    arena.python(CHANGE)
    if any(hashlib.sha256(arena.host.output(s)).hexdigest() != sums.get(s['id'], 0) for s in arena.mine()
           if s['id'] in sums) or not first:
        arena.got.append('his recording changed')
    return 'refused'


ROWS = [
    row('tampering', 'read the evidence', 'reads database, -wal, -shm, shipping state, key, ring, policy', 'recorded',
        lambda a: kept(a, READ), quick=True),
    row('tampering', 'change the evidence', 'writes, truncates, removes, renames them', 'recorded', lambda a: kept(a, CHANGE),
        quick=True),
    row('tampering', 'plant files and links', 'in each directory that a part of ttytrail opens files in', 'recorded',
        lambda a: kept(a, PLANT), quick=True),
    row('tampering', 'replace the sockets', 'removes, renames, binds his own, connects without the group', 'recorded',
        SOCKETS, quick=True),
    row('tampering', 'his own recording', 'what he was recorded doing a moment ago', 'recorded', own_recording),
    row('tampering', 'the command ttytrail', 'list, export, play, verify, prune with the installed --db', 'recorded',
        COMMANDS),
    row('forging', 'verbs of the control socket', 'SHIPPED, SEAL_NOW, EPOCH, IMPORT..., and recorders\' messages', 'recorded',
        CONTROL, quick=True),
    row('forging', 'the same, with the group', 'a recorder that was taken over asks them of the writer\'s socket', 'recorded',
        CONTROL_GROUPED, grouped=True),
    row('forging', 'every message out of turn', 'all 256 types first on a connection, WITNESS among them', 'recorded', ANY_TYPE,
        grouped=True),
    row('forging', "another's session", "RESUME of alice's id, and of his own from another process", 'recorded', resume,
        quick=True),
    row('forging', 'facts of others', 'opens sessions as root, alice, the host, imported, witnessed', 'recorded', forged,
        quick=True),
    row('forging', 'rings', "files in the ring as alice's and root's, a FIFO, a link, a folder, 1 TiB", 'recorded', rings),
    row('forging', 'malformed frames', 'each field wrong, from a recorder that was taken over', 'recorded', CASES % (1, 60),
        quick=True, grouped=True),
    row('forging', 'random frames', '2,000 messages with random bytes in them', 'recorded', CASES % (2, 2000), grouped=True),
    row('flooding', 'half-open connections', '2,000 to the writer, from a recorder that was taken over', 'recorded',
        held('WRITER', True)),
    row('flooding', 'half-open commands', '2,000 connections to the control socket', 'recorded', held('CONTROL', False)),
    row('flooding', 'connections without end', '12 processes open and close the control socket', 'recorded', storm),
    row('flooding', 'many open sessions', '600 sessions of one process, left behind', 'recorded', MANY_SESSIONS, grouped=True),
    row('flooding', 'events as fast as they go', '100 MiB of the largest frames', 'recorded', FLOOD, grouped=True),
]
