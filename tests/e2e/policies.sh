#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Policies of an installed writer: published for recorders, by group, kept when the configuration is damaged; a user's
# sessions are bounded, and one who floods holds up nobody.
. "$(dirname "$0")/lib.sh"
if [ "${1:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || fail "needs root: other users' sessions are what it looks at"
    need unshare runuser setpriv python3
    unshare -m --propagation private "$0" inside || exit 1
    passed
fi
[ "$(readlink /proc/self/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ] || fail "'inside' is for the test itself"

step 'a writer as installed'
cd "$TMP" && chmod 755 "$TMP" || exit 1
# The long line comes first: whoever reads the others has to get past it.
{ echo "ttci:x:64125:$(seq -s , -f 'member%06.0f' 9000),ttbob"; cat /etc/group; echo 'ttytrail:x:64123:'; echo 'ttstrict:x:64126:ttann'; echo 'ttann:x:64871:'; echo 'ttbob:x:64872:'; } >group
cp /etc/passwd passwd && { echo 'ttann:x:64871:64871::/:/bin/sh'; echo 'ttbob:x:64872:64872::/:/bin/sh'; } >>passwd
mount --bind group /etc/group && mount --bind passwd /etc/passwd && mount -t tmpfs none /run && mkdir /run/ttytrail ||
    fail mount
mkdir -m 755 bin
install -m 2755 -g 64123 "$BIN/ttytrail-shell" bin/ttytrail-shell
ln -s ttytrail-shell bin/ttytrail-shell-bin-sh
conf() { printf '%s\n' "$@" >c.conf; }
start() {
    "$BIN/ttytraild" --db e.db --socket /run/ttytrail/writer.sock --config c.conf 2>>log &
    WRITER=$!
    wait_for "the writer's sockets" sh -c 'test -S /run/ttytrail/writer.sock && test -f /run/ttytrail/policy'
    chgrp 64123 /run/ttytrail/writer.sock
}
stop() {
    kill "$WRITER" && wait "$WRITER"
    rm -f /run/ttytrail/writer.sock
}
at_exit 'kill $WRITER 2>/dev/null'
as() { user=$1; shift; setpriv --reuid "$user" --regid "$user" --init-groups "$TMP/bin/ttytrail-shell-bin-sh" "$@"; }
flags() { "$TTYTRAIL" list --db e.db --json | python3 -c 'import json, sys
print(*[s["flags"] for s in map(json.loads, sys.stdin) if s["user"] == sys.argv[1]])' "$1"; }

conf '[record]' 'notice = for all' '[group ttci]' 'record = off' '[group ttstrict]' 'mode = strict' 'notice = for the strict' \
    '[store]' 'user_sessions = 2'
start
[ "$(stat -c %a /run/ttytrail/policy)" = 640 ] || fail "mode of the policy: $(stat -c %a /run/ttytrail/policy)"
head -n 1 /run/ttytrail/policy | grep -qx 'ttytrail policy 1' || fail 'no policy'
grep -aq 'for the strict' /run/ttytrail/policy || fail 'no rule of the group'
ok 'published'

step 'by group'
as ttann -c 'exit 3'
[ $? = 3 ] || fail 'a strict session'
as ttbob -c 'echo private; exit 4' </dev/null >/dev/null
[ $? = 4 ] || fail 'a session that is not recorded'
wait_for 'both rows' sh -c "'$TTYTRAIL' list --db e.db --json | grep -c . | grep -qx 2"
[ -z "$(flags ttann | tr -d '[],\" ')" ] || fail "ttann: $(flags ttann)"
flags ttbob | grep -q not-recorded || fail "ttbob: $(flags ttbob)"
wait_for 'its end' sh -c "'$TTYTRAIL' list --db e.db --json | grep not-recorded | grep -q '\"state\":\"done\"'"
"$TTYTRAIL" list --db e.db --json | grep not-recorded | grep '"bytes_out":0,' | grep -q '"events":0,' || fail 'it is recorded'
ok 'one is recorded, the other leaves a row that says so'

step 'a damaged configuration'
cp /run/ttytrail/policy before
conf '[record]' 'recrod = on'
kill -HUP "$WRITER"
wait_for 'the refusal' grep -q 'reload-failed why=.*unknown key recrod' log
cmp -s before /run/ttytrail/policy || fail 'another policy'
stop
start
wait_for 'it is said' grep -q 'configuration-refused' log
wait_for 'it is kept' grep -q 'policy-kept' log
cmp -s before /run/ttytrail/policy || fail 'another policy'
as ttbob -c 'exit 5' </dev/null
[ $? = 5 ] || fail 'a login'
wait_for 'not recorded still' sh -c "'$TTYTRAIL' list --db e.db --json | grep -o not-recorded | wc -l | grep -qx 2"
ok 'it locks nobody out, and what was in force stays'
rm /run/ttytrail/policy
stop
"$BIN/ttytraild" --db e.db --socket /run/ttytrail/writer.sock --config c.conf 2>>log &
WRITER=$!
wait_for 'the built-in policy' test -s /run/ttytrail/policy
ok 'without one the built-in policy'
stop

step "a user's sessions are bounded"
conf '[store]' 'user_sessions = 2'
start
mkfifo hold
exec 3<>hold
HELD=
for one in 1 2; do
    (
        exec <hold 3>&-
        as ttann -c 'echo up >&2; read x; true' 2>up.$one >/dev/null
    ) &
    HELD="$HELD $!"
    wait_for "session $one" grep -q up up.$one
done
as ttann -c 'echo ran' >out 2>err </dev/null
[ $? = 125 ] || fail "a third: $(cat out err)"
grep -q 'user_sessions' err || fail "$(cat err)"
as ttbob -c 'exit 6' </dev/null
[ $? = 6 ] || fail 'another user'
exec 3>&-
for one in $HELD; do
    wait "$one" || fail "a held session ended with $?"
done
wait_for 'a place' sh -c "setpriv --reuid ttann --regid ttann --init-groups '$TMP/bin/ttytrail-shell-bin-sh' -c true </dev/null"
ok 'the third is refused, another user is not'
stop
exit 0
