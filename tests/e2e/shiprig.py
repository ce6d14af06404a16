# SPDX-License-Identifier: Apache-2.0
"""What the fault tests of the shipper stand on: an S3 server (scripts/radosgw, a bucket with versions and Object
Lock) behind the fault proxy (scripts/s3faults, strict), evidence databases of real sessions, and the judge.

A case works on a copy of one recorded database, below a prefix of its own:

    with rig.case('lost 30') as c:
        c.fault('lost', 30)
        c.ship((0, 1), 'lost')   # exit status one of these; its words when it is 1
        c.end()                  # no fault: ships all, then nothing, and the judge agrees"""
import collections
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import traceback

import s3client
import shipjudge

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get('TTYTRAIL_BIN', os.path.join(ROOT, 'build/dev/bin'))
TTYTRAIL = os.path.join(BIN, 'ttytrail')
DEADLINE_S = 120
PORTS = 61  # of scripts/radosgw
RECORD = '[record]\nstream_kib = 65536\n[store]\nsegment_kib = 8\n'


class Failed(Exception):
    pass


def wait_for(what, truth, deadline_s=DEADLINE_S):
    end = time.monotonic() + deadline_s
    while True:
        found = truth()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed('waited for: ' + what)
        time.sleep(0.02)


def run(*argv, **kw):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors='replace', timeout=kw.pop('timeout', 600), **kw)


def all_free(port):
    for p in range(port, port + PORTS):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', p))
            except OSError:
                return False
    return True


class Rig:
    def __init__(self, name, sessions=16):
        self.name, self.sessions = name, sessions
        self.live, self.cases, self.env = [], 0, {}
        self.tmp = tempfile.mkdtemp(prefix='ttytrail-%s.' % name)
        for n in ('AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'TTYTRAIL_DB',
                  'http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'LD_PRELOAD'):
            os.environ.pop(n, None)
        os.environ.update(HOME=self.tmp, XDG_DATA_HOME=self.path('data'), XDG_CONFIG_HOME=self.path('config'),
                          AWS_EC2_METADATA_DISABLED='true', LC_ALL='C.UTF-8')

    def path(self, *names):
        return os.path.join(self.tmp, *names)

    def __enter__(self):
        try:
            self.start_s3()
            self.start_proxy()
            self.base = self.path('base')
            os.mkdir(self.base)
            self.write_conf(self.path('record.conf'))
            for i in range(self.sessions):
                self.record(os.path.join(self.base, 'e.db'), 300 if i % 2 else 60000)
            wait_for('the last private writer to leave',
                     lambda: not os.path.exists(os.path.join(self.base, 'e.db-wal')))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for l in list(self.live):
            l.kill()
        run(os.path.join(ROOT, 'scripts/s3faults'), 'stop', self.path('proxy'))
        run(os.path.join(ROOT, 'scripts/radosgw'), 'stop', self.path('s3'))
        if os.environ.get('KEEP'):
            print('kept:', self.tmp)
        else:
            shutil.rmtree(self.tmp, ignore_errors=True)

    # ---- servers ----

    def start_s3(self):
        """Its ports have to be known before it binds them: below those that the kernel gives to anybody who binds
        0, locked against others of these tests, and somewhere else again if somebody was there after all."""
        for _ in range(20):
            port = random.randrange(10000, 32000, 100)
            self.port_lock = socket.socket(socket.AF_UNIX)  # a name that goes with its process
            try:
                self.port_lock.bind('\0ttytrail-test-ports-%d' % port)
            except OSError:
                continue
            if not all_free(port):
                continue
            got = run(os.path.join(ROOT, 'scripts/radosgw'), 'start', self.path('s3'), str(port))
            if got.returncode == 0:
                self.env = dict(line.split('=', 1) for line in got.stdout.splitlines())
                self.s3_port, self.bucket = port, self.env['S3_LOCK_BUCKET']
                self.keys = self.env['AWS_ACCESS_KEY_ID'], self.env['AWS_SECRET_ACCESS_KEY']
                self.s3 = s3client.Client(port, self.keys)
                return
            shutil.rmtree(self.path('s3'), ignore_errors=True)
        raise Failed('no S3 server: %s' % got.stderr[-300:])

    def admin(self, *args):
        got = run('radosgw-admin', '-c', self.path('s3/ceph.conf'), *args, timeout=DEADLINE_S)
        if got.returncode != 0:
            raise Failed('radosgw-admin %s: %s' % (args, got.stderr[-300:]))
        return got.stdout

    def owner(self):
        return {n: self.env[n] for n in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY')}

    def start_proxy(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen(64)
            self.port = s.getsockname()[1]
            got = run(os.path.join(ROOT, 'scripts/s3faults'), 'start', self.path('proxy'), str(self.port),
                      str(self.s3_port), pass_fds=[s.fileno()],
                      env=dict(os.environ, STRICT='1', S3FAULTS_FD=str(s.fileno())))
        if got.returncode != 0:
            raise Failed('no proxy: %s' % got.stderr[-300:])
        self.behind = s3client.Client(self.port, self.keys)

    def fault(self, kind, percent=100, ms=3000):
        got = run(os.path.join(ROOT, 'scripts/s3faults'), 'set', self.path('proxy'), kind, str(percent), str(ms))
        if got.returncode != 0:
            raise Failed(got.stderr)

    def writes(self):
        """Requests that write, as the proxy saw them come."""
        try:
            with open(self.path('proxy/requests')) as f:
                return sum(not line.startswith(('GET ', 'HEAD ')) for line in f)
        except FileNotFoundError:
            return 0

    # ---- programs ----

    def write_conf(self, path, endpoint=None, more=''):
        with open(path, 'w') as f:
            f.write('%s[ship]\nship_kib = 64\nheartbeat_h = 0\n[s3]\nendpoint = %s\nregion = us-east-1\n'
                    'path_style = yes\n%s\n' % (RECORD, endpoint or 'http://127.0.0.1:%d' % self.port, more))

    def record(self, db, size, env=None):
        """One session of about so many bytes that do not compress well."""
        got = run(TTYTRAIL, 'record', '--db', db, '--config', self.path('record.conf'), '--', 'sh', '-c',
                  'head -c %d /dev/urandom | base64' % (size * 3 // 4), env=env, timeout=DEADLINE_S)
        if got.returncode != 0:
            raise Failed('record: %d %s' % (got.returncode, got.stderr))

    def case(self, name):
        self.cases += 1
        return Case(self, name, self.cases)

    def words_of_verify(self, case, status):
        """What verify says of the bucket, read past the faults."""
        conf = case.path('verify.conf')
        self.write_conf(conf, 'http://127.0.0.1:%d' % (case.verify_port or self.s3_port))
        got = run(TTYTRAIL, 'verify', case.url, '--config', conf, '--quiet', env=dict(os.environ, **self.owner()))
        if got.returncode not in status:
            raise Failed('verify: status %d, not of %s:\n%s%s' % (got.returncode, status, got.stdout[-2000:], got.stderr))
        return got.stdout


class Live:
    """A session that goes on: what `say` writes into it is shown."""

    def __init__(self, rig, db, env=None):
        self.rig, self.end = rig, None
        self.fifo = db + '.live'
        os.mkfifo(self.fifo)
        self.out = open(db + '.shown', 'wb')
        self.child = subprocess.Popen(
            [TTYTRAIL, 'record', '--db', db, '--config', rig.path('record.conf'), '--', 'cat', self.fifo],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out, env=env)
        rig.live.append(self)
        # Not blocking, so that a recorder that dies at once is noticed.
        self.end = wait_for('the live session', self.open_end)
        os.set_blocking(self.end, True)

    def open_end(self):
        if self.child.poll() is not None:
            raise Failed('the live session ended')
        try:
            return os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    def say(self, size=20000):
        data = (os.urandom(size // 2).hex() + '\n').encode()
        try:
            while data:
                data = data[os.write(self.end, data):]
        except OSError as e:
            raise Failed('the live session is gone: %s' % e) from e

    def finish(self):
        os.close(self.end)
        self.rig.live.remove(self)
        if self.child.wait(DEADLINE_S) != 0:
            raise Failed('the live session: %d' % self.child.returncode)
        self.out.close()

    def kill(self):
        self.rig.live.remove(self)
        self.child.kill()
        self.child.wait()
        if self.end is not None:
            os.close(self.end)
        self.out.close()


class Case:
    def __init__(self, rig, name, number):
        self.rig, self.name, self.lines = rig, name, ''
        self.prefix = 'case%d' % number
        self.home = rig.path(self.prefix)
        self.url = 's3://%s/%s' % (rig.bucket, self.prefix)
        self.client, self.more, self.verify_port = rig.s3, {}, None
        self.twice, self.cut_off, self.databases = (), False, []

    def path(self, name):
        return os.path.join(self.home, name)

    def environment(self):
        env = dict(os.environ, **self.rig.owner())
        env.update(self.more)
        return {n: v for n, v in env.items() if v is not None}

    def __enter__(self):
        print('- ' + self.name, flush=True)
        self.began = time.monotonic()
        os.mkdir(self.home)
        self.use(self.home)
        self.databases = [self.db]
        shutil.copy(os.path.join(self.rig.base, 'e.db'), self.db)
        self.conf = self.path('ship.conf')
        self.rig.write_conf(self.conf)
        return self

    def __exit__(self, kind, *_):
        self.rig.fault('none')
        if kind is not None:
            print('  in %s; the last words of ship:\n%s' % (self.home, self.lines[-3000:]), flush=True)

    def use(self, home):
        """The host from now on: its database, and what lies beside it."""
        self.db = os.path.join(home, 'e.db')

    def fault(self, *args):
        self.rig.fault(*args)

    def record(self, size=300, times=1):
        for _ in range(times):
            self.rig.record(self.db, size, self.environment())

    def argv(self, *more):
        return [TTYTRAIL, 'ship', '--db', self.db, '--to', self.url, '--config', self.conf, *more]

    def start(self, **kw):
        """A shipper in the background; its words go to self.err."""
        self.err = self.path('err')
        return subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=open(self.err, 'w'), env=self.environment(), **kw)

    def ship(self, status=0, words='', *more, status_knows=True):
        """The exit status is one of these; when it is not 0, or when it is the only one that may be, the words
        (a pattern) stand in what it says."""
        wanted = status if isinstance(status, tuple) else (status,)
        got = run(*self.argv(*more), env=self.environment())
        self.lines = got.stdout + got.stderr
        if got.returncode not in wanted:
            raise Failed('ship: status %d, not one of %s' % (got.returncode, wanted))
        if (got.returncode != 0 or len(wanted) == 1) and not re.search(words, self.lines):
            raise Failed("ship does not say '%s'" % words)
        if got.returncode == 1 and status_knows:
            self.check_status(ill=('shipped', 'batches'))
        for secret in (self.rig.keys[1], self.more.get('AWS_SECRET_ACCESS_KEY'), self.more.get('AWS_SESSION_TOKEN')):
            if secret and secret in self.lines:
                raise Failed('a secret was printed')
        return got.returncode

    def status(self):
        """What `status` says, by name: what is not OK, if anything of that name is said at all."""
        conf = self.path('status.conf')
        with open(conf, 'w') as f:
            f.write('[ship]\nto = %s\n[status]\ndisk_warn_mib = 0\ndisk_crit_mib = 0\n' % self.url)
        got = run(TTYTRAIL, 'status', '--db', self.db, '--config', conf, '--json', env=self.environment())
        said = collections.defaultdict(list)
        try:
            for row in json.loads(got.stdout)['rows']:
                if 'name' in row:
                    said[row['name']] += [row['text']] if row['level'] != 'OK' else []
        except (ValueError, KeyError) as e:
            raise Failed('status: %d %s%s' % (got.returncode, got.stdout, got.stderr)) from e
        return said

    def check_status(self, *well, ill=()):
        """These are OK, and one of those is not."""
        said = self.status()
        for name in well:
            if name not in said or said[name]:
                raise Failed('status of %s: %s' % (name, said.get(name)))
        if ill and not any(said.get(name) for name in ill):
            raise Failed('status says that all is well with %s' % (ill,))

    def ended(self, child, words='', status=0):
        child.wait(DEADLINE_S)
        with open(self.err) as f:
            self.lines = f.read()
        if child.returncode != status or not re.search(words, self.lines):
            raise Failed("ship: status %d, not %d, or not '%s'" % (child.returncode, status, words))
        if status == 1:
            self.check_status(ill=('shipped', 'batches'))

    def end(self, findings=0, verdicts='', foreign=0, words=''):
        """Without a fault: everything ships, the run after that writes nothing, and the judge and verify agree."""
        self.fault('none')
        self.ship(0, words)
        before = self.rig.writes()
        self.ship(0, '^nothing to ship: all [0-9]* segments are in ')
        if self.rig.writes() != before:
            raise Failed('the run after that wrote')
        self.check_status('backlog', 'shipped', 'batches')
        store = shipjudge.judge(self.client, self.rig.bucket, self.prefix, self.databases, self.home, self.twice,
                                self.cut_off)
        if len(store.foreign) != foreign:
            raise Failed('foreign objects: %s' % store.foreign)
        said = self.rig.words_of_verify(self, (0, 1) if findings is None else (1 if findings else 0,))
        if not re.search(verdicts or r'; 0 findings$', said, re.M):
            raise Failed("verify does not say '%s': %s" % (verdicts, said[-1500:]))
        print('  ok: %d segments in %d manifests, %d objects, %d left over; %.1f s' % (
            store.count, len(store.manifests), store.versions, store.copies + store.orphans,
            time.monotonic() - self.began), flush=True)
        return store


def backlog(case):
    """Frozen batches that are not stored, segments that wait."""
    got = run(*case.argv('--dry-run', '--json', '--quiet'), env=case.environment())
    return json.loads(got.stdout.splitlines()[0])


def stop(child):
    child.send_signal(signal.SIGKILL)
    child.wait()


def main(name, cases, wanted, **kw):
    """Run the cases of these names (all without any), tell which failed.  A case is a function of the rig."""
    chosen = [c for c in cases if not wanted or c.__name__.removeprefix('case_') in wanted]
    failed = []
    with Rig(name, **kw) as rig:
        for c in chosen:
            try:
                c(rig)
            except Exception as e:  # the other cases are run all the same
                if not isinstance(e, (Failed, shipjudge.Wrong)):
                    traceback.print_exc()
                print('  FAILED: %s' % e, flush=True)
                failed.append(c.__name__)
            for l in list(rig.live):
                l.kill()
    print('%s: %s' % (name, 'FAILED: ' + ' '.join(failed) if failed else 'passed %d cases' % len(chosen)))
    return 1 if failed or not chosen else 0
