#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""trail.py READER [--files N] [--mib M] [--big MIB] [--dir DIR] [--jq SHARE]: a day of a trail, read
by our reader, by zcat, and by zcat | jq with the same filter, one after the other on one core.

The day is made once (DIR, kept when named): N files with M MiB of JSON in all, records in the shapes
that AWS writes.  --big adds one file of MIB unpacked.  jq is slow: it reads a SHARE of the files (its
time is scaled).  READER is build/.../bin/trail_read."""
import argparse
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HOST = "i-0fedcba9876543210"
ADDRESS = "203.0.113.77"
NOISE = [("ec2.amazonaws.com", "DescribeInstances"), ("sts.amazonaws.com", "GetCallerIdentity"),
         ("ssm.amazonaws.com", "UpdateInstanceInformation"), ("kms.amazonaws.com", "Decrypt"),
         ("s3.amazonaws.com", "GetBucketAcl"), ("logs.amazonaws.com", "CreateLogStream"),
         ("iam.amazonaws.com", "ListRoles")]


def uuid(rnd):
    h = "%032x" % rnd.getrandbits(128)
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def record(rnd, account):
    user = "person%d@corp.example" % rnd.randrange(500)
    r = {"eventVersion": "1.09", "userIdentity": {
        "type": "AssumedRole", "principalId": "AROA%016X:%s" % (rnd.getrandbits(60), user),
        "arn": "arn:aws:sts::%s:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/%s" % (account, user),
        "accountId": account, "accessKeyId": "ASIA%016X" % rnd.getrandbits(60),
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "principalId": "AROAEXAMPLE", "accountId": account,
            "arn": "arn:aws:iam::%s:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef" % account,
            "userName": "AWSReservedSSO_Ops_0123456789abcdef"},
            "attributes": {"creationDate": "2026-03-04T01:02:03Z", "mfaAuthenticated": "true"}}},
        "eventTime": "2026-03-04T%02d:%02d:%02dZ" % (rnd.randrange(24), rnd.randrange(60), rnd.randrange(60)),
        "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.%d" % rnd.randrange(256),
        "userAgent": "aws-cli/2.15.%d md/Botocore#1.34 ua/2.0 os/linux#6.1 lang/python#3.11 cfg/retry-mode#standard" % rnd.randrange(90),
        "requestID": uuid(rnd), "eventID": uuid(rnd), "readOnly": True, "eventType": "AwsApiCall",
        "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                       "clientProvidedHostHeader": "ec2.eu-west-1.amazonaws.com"}}
    dice = rnd.random()
    if dice < 0.0005:
        r.update(eventSource="ssm.amazonaws.com", eventName="StartSession",
                 requestParameters={"target": HOST},
                 responseElements={"sessionId": "%s-%016x" % (user, rnd.getrandbits(64))})
    elif dice < 0.001:
        r.update(eventSource="ec2.amazonaws.com", eventName="RunInstances", sourceIPAddress=ADDRESS,
                 requestParameters={}, responseElements=None)
    elif dice < 0.002:
        r.update(eventSource="sts.amazonaws.com", eventName="AssumeRole",
                 requestParameters={"roleArn": "arn:aws:iam::%s:role/x" % account},
                 responseElements={"credentials": {"accessKeyId": "ASIA%016X" % rnd.getrandbits(60)}})
    else:
        source, name = ("athena.amazonaws.com", "StartSession") if dice > 0.995 else rnd.choice(NOISE)
        r.update(eventSource=source, eventName=name, responseElements=None, requestParameters={
            "filterSet": {"items": [{"name": "tag:Name", "valueSet": {"items": [
                {"value": "a \"quoted\" name with \\ in it %d" % rnd.randrange(10**6)}]}}]},
            "instancesSet": {"items": [{"instanceId": "i-%017x" % rnd.getrandbits(68)} for _ in range(rnd.randrange(4))]}})
    return json.dumps(r, separators=(",", ":"))


def make(where, files, mib, big):
    rnd = random.Random(6)
    account = "111122223333"
    each = mib * 1024 * 1024 // files
    pool = [record(rnd, account) for _ in range(20000)]
    for n in range(files + (1 if big else 0)):
        size, texts = 0, []
        while size < (each if n < files else big * 1024 * 1024):
            # Records differ: a fresh one in four, else one of the pool with an id of its own.
            t = record(rnd, account) if rnd.random() < 0.25 and n < files else rnd.choice(pool)
            texts.append(t.replace('"eventID":"', '"eventID":"%08x' % rnd.getrandbits(32), 1))
            size += len(t)
        minute = n * 1440 // (files + 1)
        name = "AWSLogs/%s/CloudTrail/eu-west-1/2026/03/04/%s_CloudTrail_eu-west-1_20260304T%02d%02dZ_%016x.json.gz" % (
            account, account, minute // 60, minute % 60, n)
        os.makedirs(os.path.dirname(os.path.join(where, name)), exist_ok=True)
        with gzip.open(os.path.join(where, name), "wb", 6) as f:
            f.write(('{"Records":[' + ",".join(texts) + "]}").encode())


def paths_of(where):
    return sorted(os.path.join(d, n) for d, _, names in os.walk(where) for n in names)


def timed(command, paths, batch=1000):
    """Seconds for ${command} over ${paths}, as xargs would run it."""
    start = time.monotonic()
    for i in range(0, len(paths), batch):
        subprocess.run(["bash", "-c", command, "x"] + paths[i:i + batch], check=True)
    return time.monotonic() - start


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("reader")
    ap.add_argument("--files", type=int, default=20000)
    ap.add_argument("--mib", type=int, default=2048)
    ap.add_argument("--big", type=int, default=0)
    ap.add_argument("--dir")
    ap.add_argument("--jq", type=float, default=0.02)
    a = ap.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    work = a.dir or tempfile.mkdtemp()
    day = os.path.join(work, "day")
    if not os.path.isdir(day):
        make(day + ".part", a.files, a.mib, a.big)
        os.rename(day + ".part", day)
    paths = paths_of(day)
    db = os.path.join(work, "trail.db")
    timed('zcat "$@" >/dev/null', paths)  # warm the page cache
    zcat = timed('zcat "$@" >/dev/null', paths)
    for old in (db, db + "-journal"):
        if os.path.exists(old):
            os.unlink(old)
    ours = json.loads(subprocess.run([a.reader, day, db, HOST, ADDRESS], check=True,
                                     stdout=subprocess.PIPE).stdout)
    some = paths[::max(1, int(1 / a.jq))]
    share = sum(map(os.path.getsize, some)) / sum(map(os.path.getsize, paths))
    jq = timed("zcat \"$@\" | jq -c '.Records[] | select((.eventSource == \"ssm.amazonaws.com\" and "
               "(.eventName | IN(\"StartSession\", \"ResumeSession\", \"TerminateSession\"))) or "
               ".eventSource == \"ec2-instance-connect.amazonaws.com\" or (.eventSource == "
               "\"sts.amazonaws.com\" and (.eventName | test(\"^(AssumeRole|GetFed|GetSessionT)\"))) "
               "or .eventName == \"ConsoleLogin\" or (tostring | (contains(\"%s\") or contains(\"%s\"))))' >/dev/null"
               % (HOST, ADDRESS), some) / share
    mib = ours["bytes"] / 1048576
    print("%d files, %.0f MiB of JSON, %d records, %d kept" % (ours["files"], mib, ours["records"], ours["kept"]))
    print("ours      %7.2f s %7.0f MiB/s, at most %.1f MiB of memory" % (
        ours["seconds"], mib / ours["seconds"], ours["rss_kib"] / 1024))
    print("zcat      %7.2f s %7.0f MiB/s: ours has %.2f times its speed" % (zcat, mib / zcat, zcat / ours["seconds"]))
    print("zcat | jq %7.2f s %7.0f MiB/s (from %.1f %% of it): ours has %.1f times its speed" % (
        jq, mib / jq, 100 * share, jq / ours["seconds"]))
    if a.dir is None:
        shutil.rmtree(work)
    bad = [w for w, is_bad in (("slower than 0.7 of zcat", zcat / ours["seconds"] < 0.7),
                               ("less than 10 times as fast as zcat | jq", jq / ours["seconds"] < 10),
                               ("more than 64 MiB", ours["rss_kib"] > 65536)) if is_bad]
    for w in bad:
        print("MISSED: " + w)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
