#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A host's life against a real S3 server that keeps versions, behind the strict proxy: stop, rotation, a name that
# somebody took first, redelivery, pruning, and everything back into a database elsewhere.
. "$(dirname "$0")/lib.sh"

need python3 cmp
cd "$TMP" || exit 1
DB=$TMP/e.db
DEADLINE=60

s3_server
set -a
. ./s3.env
set +a
s3_proxy
TO=s3://$S3_LOCK_BUCKET/life
cat >c.conf <<EOT
[record]
stream_kib = 65536
[store]
segment_kib = 16
[ship]
to = $TO
[s3]
endpoint = http://127.0.0.1:$PROXY
region = $AWS_REGION
path_style = yes
[status]
disk_warn_mib = 0
disk_crit_mib = 0
EOT

record() { "$TTYTRAIL" record --quiet --db "$DB" --config c.conf -- sh -c "$1" >/dev/null || fail 'record'; }
ship() { "$TTYTRAIL" ship --db "$DB" --config c.conf "$@"; }
verify() { "$TTYTRAIL" verify "$TO" --config c.conf; }
rows() { python3 -c 'import sqlite3, sys
for row in sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True, timeout=60).execute(sys.argv[2]): print(*row)' "$1" "$2" ||
    fail 'the schema changed: adapt this test'; }
rested() { rows e.db 'SELECT count(*) FROM session WHERE final = 0' | grep -x 0 >/dev/null; }

step 'a host that ships, and stops'
record 'seq 1 30000'
record 'echo two'
wait_for 'everything is sealed' rested
status_is 0 ship
status_is 0 ship --rotate-key
status_is 0 ship --stop
grep -q '^stop ' out || fail 'no stop'
status_is 0 "$TTYTRAIL" status --db "$DB" --config c.conf
status_is 0 verify

step 'once more: what is there is not overwritten'
status_is 0 ship --again 1
grep -q '^batch 1:' out || fail 'it was not sent'
status_is 0 ship
grep -q '^nothing to ship' out || fail 'it does not rest'
status_is 0 verify
status_is 0 "$TTYTRAIL" status --db "$DB" --config c.conf
grep -q '^OK *alarms ' out || fail 'a redelivery is no alarm'

step 'pruned here, and back elsewhere'
for id in $(rows e.db 'SELECT lower(hex(id)) FROM session'); do
    "$TTYTRAIL" export --db "$DB" "$id" -f cast >"$id.want" || fail 'export'
done
status_is 0 "$TTYTRAIL" prune --db "$DB" --config c.conf --keep-days 0
grep -q '^pruned ' out || fail 'nothing was pruned'
status_is 0 "$TTYTRAIL" verify --db "$DB"
status_is 1 ship --again 1
status_is 0 "$TTYTRAIL" import --db case.db --config c.conf "$TO"
for want in *.want; do
    "$TTYTRAIL" export --db case.db "${want%.want}" -f cast >got.cast || fail 'export of the imported one'
    cmp -s "$want" got.cast || fail "session ${want%.want} differs"
done
status_is 0 "$TTYTRAIL" verify --db case.db
grep -q '2 complete' out || fail 'its chains do not verify'
status_is 0 "$TTYTRAIL" import --db case.db --config c.conf "$TO"
grep -q '^imported 0 segments' out || fail 'something came twice'
passed
