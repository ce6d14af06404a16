#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Status: what a monitoring plugin says of a host that is well, late, in trouble, or not there.
. "$(dirname "$0")/lib.sh"

need python3
cd "$TMP" || exit 1
DB=$TMP/e.db
DEADLINE=60
TO=file://$TMP/store
printf '[ship]\nto = %s\n[status]\ndisk_warn_mib = 0\ndisk_crit_mib = 0\n' "$TO" >c.conf

record() { "$TTYTRAIL" record --db "$DB" --config c.conf -- sh -c "$1" >/dev/null || fail 'record'; }
ship() { "$TTYTRAIL" ship --db "$DB" --config c.conf "$@"; }
status() { "$TTYTRAIL" status --db "$DB" --config c.conf "$@"; }
first() { head -n 1 out | grep -Eq "$1" || fail "the first line is: $(head -n 1 out)"; }
sql() { python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2]); d.commit()' "$1" "$2" || fail 'the schema changed: adapt this test'; }

step 'nothing there'
status_is 3 status
first '^TTYTRAIL UNKNOWN - backlog: there is no database .*: record something[^|]*$'
! grep -q '^OK' out || fail 'something is well where nothing is'
status_is 2 status x

step 'not shipped yet'
record 'echo one'
status_is 0 status
first '^TTYTRAIL OK - backlog: .* \| segments=[0-9]'
grep -q '^OK  *shipped .*nothing was shipped from this database yet' out || fail 'shipped'

step 'well'
status_is 0 ship
status_is 0 status
first '^TTYTRAIL OK - backlog: nothing sealed waits \| segments=0 bytes=0B oldest=0s;900;7200 '
grep -q '^OK  *shipped .* went well was [0-9]* s ago' out || fail 'when?'
grep -q '^OK  *sessions .*0 open, of 1' out || fail 'sessions'
sed -n 's/^OK  *epoch  *to pin: //p' out >pins
[ -s pins ] && "$TTYTRAIL" verify --pins pins "file://$TMP/store" | grep -q "key 1 pinned" || fail "the key to pin: $(cat pins)"
status_is 0 status --quiet
[ "$(wc -l <out)" = 1 ] || fail 'more than a line'
status_is 0 status --json
python3 - <<'PY' || fail 'the JSON'
import json
d = json.load(open("out"))
assert d["level"] == "OK" and d["code"] == 0, d
assert {r["name"] for r in d["rows"] if "name" in r} >= {"backlog", "shipped", "batches", "disk", "sessions", "epoch", "alarms"}
assert {v["value"]: v["is"] for v in d["rows"] if "value" in v}["segments"] == 0
PY

step 'late'
record 'echo two'
sealed() { status --json | grep -A1 '"value": *"segments"' | grep -q '"is": *1'; }
wait_for 'it is sealed' sealed
sql e.db 'UPDATE segment SET sealed_us = sealed_us - 1000000000 WHERE rowid = 2'
status_is 1 status
first '^TTYTRAIL WARNING - backlog: 1 segment waits, [0-9]* bytes, the oldest for 10[0-9][0-9] s'
sql e.db 'UPDATE segment SET sealed_us = sealed_us - 7000000000 WHERE rowid = 2'
status_is 2 status
first '^TTYTRAIL CRITICAL - backlog'
printf '[status]\ndisk_warn_mib = 0\ndisk_crit_mib = 0\n' >nowhere.conf
status_is 0 "$TTYTRAIL" status --db "$DB" --config nowhere.conf
grep -q 'nowhere to ship to' out || fail 'it does not say why this is well'

step 'a run that failed'
mv store aside && : >store
status_is 1 ship
status_is 2 status
grep -q '^WARNING  *shipped .*failed' out || fail 'it does not say that it failed'
grep -q '1 batch is frozen and not stored' out || fail 'the frozen batch'
rm store && mv aside store
status_is 0 ship
status_is 0 status

step 'no run that went well, and something waits'
DB=$TMP/two.db
printf '[ship]\nto = file://%s/two\n[status]\ndisk_warn_mib = 0\ndisk_crit_mib = 0\n' "$TMP" >c.conf
record 'echo one'
status_is 0 ship
record 'echo waits'
waits() { status --json | grep -A1 '"value": *"segments"' | grep -q '"is": *1'; }
wait_for 'it is sealed' waits
sql two.db.ship.db "DELETE FROM facts WHERE name IN ('success_us', 'error', 'run_us')"
status_is 1 status
first '^TTYTRAIL WARNING - shipped: no run is known to have gone well'
status_is 0 ship
status_is 0 status
DB=$TMP/e.db
printf '[ship]\nto = %s\n[status]\ndisk_warn_mib = 0\ndisk_crit_mib = 0\n' "$TO" >c.conf

step 'set aside, withheld, alarms, clock, epochs'
record 'echo three'
mv store aside && : >store
status_is 1 ship
rm store && mv aside store
sql e.db "UPDATE segment SET bytes = x'00', size = 1 WHERE rowid = 3"
status_is 1 ship
status_is 2 status
first '^TTYTRAIL CRITICAL - batches: the last run set 1 batch or session aside'
[ "$(grep -c '^CRITICAL *batches ' out)" -ge 2 ] || fail 'no reason'
status_is 1 ship --withhold 3 --reason 'the disk lost it'
status_is 2 status
grep -q '^WARNING *withheld .*batch 3 is withheld (the disk lost it); 1 of its 1 segment is in no' out || fail 'withheld'
sql e.db.ship.db "INSERT INTO facts VALUES ('skew_us', '-3600000000', strftime('%s')*1000000)"
sql e.db.ship.db "INSERT INTO events(at_us, kind, text) VALUES (strftime('%s')*1000000, 'alarm', 'ALARM: x')"
status_is 2 status
grep -q '^WARNING *clock .*3600000 ms behind this' out || fail 'the clock'
grep -q '^CRITICAL *alarms .*ALARM: x' out || fail 'the alarm'
sql e.db.ship.db "UPDATE identity SET last_us = last_us - 7300000000"
status_is 2 status
grep -q 'no manifest for 73[0-9][0-9] s' out || fail 'the promise'

step 'while a shipper has the lock'
python3 - <<'PY' &
import fcntl, os, struct, time
fd = os.open("e.db.ship.db.lock", os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)) # F_OFD_SETLK
open("locked", "w").close()
while not os.path.exists("unlock"):
    time.sleep(0.02)
PY
holder=$!
wait_for 'the lock is held' test -e locked
status_is 2 status
grep -q '^OK  *epoch' out || fail 'it could not look'
status_is 0 ship --dry-run
: >unlock
wait "$holder"

step 'a configuration that cannot be read blinds nobody to the host'
printf '[ship]\nshipkib = 64\n' >bad.conf
status_is 3 "$TTYTRAIL" status --db "$DB" --config bad.conf
grep -q '^UNKNOWN *configuration bad.conf:2: unknown key shipkib' out || fail 'the mistake'
grep -q '^UNKNOWN *shipping *not looked at' out || fail 'what was left out'
grep -q '^OK *whole ' out || fail 'the host'

step 'a disk that is full'
printf '[status]\ndisk_warn_mib = 1073741824\ndisk_crit_mib = 0\n' >full.conf
status_is 2 "$TTYTRAIL" status --db "$DB" --config full.conf
grep -q '^WARNING *disk ' out || fail 'the disk'
passed
