#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify's words and exit status where no evidence is bad: what cannot be read, empty lists, what to do, one and many.
. "$(dirname "$0")/lib.sh"

need python3
cd "$TMP" || exit 1
DB=$TMP/e.db
DEADLINE=60
TO=file://$TMP/store
printf '[s3]\nhost_name = web1\n' >c.conf
"$TTYTRAIL" record --quiet --db "$DB" --config c.conf -- echo hello >/dev/null || fail 'record'
status_is 0 "$TTYTRAIL" ship --db "$DB" --to "$TO" --config c.conf
verify() { "$TTYTRAIL" verify --config c.conf "$@"; }

step 'one and many'
status_is 0 verify "$TO"
grep -q '1 complete; 1 segment, [0-9]* bytes; 1 batch, 0 orphans; 0 findings$' out || fail 'the sum'

step 'what cannot be read'
status_is 3 env -u AWS_REGION -u AWS_DEFAULT_REGION AWS_EC2_METADATA_DISABLED=true AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b \
    "$TTYTRAIL" verify --config c.conf s3://nobucket/prod
grep -q 'no region' err || fail 'it is not said why'
mkdir empty
status_is 3 verify empty
status_is 3 verify --db "$TMP/none.db"
status_is 2 python3 -B "$ROOT/docs/verify.py"
grep -q '^verify.py DIR' err || fail 'verify.py has no usage'
status_is 3 python3 -B "$ROOT/docs/verify.py" empty
status_is 3 python3 -B "$ROOT/docs/verify.py" nowhere
! grep -q Traceback err || fail 'verify.py breaks'

step 'empty lists'
: >list
status_is 2 verify --expect ./list "$TO"
grep -q 'no host stands in it' err || fail 'no word of an empty list of hosts'
status_is 1 verify --pins list "$TO"
grep -q 'no pin stands in it' err || fail 'no word of an empty list of pins'
grep -q 'not pinned: web1 [0-9a-f]\{32\} [0-9a-f]\{64\}$' out || fail 'no line to pin'
openssl pkey -in "$DB.key" -pubout -outform DER | tail -c 32 | od -An -v -tx1 | tr -d ' \n' >key
grep -q "$(cat key)\$" out || fail 'the host prints another key'
status_is 2 "$TTYTRAIL" import --db case.db --pins list "$TO"

step 'orphans are named, and not too many'
manifest=$(find store/batches -type f)
for i in $(seq 1 30); do cp -p "$manifest" "$manifest.r$i"; done
status_is 0 verify "$TO"
[ "$(grep -c '^orphan *object batches/' out)" = 20 ] || fail 'not twenty'
grep -q '^orphan *and 10 more' out || fail 'the rest is not counted'
grep -q ' 30 orphans; 0 findings$' out || fail 'the sum'
rm "$manifest".r*

step 'what to do'
pack=$(find store/packs -type f)
python3 -c 'import sys; p=sys.argv[1]; b=bytearray(open(p,"rb").read()); b[len(b)//2]^=1; open(p,"wb").write(b)' "$pack"
status_is 1 verify "$TO"
grep -q '^  altered: .*ship --again' out || fail 'no way to send it again'
! grep -q 'access log' out || fail 'a directory has no access log'
grep -q '^altered *host web1: 1 finding, the first (altered) at batch 1; ' out || fail 'a host does not say which'
status_is 1 verify --expect web9 "$TO"
grep -q '^  gap: is its name right' out || fail 'no word for a host that never shipped'
python3 -c 'import sqlite3
d = sqlite3.connect("e.db"); d.execute("UPDATE session SET user = ?", ("nobody",)); d.commit()' || fail 'the schema changed: adapt this test'
status_is 1 verify --db "$DB"
grep -q '^  altered: .*ttytrail import' out || fail 'a database has no remedy'
grep -q '; 1 finding$' out || fail 'the sum of one'
printf '{"version":2}\n[0.5,"o","x"]\n' >a.cast
status_is 0 verify a.cast
grep -q ': 1 event (a file' out || fail 'one event'
echo '{"version":2' >b.cast
status_is 1 verify b.cast
grep -q '^  altered: .*ttytrail export' out || fail 'a file has no remedy'
passed
