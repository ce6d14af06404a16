#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shipping to a real S3 server: plain, over TLS, and behind a proxy that fails as S3 fails while the shipper
# is killed at random.  Every segment stands in exactly one signed manifest; what comes back is what was
# recorded.
. "$(dirname "$0")/lib.sh"

need curl zcat python3 cmp
cd "$TMP" || exit 1
DB=$TMP/e.db
ROUNDS=${TTYTRAIL_TEST_ROUNDS:-8}

s3_server
set -a
. ./s3.env
set +a
s3_proxy

conf() { # FILE ENDPOINT [LINE]
    printf '[ship]\nship_kib = 64\n[s3]\nendpoint = %s\nregion = %s\npath_style = yes\n%s\n' \
        "$2" "$AWS_REGION" "${3:-}" >"$1"
}
printf '[record]\nstream_kib = 65536\n[store]\nsegment_kib = 64\n' >record.conf
conf plain.conf "$S3_ENDPOINT"
conf tls.conf "$S3_TLS_ENDPOINT" "ca_file = $S3_CA_FILE"
conf noca.conf "$S3_TLS_ENDPOINT"
conf strict.conf "http://127.0.0.1:$PROXY"

record() { "$TTYTRAIL" record --db "$DB" --config record.conf -- sh -c "$1" >/dev/null || fail 'record'; }
ship() { "$TTYTRAIL" ship --db "$DB" "$@"; }
verify() { "$TTYTRAIL" verify "$@"; }
fault() { "$ROOT/scripts/s3faults" set "$TMP/proxy" "$@"; }
s3get() { # PATH?QUERY
    curl -sf --aws-sigv4 "aws:amz:$AWS_REGION:s3" -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        -H 'x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' "$@"
}

# round URL CONF: ship, run again, verify.
round() {
    status_is 0 ship --to "$1" --config "$2"
    grep -q '^shipped' out || fail 'nothing was shipped'
    status_is 0 ship --to "$1" --config "$2" --json
    grep -q '"puts":0,' out || fail 'the second run sent something'
    status_is 0 verify "$1" --config "$2"
    grep -q 'complete; .* 0 findings' out || fail 'verify does not say complete'
}

step 'plain'
record 'seq 1 200000'
round "s3://$S3_BUCKET/plain" plain.conf

step 'TLS with its own CA, and not without'
rm -f e.db*
record 'echo tls; seq 1 100'
status_is 1 ship --to "s3://$S3_BUCKET/tls" --config noca.conf
round "s3://$S3_BUCKET/tls" tls.conf

step 'wrong keys are refused at once'
rm -f e.db*
record 'echo keys'
status_is 1 env AWS_SECRET_ACCESS_KEY=wrong "$TTYTRAIL" ship --db "$DB" --to "s3://$S3_BUCKET/x" --config plain.conf
! grep -q wrong err || fail 'the message holds the key'
grep -q "s3://$S3_BUCKET/x/" err || fail 'the message does not name the place'
status_is 0 ship --to "s3://$S3_BUCKET/y" --config plain.conf
status_is 2 ship --to "s3://$S3_BUCKET/x" --config plain.conf

step 'the strict proxy, on a bucket that keeps versions'
rm -f e.db*
record 'seq 1 200000'
round "s3://$S3_LOCK_BUCKET/strict" strict.conf

step 'faults and kill -9'
rm -f e.db*
URL=s3://$S3_LOCK_BUCKET/faults
for kind in lost reset slowdown; do
    fault "$kind" 30
    for i in $(seq 1 "$ROUNDS"); do
        record "echo $kind $i; seq 1 $((i * 20000))"
        ship --to "$URL" --config strict.conf >/dev/null 2>&1 &
        shipper=$!
        sleep "0.$((i * 37 % 60 + 10))"
        kill -9 "$shipper" 2>/dev/null || :
        wait "$shipper" 2>/dev/null
    done
    DEADLINE=120 wait_for "everything through '$kind'" ship --to "$URL" --config strict.conf
    ok "$kind"
done
fault none
status_is 0 ship --to "$URL" --config strict.conf
grep -q '^nothing to ship: all [0-9]* segments are in ' out || fail 'something was left'
status_is 0 verify --db "$DB"
segments=$(sed -n 's/^verified: .*; \([0-9]*\) segments, .*/\1/p' out)
status_is 0 verify "$URL" --config strict.conf
grep -q "$((3 * ROUNDS)) complete; $segments segments, .* orphans; 0 findings" out ||
    fail 'not everything arrived once'
tail -n 1 out

step 'counted without ttytrail'
list() { s3get "$S3_ENDPOINT/$S3_LOCK_BUCKET?list-type=2&max-keys=1000&prefix=faults%2F$1" |
    grep -o '<Key>[^<]*' | cut -c6-; }
list batches%2F >manifests
list packs%2F >packs
mkdir m
n=0
while read -r key; do
    n=$((n + 1))
    s3get "$S3_ENDPOINT/$S3_LOCK_BUCKET/$(echo "$key" | sed 's/=/%3D/g')" >"m/$n.json" || fail "get $key"
done <manifests
last=$("$TTYTRAIL" list --db "$DB" --json | sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' | tail -n 1)
python3 - "$segments" "$last" <<'PY' || fail 'a segment stands not in exactly one manifest'
import glob, hashlib, json, sys
by_number, parts = {}, []
for name in glob.glob("m/*.json"):
    line = open(name, "rb").read()
    m = json.loads(line)
    by_number.setdefault((m["host"], m["epoch"], m["seq"]), set()).add(line)
assert all(len(lines) == 1 for lines in by_number.values()), "different bytes under one number"
seen = set()
for lines in by_number.values():
    m = json.loads(next(iter(lines)))
    for s in m["segments"]:
        assert (s["session"], s["seq"]) not in seen, "twice"
        seen.add((s["session"], s["seq"]))
        if s["session"] == sys.argv[2]:
            parts.append((s["seq"], m["objects"][0], s))
assert len(seen) == int(sys.argv[1]), (len(seen), sys.argv[1])
assert parts, "no parts of the last session"
with open("parts", "w") as f:
    for _, o, s in sorted(parts, key=lambda p: p[0]):
        print(o["name"], o["sha256"], s["offset"], s["offset"] + s["length"] - 1, file=f)
PY

step 'fetched back with curl and zcat'
: >back.gz
while read -r name sha from to; do
    for key in $(grep -F "$name" packs); do
        s3get "$S3_ENDPOINT/$S3_LOCK_BUCKET/$(echo "$key" | sed 's/=/%3D/g')" >pack || fail "get $key"
        [ "$(sha256sum <pack | cut -d' ' -f1)" = "$sha" ] && break
    done
    s3get -r "$from-$to" "$S3_ENDPOINT/$S3_LOCK_BUCKET/$(echo "$key" | sed 's/=/%3D/g')" >>back.gz ||
        fail "range of $key"
done <parts
zcat back.gz >back.cast || fail 'zcat'
"$TTYTRAIL" export --db "$DB" "$last" --format cast >local.cast || fail 'export'
cmp back.cast local.cast || fail 'it is not what was recorded'
status_is 0 verify ./back.gz
passed
