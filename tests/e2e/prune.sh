#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pruning: only what the store has, oldest first, and what is left still verifies; also when it is killed.
. "$(dirname "$0")/lib.sh"

need python3 zcat
cd "$TMP" || exit 1
DB=$TMP/e.db
DEADLINE=60
TO=file://$TMP/store
printf '[record]\nstream_kib = 65536\n[store]\nsegment_kib = 16\n' >small.conf

record() { "$TTYTRAIL" record --db "$DB" --config small.conf -- sh -c "$1" >/dev/null || fail 'record'; }
ship() { "$TTYTRAIL" ship --db "$DB" --to "$TO"; }
prune() { "$TTYTRAIL" prune --db "$DB" "$@"; }
# Every session that ended is sealed to its end.
rested() { columns 'SELECT count(*) FROM session WHERE final = 0' | grep -x 0 >/dev/null; }
# Everything is in the one file.
settled() { python3 -c 'import sqlite3, sys
d = sqlite3.connect("e.db", timeout=1)
sys.exit(d.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])'; }
field() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" out; }
columns() { python3 -c 'import sqlite3, sys
for row in sqlite3.connect("file:e.db?mode=ro", uri=True, timeout=60).execute(sys.argv[1]): print(*row)' "$1" || fail 'the schema changed: adapt this test'; }

step 'nothing that is not shipped'
record 'echo secret-one; seq 1 200000'
record 'echo secret-two'
wait_for 'everything is sealed' rested
status_is 0 prune --keep-days 0
grep -q '^nothing to prune' out || fail 'it pruned the last copy'
status_is 2 prune --keep-days -1
status_is 2 prune --keep-mib x
status_is 2 prune y
status_is 0 ship
record 'echo secret-three'
"$TTYTRAIL" export --db "$DB" title:keep -f cast >/dev/null 2>&1 && fail 'no such session'

step 'not before its time, and not in a dry run'
status_is 0 prune
grep -q '^nothing to prune' out || fail 'it is younger than keep_days'
wait_for 'everything is sealed' rested
wait_for 'the WAL is empty' settled
columns 'SELECT session, number, hex(sha256), hex(head), size FROM segment ORDER BY 1, 2' >rows.before
size_before=$(stat -c %s e.db)
status_is 0 prune --keep-days 0 --dry-run --json
segments=$(field segments)
[ "$segments" -ge 3 ] || fail 'too few segments for this test'
columns "SELECT count(*) FROM segment WHERE length(bytes) = 0" | grep -x 0 >/dev/null || fail 'a dry run removed something'

step 'what was shipped goes, what it was stays'
status_is 0 prune --keep-days 0 --json
[ "$(field segments)" = "$segments" ] || fail 'not what the dry run said'
wait_for 'the WAL is empty' settled
columns 'SELECT session, number, hex(sha256), hex(head), size FROM segment ORDER BY 1, 2' | cmp -s - rows.before ||
    fail 'hashes, heads or sizes changed'
columns "SELECT count(*) FROM segment WHERE length(bytes) = 0" | grep -x "$segments" >/dev/null || fail 'not all of them'
[ "$(stat -c %s e.db)" -lt "$size_before" ] || fail 'no page was given back'
python3 - <<'PY' || fail 'what was pruned is still in the file'
import re, zlib
data, found = open("e.db", "rb").read(), set()
for at in [m.start() for m in re.finditer(b"\x1f\x8b\x08", data)]:
    try:
        found |= set(re.findall(b"secret-[a-z]+", zlib.decompressobj(31).decompress(data[at:at + 4000])))
    except zlib.error:
        pass
assert b"secret-one" not in found and b"secret-two" not in found, found
PY
status_is 0 "$TTYTRAIL" verify --db "$DB"
grep -q '3 complete' out || fail 'verify does not say complete'
grep -q "segments were pruned here" out || fail 'verify does not tell'
status_is 0 "$TTYTRAIL" verify "$TO"
status_is 0 "$TTYTRAIL" list --db "$DB"
[ "$(grep -c ' pruned ' out)" = 2 ] || fail 'list does not tell'
status_is 0 "$TTYTRAIL" list --db "$DB" --json flag pruned
[ "$(wc -l <out)" = 2 ] || fail 'list does not find them'
status_is 0 "$TTYTRAIL" list --db "$DB" --json flag imported
[ ! -s out ] || fail 'nothing was imported'
status_is 0 "$TTYTRAIL" export --db "$DB" last -f cast
grep -q secret-three out || fail 'what was not shipped is gone'
first=$(columns 'SELECT hex(id) FROM session WHERE row = 1' | tr A-F a-f)
status_is 1 "$TTYTRAIL" export --db "$DB" "$first" -f cast
grep -q 'pruned here, after it was shipped' err || fail 'export does not say why'
status_is 0 prune --keep-days 0
grep -q '^nothing to prune' out || fail 'it prunes twice'
status_is 0 ship
grep -q '^shipped 1 segment ' out || fail 'shipping goes on'
status_is 1 "$TTYTRAIL" ship --db "$DB" --to "$TO" --again 1
grep -q 'pruned' err || fail 'a redelivery without bytes'
status_is 0 ship

step 'bytes that somebody removed are not pruned'
wait_for 'the WAL is empty' settled
cp e.db bad.db
python3 -c 'import sqlite3
d = sqlite3.connect("bad.db"); d.execute("UPDATE session SET shipped = 0 WHERE row = 2"); d.commit()'
status_is 1 "$TTYTRAIL" verify --db bad.db
grep -q 'not by pruning' out || fail 'verify believes anything'

step 'what is too much, oldest first'
for i in 1 2 3 4; do record "head -c 400000 /dev/urandom | base64"; done
wait_for 'everything is sealed' rested
status_is 0 ship
status_is 0 prune --keep-days 100 --keep-mib 1 --json
kept=$(field kept_bytes)
[ "$kept" -le 1048576 ] && [ "$kept" -gt 500000 ] || fail "$kept bytes stay"
columns 'SELECT count(*) FROM segment a JOIN segment b ON a.rowid < b.rowid
    WHERE length(a.bytes) > 0 AND length(b.bytes) = 0' | grep -x 0 >/dev/null || fail 'a younger one went before an older one'

step 'a place that is gone'
mv store aside
status_is 1 prune --keep-days 0
grep -q 'nothing is pruned' err || fail 'it does not say so'
mv aside store

step 'an open session, while it goes on'
mkfifo go
"$TTYTRAIL" record --db "$DB" --config small.conf --title live -- sh -c 'seq 1 60000; read x <go; echo end' >/dev/null &
live=$!
wait_for 'segments of it' sh -c "'$TTYTRAIL' list --db '$DB' --json title live | grep -q '\"segments\": *[1-9]'"
status_is 0 ship
status_is 0 prune --keep-days 0 --json
[ "$(field segments)" -ge 1 ] || fail 'nothing of it was pruned'
echo >go
wait "$live"
wait_for 'everything is sealed' rested
status_is 0 "$TTYTRAIL" list --db "$DB" title live
grep -q ' pruned ' out || fail 'the flag is lost at its end'
status_is 0 "$TTYTRAIL" verify --db "$DB"
status_is 0 ship
status_is 0 "$TTYTRAIL" verify "$TO"

step 'kill -9 while it prunes'
for i in $(seq 1 60); do record "echo many $i; seq 1 2000"; done
wait_for 'everything is sealed' rested
status_is 0 ship
columns 'SELECT session, number, hex(sha256), hex(head), size FROM segment ORDER BY 1, 2' >rows.before
for i in $(seq 1 12); do
    prune --keep-days 0 >/dev/null 2>&1 &
    victim=$!
    python3 -c 'import random, time; time.sleep(random.random() * 0.06)'
    # The command, and the writer that it started.
    writer=$(pgrep -P "$victim" -x ttytraild)
    kill -9 $writer "$victim" 2>/dev/null
    wait "$victim" 2>/dev/null
    status_is 0 "$TTYTRAIL" verify --db "$DB" --quiet
done
status_is 0 prune --keep-days 0
columns 'SELECT session, number, hex(sha256), hex(head), size FROM segment ORDER BY 1, 2' | cmp -s - rows.before ||
    fail 'hashes, heads or sizes changed'
columns "SELECT count(*) FROM segment WHERE length(bytes) > 0" | grep -x 0 >/dev/null || fail 'not everything was pruned'
status_is 0 "$TTYTRAIL" verify --db "$DB"
passed
