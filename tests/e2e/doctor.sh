#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doctor says what is wrong and what to do, with its exit status, and ship --dry-run tells of the road; without a
# store.  The probe is tried in policy_s3.sh.
. "$(dirname "$0")/lib.sh"

need python3
cd "$TMP" || exit 1
DB=$TMP/e.db
export AWS_EC2_METADATA_DISABLED=true
doctor() { "$TTYTRAIL" doctor --db "$DB" "$@"; }
finding() { # CHECK WORDS
    grep -q "^finding *$1 .*$2" out || fail "no finding '$1': $2: $(cat out)"
}

step 'a directory, and nothing recorded yet'
status_is 0 doctor --to "file://$TMP/store"
grep -q '^all is well' out || fail 'no last sentence'

step 'a wrong line of the configuration is named'
printf '[ship]\nship_kib = 64\nshipkib = 64\n' >bad.conf
status_is 1 doctor --config bad.conf
finding configuration 'bad.conf:3: unknown key shipkib'
grep -q '^ *do: ' out || fail 'no advice'
grep -q '^ok *disk ' out || fail 'the host was not looked at'
status_is 3 doctor --config nowhere.conf
grep -q '^blind *configuration ' out || fail 'a file that is not there'

step 'a place that is none, or cannot be made'
status_is 1 doctor --to ftp://x
finding probe 'neither file:///DIR nor'
status_is 1 doctor --to file:///proc/x
finding probe 'cannot be made'
status_is 1 doctor --to "file://$TMP/none/store"
finding probe "no directory $TMP/none"
[ ! -e none ] && [ -z "$(find . -name '.ttytrail-doctor*')" ] || fail 'it left something there'
printf '[ship]\nto = ftp://x\n' >ftp.conf
status_is 1 doctor --config ftp.conf
finding configuration 'ftp.conf:2: to must be'

step 'nothing is shipped'
printf '[ship]\n' >empty.conf
status_is 1 doctor --config empty.conf
finding probe 'nothing is shipped'

step 'a backlog'
"$TTYTRAIL" record --db "$DB" -- echo one >/dev/null || fail record
wait_for 'a sealed segment' sh -c "'$TTYTRAIL' ship --db '$DB' --to 'file://$TMP/store' --dry-run | grep -q '^would ship 1 '"
status_is 0 doctor --to "file://$TMP/store"
grep -q '^note *shipping .*1 segment of 1 session waits' out || fail 'nothing waits'
"$TTYTRAIL" ship --db "$DB" --to "file://$TMP/store" >/dev/null || fail ship
status_is 0 doctor --to "file://$TMP/store"
grep -q '^ok *shipping .*last batch: number 1' out || fail 'no last batch'
status_is 1 doctor --to "file://$TMP/other"
finding shipping "$TMP/store"

step 'what status warns of is a finding'
status_is 0 doctor --to "file://$TMP/store"
grep -q '^ok *status ' out || fail 'no word of status'
cp e.db.ship.db ship.before
python3 - <<'PY' || fail 'the schema changed: adapt this test'
import sqlite3
d = sqlite3.connect("e.db.ship.db")
d.execute("INSERT OR REPLACE INTO facts VALUES ('set_aside', '1', strftime('%s')*1000000)")
d.execute("INSERT OR REPLACE INTO facts VALUES ('error', 'no such luck', strftime('%s')*1000000)")
d.commit()
PY
status_is 1 doctor --to "file://$TMP/store"
finding status 'batches: the last run set 1 '
finding status 'shipped: the last run, .* failed: no such luck'
mv ship.before e.db.ship.db
mv store store.real
status_is 1 doctor --to "file://$TMP/store"
finding probe "$TMP/store is not the directory that was shipped to"
mv store.real store

step 'no keys, no host name'
printf '[s3]\nregion = us-east-1\nendpoint = http://127.0.0.1:1\n' >s3.conf
status_is 1 doctor --config s3.conf --to s3://audit/prod
finding 'host name' 'is unset'
finding credentials 'no AWS credentials'
grep -q '^blind *probe .*without keys' out || fail 'a probe without keys'
! grep -q 'refuses' out || fail 'nobody refused'

step 'a store that does not answer'
export AWS_ACCESS_KEY_ID=AKIATTYTRAILTESTKEY0 AWS_SECRET_ACCESS_KEY=not-to-be-seen
status_is 1 doctor --config s3.conf --to s3://audit/prod
finding probe '127.0.0.1'
grep -q '^ok *road *local' out || fail 'no road'
! grep -q 'not-to-be-seen\|AKIATTY' out err || fail 'a key was printed'

step 'as JSON'
status_is 1 doctor --json --config s3.conf --to s3://audit/prod
python3 - <<'PY' || fail 'JSON'
import json
lines = [json.loads(line) for line in open("out")]
assert {"configuration", "host name", "metadata", "credentials", "probe", "clock", "road", "shipping", "status",
        "rights", "disk", "time"} == \
    {line["check"] for line in lines[:-1]}
found = [line for line in lines[:-1] if line["result"] == "finding"]
assert all(line["advice"] for line in found) and lines[-1] == {"check": "sum", "findings": len(found), "blind": 0}
PY

step 'everybody on the host can use the role'
# Descriptor 3 holds it open; it ends with this test.
mkfifo alive
python3 -B "$ROOT/tests/e2e/imds.py" "$TMP/imds.url" <alive &
exec 3>alive
wait_for 'the metadata service' test -s imds.url
chmod 755 "$TMP"
imds() { env -u AWS_EC2_METADATA_DISABLED AWS_METADATA_SERVICE_TIMEOUT=60 AWS_EC2_METADATA_SERVICE_ENDPOINT="$(cat imds.url)" "$TTYTRAIL" doctor --db "$DB" "$@"; }
status_is 1 imds --to "file://$TMP/store"
finding metadata 'can be used by everybody'
grep -q 'print-policy nftables' out || fail 'no advice'
if [ "$(id -u)" = 0 ]; then
    grep -q "'nobody' got it" out || fail 'it was not nobody who looked'
else
    echo '*** NOT TESTED: with the eyes of nobody: this is not root'
fi

step "a name that came with another instance's image"
printf '[s3]\nregion = us-east-1\nendpoint = http://127.0.0.1:1\nhost_name = AROA1:i-0abd\n' >clone.conf
status_is 1 imds --config clone.conf --to s3://audit/prod
finding 'host name' 'AROA1:i-0abd, and this instance is i-0abc'
sed -i 's/i-0abd/i-0abc/' clone.conf
status_is 1 imds --config clone.conf --to s3://audit/prod
grep -q '^ok *host name *AROA1:i-0abc$' out || fail 'its own name'
exec 3>&-

step 'the road without sending anything'
rm -f e.db*
"$TTYTRAIL" record --db "$DB" -- echo two >/dev/null || fail record
status_is 0 "$TTYTRAIL" ship --db "$DB" --dry-run --to s3://audit/prod --config s3.conf
grep -q '^road: local$' out || fail 'ship --dry-run tells nothing of the road'
status_is 0 "$TTYTRAIL" ship --db "$DB" --dry-run --json --to s3://audit/prod --config s3.conf
python3 -c 'import json; assert json.loads(open("out").readlines()[-1])["road"] == "local"' || fail 'JSON'
status_is 0 "$TTYTRAIL" ship --db "$DB" --dry-run --to "file://$TMP/store"
grep -q '^road: .*no road' out || fail 'a directory has no road'
echo '*** NOT TESTED: a real gateway endpoint, its timeouts and refusals: there is no VPC here; unit.road judges made-up facts'
passed
