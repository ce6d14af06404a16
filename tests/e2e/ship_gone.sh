#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A directory that was shipped to and is away, or not what it was: ship does not make it anew, and prune does not
# remove what is not in it.
. "$(dirname "$0")/lib.sh"

need python3
cd "$TMP" || exit 1
DB=$TMP/e.db
DEADLINE=60
TO=file://$TMP/store

record() { "$TTYTRAIL" record --db "$DB" -- sh -c "$1" >/dev/null || fail 'record'; }
ship() { "$TTYTRAIL" ship --db "$DB" --to "$TO" "$@"; }
prune() { "$TTYTRAIL" prune --db "$DB" "$@"; }

step 'a mistyped directory is not made, and binds nothing'
record 'echo one'
status_is 1 "$TTYTRAIL" ship --db "$DB" --to "file://$TMP/srv/aduit/x"
grep -q "no directory $TMP/srv/aduit" err || fail 'it does not name what is missing'
[ ! -e srv ] || fail 'it made the directories above'
status_is 1 "$TTYTRAIL" ship --db "$DB" --to "file://$TMP/srv/aduit/x" --dry-run
status_is 0 ship
[ -d store/packs ] || fail 'the right one'

step 'one that is not mounted'
mv store store.real
status_is 1 ship
grep -q "$TMP/store is not the directory that was shipped to" err || fail 'nothing to ship, and it is well'
record 'echo two'
status_is 1 ship
grep -q "mount it" err || fail 'no remedy'
[ ! -e store ] || fail 'it was made again'
mkdir store
status_is 1 ship
[ -z "$(ls store)" ] || fail 'an empty mount point was taken for it'
rmdir store
"$TTYTRAIL" ship --db "$DB" --to "$TO" --follow >/dev/null 2>follow.err &
follow=$!
at_exit "kill $follow 2>/dev/null"
wait_for 'it says so' grep -q 'mount it' follow.err
[ ! -e store ] || fail 'made again by --follow'
kill "$follow"
wait "$follow"
mv store.real store
status_is 0 ship
status_is 0 "$TTYTRAIL" verify "$TO"
grep -q '2 complete' out || fail 'not all is there'

step 'one that is lost: made by hand, and filled again'
host=$(ls store/keys)
mv store lost
mkdir -p "store/keys/$host"
status_is 0 ship --again 1
status_is 0 ship --again 2
status_is 0 "$TTYTRAIL" verify "$TO"
grep -q '2 complete' out || fail 'not all is there again'

step 'prune removes nothing that is not in the directory'
record 'echo three'
wait_for 'it is sealed' sh -c "'$TTYTRAIL' ship --db '$DB' --to '$TO' --dry-run | grep -q '^would ship 1 segment '"
status_is 0 ship
pack() { find store/packs -name '*.cast.gz' | sort -t/ -k5 | sed -n "$1p"; }
manifest() { find store/batches -type f | sort -t/ -k5 | sed -n "$1p"; }
bytes() { python3 -c 'import sqlite3
d = sqlite3.connect("file:e.db?mode=ro", uri=True, timeout=60)
print(*[n for n, in d.execute("SELECT session FROM segment WHERE length(bytes) > 0 ORDER BY 1")])'; }
[ "$(bytes)" = '1 2 3' ] || fail "not three sessions with bytes: $(bytes)"
second=$(pack 2) third=$(manifest 3)
cp "$second" second && mv "$third" third
python3 -c 'import sys
p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1
import os; os.chmod(p, 0o600); open(p, "wb").write(b)' "$second"
status_is 1 prune --keep-days 0 --dry-run
status_is 1 prune --keep-days 0
grep -q 'batch 2 is not pruned: packs/.* was altered; .*--again 2' err || fail 'an altered pack'
grep -q 'batch 3 is not pruned: batches/.* is not there; .*--again 3' err || fail 'a manifest that is gone'
[ "$(bytes)" = '2 3' ] || fail "these have bytes: $(bytes)"
status_is 0 "$TTYTRAIL" ship --db "$DB" --again 3 # the place is known
rm "$second"
status_is 0 ship --again 2
status_is 0 "$TTYTRAIL" verify "$TO"
mv e.db.ship.db ship.aside
status_is 0 prune --keep-days 0
grep -q '2 sessions are marked as shipped' err || fail 'without the state nothing is known'
[ "$(bytes)" = '2 3' ] || fail "these have bytes: $(bytes)"
mv ship.aside e.db.ship.db
mv store store.real && mkdir store
status_is 1 prune --keep-days 0
grep -q 'nothing is pruned' err || fail 'an empty mount point'
rmdir store && mv store.real store
status_is 0 prune --keep-days 0
[ -z "$(bytes)" ] || fail "these have bytes: $(bytes)"
passed
