#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shipping to a directory: everything arrives once, also when the shipper is killed at random, and verify
# tells what somebody did to it.
. "$(dirname "$0")/lib.sh"

need python3 zcat openssl
cd "$TMP" || exit 1
DB=$TMP/e.db
TO=file://$TMP/store

record() { "$TTYTRAIL" record --db "$DB" -- sh -c "$1" >/dev/null || fail 'record'; }
ship() { "$TTYTRAIL" ship --db "$DB" --to "$TO"; }
verify() { "$TTYTRAIL" verify "$@"; }
tree() { find store -type f | sort | xargs sha256sum; }
kill_later() { # PID SECONDS
    sleep "$2"
    kill -9 "$1" 2>/dev/null || :
}

step 'nothing recorded, nothing made'
record 'echo gone'
wait_for 'the private writer to leave' test ! -e e.db-wal
cp e.db none.db
python3 -c 'import sqlite3
d = sqlite3.connect("none.db")
for t in "session_tail", "segment", "session": d.execute("DELETE FROM " + t)
d.commit()' || fail 'the schema changed: adapt this test'
status_is 0 "$TTYTRAIL" ship --db none.db --to "$TO"
grep -q '^nothing to ship: no sealed' out || fail 'no such words'
[ ! -e store ] && [ ! -e none.db.key ] || fail 'a directory or a key for nothing'
rm -f e.db*

step 'the first batch'
for i in 1 2 3; do record "echo session $i; seq 1 500"; done
status_is 0 ship
grep -q 'shipped 3 segments in 1 batch,' out || fail 'not all segments went out'
[ "$(find store/packs -type f | wc -l)" = 1 ] || fail 'not one pack'
[ "$(find store/batches -type f | wc -l)" = 1 ] || fail 'not one manifest'
[ "$(find store/keys -type f | wc -l)" = 1 ] || fail 'not one key object'
[ "$(stat -c %a e.db.key)" = 600 ] || fail 'others may read the host key'
status_is 0 verify "$TO"
grep -q '3 complete; 3 segments' out || fail 'verify does not say complete'

step 'nothing new, nothing sent'
tree >before
status_is 0 ship
grep -qx "nothing to ship: all 3 segments are in $TO" out || fail 'no such words'
tree | cmp -s - before || fail 'the store changed'

step 'one ship.db, one place'
status_is 2 "$TTYTRAIL" ship --db "$DB" --to "file://$TMP/other"
grep -q "ships to $TO, not to file://$TMP/other" err || fail 'it does not name both'
grep -q 'e.db.ship.db' err || fail 'it does not say what to do'
status_is 2 "$TTYTRAIL" ship --db "$DB" --to "file://$TMP/other" --dry-run
status_is 2 "$TTYTRAIL" ship --db "$DB" --to ftp://x --dry-run
[ ! -e other ] || fail 'it made something there'
status_is 0 "$TTYTRAIL" ship --db "$DB" --to "$TMP/store/"

step 'the signature holds for openssl too'
python3 - store/batches/*/*/*.json <<'PY' || fail 'cannot take the manifest apart'
import json, sys
line = open(sys.argv[1], "rb").read()
signed, sig = line.rsplit(b',"sig":"', 1)
assert sig.endswith(b'"}\n') and len(sig) == 131
open("signed", "wb").write(b"ttytrail manifest 1\n" + signed)
open("sig", "wb").write(bytes.fromhex(sig[:128].decode()))
public = bytes.fromhex(json.loads(line)["public_key"])
open("pub.der", "wb").write(bytes.fromhex("302a300506032b6570032100") + public)
PY
status_is 0 openssl pkeyutl -verify -pubin -inkey pub.der -keyform DER -rawin -in signed -sigfile sig

step 'dry run sends nothing'
record 'echo dry'
wait_for 'its segment is seen' sh -c "'$TTYTRAIL' ship --db '$DB' --to '$TO' --dry-run | grep -q 'would ship 1 segment '"
tree | cmp -s - before || fail 'the store changed'
status_is 0 ship

step 'one shipper at a time'
flock e.db.ship.db.lock true || fail 'no lock file'
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
status_is 1 ship
grep -q 'another ship is running' err || fail 'it does not say why'
: >unlock
wait "$holder"

step 'kill -9 at random, 20 times'
for i in $(seq 1 20); do
    record "echo round $i; seq 1 $((i * 200))"
    ship >/dev/null 2>&1 &
    kill_later $! "0.0$((i * 7 % 10))$i"
    wait $! 2>/dev/null
done
wait_for 'a run that ends' ship
status_is 0 ship
grep -q '^nothing to ship: all [0-9]* segments are in ' out || fail 'something was left'
status_is 0 verify "$TO"
grep -q '24 complete; 24 segments' out || fail 'not every segment stands in one manifest'
status_is 0 verify --db "$DB"
grep -q '24 complete' out || fail 'the database'

step 'a heartbeat when nothing happened for long'
later() { python3 -c 'import sqlite3; d=sqlite3.connect("e.db.ship.db"); d.execute("UPDATE identity SET last_us=last_us-3600000000"); d.commit()'; }
later || fail 'the schema changed: adapt this test'
find store/packs -type f | wc -l >packs.before
status_is 0 ship
grep -q '^heartbeat' out || fail 'no heartbeat'
find store/packs -type f | wc -l | cmp -s - packs.before || fail 'a pack for nothing'
status_is 0 ship
grep -q '^nothing to ship: all [0-9]* segments are in ' out || fail 'a second one'
status_is 0 verify "$TO"

step 'nothing but zcat and dd'
python3 - <<'PY' || fail 'cannot read the manifests'
import glob, json
for name in sorted(glob.glob("store/batches/*/*/*.json")):
    m = json.load(open(name))
    for s in m["segments"]:
        pack = open("store/" + m["objects"][0]["name"], "rb")
        pack.seek(s["offset"])
        open("parts-" + s["session"], "ab").write(pack.read(s["length"]))
PY
for parts in parts-*; do
    id=${parts#parts-}
    zcat "$parts" >got.cast || fail 'zcat'
    "$TTYTRAIL" export --db "$DB" "$id" --format cast >want.cast || fail 'export'
    cmp -s got.cast want.cast || fail "session $id differs from the local export"
done

what_planted() {
    mkfifo "$(dirname "$(nth batches 1)")/000000000099-20260101T000000Z-$(printf %064d 0).json"
    ln -s /nonexistent bad/keys/dangling.json
}
# tamper WHAT WORD: a copy of the store, something done to it by the function what_WHAT, verify says WORD.
tamper() {
    rm -rf bad
    cp -r store bad
    "what_$1"
    status_is 1 verify "file://$TMP/bad"
    grep -q "^$2 " out || {
        cat out >&2
        fail "$1: verify does not say '$2'"
    }
    ok "$1: $2"
}
nth() { find "bad/$1" -type f | sort -t/ -k5 | sed -n "$2p"; }
flip() { python3 -c 'import sys; p=sys.argv[1]; b=bytearray(open(p,"rb").read()); b[len(b)//2]^=1; open(p,"wb").write(b)' "$1"; }
what_flip() { flip "$(nth packs 2)"; }
what_signed() { sed -i 's/"user":"/"user":"not /' "$(nth batches 2)"; }
what_unsigned() { sed -i 's/,"sig":"[0-9a-f]*"//' "$(nth batches 2)"; }
what_no_manifest() { rm "$(nth batches 2)"; }
what_no_pack() { rm "$(nth packs 2)"; }
what_short() { truncate -s -10 "$(nth packs 2)"; }
what_no_key() { rm -r bad/keys; }
what_no_batches() { rm -r bad/batches; }
what_swap() {
    a=$(nth batches 1) b=$(nth batches 2)
    mv "$a" x && mv "$b" "$a" && mv x "$b"
}
what_other_host() {
    for d in bad/*/*/host=* bad/keys/host=*; do [ ! -e "$d" ] || mv "$d" "${d%host=*}host=somebody"; done
}

step 'verify finds what was done'
[ "$(find store/batches -type f | wc -l)" -ge 3 ] || fail 'too few batches to tamper with'
tamper flip altered
tamper signed altered
tamper unsigned unsigned
tamper no_manifest gap
tamper no_pack gap
tamper short truncated
tamper no_key 'unknown key'
tamper no_batches gap
grep -q '^orphan *object packs/' out || fail 'the packs are not named'
tamper swap altered
tamper other_host altered
# What anybody who may write there can lay beside ours: named, and everything else is verified.
tamper planted unsigned
grep -q 'cannot be read' out || fail 'it is not said that it cannot be read'
[ "$(grep -c '^complete *session' out)" -ge 3 ] || fail 'the rest was not verified'

step 'a database somebody wrote to'
for change in "UPDATE segment SET bytes = zeroblob(length(bytes)) WHERE rowid = 3" \
    "DELETE FROM segment WHERE rowid = 4" \
    "DELETE FROM session WHERE row = 5" \
    "UPDATE session SET user = 'mallory' WHERE row = 2" "UPDATE session SET title = 'x' WHERE row = 2" \
    "UPDATE session SET uid = uid + 1 WHERE row = 2" "UPDATE session SET began_us = 1 WHERE row = 2"; do
    cp e.db bad.db
    python3 -c 'import sqlite3, sys; d=sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2]); d.commit()' bad.db "$change" ||
        fail 'the schema changed: adapt this test'
    status_is 1 verify --db bad.db
    grep -q '^[a-z]* .*: .' out || fail 'no reason'
done
grep -q 'differ in started_us' out || fail 'it does not name the member'

step 'a lost ship.db: a new epoch says why'
rm -f e.db.ship.db*
record 'echo after'
status_is 0 ship
grep -q 'new epoch.*ship.db was lost' err || fail 'no reason'
status_is 0 verify "$TO"
grep -c '^complete host' out | grep -qx 2 || fail 'not two epochs'

step 'files'
printf '{"version":2,"width":80,"height":24}\n[0.5,"o","a"]\n[0.25,"o","b"]\n' >back.cast
status_is 1 verify back.cast
grep -q 'steps back' out || fail 'no reason'
status_is 0 verify got.cast "./$parts"
grep -q '^readable file got.cast .*(a file carries no signature)$' out || fail 'more is said of a file than can be known'
[ "$(grep -c '^readable' out)" = 2 ] || fail 'packed or not makes a difference'
cat parts-* >several.cast.gz
status_is 0 verify several.cast.gz
grep -q '^readable .* 24 sessions' out || fail 'a pack of several sessions'
one='{"version":2,"width":80,"height":24}\n[5,"o","a"]\n'
printf "$one" | gzip >one.gz
printf '[1,"o","rest"]\n' | gzip >part.gz
cat one.gz part.gz >swapped.cast.gz
status_is 1 verify swapped.cast.gz
grep -q 'steps back' out || fail 'one session whose parts are not in order'
cat one.gz one.gz part.gz >pack.cast.gz
status_is 0 verify pack.cast.gz
grep -q '2 sessions, 1 part of others, 3 events' out || fail 'a pack with a part of a session'
status_is 2 verify got.cast last
grep -q "'last' is no file" err || fail 'it does not say what is wrong'
status_is 0 verify store
grep -q '^verified: ' out || fail 'a directory is a store'
mkdir empty
status_is 3 verify empty
status_is 3 verify ./absent.cast
echo 'not a recording' >none.cast
status_is 3 verify ./none.cast
head -c 300 "$parts" >short.cast.gz
status_is 1 verify ./short.cast.gz
grep -q '^truncated' out || fail 'a file that ends early is not truncated'

# The new key vouches for nothing of the old one's: a session that was born before is nobody's.
step 'a lost key: a new epoch says why'
rm -f e.db.key
record 'echo later'
status_is 0 ship
grep -q 'new epoch.*key was lost' err || fail 'no reason'
status_is 1 verify "$TO"
grep -q '^altered  *batch .*is signed by another host' out || fail 'the session of the lost key is taken'
grep -q '; 1 finding$' out || fail 'something else is found'
passed
