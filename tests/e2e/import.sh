#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shipped sessions back into a database elsewhere: the very bytes, once, and nothing that is not proved.
. "$(dirname "$0")/lib.sh"

need python3 cmp
cd "$TMP" || exit 1
DB=$TMP/e.db
DEADLINE=60
TO=file://$TMP/store
printf '[record]\nstream_kib = 65536\n[store]\nsegment_kib = 16\n[ship]\nship_kib = 64\n' >c.conf

record() { "$TTYTRAIL" record --quiet --db "$DB" --config c.conf "$@" >/dev/null 2>&1 || :; }
ship() { "$TTYTRAIL" ship --db "$DB" --to "$TO" --config c.conf; }
bring() { "$TTYTRAIL" import --db "$TMP/case.db" "$@"; }
rows() { python3 -c 'import sqlite3, sys
for row in sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True, timeout=60).execute(sys.argv[2]): print(*row, sep="\t")' "$1" "$2" ||
    fail 'the schema changed: adapt this test'; }
rested() { rows e.db 'SELECT count(*) FROM session WHERE final = 0' | grep -x 0 >/dev/null; }
SAME="SELECT hex(id), hex(epoch), kind, host, user, uid, title, tty, cols, rows, began_us, ended_us, state, exit, segments, final,
    events, bytes_out, bytes_in, redactions, hex(head), last_t_us / 1000, hex(facts) FROM session ORDER BY id"
PARTS="SELECT hex(s.id), g.number, hex(g.sha256), hex(g.head), g.size, g.text_size, g.events, g.last_t_us / 1000, g.final,
    hex(g.bytes) FROM segment g JOIN session s ON s.row = g.session ORDER BY 1, 2"
ids() { rows e.db 'SELECT lower(hex(id)) FROM session ORDER BY row'; }
same() { # every session of e.db comes out of case.db as it does of e.db
    for id in $(ids); do
        "$TTYTRAIL" export --db "$DB" "$id" -f cast >want.cast || fail 'export'
        "$TTYTRAIL" export --db case.db "$id" -f cast >got.cast || fail 'export of the imported one'
        cmp -s want.cast got.cast || fail "session $id differs"
    done
    rows e.db "$SAME" >want.rows
    rows case.db "$SAME" | cmp -s - want.rows || fail 'a row differs'
    rows e.db "$PARTS" >want.rows
    rows case.db "$PARTS" | cmp -s - want.rows || fail 'a segment differs'
}

step 'there and back'
record --title 'a "title"' -- sh -c 'seq 1 60000'
record -- sh -c 'printf "\377\200 not UTF-8 \n"; printf "\303"; echo; echo fail >&2; exit 3'
record -- sh -c 'kill -TERM $$'
wait_for 'everything is sealed' rested
status_is 0 ship
status_is 2 bring
status_is 2 bring "$TO" x
status_is 2 bring "$TO" --day 2026-1-1
status_is 2 bring "$TO" --session zz
status_is 0 bring "$TO" --dry-run
grep -q '^would import [0-9]* segments of 3 sessions' out || fail 'no such words'
[ ! -e case.db ] || fail 'a dry run made a database'
status_is 0 bring "$TO"
grep -q '^imported [0-9]* segments of 3 sessions' out || fail 'no such words'
same
status_is 0 "$TTYTRAIL" verify --db case.db
grep -q '3 complete' out || fail 'its chains do not verify'
status_is 0 "$TTYTRAIL" list --db case.db
[ "$(grep -c ' imported ' out)" = 3 ] || fail 'they are not marked'

step 'once more brings nothing'
rows case.db "$PARTS" >before
status_is 0 bring "$TO" --json
grep -q '"sessions":0,"segments":0,.*"known":3' out || fail 'something came twice'
rows case.db "$PARTS" | cmp -s - before || fail 'something changed'

step 'imported ones are not shipped, pruned or cut'
status_is 0 "$TTYTRAIL" ship --db case.db --to "file://$TMP/other"
grep -q '^nothing to ship' out || fail 'they are shipped'
status_is 0 "$TTYTRAIL" prune --db case.db --keep-days 0
grep -q '^nothing to prune' out || fail 'they are pruned'
status_is 0 "$TTYTRAIL" record --db case.db -- true
status_is 0 "$TTYTRAIL" import --db "$DB" "$TO"
grep -q 'of 0 sessions.*3 sessions had nothing new' out || fail 'what was recorded here was touched'

step 'an open session, and then its end'
mkfifo go
"$TTYTRAIL" record --db "$DB" --config c.conf --title live -- sh -c 'seq 1 60000; read x <go; echo end; exit 5' >/dev/null &
live=$!
wait_for 'segments of it' sh -c "'$TTYTRAIL' list --db '$DB' --json title live | grep -q '\"segments\": *[1-9]'"
status_is 0 ship
status_is 0 bring "$TO"
status_is 0 "$TTYTRAIL" list --db case.db title live
grep -q ' open ' out || fail 'it is not open'
status_is 0 "$TTYTRAIL" verify --db case.db
grep -q '1 open' out || fail 'verify'
echo >go
wait "$live"
wait_for 'everything is sealed' rested
status_is 0 ship
status_is 0 bring "$TO"
python3 -c 'import sqlite3
d = sqlite3.connect("case.db")
row = d.execute("SELECT row FROM session WHERE flags NOT LIKE ?", ("%imported%",)).fetchone()[0]
d.execute("DELETE FROM segment WHERE session = ?", (row,)); d.execute("DELETE FROM session WHERE row = ?", (row,))
d.commit()' || fail 'the schema changed: adapt this test'
same

step 'by session, host and day'
rm -f case.db*
first=$(ids | sed -n 1p)
status_is 0 bring "$TO" --session "$(echo "$first" | cut -c1-12)"
grep -q ' of 1 session, .* 0 sessions had .* 0 findings$' out || fail 'words'
rows case.db 'SELECT lower(hex(id)) FROM session' | grep -x "$first" >/dev/null || fail 'not that session'
rows case.db 'SELECT count(*) FROM session' | grep -x 1 >/dev/null || fail 'others too'
status_is 0 bring "$TO" --host "$(ls store/keys | sed 's/host=//')" --day "$(ls store/packs | sed 's/dt=//' | tail -n 1)"
rows case.db 'SELECT count(*) FROM session' | grep -x 4 >/dev/null || fail 'not all of that day'
status_is 1 bring "$TO" --host nobody
grep -q 'absent host nobody: ' err || fail 'it is not said that there is no such host'
status_is 1 bring "$TO" --session ffffffffffffffffffffffffffffffff
grep -q 'absent session ffffffff' err || fail 'it is not said that there is no such session'
printf 'somebody %032d %064d\n' 1 2 >pins
status_is 1 "$TTYTRAIL" import --db other.db "$TO" --pins pins
[ ! -e other.db ] || rows other.db 'SELECT count(*) FROM session' | grep -x 0 >/dev/null || fail 'a key that is not pinned'

step 'pruned here, and back elsewhere'
rm -f case.db*
status_is 0 "$TTYTRAIL" prune --db "$DB" --keep-days 0
status_is 0 bring "$TO"
status_is 0 "$TTYTRAIL" verify --db case.db
grep -q '4 complete' out || fail 'not whole'
! grep -q pruned out || fail 'what is there is not pruned'

# hostile WHAT STATUS: a copy of the store, something done to it by what_WHAT; nothing of what is wrong comes.
hostile() {
    rm -rf bad case.db*
    cp -r store bad
    "what_$1"
    status_is 1 bring "file://$TMP/bad"
    cp out imported
    cp err told
    if [ -e case.db ]; then status_is 0 "$TTYTRAIL" verify --db case.db --quiet; fi
    case $1 in
        flip) grep -q 'import: altered batch batches/.*not what was signed' told && grep -q '; 1 finding$' imported ||
            fail 'the altered pack is no finding' ;;
    esac
    ok "$1: $(tail -n 1 out)"
}
nth() { find "bad/$1" -type f | sort -t/ -k5 | sed -n "$2p"; }
flip() { python3 -c 'import sys; p=sys.argv[1]; b=bytearray(open(p,"rb").read()); b[len(b)//2]^=1; open(p,"wb").write(b)' "$1"; }
what_flip() { flip "$(nth packs 2)"; }
what_signed() { sed -i 's/"user":"/"user":"not /' "$(nth batches 1)"; }
what_no_manifest() { rm "$(nth batches 1)"; }
what_no_pack() { rm "$(nth packs 1)"; }
what_short() { truncate -s -10 "$(nth packs 1)"; }
what_no_key() { rm -r bad/keys; }
what_other_host() { for d in bad/*/*/host=* bad/keys/host=*; do [ ! -e "$d" ] || mv "$d" "${d%host=*}host=somebody"; done; }
what_planted() {
    mkfifo bad/batches/fifo.json
    head -c 100000 /dev/zero >"$(nth packs 1).r1"
}
step 'hostile stores'
for what in flip signed no_manifest no_pack short no_key other_host planted; do hostile "$what"; done

step 'a session that another host names'
cat >foreign.py <<'EOF_PY'
import os, sys
os.environ['VERIFY_TMP'] = sys.argv[3]
sys.path.insert(0, sys.argv[1])
import glob, json, verify_writer as vw
top, m = sys.argv[2], None
for path in sorted(glob.glob(top + '/batches/*/*/*')):
    with open(path, encoding='utf-8') as f:
        m = json.load(f)
    if m['segments']:
        break
row = m['sessions'][0]
h = vw.Host(top, 'web9')
s = vw.Session('web9', row['epoch'])
s.id = row['id']
h.us = m['created_us'] + 10**9
h.write(segments=[s.segment(True)])
EOF_PY
rm -rf bad case.db*
cp -rp store bad
python3 -B foreign.py "$(dirname "$0")" "$TMP/bad" "$TMP" || fail 'a host of our own'
status_is 1 bring "file://$TMP/bad"
grep -q 'signed by another host' err || fail 'no such words'
status_is 0 "$TTYTRAIL" verify --db case.db
grep -q '4 complete' out || fail 'not the real ones'
rm -rf bad/*/*/host=[!w]* bad/keys/host=[!w]* case.db*
find bad -type f ! -path '*host=web9*' -exec rm {} +
bring "file://$TMP/bad" >/dev/null 2>&1 || :
status_is 0 bring "$TO"
status_is 0 "$TTYTRAIL" verify --db case.db
grep -q '4 complete' out || fail 'the real ones are refused'

step 'kill -9 while it imports'
rm -f case.db*
for i in $(seq 1 10); do
    bring "$TO" >/dev/null 2>&1 &
    victim=$!
    python3 -c 'import random, time; time.sleep(random.random() * 0.3)'
    kill -9 $(pgrep -P "$victim" -x ttytraild) "$victim" 2>/dev/null
    wait "$victim" 2>/dev/null
    if [ -s case.db ]; then status_is 0 "$TTYTRAIL" verify --db case.db --quiet; fi
done
status_is 0 bring "$TO"
rows case.db 'SELECT count(*) FROM session WHERE final = 1' | grep -x 4 >/dev/null || fail 'not all'
status_is 0 "$TTYTRAIL" verify --db case.db
grep -q '4 complete' out || fail 'not whole'
passed
