#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A writer that serves many, and sessions that go on: what they have shown is shipped while they live, run by
# run, and is one session in the end.
. "$(dirname "$0")/lib.sh"

need mkfifo zcat
cd "$TMP" || exit 1
DB=$TMP/e.db
TO=file://$TMP/store

"$BIN/ttytraild" --db "$DB" --socket "$TMP/w.sock" --control "$TMP/c.sock" 2>writer.err &
writer=$!
at_exit "kill $writer 2>/dev/null; wait $writer 2>/dev/null"
wait_for 'the writer listens' test -S w.sock -a -S c.sock

ship() { "$TTYTRAIL" ship --db "$DB" --to "$TO" --socket "$TMP/c.sock"; }

step 'a session that goes on'
mkfifo keys
"$TTYTRAIL" record --socket "$TMP/w.sock" -- sh <keys >shown 2>&1 &
recorder=$!
exec 9>keys
echo 'echo one' >&9
wait_for 'it is shown' grep -q one shown
status_is 0 ship
grep -q '^shipped' out || fail 'the tail of a live session was not sealed and shipped'
status_is 0 "$TTYTRAIL" verify "$TO"
grep -q '1 open; ' out || fail 'not open'
status_is 0 ship
grep -q '^nothing to ship: all [0-9]* segments are in ' out || fail 'something was sent again'

step 'and goes on'
echo 'echo two' >&9
wait_for 'it is shown' grep -q two shown
status_is 0 ship
status_is 0 "$TTYTRAIL" verify --db "$DB"
grep -q '1 open; ' out || fail 'the database'

step 'and ends'
echo 'exit 3' >&9
exec 9>&-
wait "$recorder"
[ $? = 3 ] || fail 'status'
status_is 0 ship
status_is 0 "$TTYTRAIL" verify "$TO"
grep -q '1 complete; ' out || fail 'not complete'
find store/packs -type f | sort | xargs cat >all.cast.gz
find store/packs -type f | sort >packs
for pack in $(cat packs); do
    status_is 0 "$TTYTRAIL" verify "./$pack"
    grep -q '^readable' out || fail 'a part of a session'
done
zcat all.cast.gz >back.cast || fail 'zcat'
status_is 0 "$TTYTRAIL" verify ./all.cast.gz
"$TTYTRAIL" export --db "$DB" last --format cast >local.cast || fail 'export'
cmp back.cast local.cast || fail 'it is not what was recorded'
passed
