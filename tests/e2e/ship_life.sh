#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A shipping host's life: boots and stops, a key that is replaced, a batch that is withheld and one that is
# sent again, a daemon that ends when it is told to.
. "$(dirname "$0")/lib.sh"

need python3
cd "$TMP" || exit 1
DB=$TMP/e.db
DEADLINE=60
TO=file://$TMP/store

record() { "$TTYTRAIL" record --db "$DB" -- sh -c "$1" >/dev/null || fail 'record'; }
ship() { "$TTYTRAIL" ship --db "$DB" --to "$TO" "$@"; }
manifests() { find store/batches -name '*.json' | sed 's|.*/||' | sort; }
# newest MEMBER: of the newest manifest.
newest() {
    python3 -c 'import glob, json, sys
name = max(glob.glob("store/batches/*/*/*.json"), key=lambda p: p.split("/")[-1])
print(json.load(open(name))[sys.argv[1]])' "$1"
}
sql() { python3 -c 'import sqlite3, sys
d = sqlite3.connect("e.db.ship.db"); d.execute(sys.argv[1]); d.commit()' "$1" || fail 'the schema changed: adapt this test'; }

step 'orders that make no sense'
status_is 2 ship --withhold 1
status_is 2 ship --reason x
status_is 2 ship --follow --dry-run
status_is 2 ship --stop --dry-run

step 'a stop, and what follows it'
record 'echo one'
status_is 0 ship
status_is 0 ship --stop
grep -q '^stop 2' out || fail 'no stop manifest'
[ "$(newest kind)" = stop ] || fail 'the newest is no stop'
status_is 0 ship
grep -q '^nothing to ship' out || fail 'it does not rest'
sql "UPDATE facts SET value='00112233445566778899aabbccddeeff' WHERE name='boot_id'"
status_is 0 ship
grep -q '^boot 3' out || fail 'no boot manifest'
[ "$(newest boot)" != "" ] && newest boot | grep -q 00112233445566778899aabbccddeeff || fail 'which boot was before?'
[ "$(newest heartbeat_h)" = 1 ] || fail 'no promise'
status_is 0 ship
grep -q '^nothing to ship' out || fail 'a second boot'

step 'a new key'
status_is 0 ship --rotate-key
grep -q '^heartbeat 4' out || fail 'nothing is signed with it'
grep -q 'key 2 signs' err || fail 'it does not say so'
[ "$(newest key)" = 2 ] || fail 'the old key signed'
[ "$(find store/keys -type f | wc -l)" = 2 ] || fail 'not two key objects'
python3 - <<'PY' || fail 'the key objects'
import glob, json
keys = sorted((json.load(open(p)) for p in glob.glob("store/keys/*/*.json")), key=lambda k: k["number"])
assert [k["number"] for k in keys] == [1, 2]
assert keys[1]["previous_key"] == keys[0]["public_key"] and keys[1]["previous_number"] == 1
assert keys[1]["previous_epoch"] == keys[0]["epoch"] == keys[1]["epoch"]
assert (keys[0]["from_seq"], keys[1]["from_seq"]) == (1, 4) and keys[1]["why"] == "rotated"
PY
[ "$(stat -c %a e.db.key)" = 600 ] && [ ! -e e.db.key.next ] || fail 'the key files'
record 'echo two'
status_is 0 ship
status_is 0 "$TTYTRAIL" verify "$TO"

step 'what AWS signed of the instance'
cat >imds.py <<'PY'
import http.server
class Imds(http.server.BaseHTTPRequestHandler):
    said = {"/latest/dynamic/instance-identity/document": b'{\n  "instanceId" : "i-0123456789abcdef0"\n}',
            "/latest/dynamic/instance-identity/rsa2048": b"MIIabc\ndef+/=\n"}
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.command == "PUT":
            self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.end_headers()
        self.wfile.write(body)
    def do_PUT(self):
        self.answer(200, b"TOKEN")
    def do_GET(self):
        known = self.path in self.said and self.headers["X-aws-ec2-metadata-token"] == "TOKEN"
        self.answer(200 if known else 404, self.said[self.path] if known else b"")
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Imds)
with open("imds.port.new", "w") as f:
    f.write(str(server.server_port))
import os
os.rename("imds.port.new", "imds.port")
server.serve_forever()
PY
python3 imds.py &
imds=$!
at_exit "kill $imds 2>/dev/null"
wait_for 'the metadata service' test -e imds.port
AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:$(cat imds.port)" status_is 0 ship --rotate-key
python3 - <<'PY' || fail 'the key object'
import glob, json
k = next(k for k in (json.load(open(p)) for p in glob.glob("store/keys/*/*-3.json")))
assert json.loads(k["instance"]["document"])["instanceId"] == "i-0123456789abcdef0"
assert k["instance"]["rsa2048"] == "MIIabcdef+/="
PY
kill "$imds"
status_is 0 "$TTYTRAIL" verify "$TO"

step 'a key that signed nothing yet is not replaced before it did'
"$TTYTRAIL" record --db "$TMP/young.db" -- echo young >/dev/null || fail 'record'
young() { "$TTYTRAIL" ship --db "$TMP/young.db" --to "file://$TMP/young" "$@"; }
status_is 0 young --rotate-key
grep -q '^heartbeat 1' out || fail 'the first key signed nothing'
status_is 0 young --rotate-key
status_is 0 "$TTYTRAIL" verify "file://$TMP/young"
python3 - <<'PY' || fail 'from_seq does not grow'
import glob, json
n = [json.load(open(p)).get("from_seq", 1) for p in sorted(glob.glob("young/keys/*/*"))]
assert len(n) == 3 and n[0] < n[1] < n[2], n
PY

step 'a batch that cannot be sent'
record 'echo poison'
# Frozen, and not sent: the directory is in the way.
mv store aside && : >store
status_is 1 ship
rm store && mv aside store
status_is 2 ship --withhold 99 --reason x
grep -q 'there is no batch 99' err || fail 'no such words'
status_is 2 ship --withhold 6 --reason x
grep -q 'is stored' err || fail 'a stored batch was withheld'
status_is 0 ship --withhold 7 --reason 'INC-7: not sendable'
grep -q '^withheld 8' out || fail 'no withheld manifest'
grep -q '^batch 9: 1 segments' out || fail 'its segment did not come again'
status_is 2 ship --withhold 7 --reason x
status_is 0 ship
grep -q '^nothing to ship: all 3 segments' out || fail 'it does not rest'
manifests | grep -q '^000000000007-' && fail 'the withheld one is there' || :
python3 - <<'PY' || fail 'the withheld manifest'
import glob, hashlib, json
by = {}
for p in glob.glob("store/batches/*/*/*.json"):
    m = json.load(open(p))
    by[m["seq"]] = m
w = by[8]["withheld"]
assert w["seq"] == 7 and w["reason"] == "INC-7: not sendable" and len(w["segments"]) == 1
assert hashlib.sha256(bytes.fromhex(by[6]["head"] + w["composition"])).hexdigest() == w["head"]
assert by[8]["previous_head"] == w["head"]
s, t = w["segments"][0], by[9]["segments"][0]
assert all(s[k] == t[k] for k in ("session", "epoch", "seq", "sha256"))
PY
status_is 0 "$TTYTRAIL" verify "$TO"
grep -q '1 withheld' out || fail 'verify does not tell'

step 'a batch once more'
manifests >before
status_is 0 ship --again 9
grep -q '^batch 9: 1 segments' out || fail 'it was not sent'
manifests | cmp -s - before || fail 'what is still there was stored twice'
rm -r store/batches/*/*/000000000009-* store/packs/*/*/000000000009-*
status_is 0 ship --again "$(grep '^000000000009-' before | sed 's/\.json//')"
manifests | cmp -s - before || fail 'it did not come back'
status_is 2 ship --again 7
grep -q 'is withheld' err || fail 'a withheld one again'
status_is 2 ship --again 9-zzz
status_is 2 ship --again x
status_is 0 ship
grep -q '^nothing to ship' out || fail 'it does not rest'

step 'a daemon'
printf '[ship]\nship_every_s = 1\n' >fast.conf
"$TTYTRAIL" ship --db "$DB" --to "$TO" --follow --config fast.conf >follow.out 2>follow.err &
daemon=$!
at_exit "kill -9 $daemon 2>/dev/null"
record 'echo three'
DEADLINE=60 wait_for 'the daemon to ship' grep -q '^shipped 1 segment ' follow.out
record 'echo four'
DEADLINE=60 wait_for 'its second round' sh -c '[ "$(grep -c "^shipped 1 segment " follow.out)" = 2 ]'
kill "$daemon"
wait "$daemon"
got=$?
[ "$got" = 0 ] || fail "the daemon ended with $got"
status_is 0 ship
grep -q '^nothing to ship' out || fail 'it left something'
passed
